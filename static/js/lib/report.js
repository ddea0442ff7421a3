/* The report panel: 1 to 7 choose the reason, Enter sends, Esc closes. */

import { at } from "./page.js";

const dialog = at("report");
const form = dialog.querySelector("form");

export function openReport(onReport) {
  form.reset();
  dialog.showModal();
  form.onsubmit = ({ submitter }) => {
    if (submitter?.value === "cancel") return;
    const { reason, note } = form.elements;
    onReport({ reason: reason.value, note: note.value.trim() });
  };
}

dialog.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("textarea")) return;
  const radio = form.querySelectorAll("[name=reason]")[Number(event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1]) - 1];
  if (radio) {
    radio.checked = true;
    radio.focus();
  } else if (event.key === "Enter" && event.target.matches("input")) form.requestSubmit();
  else return;
  event.preventDefault();
});
