/* What the page says: a polite line, an alert, the counts, and how much waits to be sent. */

import { at, form } from "./page.js";
import { say, sayCount } from "./words.js";

const BADGE_AFTER_MS = 1500; // what is sent at once never waits
const COUNT = `kudoscope-count-${form.id}`;
const counts = {
  today: Number(form.dataset.today),
  session: Number(sessionStorageItem(COUNT)),
  pending: Number(form.dataset.pending),
};
let badge_timer = null;

export function announce(text) {
  at("licence")?.remove();
  at("status").textContent = text;
}

export function warn(text) {
  announce("");
  at("alert-text").textContent = text;
  at("alert").hidden = false;
}

export function calm() {
  at("alert").hidden = true;
}

export function sessionStorageItem(name, value) {
  try {
    if (value !== undefined) sessionStorage.setItem(name, value);
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/* One more answered here; returns its position in this session, from 1. */
export function countAnswered() {
  counts.session += 1;
  sessionStorageItem(COUNT, counts.session);
  showCounts();
  return counts.session;
}

/* One more saved, here or, with `is_like_this` false, by a page that asks something else. */
export function countSaved(reward, is_like_this) {
  counts.today += Number(is_like_this);
  counts.pending += reward;
  showCounts();
}

export function givenToday() {
  return counts.today;
}

export function showCounts() {
  const { today, session, pending } = counts;
  at("count-today").textContent = sayCount("today", today);
  at("count-session").textContent = sayCount("session", session);
  const kudos = at("count-pending");
  if (kudos) kudos.textContent = sayCount("pending", pending);
}

export function showWaiting({ waiting, foreign }) {
  clearTimeout(badge_timer);
  const show = () => {
    at("waiting").hidden = !waiting && !foreign;
    at("waiting").textContent = [waiting && sayCount("waiting", waiting), foreign && sayCount("foreign", foreign)]
      .filter(Boolean)
      .join(", ");
  };
  if (!waiting || !at("waiting").hidden || foreign) show();
  else badge_timer = setTimeout(show, BADGE_AFTER_MS);
}
