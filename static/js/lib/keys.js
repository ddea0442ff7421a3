/*
 * Keys by their place on the keyboard, whatever is printed on them. Digits answer the active question and cannot be moved;
 * each other action has one key, which a person may change.
 */

export const DEFAULT_KEYS = {
  artifacts_0: "KeyQ",
  artifacts_1: "KeyW",
  artifacts_2: "KeyE",
  artifacts_3: "KeyR",
  artifacts_4: "KeyT",
  artifacts_5: "KeyY",
  unsure: "KeyN",
  skip: "KeyS",
  undo: "KeyZ",
  report: "KeyX",
  reveal: "KeyV",
  full_size: "KeyF",
  details: "KeyI",
};
const CAN_BE_USED = /^(Key[A-Z]|Comma|Period|Slash|Semicolon|Quote|Bracket(Left|Right)|Backquote|Minus|Equal|Intl\w+)$/;

export function keysOf(settings) {
  return { ...DEFAULT_KEYS, ...settings.keys };
}

export function actionOf(code, settings) {
  return Object.entries(keysOf(settings)).find(([, used]) => used === code)?.[0];
}

/* The digit of a key of the row or of the number pad; the pad's keys are arrows while NumLock is off. */
export function digitOf(event) {
  const [, pad, digit] = event.code.match(/^(Digit|Numpad)(\d)$/) ?? [];
  if (!digit || (pad === "Numpad" && event.key !== digit)) return null;
  return Number(digit);
}

export function canBeUsed(code) {
  return CAN_BE_USED.test(code);
}

/* What is printed on a key, where the browser tells; else its place on the American keyboard. */
export async function labelsOf(codes) {
  const layout = await navigator.keyboard?.getLayoutMap?.().catch(() => null);
  const plain = (code) => code.replace(/^Key/, "");
  return Object.fromEntries(codes.map((code) => [code, (layout?.get(code) ?? plain(code)).toUpperCase()]));
}

/* Whether a key press is meant for something else: a shortcut of the browser, a text field, a key that is held down. */
export function isMeantElsewhere(event) {
  if (event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return true;
  if (document.querySelector("dialog[open]")) return true;
  return Boolean(event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable], [popover]"));
}
