/*
 * What a person has set for the page. It is kept in this browser, and where somebody is signed in it follows the account:
 * what the account says arrives a moment later and wins.
 */

import { getJson, postForm } from "./api.js";

const NAME = "kudoscope-settings";
const DEFAULTS = { keys: {}, keys_on: true, auto_advance: true, reduced_data: false };

export function openSettings({ url, session, onChange }) {
  const settings = { ...DEFAULTS, ...read(), set };

  function set(changed) {
    Object.assign(settings, changed);
    write(pick(settings));
    onChange();
    if (url) postForm(url, asFields(changed), session.token);
  }

  async function follow() {
    const answer = await getJson(url);
    if (!answer.is_ok) return;
    Object.assign(settings, pick(answer));
    write(pick(settings));
    onChange();
  }

  if (url) follow();
  return settings;
}

function pick(from) {
  return Object.fromEntries(Object.keys(DEFAULTS).filter((name) => name in from).map((name) => [name, from[name]]));
}

function asFields(changed) {
  const write = (value) => (typeof value === "object" && value ? JSON.stringify(value) : String(value ?? ""));
  return Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, write(value)]));
}

/* A browser that keeps nothing keeps no settings either: they are then the usual ones at each visit. */
function read() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

function write(values) {
  try {
    localStorage.setItem(NAME, JSON.stringify(values));
  } catch {
    // as above
  }
}
