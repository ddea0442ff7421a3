/*
 * Keeps the shell of the rating page, so that it opens without a network: static files, and one page that is nobody's.
 * Pages of a person are never kept. CACHE, SHELL and STATIC are written above this by the server; the shell begins with
 * the page to show.
 */

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOthers().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => kept(SHELL[0])));
  else if (new URL(request.url).pathname.startsWith(STATIC)) event.respondWith(fromCache(request));
});

/* Without cookies: what is kept must not depend on who is signed in. */
async function keepShell() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.map((url) => new Request(url, { credentials: "omit", cache: "reload" })));
}

async function forgetOthers() {
  const others = (await caches.keys()).filter((name) => name.startsWith("kudoscope-") && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function kept(url) {
  return (await (await caches.open(CACHE)).match(url)) ?? Response.error();
}

/* Names with a hash in them never change; the others are asked for again whenever there is a network. */
async function fromCache(request) {
  const cache = await caches.open(CACHE);
  const is_final = /\.[0-9a-f]{12}\.\w+$/.test(new URL(request.url).pathname);
  const found = await cache.match(request);
  if (found && is_final) return found;
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    if (found) return found;
    throw error;
  }
}
