// The staff API, with a token that the signed-in page gets for itself and keeps in memory only.

import { page } from "./state.js";

export class Refused extends Error {
  constructor(status, body) {
    const why = [body.detail, ...(body.errors ?? []).map(({ detail }) => detail)]; // the case, and what of it is wrong where
    super([...new Set(why)].filter(Boolean).join(" ") || body.code || `HTTP ${status}`);
    Object.assign(this, { status, body, code: body.code || "" });
  }
}

export class Unreachable extends Error {}

// The admin's session has ended: somebody must sign in again.
export class SignedOut extends Error {}

const PATIENCE = 8000; // milliseconds
const RENEW_BEFORE = 5 * 60 * 1000;
let token = null;
let asking = null;

export async function accessToken(rejected = null) {
  if (token && token.access !== rejected && Date.parse(token.expires_at) - Date.now() > RENEW_BEFORE) return token.access;
  asking ??= askForToken().finally(() => (asking = null));
  token = await asking;
  return token.access;
}

// The store comes with every token.
export const readStoreAgain = () => accessToken(token.access);

async function askForToken() {
  let answer;
  try {
    answer = await fetch(`/admin/board/token?store=${encodeURIComponent(page.store.code)}`, {
      method: "POST",
      headers: { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    throw new Unreachable(error.message);
  }
  if (answer.ok) {
    const { store, ...fresh } = await answer.json();
    Object.assign(page.store, store);
    return fresh;
  }
  if (answer.status >= 500) throw new Unreachable(`HTTP ${answer.status}`);
  throw new SignedOut(); // sent to the sign-in page, or no longer at work here
}

// `last`: the page is going away, and nobody is left to read the answer.
export async function request(method, path, body, { last = false } = {}) {
  const used = last && token ? token.access : await accessToken();
  const answer = await exchange(method, path, body, used, last);
  if (answer.status !== 401) return told(answer);
  return told(await exchange(method, path, body, await accessToken(used), last));
}

async function exchange(method, path, body, access, last) {
  try {
    return await fetch(`/api/v1/staff/${path}`, {
      method,
      keepalive: last,
      cache: "no-store",
      headers: { Authorization: `Bearer ${access}`, "Accept-Language": document.documentElement.lang, ...(body ? { "Content-Type": "application/json" } : {}) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
  } catch (error) {
    throw new Unreachable(error.message);
  }
}

async function told(answer) {
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => {
    throw new Unreachable(`HTTP ${answer.status}`);
  });
  if (answer.ok) return body;
  if (answer.status >= 500) throw new Unreachable(body.detail);
  throw new Refused(answer.status, body);
}

// Every row of a list.
export async function all(path) {
  const rows = [];
  let cursor = null;
  do {
    const { results, next } = await request("GET", `${path}?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    rows.push(...results);
    cursor = next;
  } while (cursor);
  return rows;
}
