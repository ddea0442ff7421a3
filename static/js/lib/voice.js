/* What the page says: a polite line, an alert, the counts, and how much waits to be sent. */

import { at, form } from "./page.js";
import { inLocale, say, sayCount } from "./words.js";

const BADGE_AFTER_MS = 1500; // what is sent at once never waits
const COUNT = `kudoscope-count-${form.id}`;
const counts = {
  today: Number(form.dataset.today),
  session: Number(sessionStorageItem(COUNT)),
  pending: Number(form.dataset.pending),
};
const week = { days: Number(form.dataset.weekDays), goal: Number(form.dataset.weekGoal) };
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
  if (is_like_this && !counts.today) week.days += 1; // the first of a day makes it one of the week's
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
  for (const place of document.querySelectorAll(".count-week")) {
    place.textContent = say(week.days < week.goal ? "week" : "weekReached", week);
  }
}

/* What the server says now and then: others rate too, and so does this person elsewhere. */
export function showStanding({ week: { active_days, goal }, progress }) {
  if (week.goal) Object.assign(week, { days: active_days, goal });
  showCounts();
  if (!progress || !at("pool")) return;
  const { complete_count, image_count } = progress;
  Object.assign(at("pool"), { value: complete_count, max: image_count });
  at("pool-words").textContent = sayCount("pool", image_count, { complete: inLocale(complete_count) });
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
