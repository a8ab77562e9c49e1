// The tablet API: requests with a token that renews itself, and answers or reasons.

import { read, write } from "./storage.js";

const BASE = "/api/v1/tablet/";
const PATIENCE = 15000; // milliseconds for an answer; the server gives up earlier
const RENEW_BEFORE = 10 * 60 * 1000; // milliseconds before the access token ends

// The server has said no. `code` is stable and for programs.
export class Refused extends Error {
  constructor(status, body, retryAfter) {
    super(body.code || `HTTP ${status}`);
    Object.assign(this, { status, body, code: body.code || "", retryAfter });
  }
}

// There is no answer: whether the request arrived nobody knows.
export class Unreachable extends Error {}

// The tablet is no longer this table's: staff have cut it off, its password has changed, or it was set up elsewhere.
export class SignedOut extends Error {
  constructor(table) {
    super("signed out");
    this.table = table;
  }
}

export async function signIn(store, table, password) {
  const answer = await exchange("POST", "login", { body: { store, table, password } });
  const device = withEnd(answer);
  write("device", device);
  return device;
}

// For this table from beginning to end: if the tablet becomes another's meanwhile, nothing is sent or told as its.
export async function request(table, method, path, options = {}) {
  const send = (token) => exchange(method, path, { ...options, token }).finally(() => deviceOf(table));
  const token = await accessToken(table);
  try {
    return await send(token);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
  }
  return send(await accessToken(table, token));
}

// A good access token of this table; never the `rejected` one. Only one page at a time renews it: the refresh token
// rotates.
export async function accessToken(table, rejected = null) {
  const good = () => {
    const device = deviceOf(table);
    return device.endsAt - Date.now() > RENEW_BEFORE && device.access !== rejected ? device.access : null;
  };
  return good() ?? alone(async () => good() ?? renew(table));
}

// Only if it is still this table's: another page may have set the tablet up anew.
export function signOut(table) {
  if (read("device")?.table.id === table) write("device", null);
}

function deviceOf(table) {
  const device = read("device");
  if (!device || device.table.id !== table) throw new SignedOut(table);
  return device;
}

function alone(work) {
  return navigator.locks ? navigator.locks.request("tableorder-refresh", work) : work();
}

async function renew(table) {
  try {
    const renewed = withEnd(await exchange("POST", "refresh", { body: { refresh: deviceOf(table).refresh } }));
    write("device", { ...deviceOf(table), ...renewed });
    return renewed.access;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) throw new SignedOut(table);
    throw error;
  }
}

// The tokens and when they end, on the tablet's own clock: after a power cut that may be years off.
function withEnd({ body, answer }) {
  const lasts = Date.parse(body.expires_at) - Date.parse(answer.headers.get("Date") ?? new Date());
  return { ...body, endsAt: Date.now() + lasts };
}

async function exchange(method, path, { body, token, headers = {} }) {
  const sent = { ...headers, "Accept-Language": document.documentElement.lang };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined) sent["Content-Type"] = "application/json";
  let answer, text;
  try {
    answer = await fetch(BASE + path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
    });
    text = await answer.text();
  } catch (error) {
    throw new Unreachable(error.message);
  }
  const parsed = parse(text);
  if (answer.status === 304) return { status: 304, body: null, answer };
  if (answer.ok && (parsed !== null || answer.status === 204)) return { status: answer.status, body: parsed, answer };
  // A proxy's own error page is not the server's word: as good as no answer.
  if (parsed === null || answer.status >= 500) throw new Unreachable(`HTTP ${answer.status}`);
  throw new Refused(answer.status, parsed, Number(answer.headers.get("Retry-After")) || 0);
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
