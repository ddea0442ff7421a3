/* The list of keys: shows them as they are printed on this keyboard, moves them, switches them off. */

import { canBeUsed, keysOf, labelsOf, moveKey } from "./keys.js";
import { at } from "./page.js";
import { say } from "./words.js";

const dialog = at("keys");
const hints = document.querySelectorAll("[data-key-of]"); // beside what they do
const buttons = [...dialog.querySelectorAll("[data-action]")];
let moving = null;

/* What keys can do on this page. */
export const ACTIONS = buttons.map((button) => button.dataset.action);

export function setUpKeys(settings) {
  at("keys-on").addEventListener("change", ({ target }) => settings.set({ keys_on: target.checked }));
  at("auto-advance").addEventListener("change", ({ target }) => settings.set({ auto_advance: target.checked }));
  at("keys-reset").addEventListener("click", () => settings.set({ keys: {} }));
  dialog.addEventListener("close", () => stopMoving(settings));
  for (const button of buttons) button.addEventListener("click", () => startMoving(button, settings));
  dialog.addEventListener("keydown", (event) => moving && take(event, settings));
  showKeys(settings);
}

export const openKeys = () => dialog.showModal();

export async function showKeys(settings) {
  at("keys-on").checked = settings.keys_on;
  at("auto-advance").checked = settings.auto_advance;
  const keys = keysOf(settings);
  const labels = await labelsOf(Object.values(keys));
  for (const button of buttons) button.querySelector("kbd").textContent = labels[keys[button.dataset.action]];
  for (const hint of hints) {
    hint.textContent = labels[keys[hint.dataset.keyOf]];
    hint.hidden = !settings.keys_on;
  }
}

function startMoving(button, settings) {
  stopMoving(settings);
  moving = button;
  button.querySelector("kbd").textContent = "…";
  at("keys-message").textContent = say("pressKey", { action: button.dataset.name });
}

function stopMoving(settings) {
  moving = null;
  at("keys-message").textContent = "";
  showKeys(settings);
}

/* Esc leaves it as it was; a key that another action has is exchanged with it. */
function take(event, settings) {
  if (event.key === "Tab") return;
  event.preventDefault();
  event.stopPropagation();
  if (event.key === "Escape") return stopMoving(settings);
  if (!canBeUsed(event.code)) return void (at("keys-message").textContent = say("notThisKey"));
  settings.set({ keys: moveKey(settings, moving.dataset.action, event.code) });
  stopMoving(settings);
}
