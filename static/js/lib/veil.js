/*
 * Images that are not for everybody. Until one is revealed only its blurred picture is fetched, never its own bytes; what is
 * hashed, measured and rated is the picture that was revealed. Nothing can be answered before.
 */

import { at, form, stage } from "./page.js";
import { sessionStorageItem } from "./voice.js";

const KEPT = "kudoscope-revealed";

export const isAdult = ({ item }) => (item.images ?? [item]).some(({ blurred_url }) => blurred_url);

/* Whether such images are shown at once, in this tab and until it is closed. */
export const isKept = () => Boolean(sessionStorageItem(KEPT));
export const keep = (is_kept) => sessionStorageItem(KEPT, is_kept ? "1" : "");

export const isRevealed = (entry) => !isAdult(entry) || isKept() || Boolean(entry.is_revealed);

/* The picture of an entry as it may be seen now. It begins to load when it is asked for first. */
export function pictureOf(entry, page) {
  if (isRevealed(entry)) return (entry.picture ??= page.load(entry.item));
  return (entry.veil ??= page.veil(entry.item));
}

export function release({ picture, veil }) {
  picture?.release();
  veil?.release();
}

/* What the page shows of it besides the picture. */
export function drawVeil(entry) {
  const is_revealed = isRevealed(entry);
  stage.classList.toggle("is-adult", isAdult(entry));
  stage.classList.toggle("is-veiled", !is_revealed);
  for (const answer of form.querySelectorAll(".scale, [name=choice]")) answer.disabled = !is_revealed;
  const boxes = { reveal: is_revealed, "keep-revealed": isKept() };
  for (const [id, is_checked] of Object.entries(boxes)) if (at(id)) at(id).checked = is_checked;
}

/*
 * Call back with whether this one is to be seen, and whether all are; who blurs one wants the others blurred as well. The
 * focus goes back to the image, where keys answer.
 */
export function listenForReveal(onChange) {
  const listen = (id, isKeptBy) =>
    at(id)?.addEventListener("change", ({ target }) => {
      onChange(target.checked, isKeptBy(target.checked));
      at("heading").focus({ preventScroll: true });
    });
  listen("reveal", (is_checked) => is_checked && isKept());
  listen("keep-revealed", (is_checked) => is_checked);
}
