/* What is recorded with a rating beside the answers: times, the kind of input, how large it was shown. */

import { form } from "./page.js";
import { randomHex } from "./random.js";
import { sessionStorageItem } from "./voice.js";

const session = sessionStorageItem("kudoscope-session") || sessionStorageItem("kudoscope-session", randomHex()) || randomHex();
const dark = matchMedia("(prefers-color-scheme: dark)");
const KINDS = { mouse: "pointer", touch: "touch", pen: "pen" };

/* Begin when everything can be seen. */
export function beginMeasuring(entry) {
  Object.assign(entry, { seen_at: performance.now(), first_input_at: 0, inputs: new Set(), is_zoomed: false });
}

export function noteInput(entry, kind) {
  if (!entry?.inputs) return;
  entry.first_input_at ||= performance.now();
  entry.inputs.add(kind);
}

export function listenForInput(current) {
  form.addEventListener("pointerdown", ({ pointerType }) => noteInput(current(), KINDS[pointerType] ?? "pointer"));
  form.addEventListener("keydown", ({ key }) => {
    if (/^(Arrow|Home|End| $)/.test(key)) noteInput(current(), "keyboard");
  });
}

/* The fields of the request, as docs/api.md has them. */
export function measurements(entry, position) {
  const { picture, seen_at, first_input_at, inputs, is_zoomed } = entry;
  const since_seen = (time) => Math.max(0, Math.round(time - seen_at));
  return {
    sha256: picture.sha256,
    position,
    decode_ms: Math.max(0, Math.round(picture.decoded_at - picture.requested_at)),
    answer_ms: since_seen(performance.now()),
    first_input_ms: since_seen(first_input_at || performance.now()),
    input: inputs.size > 1 ? "mixed" : ([...inputs][0] ?? "keyboard"),
    displayed_width: picture.shownWidth(),
    pixel_ratio: devicePixelRatio,
    is_dark: Number(dark.matches),
    is_zoomed: Number(is_zoomed),
    language: document.documentElement.lang,
    session,
    is_before_training: Number(form.dataset.isTrained !== "1"),
  };
}
