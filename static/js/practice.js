/*
 * Practice with script: what was planted is told at once, and the next image comes without a new page. A key or a pointed
 * answer is an answer; Enter goes on; Esc leaves. Without script it is a form that works.
 */

import { getJson, postForm } from "./lib/api.js";
import { digitOf, isMeantElsewhere, keysOf } from "./lib/keys.js";
import { say } from "./lib/words.js";

const at = (id) => document.getElementById(id);
const form = at("practice");
const levels = form ? [...form.querySelectorAll("[name=artifacts]")] : [];
let coming = null;
let images = [];
let is_answered = false;
let is_pointed = false;

if (form && at("compare")) start();

function start() {
  document.addEventListener("keydown", onKey);
  form.addEventListener("pointerdown", () => (is_pointed = true));
  form.addEventListener("keydown", () => (is_pointed = false));
  form.addEventListener("change", () => is_pointed && answer());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer();
  });
  at("next").addEventListener("click", goOn);
  coming = getJson(form.action);
}

async function answer() {
  const { image_id, number, csrfmiddlewaretoken } = form.elements;
  const chosen = levels.find((level) => level.checked);
  if (is_answered || !chosen) return;
  is_answered = true;
  const fields = { image_id: image_id.value, number: number.value, artifacts: chosen.value };
  const said = await postForm(form.action, fields, csrfmiddlewaretoken.value);
  // Who answers at once is faster than the list of what follows.
  images = (await coming).images ?? [];
  at("feedback").hidden = false;
  at("feedback").textContent = said.message;
  is_answered = said.is_ok;
  if (said.is_ok) show(said);
}

function show({ planted, is_finished }) {
  levels[planted].closest("label").classList.add("is-planted");
  at("compare").hidden = true;
  const following = is_finished || !images.length ? at("leave") : at("next");
  at("next").hidden = following !== at("next");
  if (is_finished) {
    at("leave").textContent = at("leave").dataset.done;
    at("leave").classList.add("button-main");
  }
  following.focus();
}

function goOn() {
  const { number, image_id } = form.elements;
  number.value = Number(number.value) + 1;
  const image = images[number.value];
  image_id.value = image.image_id;
  Object.assign(at("picture"), { src: image.url, width: image.width, height: image.height });
  at("heading").textContent = say("heading", { position: Number(number.value) + 1, count: images.length });
  for (const level of levels) {
    level.checked = false;
    level.closest("label").classList.remove("is-planted");
  }
  for (const cards of document.querySelectorAll(".practice-cards")) cards.hidden = true;
  at("feedback").hidden = true;
  at("next").hidden = true;
  at("compare").hidden = false;
  is_answered = false;
  at("heading").focus();
}

function onKey(event) {
  if (isMeantElsewhere(event) || event.shiftKey) return;
  if (event.key === "Escape") return void at("leave").click();
  const level = digitOf(event) ?? levels.findIndex((_, value) => keysOf({})[`artifacts_${value}`] === event.code);
  if (!levels[level] || is_answered) return;
  event.preventDefault();
  levels[level].checked = true;
  answer();
}
