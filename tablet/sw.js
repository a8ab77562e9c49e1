// Keeps the page and its pictures on the tablet, so that it comes up at once and without a network. The API is
// never kept: what is shown as ordered must be what the server says.
//
// The page is kept whole: a new version replaces the old one when all of its files have arrived, so that no page is
// ever made of half of each. It shows with the next start.

const SHELL = "tableorder-shell";
const PICTURES = "tableorder-pictures";
const MOST_PICTURES = 300;
const FILES = [
  ...["./", "app.css", "main.js", "api.js", "cart.js", "html.js", "i18n.js", "money.js", "outbox.js", "screen.js", "state.js", "storage.js", "stream.js"],
  ...["calls", "cart", "connection", "idle", "menu", "party", "sign_in", "submit", "table", "toast"].map((name) => `actions/${name}.js`),
  ...["bill", "cart", "corner", "item", "menu", "page", "parts", "setup", "submit"].map((name) => `views/${name}.js`),
  ...["lit-html", "directive", "directive-helpers"].map((name) => `vendor/lit-html/${name}.js`),
  ...["class-map", "live", "repeat"].map((name) => `vendor/lit-html/directives/${name}.js`),
  ...["manifest.webmanifest", "icons/icon.svg", "icons/icon-192.png"],
];

self.addEventListener("install", (event) => event.waitUntil(renew().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  if (event.data !== "renew") return;
  event.waitUntil(renew().then((isNew) => isNew && event.source.postMessage("renewed")).catch(() => {}));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return; // a bucket's pictures the browser keeps by itself
  if (url.pathname.startsWith("/tablet/")) event.respondWith(shell(event));
  else if (request.destination === "image") event.respondWith(picture(request));
});

// What is kept comes at once; whether there is anything newer is looked up beside it.
async function shell(event) {
  const { request } = event;
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept && request.mode === "navigate") event.waitUntil(renew().catch(() => {})); // no network: what is kept will do
  return kept ?? fetch(request);
}

// All files anew. Did any of them change?
async function renew() {
  const cache = await caches.open(SHELL);
  const answers = await Promise.all(FILES.map((name) => fetch(name, { cache: "no-cache" })));
  if (answers.some((answer) => !answer.ok)) throw new Error("not all of it is there");
  const changed = await Promise.all(
    FILES.map(async (name, at) => (await cache.match(name, { ignoreVary: true }))?.headers.get("ETag") !== answers[at].headers.get("ETag")),
  );
  if (!changed.includes(true)) return false;
  await Promise.all(FILES.map((name, at) => cache.put(name, answers[at])));
  const listed = new Set(FILES.map((name) => new URL(name, location).href));
  const left = (await cache.keys()).filter(({ url }) => !listed.has(url));
  await Promise.all(left.map((request) => cache.delete(request)));
  return true;
}

// A picture never changes under its name.
async function picture(request) {
  const cache = await caches.open(PICTURES);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const keys = await cache.keys();
    await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_PICTURES)).map((key) => cache.delete(key)));
  }
  return answer;
}
