/*
 * The rating page with script. Without it the page is a form that works; with it, the next images are fetched and decoded
 * ahead, keys rate, and a press shows the next image at once while the answer travels.
 *
 * One answer is under way at a time. If it cannot be saved, its image comes back with the answers as they were.
 */

const AHEAD = 2;
const DEAD_MS = 150; // after a swap: a second press cannot rate an image that nobody has seen yet
const ANSWER_MS = 20000; // after which a silent server counts as out of reach
const AESTHETIC_OF = new Map("1234567890".split("").map((digit, index) => [digit, index + 1]));
const ARTIFACTS_OF = new Map(["KeyQ", "KeyW", "KeyE", "KeyR", "KeyT", "KeyY"].map((code, level) => [code, level]));

const form = document.getElementById("rating");
if (form) start();

function start() {
  const at = (id) => document.getElementById(id);
  const desk = form.closest(".desk");
  const stage = desk.querySelector(".stage");
  const address = form.getAttribute("action"); // form.action is the buttons, because of their name
  const radios = form.querySelectorAll("input[type=radio]");
  const words = at("words").dataset;
  const say = (word, values = {}) => words[word].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

  let position = Number(form.dataset.position);
  let pending = Number(form.dataset.pending);
  let current = readPage(); // the image on the stage
  let ahead = []; // those that follow, decoding or decoded
  let sent = null; // the image whose answer is under way
  let failed = null; // the image whose answer waits for Retry
  let wanted = ""; // what was pressed while another answer was under way
  let refilling = null;
  let dead_until = Infinity;

  // --- Images --------------------------------------------------------------------------------------------------------

  function readPage() {
    const { image_id, lease, idempotency_key } = form.elements;
    const picture = at("picture");
    return { image_id: image_id.value, lease: lease.value, key: idempotency_key.value, position, ...decoding(picture) };
  }

  function prepare({ image_id, lease, url, width, height, alt }) {
    const picture = new Image(width, height);
    Object.assign(picture, { id: "picture", alt, src: url });
    return { image_id, lease, key: newKey(), ...decoding(picture) };
  }

  function decoding(picture) {
    const decoded = picture.decode().then(
      () => true,
      () => false,
    );
    return { picture, decoded, answers: {} };
  }

  function newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function queue(image) {
    const known = [current, sent, failed, ...ahead];
    if (image && !known.some((entry) => entry?.image_id === image.image_id)) ahead.push(prepare(image));
  }

  /* Ask for the images that are missing, one request at a time. Resolves to why there are none, or to "". */
  function refill() {
    if (ahead.length >= AHEAD) return Promise.resolve("");
    refilling ??= fetchImages(AHEAD - ahead.length).finally(() => (refilling = null));
    return refilling;
  }

  async function fetchImages(count) {
    try {
      const response = await fetch(`${address}?count=${count}`, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const answer = await response.json();
      answer.images?.forEach(queue);
      return answer.message ?? "";
    } catch {
      return say("unreached");
    }
  }

  function show(entry) {
    current = entry;
    entry.position ??= ++position;
    dead_until = Infinity;
    form.elements.image_id.value = entry.image_id;
    form.elements.lease.value = entry.lease;
    form.elements.idempotency_key.value = entry.key;
    for (const radio of radios) radio.checked = entry.answers[radio.name] === radio.value;
    stage.replaceChildren(entry.picture);
    at("heading").textContent = say("heading", entry);
    desk.hidden = false;
    at("ended").hidden = true;
    wake(entry);
  }

  /* Keys and buttons sleep until the image can be seen, and a moment longer. One that cannot be seen can be skipped. */
  async function wake(entry) {
    entry.is_broken = !(await entry.decoded);
    if (entry !== current) return;
    if (entry.is_broken) warn(say("broken"));
    dead_until = performance.now() + DEAD_MS;
  }

  function advance() {
    show(ahead.shift());
    at("heading").focus({ preventScroll: true });
    refill();
  }

  function hold() {
    dead_until = Infinity;
    stage.replaceChildren(Object.assign(document.createElement("p"), { className: "waiting", textContent: say("loading") }));
  }

  async function goOn() {
    const reason = ahead.length ? "" : await refill();
    if (ahead.length) advance();
    else end(reason);
  }

  function end(reason) {
    current = null;
    desk.hidden = true;
    at("ended").hidden = false;
    if (reason) at("ended-reason").textContent = reason;
    at("ended-heading").focus();
  }

  // --- Answers -------------------------------------------------------------------------------------------------------

  const chosen = (name) => form.querySelector(`[name="${name}"]:checked`)?.value ?? "";
  const readAnswers = () => ({ aesthetic: chosen("aesthetic"), artifacts: chosen("artifacts") });
  const isAwake = () => current && !failed && performance.now() >= dead_until;

  function choose(name, value) {
    const radio = form.querySelector(`[name="${name}"][value="${value}"]`);
    radio.checked = true;
    radio.focus({ preventScroll: true });
  }

  function answer(action) {
    if (!isAwake()) return;
    if (action === "submit" && current.is_broken) return warn(say("broken"));
    if (action === "submit" && !chosen("aesthetic")) return announce(say("choose"));
    if (sent) {
      wanted = action;
      return announce(say("busy"));
    }
    send(current, action);
  }

  async function send(entry, action) {
    Object.assign(entry, { action, answers: readAnswers() });
    const body = new URLSearchParams(new FormData(form));
    body.set("action", action);
    sent = entry;
    wanted = "";
    at("alert").hidden = true;
    const replying = post(body);
    if (ahead.length) advance();
    else hold();
    const reply = await replying;
    sent = null;
    if (reply.must_retry) return bringBack(entry, reply.message);
    report(entry, reply);
    queue(reply.next);
    if (current === entry) await goOn();
    if (wanted) answer(wanted);
  }

  /* Return the reply, `is_saved`, and `must_retry` when it is not known whether the answer arrived. */
  async function post(body) {
    try {
      const response = await fetch(address, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
        keepalive: true,
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const is_json = response.headers.get("Content-Type")?.startsWith("application/json");
      if (!is_json) return { must_retry: true, message: say(response.status === 403 ? "stale" : "failed") };
      const answer = await response.json();
      if (answer.code === "stale_csrf") return { must_retry: true, message: say("stale") };
      if (response.status === 429) return { must_retry: true, message: say("limited", { reason: answer.message }) };
      return { ...answer, is_saved: response.ok, must_retry: response.status >= 500 };
    } catch {
      return { must_retry: true, message: say("offline") };
    }
  }

  function report({ position, action, answers }, reply) {
    if (!reply.is_saved) return warn(say("refused", { position, reason: reply.message }));
    if (action === "skip") return announce(say("skipped", { position }));
    pending += reply.reward;
    const given = answers.artifacts === "" ? answers.aesthetic : say("both", answers);
    announce(say("saved", { position, answers: given, pending }));
  }

  /* The image returns as it was left; what was shown meanwhile waits its turn, with the answers it had. */
  function bringBack(entry, message) {
    if (current && current !== entry) {
      current.answers = readAnswers();
      ahead.unshift(current);
    }
    failed = entry;
    wanted = "";
    show(entry);
    warn(message);
    at("retry").hidden = false;
    at("retry").focus();
  }

  function retry() {
    const entry = failed;
    failed = null;
    send(entry, entry.action);
  }

  // --- Words ---------------------------------------------------------------------------------------------------------

  function announce(text) {
    at("licence")?.remove();
    at("status").textContent = text;
  }

  function warn(text) {
    announce("");
    at("alert-text").textContent = text;
    at("retry").hidden = true;
    at("alert").hidden = false;
  }

  // --- Hands ---------------------------------------------------------------------------------------------------------

  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (failed) retry();
    else answer(event.submitter?.value ?? "submit");
  });
  at("retry").addEventListener("click", retry);

  const keys = at("keys");
  const keys_on = at("keys-on");
  rememberSwitch(keys_on, "kudoscope-keys");
  at("open-keys").hidden = false;
  at("open-keys").addEventListener("click", () => keys.showModal());

  document.addEventListener("keydown", (event) => {
    if (!current || isMeantElsewhere(event)) return;
    if (event.key === "Enter") onEnter(event);
    else if (keys_on.checked) onKey(event);
  });

  function isMeantElsewhere(event) {
    if (event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey || keys.open) return true;
    return Boolean(event.target.closest("input:not([type=radio]), textarea, select, [contenteditable], [popover]"));
  }

  /* Enter belongs to the link or button that has the focus; anywhere else it submits. */
  function onEnter(event) {
    if (event.target.closest("a, button, summary")) return;
    event.preventDefault();
    answer("submit");
  }

  function onKey(event) {
    if (event.key === "?") return keys.showModal();
    if (event.shiftKey || !isAwake()) return;
    const digit = event.code.match(/^(?:Digit|Numpad)(\d)$/)?.[1];
    if (digit) choose("aesthetic", AESTHETIC_OF.get(digit));
    else if (ARTIFACTS_OF.has(event.code)) choose("artifacts", ARTIFACTS_OF.get(event.code));
    else if (event.code === "KeyS") answer("skip");
    else return;
    event.preventDefault();
  }

  // What a reload left ticked was not chosen for this image.
  for (const radio of radios) radio.checked = radio.defaultChecked;
  wake(current);
  refill();
}

/* A browser that keeps nothing keeps no switch either: it is then on at each visit. */
function rememberSwitch(input, name) {
  try {
    input.checked = localStorage.getItem(name) !== "off";
    input.addEventListener("change", () => localStorage.setItem(name, input.checked ? "on" : "off"));
  } catch {
    input.checked = true;
  }
}
