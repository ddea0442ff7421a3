/* The one question: which of the images is the best, or that there is none. Nothing is ever chosen by the page. */

import { form } from "../lib/page.js";
import { moveAmong } from "../lib/radios.js";

const radios = () => [...form.querySelectorAll("[name=choice]")];

export function readChoice() {
  return { choice: radios().find((radio) => radio.checked)?.value ?? "" };
}

/* What the server wrote into the page; a browser may have ticked something else since, which nobody chose. */
export function readDefault() {
  return { choice: radios().find((radio) => radio.defaultChecked)?.value ?? "" };
}

export function writeChoice({ choice = "" }) {
  for (const radio of radios()) radio.checked = radio.value === choice;
}

/* Choose by place, from 0, or by value; returns whether there is such a choice. */
export function choose(which) {
  const radio = radios().find(({ value }, place) => which === value || (which === place && isImage(value)));
  if (!radio) return false;
  radio.checked = true;
  radio.focus({ preventScroll: true });
  return true;
}

export const isImage = (value) => Boolean(value) && value !== "tie" && value !== "all_bad";
export const moveTo = (key) => moveAmong(radios(), key);
