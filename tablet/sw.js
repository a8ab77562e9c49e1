// Keeps the page and its pictures on the tablet, so that it comes up at once and without a network. The API is
// never kept: what is shown as ordered must be what the server says.

const SHELL = "tableorder-shell";
const PICTURES = "tableorder-pictures";
const MOST_PICTURES = 300;
const FILES = [
  ...["./", "app.css", "main.js", "actions.js", "api.js", "cart.js", "html.js", "i18n.js", "money.js", "outbox.js", "state.js", "storage.js", "stream.js"],
  ...["bill", "cart", "corner", "item", "menu", "page", "parts", "setup", "submit"].map((name) => `views/${name}.js`),
  ...["lit-html", "directive", "directive-helpers"].map((name) => `vendor/lit-html/${name}.js`),
  ...["class-map", "live", "repeat"].map((name) => `vendor/lit-html/directives/${name}.js`),
  ...["manifest.webmanifest", "icons/icon.svg"],
];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.pathname.startsWith("/api/")) return;
  if (request.destination === "image" && !url.pathname.startsWith("/tablet/")) event.respondWith(picture(request));
  else if (url.origin === location.origin && url.pathname.startsWith("/tablet/")) event.respondWith(shell(request));
});

// What is kept comes at once; the newest is fetched beside it, for the next start.
async function shell(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request, { ignoreSearch: true });
  const fresh = fetch(request).then((answer) => {
    if (answer.ok) cache.put(request.url.split("?")[0], answer.clone());
    return answer;
  });
  if (!kept) return fresh;
  fresh.catch(() => {}); // no network: what is kept will do
  return kept;
}

// A picture never changes under its name; a signed one is the same whatever its signature.
async function picture(request) {
  const cache = await caches.open(PICTURES);
  const name = request.url.split("?")[0];
  const kept = await cache.match(name);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(name, answer.clone());
    const keys = await cache.keys();
    await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_PICTURES)).map((key) => cache.delete(key)));
  }
  return answer;
}
