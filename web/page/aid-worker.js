// Keeps the desk's pages on this device, so that they open without a connection. The API is never kept.
const NAME = "nearer-desk-1";
const OURS = (path) =>
  path === "/aid" || path === "/tokens.css" || path.startsWith("/js/") || path.startsWith("/api/words/") ||
  ["/page.css", "/aid.css", "/icon.svg", "/aid.webmanifest", "/vendor/jsQR.js"].includes(path);
const PARTS = ["/aid", "/tokens.css", "/page.css", "/aid.css", "/icon.svg", "/aid.webmanifest", "/vendor/jsQR.js",
  "/js/dom.js", "/js/words.js", "/api/words/es", "/api/words/fa", "/api/words/es/faults", "/api/words/fa/faults",
  ...["main", "away", "camera", "card", "cards", "files", "forms", "handover", "kept", "languages", "lease", "lists", "pages", "practice", "requests", "server", "sharing", "staff", "status"].map((name) => `/js/aid/${name}.js`)];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(PARTS)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || !OURS(url.pathname)) return;
  event.respondWith(answer(event.request, url.pathname));
});

// The server's own word where it comes soon, else what is kept: a slow connection must not hold up a queue.
async function answer(request, path) {
  const cache = await caches.open(NAME);
  const kept = await cache.match(path);
  const fresh = fetch(request).then((found) => {
    if (found.ok) void cache.put(path, found.clone());
    return found;
  });
  if (!kept) return fresh;
  const soon = new Promise((resolve) => setTimeout(() => resolve(kept), 1500));
  return Promise.race([fresh.catch(() => kept), soon]);
}
