/*
 * Keys by their place on the keyboard, whatever is printed on them. Digits answer the question and cannot be moved; each
 * other action has one key, which a person may change. One key may be for two actions if no page has both.
 */

const EVERYWHERE = {
  skip: "KeyS",
  undo: "KeyZ",
  report: "KeyX",
  reveal: "KeyV",
  full_size: "KeyF",
};
const OF_RATING = {
  artifacts_0: "KeyQ",
  artifacts_1: "KeyW",
  artifacts_2: "KeyE",
  artifacts_3: "KeyR",
  artifacts_4: "KeyT",
  artifacts_5: "KeyY",
  unsure: "KeyN",
  details: "KeyI",
};
const OF_COMPARING = {
  tie: "KeyT",
  all_bad: "KeyB",
};
const DEFAULT_KEYS = { ...EVERYWHERE, ...OF_RATING, ...OF_COMPARING };
const CAN_BE_USED = /^(Key[A-Z]|Comma|Period|Slash|Semicolon|Quote|Bracket(Left|Right)|Backquote|Minus|Equal|Intl\w+)$/;

export function keysOf(settings) {
  return { ...DEFAULT_KEYS, ...settings.keys };
}

/* What a key does on the page that has these actions. */
export function actionOf(code, settings, actions) {
  const keys = keysOf(settings);
  return actions.find((action) => keys[action] === code);
}

const isApart = (one, other) => (one in OF_RATING && other in OF_COMPARING) || (one in OF_COMPARING && other in OF_RATING);

/* The keys that were moved, when an action moves to a key: what has that key takes the one that gets free. */
export function moveKey(settings, action, code) {
  const keys = keysOf(settings);
  const others = Object.keys(keys).filter((other) => keys[other] === code && other !== action && !isApart(other, action));
  const exchanged = Object.fromEntries(others.map((other) => [other, keys[action]]));
  return { ...settings.keys, ...exchanged, [action]: code };
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
