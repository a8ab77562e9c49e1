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

// Staff have cut this tablet off, or its password has changed.
export class SignedOut extends Error {}

export async function signIn(store, table, password) {
  const answer = await exchange("POST", "login", { body: { store, table, password } });
  const device = withEnd(answer);
  write("device", device);
  return device;
}

export async function request(method, path, options = {}) {
  const token = await accessToken();
  try {
    return await exchange(method, path, { ...options, token });
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 401) throw error;
  }
  return exchange(method, path, { ...options, token: await accessToken(token) });
}

// A good access token; never the `rejected` one. Only one page at a time renews it: the refresh token rotates.
export async function accessToken(rejected = null) {
  const good = () => {
    const device = read("device");
    if (!device) throw new SignedOut();
    return device.endsAt - Date.now() > RENEW_BEFORE && device.access !== rejected ? device.access : null;
  };
  return good() ?? alone(async () => good() ?? renew());
}

function alone(work) {
  return navigator.locks ? navigator.locks.request("tableorder-refresh", work) : work();
}

async function renew() {
  const device = read("device");
  try {
    const renewed = withEnd(await exchange("POST", "refresh", { body: { refresh: device.refresh } }));
    write("device", { ...device, ...renewed });
    return renewed.access;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) throw new SignedOut();
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
