// The entry module. Every page also works without scripts.
import { say, notify, ago } from "./words.js";
import { hasAgenda, picking } from "./picks.js";
import { zones } from "./times.js";
import { present } from "./now.js";
import { live } from "./live.js";

const root = document.documentElement;
root.classList.add("scripted");

zones();
present();
// Browsers withhold our cookies from a framed page, so a pick there opens a new window.
const isEmbedded = root.classList.contains("embed");
if (!isEmbedded) picking();
live();

// The search box loads its script when it is first focused. The key "/" focuses it.
const box = document.getElementById("search");
box?.addEventListener("focus", () => import("./search.js").then(({ searching }) => searching()), { once: true });
function toSearch() {
  box.focus();
  box.scrollIntoView({ block: "center" });
}
document.addEventListener("keydown", (event) => {
  if (!box || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  toSearch();
});
// The worker answers a search without a network with the whole program.
const query = new URLSearchParams(location.search).get("q");
if (box && query?.trim() && !box.defaultValue) {
  box.value = query;
  import("./search.js").then(({ searching }) => searching());
}
document.querySelector(".to-search")?.addEventListener("click", (event) => {
  event.preventDefault();
  toSearch();
});

// The agenda page offers messages about changes.
const messages = document.getElementById("notify");
if (messages) import("./push.js").then(({ pushing }) => pushing(messages));

// Empty fields of the filter are left out of the address.
document.getElementById("filter")?.addEventListener("submit", (event) => {
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});
addEventListener("pageshow", () => {
  for (const field of document.getElementById("filter")?.elements ?? []) field.disabled = false;
});

// The link to the organizer's desk. Public pages are the same for everybody, so this script adds the link in the browser of
// a signed-in organizer, and removes it from a cached page after the sign-out.
function linkDesk() {
  const links = document.querySelector(".masthead")?.querySelector("ul");
  const known = links?.querySelector('a[href="/organizer"]');
  const isSignedIn = /(?:^|;\s*)organizer_here=1/.test(document.cookie);
  if (links && isSignedIn && !known) {
    const [item, link] = ["li", "a"].map((name) => document.createElement(name));
    link.href = "/organizer";
    link.textContent = say("organizer");
    item.append(link);
    links.append(item);
  }
  if (known && !isSignedIn) known.parentElement.remove();
}
linkDesk();
addEventListener("pageshow", linkDesk);

// The confirmation of a form, or what is wrong with it.
const done = document.querySelector(".done[tabindex]");
const fault = document.querySelector("main [role=alert]");
if (done || fault) import("./done.js").then(({ confirm, showFault }) => (done ? confirm(done) : showFault(fault)));

async function copy(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    notify(say("copied"));
  } catch {
    field?.select();
    notify(say("copy-failed"));
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { copy: name, share, print } = button.dataset;
  if (print !== undefined) window.print();
  const field = name && document.getElementById(name);
  if (field) {
    field.select();
    await copy(field.value, field);
  }
  if (share !== undefined) {
    const shared = { title: button.dataset.title || document.title, url: share || location.href.split("#")[0] };
    if (navigator.share) await navigator.share(shared).catch(() => {});
    else await copy(shared.url);
  }
});

// Shows the age of a page that comes from the cache on the device. `navigator.onLine` is not enough: it is true on a
// network without a way to the server, and after a reload without a network.
const showAge = (stored) => { if (stored) notify(say("offline-since", { ago: ago(Date.now() - stored) })); };

async function age() {
  const cached = await caches.open("pages").then((pages) => pages.match(location.href)).catch(() => null);
  showAge(Number(cached?.headers.get("x-stored-at")));
}

const whenIdle = globalThis.requestIdleCallback ?? setTimeout;

// After the page has loaded and the browser is idle, the worker keeps the program for times without a network.
async function register() {
  await navigator.serviceWorker.register("/sw.js");
  const { active } = await navigator.serviceWorker.ready;
  const { release } = root.dataset;
  setTimeout(() => whenIdle(() => active.postMessage({ release, mine: hasAgenda() })), 2000);
}

if ("serviceWorker" in navigator && !isEmbedded) {
  window.addEventListener("load", () => register().catch(() => {}));
  navigator.serviceWorker.addEventListener("message", ({ data }) => showAge(data?.stored));
  navigator.serviceWorker.startMessages();
  window.addEventListener("offline", age);
}
