/*
 * Swipes and the long press, on a picture that does not scroll. Each of them also has a button and a key; letting go
 * anywhere but after a clear stroke does nothing.
 */

const STROKE_PX = 64;
const LONG_MS = 600;

export function listenForGestures(stage, { onUp, onDown, onLong }) {
  let start = null;
  let timer = null;
  const forget = () => {
    clearTimeout(timer);
    start = null;
  };

  stage.addEventListener("pointerdown", (event) => {
    forget();
    if (event.pointerType === "mouse" || !event.isPrimary || event.target.closest("button, a")) return;
    start = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      forget();
      onLong();
    }, LONG_MS);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!event.isPrimary) return forget(); // two fingers enlarge
    if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > 12) clearTimeout(timer);
  });
  stage.addEventListener("pointerup", (event) => {
    if (!start) return;
    const across = event.clientX - start.x;
    const down = event.clientY - start.y;
    forget();
    if (Math.abs(down) < STROKE_PX || Math.abs(across) > Math.abs(down) / 2) return;
    if (down < 0) onUp();
    else onDown();
  });
  stage.addEventListener("pointercancel", forget);
  stage.addEventListener("contextmenu", (event) => {
    if (event.pointerType === "touch") event.preventDefault(); // the long press is ours
  });
}
