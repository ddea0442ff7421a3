/* The two questions: radio groups that keys can answer too. Nothing is ever chosen by the page. */

import { form } from "../lib/page.js";

const NAMES = ["aesthetic", "artifacts"];
const radios = form.querySelectorAll("input[type=radio]");
let active = "aesthetic";

export const chosen = (name) => form.querySelector(`[name="${name}"]:checked`)?.value ?? "";

export function readAnswers() {
  return Object.fromEntries(NAMES.map((name) => [name, chosen(name)]));
}

/* What the server wrote into the page; a browser may have ticked something else since, which nobody chose. */
export function readDefaults() {
  return Object.fromEntries([...radios].filter((radio) => radio.defaultChecked).map(({ name, value }) => [name, value]));
}

export function writeAnswers(answers) {
  for (const radio of radios) radio.checked = answers[radio.name] === radio.value;
  activate(answers.aesthetic && !answers.artifacts ? "artifacts" : "aesthetic");
}

export const isComplete = () => NAMES.every(chosen);
export const activeQuestion = () => active;

/* The active question is the one that digits answer; it is marked. */
function activate(name) {
  active = name;
  for (const each of NAMES) form.querySelector(`.scale-${each}`).classList.toggle("is-active", each === name);
}

export function choose(name, value) {
  const radio = form.querySelector(`[name="${name}"][value="${value}"]`);
  if (!radio) return false;
  radio.checked = true;
  radio.focus({ preventScroll: true });
  goOnFrom(name);
  return true;
}

function goOnFrom(name) {
  activate(name === "aesthetic" || chosen("aesthetic") ? "artifacts" : "aesthetic");
}

/* What a digit means for the active question: 0 is ten for the first, and no flaw for the second. */
export function valueOf(digit) {
  return active === "aesthetic" ? digit || 10 : digit;
}

/* Arrows, Home and End when no radio has the focus; a radio that has it moves by itself. */
export function moveTo(key) {
  const row = [...form.querySelectorAll(`[name="${active}"]`)].filter((radio) => radio.value !== "unsure");
  const now = row.findIndex((radio) => radio.checked);
  const rtl = document.dir === "rtl" ? -1 : 1;
  const step = { ArrowLeft: now - rtl, ArrowRight: now + rtl, Home: 0, End: row.length - 1 }[key];
  if (step === undefined) return false;
  const target = row[Math.min(row.length - 1, Math.max(0, step))];
  target.checked = true;
  target.focus({ preventScroll: true });
  return true;
}

/* Call back when a person pointed at an answer; arrows move through all of them and so are no decision. */
export function onPointed(callback) {
  let was_pointer = false;
  form.addEventListener("pointerdown", () => (was_pointer = true));
  form.addEventListener("keydown", () => (was_pointer = false));
  form.addEventListener("change", ({ target }) => {
    if (!NAMES.includes(target.name)) return;
    goOnFrom(target.name);
    if (was_pointer) callback();
  });
}
