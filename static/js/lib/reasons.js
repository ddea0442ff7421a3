/* After a skip: reasons to choose from, for some seconds and for as long as a hand or the focus is on them. */

import { at } from "./page.js";

const SHOWN_MS = 6000;
let timer = null;

export function askForReason(onReason) {
  const toast = at("reasons");
  toast.hidden = false;
  toast.onclick = ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    close();
    if (button.value) onReason(button.value);
  };
  toast.onpointerenter = toast.onfocusin = () => clearTimeout(timer);
  toast.onpointerleave = toast.onfocusout = wait;
  wait();
}

function wait() {
  clearTimeout(timer);
  timer = setTimeout(close, SHOWN_MS);
}

export function close() {
  clearTimeout(timer);
  at("reasons").hidden = true;
}
