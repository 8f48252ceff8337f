// Caches program, sessions, search index and agenda on the device. Requests go to the network first; the caches answer
// if the network cannot be reached or is slow.
const ASSETS = "assets";
const PAGES = "pages";
// The picks of this device's agenda.
const MINE = "mine";
const STATE = "/agenda/state";
// What was kept in the background: the release, the assets that its pages use, and since when they are in use.
const ABOUT = "about";
const BUILD = KEPT.join(" ");
// The milliseconds after which a cached response is used instead of waiting longer for the network.
const NETWORK_WAIT = 4000;
const MAX_PAGES = 900;

// The limits of what is fetched in the background. Of a program with more sessions, only picked and visited ones are kept.
const MAX_SESSIONS = 500;
const MAX_FETCHED = 600;
const MAX_BYTES = 16 * 1024 * 1024;
const AT_ONCE = 3;
// The milliseconds over which devices spread their requests after a release, and after which a changed agenda is kept.
const SPREAD = 30000;
const CALM = 1000;

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const isThrifty = () => Boolean(navigator.connection?.saveData);

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

// Stores a page with the number of its release, and returns the length of its body.
async function keep(key, answer, modified = "") {
  if (!answer.ok || answer.redirected || answer.type !== "basic") return 0;
  const headers = new Headers(answer.headers);
  const body = await answer.text();
  headers.set("x-stored-at", String(Date.now()));
  headers.set("x-release", body.match(/ data-release="(\d+)"/)?.[1] ?? "");
  headers.set("x-modified", modified);
  // The cached body is decoded, so the headers about its encoding no longer apply.
  headers.delete("content-encoding");
  headers.delete("content-length");
  const pages = await caches.open(PAGES);
  await pages.put(key, new Response(body, { status: answer.status, headers }));
  return body.length;
}

async function keepVisited(key, answer) {
  await keep(key, answer);
  const pages = await caches.open(PAGES);
  const keys = await pages.keys();
  if (keys.length > MAX_PAGES) await pages.delete(keys.find((it) => !["/", "/offline", "/agenda", "/search.json"].includes(new URL(it.url).pathname)));
}

const isPrivate = (url) => url.pathname === "/agenda" || url.pathname.startsWith("/agenda/");

// Shared agendas, hand-over links, the organizer's pages and confirmations of forms are not cached.
const isKept = (url) => !url.searchParams.has("done") && (
  ["/", "/agenda", "/agenda/plan", "/changes", "/search.json", "/speakers", "/tracks", "/rooms"].includes(url.pathname)
  || (url.pathname === "/agenda/import" && url.search !== "")
  || /^\/(sessions|tracks|speakers|rooms|days)\/[^/.]+$/.test(url.pathname));

// All variants of the address of the agenda page share one cache entry.
function keyOf(url) {
  if (url.pathname === "/agenda") return new URL("/agenda", url).href;
  const day = url.searchParams.get("day");
  if (url.pathname === "/agenda/plan") return new URL(day ? `/agenda/plan?day=${day}` : "/agenda/plan", url).href;
  return url.href;
}

// The cached page for an address. The program page itself searches its index for words, and marks picks.
async function kept(pages, url) {
  const own = await pages.match(keyOf(url));
  const isSearch = url.pathname === "/" && [...url.searchParams.keys()].join() === "q";
  return own ?? (isSearch || url.pathname === "/mine" ? pages.match("/") : undefined);
}

async function page(event, url) {
  const pages = await caches.open(PAGES);
  const fresh = fetch(event.request).then((answer) => {
    if (isKept(url)) {
      if (answer.ok) event.waitUntil(keepVisited(keyOf(url), answer.clone()));
      else if (answer.status === 404 || answer.status === 410) event.waitUntil(pages.delete(keyOf(url)));
    }
    return answer;
  });
  const old = await kept(pages, url);
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

let timesForgotten = 0;

async function forgetAgenda() {
  timesForgotten += 1;
  await caches.delete(MINE);
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    if (isPrivate(new URL(request.url))) await pages.delete(request);
  }
}

// Keeps the pages of picked sessions, which are missing if the program is large.
async function keepPicked() {
  const pages = await caches.open(PAGES);
  if (isThrifty()) return;
  for (const path of await pickedPaths()) {
    if (!(await pages.match(path))) await fetch(path).then((answer) => keep(path, answer)).catch(() => {});
  }
}

// Keeps the agenda page, and again those suggestions of a day that were visited.
async function keepMine() {
  const before = timesForgotten;
  const pages = await caches.open(PAGES);
  const plans = (await pages.keys()).map(({ url }) => new URL(url)).filter(({ pathname }) => pathname === "/agenda/plan");
  for (const url of [new URL("/agenda", self.location), ...plans]) {
    // The header says that nobody has seen the page.
    const answer = await fetch(url, { headers: { purpose: "prefetch" } });
    if (timesForgotten === before) await keep(url.href, answer);
    if (timesForgotten !== before) await pages.delete(url.href);
  }
}

// Several changes in a row are one request.
let [due, waiting] = [0, undefined];
function keepMineSoon() {
  due = Date.now() + CALM;
  waiting ??= (async () => {
    while (Date.now() < due) await sleep(due - Date.now());
    waiting = undefined;
    if (!isThrifty()) await keepMine().catch(() => {});
  })();
  return waiting;
}

// The pages of the program, with the times of their last changes where the sitemap has them.
async function listed(release) {
  const answer = await fetch(`/sitemap.xml?release=${release}`);
  if (!answer.ok) throw new Error(answer.statusText);
  const urls = [...(await answer.text()).matchAll(/<loc>([^<]+)<\/loc>\s*(?:<lastmod>([^<]+)<)?/g)]
    .map(([, address, modified]) => ({ path: new URL(address).pathname, modified })).filter(({ path }) => path !== "/");
  const [all, others] = [true, false].map((is) => urls.filter(({ path }) => path.startsWith("/sessions/") === is));
  const isLarge = all.length > MAX_SESSIONS;
  const picks = isLarge ? await pickedPaths() : [];
  const [people, lists] = [true, false].map((is) => others.filter(({ path }) => isPerson(path) === is));
  const sessions = isLarge ? all.filter(({ path }) => picks.includes(path)) : all;
  return [sessions, [...lists, ...(isLarge ? [] : people)].slice(0, MAX_FETCHED - sessions.length)];
}
const isPerson = (path) => path.startsWith("/speakers/");

async function pickedPaths() {
  const known = await (await caches.open(MINE)).match(STATE, { ignoreVary: true });
  const { picks = [] } = (await known?.json().catch(() => null)) ?? {};
  return picks.map((id) => `/sessions/${id}`);
}

// Keeps the program after a visit, and renews what a release changed: not every device at the same time, and few pages
// at once.
async function keepProgram(seen) {
  const [about, pages] = await Promise.all([caches.open(ABOUT), caches.open(PAGES)]);
  const known = await about.match("/").then((it) => it?.json()).catch(() => null);
  const isSameBuild = known?.build === BUILD;
  if (isSameBuild && known.release === seen) return;
  const since = isSameBuild ? known.since : known ? Date.now() : 0;
  await about.put("/", Response.json({ release: known?.release ?? "", build: BUILD, since }));
  if (known?.release) await sleep(Math.random() * SPREAD);
  const fieldOf = async (path, name) => (await pages.match(path))?.headers.get(name);
  const isCurrent = async (path) => Number(await fieldOf(path, "x-stored-at")) >= since;
  if (!(await isCurrent("/")) || (await fieldOf("/", "x-release")) !== seen) await keep("/", await fetch("/"));
  // The page that was seen may have come from the cache.
  const release = await fieldOf("/", "x-release");
  if (!release || (isSameBuild && known.release === release)) return;
  if (known?.release) await keep("/search.json", await fetch("/search.json"));
  // The people of changed sessions, before and after the change.
  const touched = new Set();
  const isFresh = async (path, modified) => (await isCurrent(path)) && ((await fieldOf(path, "x-release")) === release
    || (isPerson(path) ? Boolean(known?.release) && !touched.has(path) : modified && (await fieldOf(path, "x-modified")) === modified));
  const textOf = async (path) => (await pages.match(path))?.text() ?? "";
  let bytes = 0;
  const renew = async ({ path, modified }) => {
    if (bytes > MAX_BYTES || await isFresh(path, modified)) return;
    const before = await textOf(path);
    const answer = await fetch(path, { priority: "low" });
    if (answer.status === 429 || answer.status >= 500) throw new Error(answer.statusText);
    bytes += await keep(path, answer, modified);
    if (path.startsWith("/sessions/")) for (const [link] of (before + await textOf(path)).matchAll(/\/speakers\/[^"/.]+/g)) touched.add(link);
  };
  for (const part of await listed(release)) {
    const rest = part.values();
    const run = async () => { for (const it of rest) await renew(it); };
    await Promise.all(Array.from({ length: AT_ONCE }, run));
  }
  await about.put("/", Response.json({ release, build: BUILD, since }));
}

// A page tells after it has loaded which release it shows, and whether this browser has an agenda.
let keeping;
async function keepOffline({ release, mine }) {
  if (!mine) await forgetAgenda();
  if (isThrifty()) return;
  const agenda = mine && await (await caches.open(PAGES)).match("/agenda");
  if (mine && agenda?.headers.get("x-release") !== release) await keepMine();
  await (keeping ??= keepProgram(release).finally(() => { keeping = undefined; }));
}

self.addEventListener("message", (event) => {
  if (event.data?.release) event.waitUntil(keepOffline(event.data).catch(() => {}));
});

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
  event.waitUntil(keepPicked());
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
  if (method === "POST" && isPrivate(url)) event.waitUntil(keepMineSoon());
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
