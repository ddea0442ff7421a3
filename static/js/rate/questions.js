/* The two questions: radio groups that keys can answer too. Nothing is ever chosen by the page. */

import { form } from "../lib/page.js";
import { moveAmong, onChosen } from "../lib/radios.js";

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

export function moveTo(key) {
  return moveAmong([...form.querySelectorAll(`[name="${active}"]`)].filter((radio) => radio.value !== "unsure"), key);
}

/* Call back when a person pointed at an answer. */
export function onPointed(callback) {
  onChosen(form, ({ name }, is_pointed) => {
    if (!NAMES.includes(name)) return;
    goOnFrom(name);
    if (is_pointed) callback();
  });
}
