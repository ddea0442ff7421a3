/*
 * Pictures ahead of time. The bytes are fetched, hashed, and exactly those are shown, as a blob: what the server is told
 * was seen is what was seen. Where the browser has no digest (plain HTTP) the hash stays empty and the server notes it.
 */

import { toHex } from "./random.js";

const RETRIES_MS = [500, 1500];
const OFFLINE_MS = 5000;

/* How many images to hold ahead: more where they come slowly, fewer where bytes cost money. */
export function howManyAhead(connection = navigator.connection) {
  if (connection?.saveData) return 2;
  return /2g|3g/.test(connection?.effectiveType ?? "") ? 6 : 4;
}

/* The smallest rendition that is not enlarged in a box of CSS pixels; with Save-Data the screen's density is ignored. */
export function chooseUrl({ url, renditions, width, height }, box, connection = navigator.connection) {
  if (!renditions?.length) return url;
  const fitting = Math.min(1, box.width / width, box.height / height) * width;
  const wanted = fitting * (connection?.saveData ? 1 : devicePixelRatio);
  const sorted = [...renditions].sort((a, b) => a.width - b.width);
  return (sorted.find((one) => one.width >= wanted) ?? sorted.at(-1)).url;
}

/*
 * Start loading. Returns { element, decoded, sha256, requested_at, decoded_at, shownWidth(), release() }; `decoded` resolves to whether
 * the picture can be seen.
 */
export function loadPicture({ url, width, height, alt, requested_at = performance.now() }) {
  const element = new Image();
  if (width && height) Object.assign(element, { width, height });
  const picture = { element, url, sha256: "", requested_at, decoded_at: 0, shownWidth, release };
  element.alt = alt;
  element.draggable = false;
  picture.decoded = load(picture).then(
    () => true,
    () => false,
  );

  function shownWidth() {
    return Math.round(element.getBoundingClientRect().width);
  }

  function release() {
    URL.revokeObjectURL(element.src);
  }

  return picture;
}

async function load(picture) {
  const bytes = await fetchBytes(picture.url);
  if (crypto.subtle) picture.sha256 = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).slice(0, 8);
  picture.element.src = URL.createObjectURL(new Blob([bytes]));
  await picture.element.decode();
  picture.decoded_at = performance.now();
}

/* Try again what did not arrive, a few times; without a network until there is one, which not every browser tells. */
async function fetchBytes(url) {
  for (let failures = 0; ; ) {
    try {
      const response = await fetch(url);
      if (response.ok) return await response.arrayBuffer();
      if (response.status < 500) throw new Error(`HTTP ${response.status}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    const wait_ms = navigator.onLine ? RETRIES_MS[failures++] : OFFLINE_MS;
    if (!wait_ms) throw new Error("unreached");
    await new Promise((resolve) => {
      setTimeout(resolve, wait_ms);
      if (!navigator.onLine) addEventListener("online", resolve, { once: true });
    });
  }
}
