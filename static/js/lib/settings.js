/*
 * What a person has set for the page. Visitors keep theirs in this browser. Where somebody is signed in it follows the
 * account: a copy is kept here so that it holds at once, and what the account says arrives a moment later and wins. What was set
 * here before there was an account moves into it, if nothing was set there.
 */

import { getJson, postForm } from "./api.js";

const NAME = "kudoscope-settings";
const DEFAULTS = { keys: {}, keys_on: true, auto_advance: true, reduced_data: false };

export function openSettings({ url, session, onChange }) {
  const name = url ? `${NAME}:${session.identity}` : NAME; // so that the next person here does not inherit them
  const settings = { ...DEFAULTS, ...read(name), set };

  function set(changed) {
    hold(changed);
    if (url) postForm(url, asFields(changed), session.token);
  }

  function hold(values) {
    Object.assign(settings, values);
    write(name, pick(settings));
    onChange();
  }

  async function follow() {
    const answer = await getJson(url);
    if (!answer.is_ok) return;
    hold(pick(answer));
    const visitors = pick(read(NAME));
    if (isUsual(answer) && !isUsual(visitors)) await moveIn(visitors);
  }

  async function moveIn(visitors) {
    const answer = await postForm(url, asFields(visitors), session.token);
    if (!answer.is_ok) return;
    hold(pick(answer));
    forget(NAME);
  }

  if (url) follow();
  return settings;
}

function isUsual(values) {
  return Object.entries(DEFAULTS).every(([name, usual]) => !(name in values) || JSON.stringify(values[name]) === JSON.stringify(usual));
}

function pick(from) {
  return Object.fromEntries(Object.keys(DEFAULTS).filter((name) => name in from).map((name) => [name, from[name]]));
}

function asFields(changed) {
  const write = (value) => (typeof value === "object" && value ? JSON.stringify(value) : String(value ?? ""));
  return Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, write(value)]));
}

/* A browser that keeps nothing keeps no settings either: they are then the usual ones at each visit. */
function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

function write(name, values) {
  try {
    localStorage.setItem(name, JSON.stringify(values));
  } catch {
    // as above
  }
}

function forget(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // as above
  }
}
