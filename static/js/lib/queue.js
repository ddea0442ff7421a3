/* The items that come next, leased, loading or decoded; and their leases given back when the page is left. */

import { getJson } from "./api.js";
import { howManyAhead } from "./pictures.js";
import { randomHex } from "./random.js";
import { pictureOf } from "./veil.js";

const RETRY_SECONDS = 3;

export function openQueue({ address, page, isKnown, isSaving }) {
  const ahead = [];
  let refilling = null;
  let retry_ms = 0; // when there were none because the server was out of reach, or asked to wait

  function prepare(item, answers = {}) {
    const entry = { item, key: randomHex(), answers };
    pictureOf(entry, page);
    return entry;
  }

  function add(item) {
    const is_here = ahead.some((entry) => entry.item[page.id] === item[page.id]) || isKnown(item);
    if (!is_here) ahead.push(prepare(item));
  }

  const wanted = () => Math.ceil((isSaving() ? 2 : howManyAhead()) / page.weight);

  /* Ask for the items that are missing, one request at a time. Resolves to why there are none, or to "". */
  function refill() {
    const missing = wanted() - ahead.length;
    if (missing <= 0) return Promise.resolve("");
    refilling ??= ask(missing).finally(() => (refilling = null));
    return refilling;
  }

  async function ask(count) {
    const answer = await getJson(`${address}?count=${count}`);
    answer[page.list]?.forEach(add);
    retry_ms = answer.is_ok ? 0 : (answer.retry_after || RETRY_SECONDS) * 1000;
    return answer.message ?? "";
  }

  return {
    prepare,
    refill,
    retryAfter: () => retry_ms,
    next: () => ahead.shift(),
    putFirst: (entry) => ahead.unshift(entry),
    leases: () => ahead.filter((entry) => !entry.revises).map((entry) => entry.item.lease),
  };
}

/* A beacon outlives the page. Nothing is lost when it does not arrive: leases end by themselves. */
export function giveBack(address, leases, token) {
  if (!leases.length) return;
  const body = new URLSearchParams({ action: "return", csrfmiddlewaretoken: token });
  for (const lease of leases) body.append("lease", lease);
  navigator.sendBeacon(address, body);
}
