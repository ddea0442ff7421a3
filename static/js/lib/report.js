/* The report panel: digits choose, in the first group that has no choice yet; Enter sends, Esc closes. */

import { at } from "./page.js";

const dialog = at("report");
const form = dialog.querySelector("form");
const groups = [...form.querySelectorAll("fieldset")].map((group) => [...group.querySelectorAll("input")]);

export function openReport(onReport) {
  form.reset();
  dialog.showModal();
  form.onsubmit = ({ submitter }) => {
    if (submitter?.value === "cancel") return;
    const said = Object.fromEntries(new FormData(form));
    onReport({ ...said, note: said.note.trim() });
  };
}

function radioFor(digit) {
  const group = groups.find((radios) => !radios.some((radio) => radio.checked)) ?? groups.at(-1);
  return group.filter((radio) => !radio.disabled)[digit - 1];
}

dialog.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("textarea")) return;
  const radio = radioFor(Number(event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1]));
  if (radio) {
    radio.checked = true;
    radio.focus();
  } else if (event.key === "Enter" && event.target.matches("input")) form.requestSubmit();
  else return;
  event.preventDefault();
});
