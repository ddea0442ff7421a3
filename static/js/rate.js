/*
 * The rating page with script. Without it the page is a form that works; with it, the next images are fetched and decoded
 * ahead, keys rate, and a press shows the next image at once. What was answered goes into the outbox, which sends it in
 * the background and keeps it through reloads, lost networks and restarts of the server.
 *
 * An entry here is one image on its way over the stage: { image, key, picture, answers, number, revises }. `revises` is the
 * key of the answer that it corrects, when undo brought it back.
 */

import { openSession } from "./lib/api.js";
import { listenForGestures } from "./lib/gestures.js";
import { actionOf, digitOf, isMeantElsewhere } from "./lib/keys.js";
import { openOutbox } from "./lib/outbox.js";
import { loadPicture } from "./lib/pictures.js";
import { randomHex } from "./lib/random.js";
import { openSettings } from "./lib/settings.js";
import { say } from "./lib/words.js";
import { askToLook, lookAt, openFullSize } from "./rate/details.js";
import { openKeys, setUpKeys, showKeys } from "./rate/keys_dialog.js";
import { beginMeasuring, listenForInput, measurements, noteInput } from "./rate/measure.js";
import { at, csrfToken, form, stage } from "./rate/page.js";
import * as questions from "./rate/questions.js";
import { giveBack, openQueue } from "./rate/queue.js";
import * as reasons from "./rate/reasons.js";
import { openReport } from "./rate/report.js";
import { countTowardsRest } from "./rate/rest.js";
import { announce, calm, countAnswered, countSaved, givenToday, showCounts, showWaiting, warn } from "./rate/voice.js";

const DEAD_MS = 150; // after a swap: a second press cannot rate an image that nobody has seen yet
const AUTO_AFTER = 10; // ratings of today, after which both answers are enough
const UNDO_DEPTH = 5;
const RETURNS = 2; // how often one image comes back because its bytes were not the server's

const address = form.getAttribute("action"); // form.action is the buttons, because of their name
const desk = form.closest(".desk");
const tab = randomHex();
const session = openSession({ url: form.dataset.sessionUrl, identity: form.dataset.identity, token: csrfToken() });
const settings = openSettings({ url: form.dataset.settingsUrl, session, onChange: () => showKeys(settings) });
const queue = openQueue({ address, isKnown, isSaving: () => settings.reduced_data });

let number = Number(form.dataset.position);
let current = null; // the entry on the stage
let history = []; // the last that were answered, newest at the end
let waking = null; // the timer that ends the moment after a swap
let is_leaving = false;

const outbox = openOutbox({ session, tab, onSettled, onDelay, onIdentity, onCount: showWaiting, onVolatile });

// --- The stage ---------------------------------------------------------------------------------------------------------

/* The image that the server put into the page, fetched once more, from the cache, to know its bytes. */
function firstEntry() {
  const { image_id, lease } = form.elements;
  const { src, currentSrc, alt, width, height, dataset } = at("picture");
  const image = { image_id: image_id.value, lease: lease.value, url: src, alt, width, height, adult_class: dataset.adultClass };
  const picture = loadPicture({ ...image, url: currentSrc || src, requested_at: 0 });
  const answers = questions.readDefaults();
  const rating_id = form.elements.rating_id?.value; // the page was opened to change a rating
  return { image, key: form.elements.idempotency_key.value, answers, before: answers, number, picture, revises: rating_id, rating_id };
}

function isKnown(image_id) {
  return [current, ...history].some((entry) => entry?.image.image_id === image_id);
}

const isAdult = ({ adult_class }) => Boolean(adult_class) && adult_class !== "safe";

function show(entry) {
  current = entry;
  entry.number ??= ++number;
  sleep();
  form.elements.image_id.value = entry.image.image_id;
  form.elements.lease.value = entry.image.lease;
  form.elements.idempotency_key.value = entry.key;
  questions.writeAnswers(entry.answers);
  const { element } = entry.picture;
  element.id = "picture";
  stage.querySelector("img, .waiting")?.replaceWith(element);
  stage.classList.toggle("is-adult", isAdult(entry.image));
  at("reveal").checked = Boolean(entry.is_revealed);
  at("heading").textContent = say("heading", entry);
  desk.hidden = false;
  at("ended").hidden = true;
  wake(entry);
}

function sleep() {
  clearTimeout(waking);
  stage.classList.remove("is-awake");
}

function wakeSoon() {
  sleep();
  waking = setTimeout(() => stage.classList.add("is-awake"), DEAD_MS);
}

/* Keys and buttons sleep until the image can be seen, and a moment longer. One that cannot be seen can be skipped. */
async function wake(entry) {
  entry.is_broken = !(await entry.picture.decoded);
  if (entry !== current) return;
  if (entry.is_broken) warn(say("broken"));
  beginMeasuring(entry);
  wakeSoon();
}

function hold() {
  current = null;
  sleep();
  const waiting = Object.assign(document.createElement("p"), { className: "waiting", textContent: say("loading") });
  stage.querySelector("img, .waiting")?.replaceWith(waiting);
}

async function advance() {
  let entry = queue.next();
  if (!entry) {
    hold();
    const reason = await queue.refill();
    entry = queue.next();
    if (!entry) return end(reason, queue.retryAfter());
  }
  advanceTo(entry);
  performance.measure("press-to-next", { start: pressed_at, end: performance.now() });
}

function advanceTo(entry) {
  resuming = null;
  show(entry);
  at("heading").focus({ preventScroll: true });
  queue.refill();
}
let pressed_at = 0;

/* Say why there is nothing on the stage; where that may pass by itself, go on as soon as it has. */
function end(reason, retry_ms = 0) {
  current = null;
  desk.hidden = true;
  at("ended").hidden = false;
  if (reason) at("ended-reason").textContent = reason;
  at("ended-heading").textContent = say(retry_ms ? "paused" : "ended");
  at("ended-heading").focus();
  clearTimeout(resuming);
  if (retry_ms) resuming = setTimeout(resume, retry_ms);
}
let resuming = null;

async function resume() {
  if (!resuming || current) return;
  await queue.refill();
  const entry = queue.next();
  if (entry) advanceTo(entry);
  else resuming = setTimeout(resume, queue.retryAfter() || DEAD_MS);
}

// --- Answers -----------------------------------------------------------------------------------------------------------

const isAwake = () => current && stage.classList.contains("is-awake");
const isHidden = () => stage.classList.contains("is-adult") && !at("reveal").checked;

function submit() {
  if (!isAwake()) return;
  const answers = questions.readAnswers();
  if (current.is_broken) return warn(say("broken"));
  if (isHidden()) return announce(say("hidden"));
  if (!answers.aesthetic) return announce(say("choose"));
  current.answers = answers;
  if (current.revises) return revise(current);
  if (!Object.values(answers).some((answer) => answer !== "unsure" && answer)) return skip("cannot_judge");
  send(current, "submit", { ...answers, ...measurements(current, countAnswered()) });
  leave(current, "submit");
}

/* Undo brought this one back: what was saved is corrected, if it changed at all. */
function revise(entry) {
  const { answers, revises, rating_id } = entry;
  const is_changed = Object.keys(answers).some((name) => answers[name] !== entry.before[name]);
  const known = rating_id ? { rating_id } : {};
  if (is_changed) write({ entry, of: revises, key: randomHex(), fields: { action: "revise", ...answers, ...known } });
  else announce(say("unchanged", entry));
  leave(entry, "submit", revises);
}

function skip(reason = "") {
  if (!isAwake()) return;
  const entry = current;
  entry.answers = questions.readAnswers();
  if (entry.revises) return leave({ ...entry, answers: entry.before }, "submit", entry.revises);
  send(entry, "skip", reason ? { reason } : {});
  leave(entry, "skip");
  if (reason) return undefined;
  return reasons.askForReason((why) => send(entry, "skip", { reason: why }, randomHex()));
}

function report() {
  if (!isAwake() || current.revises) return;
  const entry = current;
  openReport((said) => {
    send(entry, "report", said);
    if (entry === current) leave(entry, "report");
  });
}

/* Write an answer about an image into the outbox. */
function send(entry, action, fields, key = entry.key) {
  const { image_id, lease } = entry.image;
  return write({ entry, key, fields: { action, image_id, lease, ...fields } });
}

async function write({ entry, key, of, fields }) {
  const { image, answers, returns = 0 } = entry;
  const made = { key, of, url: address, identity: session.identity, fields, image, answers, number: entry.number, returns };
  await (await outbox).add(made);
}

/* Go on at once, whatever the network does; the last few can be taken back. */
function leave(entry, action, key = entry.key) {
  calm();
  reasons.close();
  if (action !== "report") history.push({ ...entry, action, key });
  for (const old of history.splice(0, history.length - UNDO_DEPTH)) old.picture.release();
  at("undo").disabled = !history.length;
  if (action === "submit" && entry.inputs?.has("touch")) navigator.vibrate?.(10);
  current = null;
  if (countTowardsRest()) at("rest").addEventListener("close", advance, { once: true });
  else advance();
}

/* Back to the last image with its answers. What was on the stage waits its turn, with the answers it had. */
function undo() {
  const last = history.pop();
  if (!last) return announce(say("nothingToUndo"));
  at("undo").disabled = !history.length;
  reasons.close();
  if (current) {
    current.answers = questions.readAnswers();
    queue.putFirst(current);
  }
  const { action, key, ...entry } = last;
  if (action === "skip") send(entry, "unskip", {}, randomHex());
  show({ ...entry, key: action === "skip" ? randomHex() : key, revises: action === "submit" && key, before: entry.answers });
  at("heading").focus({ preventScroll: true });
  return announce(say(action === "skip" ? "unskipped" : "reopened", { number: entry.number, answers: inWords(entry.answers) }));
}

// --- What became of them -----------------------------------------------------------------------------------------------

const NUMBERED = { submit: "saved", revise: "revised", skip: "skipped", report: "reported" };

function onSettled(entry, reply, is_own) {
  const { action } = entry.fields;
  if (!reply.is_ok) return is_own ? refused(entry, reply) : warn(say("refusedEarlier", { reason: reply.message }));
  if (action === "submit" && !reply.is_repeat) countSaved(reply.reward ?? 0);
  if (!is_own) return undefined;
  calm();
  const word = NUMBERED[action];
  return word && announce(say(word, { number: entry.number, answers: inWords(entry.answers) }));
}

/* An answer that cannot be saved: its image comes back where another answer could be, else it is said why. */
function refused(entry, reply) {
  const { image, answers, returns } = entry;
  const can_return = ["wrong_bytes", "invalid"].includes(reply.code) && entry.fields.action === "submit" && returns < RETURNS;
  if (can_return) {
    if (current) {
      current.answers = questions.readAnswers();
      queue.putFirst(current);
    }
    show({ ...queue.prepare(image, reply.code === "invalid" ? answers : {}), number: entry.number, returns: returns + 1 });
    at("heading").focus({ preventScroll: true });
  }
  history = history.filter((old) => old.key !== entry.key);
  at("undo").disabled = !history.length;
  warn(say(can_return ? "returned" : "refused", { number: entry.number, reason: reply.message }));
}

function onDelay(entry, reply) {
  announce(say("delayed", { number: entry.number, answers: inWords(entry.answers), reason: reply.message }));
}

/* Somebody else is signed in now. These images were leased to the one before. */
function onIdentity() {
  if (session.identity === form.dataset.identity) return;
  is_leaving = true;
  end(say("otherIdentity"));
}

function onVolatile() {
  warn(say("volatile"));
}

function inWords({ aesthetic, artifacts }) {
  const word = (value) => (value === "unsure" ? say("unsure") : value);
  return artifacts ? say("both", { aesthetic: word(aesthetic), artifacts: word(artifacts) }) : word(aesthetic);
}

// --- Hands -------------------------------------------------------------------------------------------------------------

function reveal() {
  if (!current || !isAdult(current.image)) return;
  at("reveal").checked = isHidden();
  noteRevealed();
}

/* Looking begins anew when the blur goes. */
function noteRevealed() {
  current.is_revealed = at("reveal").checked;
  beginMeasuring(current);
  wakeSoon();
}

function fullSize() {
  if (!current || isHidden() || current.is_broken) return;
  current.is_zoomed = true;
  openFullSize(current);
}

function details() {
  const last = history.findLast((entry) => entry.action === "submit");
  if (!last) return announce(say("lookLater"));
  return askToLook(async () => {
    const saved = await (await outbox).recall(last.key);
    return saved ? lookAt(address, saved.rating_id, session.token) : { message: say("lookUnsaved") };
  });
}

const ACTIONS = { submit, revise: submit, skip, undo, report, reveal, full_size: fullSize, details, help: openKeys };

function press(action) {
  pressed_at = performance.now();
  ACTIONS[action]();
}

function answer(name, value) {
  if (!isAwake()) return;
  noteInput(current, "keyboard");
  if (questions.choose(name, String(value))) advanceByItself();
}

/* Both answers are enough once somebody knows the page; undo takes them back. */
function advanceByItself() {
  if (!isAwake() || current.revises || !settings.auto_advance || givenToday() < AUTO_AFTER || !questions.isComplete()) return;
  press("submit");
}

function onKey(event) {
  const digit = digitOf(event);
  if (digit !== null) return answer(questions.activeQuestion(), questions.valueOf(digit));
  const action = actionOf(event.code, settings);
  const [, level] = action?.match(/^artifacts_(\d)$/) ?? [];
  if (level) return answer("artifacts", level);
  if (action === "unsure") return answer(questions.activeQuestion(), "unsure");
  if (!action) return false;
  noteInput(current, "keyboard");
  return press(action);
}

/* Enter and the space bar belong to what has the focus, if that does something; anywhere else they submit. */
function onEnter(event) {
  if (event.target.closest("a, button, summary")) return;
  if (event.key === " " && event.target.matches("input:not(:checked)")) return;
  event.preventDefault();
  press("submit");
}

document.addEventListener("keydown", (event) => {
  const is_undo = event.code === settings.keys.undo || event.key.toLowerCase() === "z";
  if ((event.ctrlKey || event.metaKey) && is_undo && !event.shiftKey && !event.repeat && !event.target.matches("textarea")) {
    event.preventDefault();
    return press("undo");
  }
  if (isMeantElsewhere(event) || is_leaving || desk.hidden) return undefined;
  if (event.key === "Enter" || event.key === " ") return onEnter(event);
  if (event.key === "Escape") return reasons.close();
  if (!settings.keys_on) return undefined;
  if (event.key === "?") return openKeys();
  if (event.shiftKey) return undefined;
  if (/^(Arrow(Left|Right)|Home|End)$/.test(event.key) && isAwake() && !event.target.matches("input")) questions.moveTo(event.key);
  else if (onKey(event) === false) return undefined;
  return event.preventDefault();
});

form.noValidate = true;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  press(event.submitter?.value ?? "submit");
});
document.addEventListener("click", ({ target }) => {
  const action = target.closest("[data-press]")?.dataset.press;
  if (action) press(action);
});
at("reveal").addEventListener("change", noteRevealed);
questions.onPointed(advanceByItself);
listenForInput(() => current);
listenForGestures(stage, { onUp: () => press("skip"), onDown: () => press("undo"), onLong: () => press("report") });
addEventListener("online", resume);
addEventListener("pagehide", () => {
  const open = current && !current.revises ? [current.image.lease] : [];
  giveBack(address, [...open, ...queue.leases()], session.token);
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

for (const hidden of document.querySelectorAll(".with-script")) hidden.hidden = false;
setUpKeys(settings);
showCounts();
show(firstEntry());
queue.refill();
// So that the page opens without a network, where the browser can do that.
navigator.serviceWorker?.register(form.dataset.serviceWorker, { scope: form.dataset.serviceScope }).catch(() => {});
