/*
 * The outbox: what a person answered is written down here first and sent in the background, in order, exactly once.
 *
 * An entry is { key, url, identity, fields, tab, of, ... }: `key` is its idempotency key, `identity` under whom it was
 * made, `fields` the body of the request, `of` the key of the entry that it corrects, and anything else the page wants
 * back. It leaves the outbox only when the server has answered for good. What it waits for otherwise:
 *
 *   no server, a proxy's error, 5xx   the network, or a little longer each time
 *   429                               as long as the server says
 *   another identity                  until that person is back in this browser, or has claimed what it rated
 *   an old CSRF token                 a new one, asked for at once
 *   428                               the work that the server asks for as proof
 *
 * All tabs share one outbox; a lock lets one of them send at a time. Where there are no locks (plain HTTP) two tabs may
 * send the same entry: its key makes that one rating.
 */

import { postForm } from "./api.js";
import { solveProof } from "./proof.js";
import { openStore, storeInMemory } from "./store.js";
import { say } from "./words.js";

const LONGEST_WAIT_MS = 60000;

export async function openOutbox({ session, tab, onSettled, onCount, onVolatile, onIdentity, onDelay, onWork }) {
  let store = await openStore();
  let timer = null;
  let is_queued = false; // this tab already waits for its turn to send
  let failures = 0;
  const channel = "BroadcastChannel" in self ? new BroadcastChannel("kudoscope-outbox") : null;
  if (!store.is_durable) onVolatile();

  /* Write an entry down; resolves when it is safe. */
  async function add(entry) {
    try {
      await store.add({ ...entry, tab });
    } catch {
      await moveToMemory();
      await store.add({ ...entry, tab });
    }
    channel?.postMessage({ kind: "count" });
    await count();
    flush();
  }

  async function moveToMemory() {
    store = storeInMemory();
    onVolatile();
  }

  async function count() {
    const entries = await store.list();
    const foreign = entries.filter((entry) => !session.isOurs(entry.identity)).length;
    onCount({ waiting: entries.length - foreign, foreign });
    return foreign;
  }

  /* Send what can be sent. Any number of calls make one round after the one that is going on. */
  function flush() {
    clearTimeout(timer);
    if (is_queued) return;
    is_queued = true;
    const round = () => {
      is_queued = false;
      return sendAll();
    };
    if (navigator.locks) navigator.locks.request("kudoscope-outbox", round);
    else rounds = rounds.then(round);
  }
  let rounds = Promise.resolve();

  async function sendAll() {
    for (let entry = await next(0); entry; entry = await next(entry.id)) {
      const reply = await deliver(entry);
      const wait_ms = await settle(entry, reply);
      if (wait_ms) return delay(entry, reply, wait_ms);
    }
    failures = 0;
  }

  async function next(after) {
    return (await store.list()).find((entry) => entry.id > after && session.isOurs(entry.identity));
  }

  async function deliver(entry) {
    const fields = { ...entry.fields, idempotency_key: entry.key, identity: entry.identity };
    if (entry.of && !fields.rating_id) {
      const corrected = await store.recall(entry.of);
      if (!corrected?.rating_id) return { status: 404, code: "gone", message: say("gone") };
      fields.rating_id = corrected.rating_id;
    }
    let reply = await postForm(entry.url, fields, session.token);
    if (reply.code === "stale_csrf" && (await session.refresh())) {
      if (!session.isOurs(entry.identity)) return { status: 409, code: "identity_changed" };
      reply = await postForm(entry.url, fields, session.token);
    }
    if (reply.status !== 428) return reply;
    if (entry.tab === tab) onWork?.();
    const altcha = await solveProof(reply.challenge);
    return postForm(entry.url, { ...fields, altcha }, session.token);
  }

  /* Return for how many ms the outbox has to wait, or 0 when it can go on with the next entry. */
  async function settle(entry, reply) {
    if (reply.code === "identity_changed") {
      await session.refresh();
      onIdentity();
      await count();
      return session.isOurs(entry.identity) ? backOff() : 0;
    }
    const is_for_good = reply.is_ok || (reply.status >= 400 && reply.status < 500);
    if (!is_for_good || [408, 428, 429].includes(reply.status) || reply.code === "stale_csrf") {
      return reply.retry_after ? reply.retry_after * 1000 : backOff();
    }
    failures = 0;
    if (reply.rating_id) await store.remember(entry.key, { rating_id: reply.rating_id, until: reply.revisable_until });
    await store.remove(entry.id);
    tell({ kind: "settled", entry, reply });
    channel?.postMessage({ kind: "settled", entry, reply });
    await count();
    return 0;
  }

  function backOff() {
    return Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures++);
  }

  function delay(entry, reply, wait_ms) {
    timer = setTimeout(flush, wait_ms);
    if (entry.tab === tab) onDelay(entry, reply);
    else channel?.postMessage({ kind: "delayed", entry, reply });
  }

  /* A tab hears of its own entries, whichever tab sent them; a refusal whose tab is gone is heard by whoever sent it. */
  function tell({ kind, entry, reply }, is_from_other = false) {
    const is_own = entry.tab === tab;
    if (kind === "delayed" && is_own) onDelay(entry, reply);
    if (kind === "settled" && (is_own || !is_from_other)) onSettled(entry, reply, is_own);
  }

  channel?.addEventListener("message", ({ data }) => {
    if (data.entry) tell(data, true);
    count();
  });
  addEventListener("online", flush);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && flush());
  // Perhaps somebody else's, perhaps made here before this person signed up and claimed it.
  if ((await count()) && (await session.refresh())) await count();
  store.forget();
  flush();
  return { add, flush, recall: (key) => store.recall(key) };
}
