/* Groups of radio buttons, moved through by keys that are pressed elsewhere, and heard when a person decides. */

/* Arrows, Home and End when no radio has the focus; a radio that has it moves by itself. Returns whether the key
 * was one of them. */
export function moveAmong(radios, key) {
  const now = radios.findIndex((radio) => radio.checked);
  const rtl = document.dir === "rtl" ? -1 : 1;
  const step = { ArrowLeft: now - rtl, ArrowRight: now + rtl, Home: 0, End: radios.length - 1 }[key];
  if (step === undefined) return false;
  const target = radios[Math.min(radios.length - 1, Math.max(0, step))];
  target.checked = true;
  target.focus({ preventScroll: true });
  return true;
}

/* Call back with a radio that was chosen, and whether a person pointed at it: arrows move through all of them and so are
 * no decision. */
export function onChosen(form, callback) {
  let is_pointed = false;
  form.addEventListener("pointerdown", () => (is_pointed = true));
  form.addEventListener("keydown", () => (is_pointed = false));
  form.addEventListener("change", ({ target }) => target.type === "radio" && callback(target, is_pointed));
}
