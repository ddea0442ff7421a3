/*
 * Keys for the page for comparing, and proof of what it showed. Without script the page is a form that works, and it
 * stays one here: an answer is a post, and the next set is the page that follows.
 *
 * Keys are dead until all pictures can be seen and a moment longer, and a key that is held down counts once.
 */

const DEAD_MS = 150; // so that the press that sent one set does not answer the next, which nobody has seen yet
const NONE = { KeyT: "tie", KeyB: "all_bad" };

const form = document.getElementById("compare");
if (form) start();

function start() {
  const pictures = [...form.querySelectorAll(".choice img")];
  const choices = [...form.querySelectorAll(".choice input")];
  const hashes = Object.assign(document.createElement("input"), { type: "hidden", name: "sha256" });
  let is_awake = false;
  let is_sent = false;

  for (const hidden of form.querySelectorAll(".with-script")) hidden.hidden = false;
  form.append(hashes);
  wake();

  /* Nothing is answered before everything can be seen; a picture that cannot be seen leaves only Skip. */
  async function wake() {
    const seen = await Promise.all(pictures.map(show));
    if (seen.every(Boolean)) hashes.value = seen.every((hash) => hash !== "-") ? seen.join(",") : "";
    setTimeout(() => (is_awake = true), DEAD_MS);
  }

  /* Show exactly the bytes that were hashed. Resolves to their first digits, "-" where there is no digest, or "". */
  async function show(picture) {
    try {
      await picture.decode();
      if (!crypto.subtle) return "-"; // plain HTTP: the evidence says so
      const bytes = await (await fetch(picture.currentSrc)).arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      picture.removeAttribute("srcset");
      picture.src = URL.createObjectURL(new Blob([bytes]));
      await picture.decode();
      return Array.from(digest.slice(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
    } catch {
      return "";
    }
  }

  function choose(radio) {
    radio.checked = true;
    radio.focus({ preventScroll: true });
  }

  function press(action) {
    const button = form.querySelector(`button[value="${action}"]`) ?? form.querySelector("button[value=revise]");
    form.requestSubmit(button);
  }

  function onKey(event) {
    const [, digit] = event.code.match(/^(?:Digit|Numpad)([1-4])$/) ?? [];
    if (digit && choices[digit - 1]) choose(choices[digit - 1]);
    else if (NONE[event.code]) choose(form.querySelector(`input[value=${NONE[event.code]}]`));
    else if (event.code === "KeyS") press("skip");
    else if (event.code === "KeyZ") document.querySelector("#status a")?.click();
    else return;
    event.preventDefault();
  }

  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("textarea, [popover], .report")) return;
    if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
      event.preventDefault();
      if (is_awake) press("submit");
    } else if (is_awake) onKey(event);
  });

  form.addEventListener("submit", (event) => {
    if (is_sent) event.preventDefault(); // a second press, while the first travels
    is_sent = true;
  });
  // Back from the next page the form is as new.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
}
