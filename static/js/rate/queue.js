/* The images that come next, leased, loading or decoded; and their leases given back when the page is left. */

import { getJson } from "../lib/api.js";
import { chooseUrl, howManyAhead, loadPicture } from "../lib/pictures.js";
import { randomHex } from "../lib/random.js";
import { stage } from "./page.js";

const RETRY_SECONDS = 3;

export function openQueue({ address, isKnown, isSaving }) {
  const ahead = [];
  let refilling = null;
  let retry_ms = 0; // when there were none because the server was out of reach, or asked to wait

  function prepare(image, answers = {}) {
    const url = chooseUrl(image, stage.getBoundingClientRect());
    return { image, key: randomHex(), answers, picture: loadPicture({ ...image, url }) };
  }

  function add(image) {
    const is_here = ahead.some((entry) => entry.image.image_id === image.image_id) || isKnown(image.image_id);
    if (!is_here) ahead.push(prepare(image));
  }

  /* Ask for the images that are missing, one request at a time. Resolves to why there are none, or to "". */
  function refill() {
    const missing = (isSaving() ? 2 : howManyAhead()) - ahead.length;
    if (missing <= 0) return Promise.resolve("");
    refilling ??= ask(missing).finally(() => (refilling = null));
    return refilling;
  }

  async function ask(count) {
    const answer = await getJson(`${address}?count=${count}`);
    answer.images?.forEach(add);
    retry_ms = answer.is_ok ? 0 : (answer.retry_after || RETRY_SECONDS) * 1000;
    return answer.message ?? "";
  }

  return {
    prepare,
    refill,
    retryAfter: () => retry_ms,
    next: () => ahead.shift(),
    putFirst: (entry) => ahead.unshift(entry),
    leases: () => ahead.filter((entry) => !entry.revises).map((entry) => entry.image.lease),
  };
}

/* A beacon outlives the page. Nothing is lost when it does not arrive: leases end by themselves. */
export function giveBack(address, leases, token) {
  if (!leases.length) return;
  const body = new URLSearchParams({ action: "return", csrfmiddlewaretoken: token });
  for (const lease of leases) body.append("lease", lease);
  navigator.sendBeacon(address, body);
}
