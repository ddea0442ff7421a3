/* The page without a network: how much waits, and back to rating as soon as the server answers. */

import { getJson } from "./lib/api.js";
import { openStore } from "./lib/store.js";
import { sayCount } from "./lib/words.js";

const AGAIN_MS = 5000;
const page = document.getElementById("offline");

let is_trying = false;

/* One question at a time, and none once the page is on its way: that may take longer than the next would wait. */
async function tryAgain() {
  if (is_trying) return;
  is_trying = true;
  const answer = await getJson(page.dataset.sessionUrl);
  if (answer.is_ok) location.reload();
  else is_trying = false;
}

async function showWaiting() {
  const { length } = await (await openStore()).list();
  document.getElementById("waiting").textContent = length ? sayCount("waiting", length) : "";
}

showWaiting();
addEventListener("online", tryAgain);
setInterval(tryAgain, AGAIN_MS);
