// Caches program, search index and agenda on the device. Requests go to the network first; the caches answer if the
// network cannot be reached or is slow.
const ASSETS = "assets";
const PAGES = "pages";
// The picks of this device's agenda.
const MINE = "mine";
const STATE = "/agenda/state";
// The milliseconds after which a cached response is used instead of waiting longer for the network.
const NETWORK_WAIT = 4000;
const MAX_PAGES = 300;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const assets = await caches.open(ASSETS);
    await assets.addAll(KEPT);
    await Promise.all(["/", "/offline", "/search.json"].map((path) => fetch(path).then((answer) => keep(path, answer))));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const assets = await caches.open(ASSETS);
    for (const request of await assets.keys()) {
      if (!KEPT.includes(new URL(request.url).pathname)) await assets.delete(request);
    }
    await self.clients.claim();
  })());
});

async function keep(key, answer) {
  if (!answer.ok || answer.redirected || answer.type !== "basic") return;
  const headers = new Headers(answer.headers);
  headers.set("x-stored-at", String(Date.now()));
  // The cached body is decoded, so the headers about its encoding no longer apply.
  headers.delete("content-encoding");
  headers.delete("content-length");
  const pages = await caches.open(PAGES);
  await pages.put(key, new Response(await answer.blob(), { status: answer.status, headers }));
  const keys = await pages.keys();
  if (keys.length > MAX_PAGES) await pages.delete(keys.find((it) => !["/", "/offline", "/agenda", "/search.json"].includes(new URL(it.url).pathname)));
}

// Shared agendas, hand-over links and the organizer's pages are not cached.
const isKept = (url) => ["/", "/agenda", "/changes", "/search.json", "/speakers", "/tracks", "/rooms"].includes(url.pathname)
  || (url.pathname === "/agenda/import" && url.search !== "")
  || /^\/(sessions|tracks|speakers|rooms|days)\/[^/.]+$/.test(url.pathname);

// All variants of the address of the agenda page share one cache entry.
const keyOf = (url) => (url.pathname === "/agenda" ? new URL("/agenda", url).href : url.href);

async function page(event, url) {
  const pages = await caches.open(PAGES);
  const fresh = fetch(event.request).then((answer) => {
    if (isKept(url)) {
      if (answer.ok) event.waitUntil(keep(keyOf(url), answer.clone()));
      else if (answer.status === 404 || answer.status === 410) event.waitUntil(pages.delete(keyOf(url)));
    }
    return answer;
  });
  const old = await pages.match(keyOf(url));
  if (!old) return fresh.catch(async () => (await pages.match("/offline")) ?? Response.error());
  const late = new Promise((resolve) => setTimeout(resolve, NETWORK_WAIT, old));
  const answer = await Promise.race([fresh.catch(() => old), late]);
  if (answer === old) event.waitUntil(announceAge(event.resultingClientId, Number(old.headers.get("x-stored-at"))));
  return answer;
}

// Tells a page when its cached copy was stored. A page can receive messages only some time after its response.
async function announceAge(client, stored) {
  for (let tries = 0; client && tries < 20; tries += 1) {
    const page = await self.clients.get(client);
    if (page) { page.postMessage({ stored }); return; }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function forgetAgenda() {
  await caches.delete(MINE);
  await (await caches.open(PAGES)).delete(new URL("/agenda", self.location).href);
}

// Stores the picks of the server's last response, so that pages show them without a network too.
async function state(event) {
  const mine = await caches.open(MINE);
  const fresh = fetch(event.request).then(async (answer) => {
    if (answer.ok) await mine.put(STATE, answer.clone());
    return answer;
  });
  const old = await mine.match(STATE, { ignoreVary: true });
  if (!old) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, NETWORK_WAIT, old));
  return Promise.race([fresh.then((answer) => (answer.status >= 500 ? old : answer), () => old), late]);
}

// The response to a pick contains all picks.
async function picking(event) {
  const answer = await fetch(event.request);
  if (!answer.ok || !answer.headers.get("content-type")?.includes("json")) return answer;
  const mine = await caches.open(MINE);
  const known = await mine.match(STATE, { ignoreVary: true }).then((kept) => kept?.json()).catch(() => null);
  const { picks } = await answer.clone().json().catch(() => ({}));
  if (Array.isArray(picks)) await mine.put(STATE, Response.json({ ...known, picks }));
  return answer;
}

async function asset(event) {
  const assets = await caches.open(ASSETS);
  const kept = await assets.match(event.request);
  if (kept) return kept;
  const answer = await fetch(event.request);
  if (answer.ok) event.waitUntil(assets.put(event.request, answer.clone()));
  return answer;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  const { method, mode } = event.request;
  // These requests delete or replace the agenda.
  if (method === "POST" && (["/agenda/delete", "/agenda/key"].includes(url.pathname) || url.pathname.startsWith("/handover/"))) {
    event.waitUntil(forgetAgenda());
    return;
  }
  if (method === "POST" && mode !== "navigate" && url.pathname === "/agenda/picks") event.respondWith(picking(event));
  if (method !== "GET") return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(asset(event));
  else if (url.pathname === STATE && mode !== "navigate") event.respondWith(state(event));
  else if (mode === "navigate" || url.pathname === "/search.json") event.respondWith(page(event, url));
});

// Shows a declarative push message (WebKit's Declarative Web Push), which browsers without support for it pass to the
// worker. Browsers withdraw the permission if a message shows no notification, so every message shows one.
self.addEventListener("push", (event) => {
  let notification = {};
  try { ({ notification } = event.data.json()); } catch { /* not from this server */ }
  const { title = self.location.host, navigate = "/agenda", ...options } = notification ?? {};
  event.waitUntil(self.registration.showNotification(title, { ...options, data: { navigate } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(new URL(event.notification.data?.navigate ?? "/agenda", self.location)));
});

async function open({ href, origin }) {
  if (origin !== self.location.origin) return;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url.split("#")[0] === href);
  await (there ? there.focus() : self.clients.openWindow(href));
}

// The server's id of a subscription.
async function idOf({ endpoint }) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(digest).slice(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The push service has changed the device's address, so the server gets the new one, in place of the old one.
self.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil((async () => {
    const options = event.oldSubscription?.options;
    const held = event.newSubscription ?? (options && await self.registration.pushManager.subscribe(options));
    if (!held) return;
    const { endpoint, keys } = held.toJSON();
    const replaces = event.oldSubscription ? await idOf(event.oldSubscription) : "";
    await fetch("/agenda/devices", { method: "POST", body: new URLSearchParams({ endpoint, ...keys, replaces }) });
  })());
});
