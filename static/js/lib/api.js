/*
 * Talking to the server. Nothing here throws: a server that is out of reach, or answers with something that is not ours
 * (a proxy's error, a hotel's sign-in page), is `{ status: 0 }`.
 */

import { say } from "./words.js";

const ANSWER_MS = 20000; // after which a silent server counts as out of reach

export function getJson(url) {
  return ask(url, {});
}

export function postForm(url, fields, token) {
  return ask(url, { method: "POST", body: new URLSearchParams(fields), keepalive: true }, { "X-CSRFToken": token });
}

async function ask(url, options, headers = {}) {
  try {
    const response = await fetch(url, {
      ...options,
      headers: { Accept: "application/json", ...headers },
      signal: AbortSignal.timeout?.(ANSWER_MS),
    });
    if (response.status === 204) return { status: 204, is_ok: true };
    if (!response.headers.get("Content-Type")?.startsWith("application/json")) return strange(response);
    const retry_after = Number(response.headers.get("Retry-After")) || 0;
    return { ...(await response.json()), status: response.status, is_ok: response.ok, retry_after };
  } catch {
    return { status: 0, is_ok: false, message: say("offline") };
  }
}

/* A page instead of data. Django's own refusal of an old token is one of them. */
function strange(response) {
  const code = response.status === 403 ? "stale_csrf" : "";
  return { status: 0, is_ok: false, code, message: say(response.status >= 500 ? "failed" : "offline") };
}

/*
 * Who the server says we are: an opaque `identity`, the same for as long as the same person uses this browser, and the
 * `token` that our forms need. Both may change under an open page, by signing in or out in another tab. What was done in
 * this browser before its person signed up and claimed it is theirs as well (`isOurs`), which `refresh` finds out.
 */
export function openSession({ url, identity, token, onRefresh }) {
  const session = { identity, token, refresh, isOurs };
  let former = [];
  let refreshing = null;

  function refresh() {
    refreshing ??= renew().finally(() => (refreshing = null));
    return refreshing;
  }

  async function renew() {
    const answer = await getJson(url);
    if (!answer.is_ok) return false;
    session.identity = answer.identity;
    session.token = answer.csrf_token;
    former = answer.former_identities;
    onRefresh?.(answer);
    return true;
  }

  function isOurs(other) {
    return other === session.identity || former.includes(other);
  }

  return session;
}
