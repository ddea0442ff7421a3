/* A break, offered once after 25 minutes of rating or 150 ratings. One key goes on. */

import { at } from "./page.js";
import { sessionStorageItem } from "./voice.js";

const AFTER_MS = 25 * 60 * 1000;
const AFTER_RATINGS = 150;
const LONGEST_PAUSE_MS = 60 * 1000; // who was away longer than this has rested meanwhile

let last = Date.now();
const since = JSON.parse(sessionStorageItem("kudoscope-rest") || '{"ms": 0, "ratings": 0}');

/* Count one rating; returns whether the card was opened. */
export function countTowardsRest() {
  since.ms += Math.min(LONGEST_PAUSE_MS, Date.now() - last);
  since.ratings += 1;
  last = Date.now();
  const is_due = since.ms >= AFTER_MS || since.ratings >= AFTER_RATINGS;
  if (is_due) Object.assign(since, { ms: 0, ratings: 0 });
  sessionStorageItem("kudoscope-rest", JSON.stringify(since));
  if (is_due) at("rest").showModal();
  return is_due;
}
