/*
 * What a page for answering does, whatever it asks about: it shows one item after another, takes an answer and goes on at
 * once, takes it back, and says what became of it. What was answered goes into the outbox, which sends it in the
 * background and keeps it through reloads, lost networks and restarts of the server.
 *
 * An item is what the server handed out: an image, or a set of them. An entry is one item on its way over the stage:
 * { item, key, picture, answers, number, revises }. `revises` is the key of the answer that it corrects, when undo
 * brought it back. What is not for everybody has a `veil` before it has a picture (veil.js).
 *
 * The page says what differs:
 *
 *   id, list, weight   what names an item in requests, where the server's answer has items, and how many images one is
 *   firstItem()        the item that the server put into the page
 *   load(item)         its picture, as `loadPicture` returns it; `veil(item)` what stands for it until it is revealed
 *   draw(entry)        the element that shows it: the first of the stage
 *   read(), readDefaults(), write(answers)   what the form says, said when it came, and is to say
 *   isEnough(answers)  whether they can be sent; `isNothing(answers)`, if there is one, whether they are a skip
 *   inWords(answers, item)   the same for people
 *   actions            what else can be done, by name; `readyReport(item)`, if there is one, before the panel opens
 */

import { openSession } from "./api.js";
import { openKeys, showKeys } from "./keys_dialog.js";
import { beginMeasuring, measurements } from "./measure.js";
import { openOutbox } from "./outbox.js";
import { at, csrfToken, desk, form, stage } from "./page.js";
import { giveBack, openQueue } from "./queue.js";
import { randomHex } from "./random.js";
import * as reasons from "./reasons.js";
import { openReport } from "./report.js";
import { countTowardsRest } from "./rest.js";
import { openSettings } from "./settings.js";
import { drawVeil, isAdult, isKept, isRevealed, keep, listenForReveal, pictureOf, release } from "./veil.js";
import { announce, calm, countAnswered, countSaved, givenToday, showCounts, showStanding, showWaiting, warn } from "./voice.js";
import { say } from "./words.js";

const DEAD_MS = 150; // after a swap: a second press cannot answer what nobody has seen yet
const AUTO_AFTER = 10; // answers of today, after which an answer that is complete is enough
const UNDO_DEPTH = 5;
const STANDING_AFTER = 20; // answers, after which the page asks how the dataset stands
const RETURNS = 2; // how often one item comes back because its bytes were not the server's
const NUMBERED = { submit: "saved", revise: "revised", skip: "skipped", report: "reported" };

export function openDesk(page) {
  const address = form.getAttribute("action"); // form.action is the buttons, because of their name
  const tab = randomHex();
  const { sessionUrl: url, identity } = form.dataset;
  const session = openSession({ url, identity, token: csrfToken(), onRefresh: showStanding });
  const settings = openSettings({ url: form.dataset.settingsUrl, session, onChange: () => showKeys(settings) });
  const queue = openQueue({ address, page, isKnown, isSaving: () => settings.reduced_data });

  let number = Number(form.dataset.position);
  let current = null; // the entry on the stage
  let history = []; // the last that were answered, newest at the end
  let waking = null; // the timer that ends the moment after a swap
  let resuming = null; // the timer after which an empty desk asks again
  let pressed_at = 0;
  let saved_count = 0;
  let is_leaving = false;

  const outbox = openOutbox({ session, tab, onSettled, onDelay, onIdentity, onCount: showWaiting, onVolatile, onWork });

  // --- The stage -------------------------------------------------------------------------------------------------------

  function firstEntry() {
    const answers = page.readDefaults();
    const { idempotency_key, rating_id } = form.elements; // the second, when the page was opened to change an answer
    const known = { key: idempotency_key.value, before: answers, number, revises: rating_id?.value, rating_id: rating_id?.value };
    return { ...queue.prepare(page.firstItem(), answers), ...known };
  }

  function isKnown(item) {
    return [current, ...history].some((entry) => entry?.item[page.id] === item[page.id]);
  }

  function show(entry) {
    current = entry;
    entry.number ??= ++number;
    form.elements[page.id].value = entry.item[page.id];
    form.elements.lease.value = entry.item.lease;
    form.elements.idempotency_key.value = entry.key;
    put(entry);
    page.write(entry.answers);
    at("heading").textContent = say("heading", entry);
    desk.hidden = false;
    at("ended").hidden = true;
  }

  function put(entry) {
    sleep();
    stage.firstElementChild.replaceWith(page.draw({ ...entry, picture: pictureOf(entry, page) }));
    drawVeil(entry);
    wake(entry);
  }

  function showAndSay(entry) {
    show(entry);
    at("heading").focus({ preventScroll: true });
  }

  function lookAgain() {
    if (!current) return;
    put(current);
    at("heading").focus({ preventScroll: true });
  }

  function sleep() {
    clearTimeout(waking);
    stage.classList.remove("is-awake");
  }

  function wakeSoon() {
    sleep();
    waking = setTimeout(() => stage.classList.add("is-awake"), DEAD_MS);
  }

  /* Keys and buttons sleep until everything can be seen, and a moment longer. What cannot be seen can be skipped. */
  async function wake(entry) {
    const picture = pictureOf(entry, page);
    const is_decoded = await picture.decoded;
    if (entry !== current || picture !== pictureOf(entry, page)) return;
    entry.is_broken = !is_decoded;
    if (entry.is_broken) warn(say("broken"));
    beginMeasuring(entry);
    wakeSoon();
  }

  function hold() {
    current = null;
    sleep();
    const waiting = Object.assign(document.createElement("p"), { className: "waiting", textContent: say("loading") });
    stage.firstElementChild.replaceWith(waiting);
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
    showAndSay(entry);
    queue.refill();
  }

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

  async function resume() {
    if (!resuming || current) return;
    await queue.refill();
    const entry = queue.next();
    if (entry) advanceTo(entry);
    else resuming = setTimeout(resume, queue.retryAfter() || DEAD_MS);
  }

  // --- Answers ---------------------------------------------------------------------------------------------------------

  const isAwake = () => Boolean(current) && stage.classList.contains("is-awake");
  const isHidden = () => Boolean(current) && !isRevealed(current);

  function submit() {
    if (!isAwake()) return;
    const answers = page.read();
    if (current.is_broken) return warn(say("broken"));
    if (isHidden()) return announce(say("hidden"));
    if (!page.isEnough(answers)) return announce(say("choose"));
    current.answers = answers;
    if (current.revises) return revise(current);
    if (page.isNothing?.(answers)) return skip("cannot_judge");
    send(current, "submit", { ...answers, ...measurements(current, countAnswered()) });
    leave(current, "submit");
  }

  /* An answer that is complete is enough once somebody knows the page; undo takes it back. */
  function submitByItself() {
    if (isAwake() && !current.revises && settings.auto_advance && givenToday() >= AUTO_AFTER) press("submit");
  }

  /* Undo brought this one back: what was saved is corrected, if it changed at all. */
  function revise(entry) {
    const { answers, revises, rating_id } = entry;
    const is_changed = Object.keys(answers).some((name) => answers[name] !== (entry.before[name] ?? ""));
    const known = rating_id ? { rating_id } : {};
    if (page.isNothing?.(answers)) return announce(say("keepsOne"));
    if (is_changed) write({ entry, of: revises, key: randomHex(), fields: { action: "revise", ...answers, ...known } });
    else announce(say("unchanged", entry));
    return leave(entry, "submit", revises);
  }

  function skip(reason = "") {
    if (!isAwake()) return;
    const entry = current;
    entry.answers = page.read();
    if (entry.revises) return leaveAsItWas(entry, "staysRated");
    send(entry, "skip", reason ? { reason } : {});
    leave(entry, "skip");
    if (reason) return undefined;
    return reasons.askForReason((why) => send(entry, "skip", { reason: why }, randomHex()));
  }

  /* What is saved can be changed, not skipped: go on, and the answer stays. */
  function leaveAsItWas(entry, word) {
    leave({ ...entry, answers: entry.before }, "submit", entry.revises);
    if (word) announce(say(word, { number: entry.number, answers: page.inWords(entry.before) }));
  }

  function report() {
    if (!isAwake()) return;
    const entry = current;
    page.readyReport?.(entry.item);
    openReport((said) => {
      send(entry, "report", said, randomHex());
      if (entry !== current) return;
      if (entry.revises) leaveAsItWas(entry);
      else leave(entry, "report");
    });
  }

  /* Write an answer about an item into the outbox. */
  function send(entry, action, fields, key = entry.key) {
    const { [page.id]: id, lease } = entry.item;
    return write({ entry, key, fields: { action, [page.id]: id, lease, ...fields } });
  }

  async function write({ entry, key, of, fields }) {
    const { item, answers, returns = 0 } = entry;
    const made = { key, of, url: address, identity: session.identity, fields, item, answers, number: entry.number, returns };
    await (await outbox).add(made);
  }

  /* Go on at once, whatever the network does; the last few can be taken back. */
  function leave(entry, action, key = entry.key) {
    calm();
    reasons.close();
    if (action !== "report") history.push({ ...entry, action, key });
    history.splice(0, history.length - UNDO_DEPTH).forEach(release);
    at("undo").disabled = !history.length;
    if (action === "submit" && entry.inputs?.has("touch")) navigator.vibrate?.(10);
    current = null;
    if (countTowardsRest()) at("rest").addEventListener("close", advance, { once: true });
    else advance();
  }

  /* Back to the last item with its answers. What was on the stage waits its turn, with the answers it had. */
  function undo() {
    const last = history.pop();
    if (!last) return announce(say("nothingToUndo"));
    at("undo").disabled = !history.length;
    reasons.close();
    putBack();
    const { action, key, ...entry } = last;
    if (action === "skip") send(entry, "unskip", {}, randomHex());
    showAndSay({ ...entry, key: action === "skip" ? randomHex() : key, revises: action === "submit" && key, before: entry.answers });
    return announce(say(action === "skip" ? "unskipped" : "reopened", numbered(entry)));
  }

  function putBack() {
    if (!current) return;
    current.answers = page.read();
    queue.putFirst(current);
  }

  // --- What became of them ---------------------------------------------------------------------------------------------

  function onSettled(entry, reply, is_own) {
    const { action } = entry.fields;
    if (!reply.is_ok) return is_own ? refused(entry, reply) : warn(say("refusedEarlier", { reason: reply.message }));
    if (action === "submit" && !reply.is_repeat) countSaved(reply.reward ?? 0, page.id in entry.fields);
    if (action === "submit" && ++saved_count % STANDING_AFTER === 0) session.refresh();
    if (!is_own) return undefined;
    calm();
    const word = NUMBERED[action];
    return word && announce(say(word, numbered(entry)));
  }

  const numbered = (entry) => ({ number: entry.number, answers: page.inWords(entry.answers, entry.item) });

  /* An answer that cannot be saved: its item comes back where another answer could be, else it is said why. */
  function refused(entry, reply) {
    const { item, answers, returns } = entry;
    const can_return = ["wrong_bytes", "invalid"].includes(reply.code) && entry.fields.action === "submit" && returns < RETURNS;
    if (can_return) {
      putBack();
      const again = queue.prepare(item, reply.code === "invalid" ? answers : {});
      showAndSay({ ...again, number: entry.number, returns: returns + 1 });
    }
    history = history.filter((old) => old.key !== entry.key);
    at("undo").disabled = !history.length;
    warn(say(can_return ? "returned" : "refused", { number: entry.number, reason: reply.message }));
  }

  function onDelay(entry, reply) {
    announce(say("delayed", { ...numbered(entry), reason: reply.message }));
  }

  /* Somebody else is signed in now. These items were leased to the one before. */
  function onIdentity() {
    if (session.isOurs(form.dataset.identity)) return;
    is_leaving = true;
    end(say("otherIdentity"));
  }

  function onWork() {
    announce(say("working"));
  }

  function onVolatile() {
    warn(say("volatile"));
  }

  // --- What can be done ------------------------------------------------------------------------------------------------

  function reveal() {
    if (current && isAdult(current)) setRevealed(isHidden(), isHidden() && isKept());
  }

  /* Looking begins anew when the blur goes. */
  function setRevealed(is_revealed, is_kept) {
    keep(is_kept);
    current.is_revealed = is_revealed;
    put(current);
  }

  const actions = { submit, revise: submit, skip, undo, report, reveal, help: openKeys, ...page.actions };

  function press(action) {
    pressed_at = performance.now();
    actions[action]();
  }

  listenForReveal(setRevealed);
  addEventListener("online", resume);
  addEventListener("pagehide", () => {
    const open = current && !current.revises ? [current.item.lease] : [];
    giveBack(address, [...open, ...queue.leases()], session.token);
  });
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  for (const hidden of document.querySelectorAll(".with-script")) hidden.hidden = false;
  showCounts();
  show(firstEntry());
  queue.refill();
  // So that the page opens without a network, where the browser can do that.
  navigator.serviceWorker?.register(form.dataset.serviceWorker, { scope: form.dataset.serviceScope }).catch(() => {});

  return {
    address,
    session,
    settings,
    press,
    submitByItself,
    isAwake,
    isHidden,
    canDo: (action) => action in actions,
    isOpen: () => !is_leaving && !desk.hidden,
    current: () => current,
    lookAgain,
    lastSubmitted: () => history.findLast((entry) => entry.action === "submit"),
    recall: async (key) => (await outbox).recall(key),
  };
}
