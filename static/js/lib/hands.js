/*
 * Hands on a page for answering: keys, buttons and strokes. What answers the page's own question is the page's:
 * `onDigit(digit)` and `onAction(name)` for keys, and `moveTo(key)` for arrows, Home and End while no answer has the focus.
 * They return false for what they do not know, which stays the browser's.
 */

import { listenForGestures } from "./gestures.js";
import { actionOf, digitOf, isMeantElsewhere } from "./keys.js";
import { ACTIONS, openKeys, setUpKeys } from "./keys_dialog.js";
import { listenForInput, noteInput } from "./measure.js";
import { form, stage } from "./page.js";
import * as reasons from "./reasons.js";

export function listenForHands(desk, { onDigit, onAction, moveTo }) {
  const { settings, press } = desk;

  function onKey(event) {
    const digit = digitOf(event);
    if (digit !== null) return onDigit(digit);
    const action = actionOf(event.code, settings, ACTIONS);
    if (!action) return false;
    if (!desk.canDo(action)) return onAction(action);
    noteInput(desk.current(), "keyboard");
    return press(action);
  }

  /* Enter and the space bar belong to what has the focus, if that does something; anywhere else they submit. */
  function onEnter(event) {
    if (event.target.closest("a, button, summary")) return;
    if (event.key === " " && event.target.matches("input:not(:checked)")) return;
    event.preventDefault();
    press("submit");
  }

  document.addEventListener("keydown", (event) => {
    const is_undo = event.code === settings.keys.undo || event.key.toLowerCase() === "z";
    if ((event.ctrlKey || event.metaKey) && is_undo && !event.shiftKey && !event.repeat && !event.target.matches("textarea")) {
      event.preventDefault();
      return press("undo");
    }
    if (isMeantElsewhere(event) || !desk.isOpen()) return undefined;
    if (event.key === "Enter" || event.key === " ") return onEnter(event);
    if (event.key === "Escape") return reasons.close();
    if (!settings.keys_on) return undefined;
    if (event.key === "?") return openKeys();
    if (event.shiftKey) return undefined;
    const is_ready = desk.isAwake() && !desk.isHidden();
    const is_move = /^(Arrow|Home$|End$)/.test(event.key) && is_ready && !event.target.matches("input");
    if ((is_move ? moveTo(event.key) : onKey(event)) === false) return undefined;
    return event.preventDefault();
  });

  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    press(event.submitter?.value ?? "submit");
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-press]");
    button?.closest("[popover]")?.hidePopover(); // first, so that a dialog gives the focus back to what opened the menu
    if (button) press(button.dataset.press);
  });
  listenForInput(desk.current);
  listenForGestures(stage, { onUp: () => press("skip"), onDown: () => press("undo"), onLong: () => press("report") });
  setUpKeys(settings);
}
