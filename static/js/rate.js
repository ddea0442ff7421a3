/*
 * The rating page with script. Without it the page is a form that works; with it, the next images are fetched and decoded
 * ahead, keys rate, and a press shows the next image at once while the answer travels.
 *
 * One answer is under way at a time. If it cannot be saved, its image comes back with the answers as they were.
 */

const AHEAD = 2;
const DEAD_MS = 150;
const AESTHETIC_KEYS = new Map("1234567890".split("").map((digit, index) => [digit, index + 1]));
const ARTIFACT_KEYS = new Map(["KeyQ", "KeyW", "KeyE", "KeyR", "KeyT", "KeyY"].map((code, level) => [code, level]));

const form = document.getElementById("rating");
if (form) start();

function start() {
  const at = (id) => document.getElementById(id);
  const desk = form.closest(".desk");
  const stage = desk.querySelector(".stage");
  const words = at("words").dataset;
  const say = (word, values = {}) => words[word].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  let ahead = []; // decoded or decoding images, in the order in which they will be shown
  let current = readCurrent();
  let under_way = null; // the answer that has been sent and not been confirmed
  let failed = null; // the answer that waits for Retry
  let wants_submit = false; // Submit was pressed while another answer was under way
  let has_more = true;
  let refilling = null;
  let pending = Number(form.dataset.pending);
  let dead_until = Infinity;

  // --- Images --------------------------------------------------------------------------------------------------------

  function readCurrent() {
    const picture = at("picture");
    return {
      image_id: form.elements.image_id.value,
      lease: form.elements.lease.value,
      key: form.elements.idempotency_key.value,
      position: Number(form.dataset.position),
      picture,
      decoded: decode(picture),
      answers: {},
    };
  }

  function decode(picture) {
    return picture.decode().then(
      () => true,
      () => false,
    );
  }

  function prepare(image) {
    const picture = new Image(image.width, image.height);
    picture.id = "picture";
    picture.alt = say("alt");
    picture.src = image.url;
    return { image_id: image.image_id, lease: image.lease, key: newKey(), picture, decoded: decode(picture), answers: {} };
  }

  function newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function isKnown(image) {
    return [current, under_way, failed, ...ahead].some((entry) => entry?.image_id === image.image_id);
  }

  function add(image) {
    if (image && !isKnown(image)) ahead.push(prepare(image));
  }

  /* Ask for as many images as are missing; one request at a time. Resolves to what went wrong, or "". */
  function refill() {
    if (!has_more || ahead.length >= AHEAD) return Promise.resolve("");
    refilling ??= fetchMore().finally(() => (refilling = null));
    return refilling;
  }

  async function fetchMore() {
    try {
      const response = await fetch(`${form.action}?count=${AHEAD - ahead.length}`, {
        headers: { Accept: "application/json" },
      });
      const answer = await response.json();
      if (response.ok) answer.images.forEach(add);
      else has_more = false;
      return response.ok ? "" : answer.message;
    } catch {
      return say("offline");
    }
  }

  /* Put an image on the stage; keys and Submit sleep until it can be seen, and a moment longer. */
  async function show(entry) {
    dead_until = Infinity;
    current = entry;
    form.elements.image_id.value = entry.image_id;
    form.elements.lease.value = entry.lease;
    form.elements.idempotency_key.value = entry.key;
    form.reset();
    restore(entry.answers);
    stage.replaceChildren(entry.picture);
    at("heading").textContent = say("heading", { position: entry.position });
    await wake(entry);
  }

  async function wake(entry) {
    const is_seen = await entry.decoded;
    if (entry !== current) return;
    if (!is_seen) return warn(say("broken"));
    dead_until = performance.now() + DEAD_MS;
  }

  async function showNext() {
    const position = current.position + 1;
    if (!ahead.length) {
      stage.replaceChildren(waiting());
      dead_until = Infinity;
      has_more = true;
      const trouble = await refill();
      if (failed) return;
      if (!ahead.length) return end(trouble);
    }
    const entry = ahead.shift();
    entry.position = position;
    at("heading").focus({ preventScroll: true });
    show(entry);
    refill();
  }

  function waiting() {
    const text = document.createElement("p");
    text.className = "waiting";
    text.textContent = say("loading");
    return text;
  }

  /* The ended page says why and offers the ways on; a picture that may come later is one link away. */
  function end(reason) {
    current = null;
    desk.hidden = true;
    at("ended").hidden = false;
    if (reason) at("ended-reason").textContent = reason;
    at("ended").querySelector("h1").focus();
  }

  // --- Answers -------------------------------------------------------------------------------------------------------

  const chosen = (name) => form.querySelector(`[name="${name}"]:checked`)?.value ?? "";

  function choose(name, value) {
    const input = form.querySelector(`[name="${name}"][value="${value}"]`);
    input.checked = true;
    input.focus({ preventScroll: true });
  }

  function restore(answers) {
    for (const [name, value] of Object.entries(answers)) {
      if (value) form.querySelector(`[name="${name}"][value="${value}"]`).checked = true;
    }
  }

  const isAwake = () => current && !failed && performance.now() >= dead_until;

  function answer(action) {
    if (!isAwake()) return;
    if (action === "submit" && !chosen("aesthetic")) return announce(say("choose"));
    if (under_way) {
      wants_submit = action;
      return announce(say("busy"));
    }
    current.answers = { aesthetic: chosen("aesthetic"), artifacts: chosen("artifacts") };
    send(current, action);
  }

  async function send(entry, action) {
    under_way = entry;
    entry.action = action;
    const body = new URLSearchParams(new FormData(form));
    body.set("action", action);
    calm();
    const next_shown = showNext();
    let response, reply;
    try {
      response = await fetch(form.action, { method: "POST", body, keepalive: true, headers: { Accept: "application/json" } });
      reply = await response.json();
    } catch {
      under_way = null;
      return bringBack(entry, say(response ? (response.status === 403 ? "stale" : "failed") : "offline"));
    }
    under_way = null;
    if (response.status === 429 || response.status >= 500) return bringBack(entry, reply.message);
    report(entry, response.ok, reply);
    add(reply.next);
    refill();
    await next_shown;
    if (wants_submit && current) {
      const wanted = wants_submit;
      wants_submit = false;
      answer(wanted);
    }
  }

  function report(entry, is_saved, reply) {
    const { position } = entry;
    if (!is_saved) return warn(say("refused", { position, reason: reply.message }));
    if (entry.action === "skip") return announce(say("skipped", { position }));
    pending += reply.reward;
    const { aesthetic, artifacts } = entry.answers;
    const answers = artifacts === "" ? aesthetic : say("both", { aesthetic, artifacts });
    announce(say("saved", { position, answers, pending }));
    at("licence")?.remove();
  }

  /* The answer did not arrive: its image returns as it was left, and what was shown meanwhile waits its turn. */
  function bringBack(entry, message) {
    wants_submit = false;
    if (current && current !== entry) {
      current.answers = { aesthetic: chosen("aesthetic"), artifacts: chosen("artifacts") };
      ahead.unshift(current);
    }
    failed = entry;
    show(entry);
    warn(message, true);
  }

  function retry() {
    if (!failed) return;
    const entry = failed;
    failed = null;
    entry.answers = { aesthetic: chosen("aesthetic"), artifacts: chosen("artifacts") };
    send(entry, entry.action);
  }

  // --- Words ---------------------------------------------------------------------------------------------------------

  function announce(text) {
    at("status").textContent = text;
  }

  function warn(text, can_retry = false) {
    announce("");
    at("alert-text").textContent = text;
    at("retry").hidden = !can_retry;
    at("alert").hidden = false;
    if (can_retry) at("retry").focus();
  }

  function calm() {
    at("alert").hidden = true;
  }

  // --- Hands ---------------------------------------------------------------------------------------------------------

  const keys = at("keys");
  const keys_on = at("keys-on");
  keys_on.checked = localStorage.getItem("kudoscope-keys") !== "off";
  keys_on.addEventListener("change", () => localStorage.setItem("kudoscope-keys", keys_on.checked ? "on" : "off"));
  at("open-keys").hidden = false;
  at("open-keys").addEventListener("click", () => keys.showModal());
  at("retry").addEventListener("click", retry);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (failed) return retry();
    answer(event.submitter?.value ?? "submit");
  });

  function isBusyElsewhere(event) {
    if (event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return true;
    return Boolean(keys.open || event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]"));
  }

  document.addEventListener("keydown", (event) => {
    if (isBusyElsewhere(event) || !current) return;
    if (event.key === "Enter") return pressEnter(event);
    if (!keys_on.checked) return;
    if (event.key === "?") return keys.showModal();
    if (event.shiftKey || !isAwake()) return;
    const digit = event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
    if (AESTHETIC_KEYS.has(digit)) choose("aesthetic", AESTHETIC_KEYS.get(digit));
    else if (ARTIFACT_KEYS.has(event.code)) choose("artifacts", ARTIFACT_KEYS.get(event.code));
    else if (event.code === "KeyS") answer("skip");
    else return;
    event.preventDefault();
  });

  /* Enter belongs to the link or button that has the focus; anywhere else it submits. */
  function pressEnter(event) {
    if (event.target.closest("a, button, summary")) return;
    event.preventDefault();
    answer("submit");
  }

  // The page as it came: what a reload may have left ticked was not chosen for this image.
  if (!form.dataset.keep) form.reset();
  form.noValidate = true;
  wake(current);
  refill();
}
