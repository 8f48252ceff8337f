// Picks without leaving the page: shown at once, undone if the server refuses, queued while the server is unreachable.
import { say, notify } from "./words.js";
import { clear, enqueue, queued, replay, send } from "./queue.js";

const root = document.documentElement;
const counts = document.querySelectorAll("[data-count]");
const filter = document.getElementById("mine-switch");
let picks = new Set();
// The sessions whose last change waits for the network.
let waiting = new Set();

export function repaint() {
  for (const button of document.querySelectorAll("button.pick[form=pick]")) {
    const isPicked = picks.has(button.value);
    const label = say(isPicked ? "picked" : "pick");
    button.setAttribute("aria-pressed", String(isPicked));
    // A new text makes the browser lay out the page again, even if it equals the old one.
    if (button.textContent !== label) button.textContent = label;
    button.closest(".card")?.classList.toggle("chosen", isPicked);
  }
  for (const item of document.querySelectorAll("[data-session]")) {
    item.classList.toggle("chosen", picks.has(item.dataset.session));
  }
  for (const count of counts) count.textContent = picks.size ? ` ${picks.size}` : "";
  if (root.classList.contains("mine-only")) showEmptyNote();
  markWaiting();
}

const holdersOf = (session) => document.querySelectorAll(`[id="${session}"].card, [data-session="${session}"],
  .card:has(> .pick[value="${session}"]), .session:has(> header .pick[value="${session}"])`);

// A change that the server has not stored yet looks unlike a stored one, and says so.
function markWaiting() {
  for (const note of document.querySelectorAll(".not-saved")) {
    if (waiting.has(note.dataset.of)) continue;
    note.closest(".waiting")?.classList.remove("waiting");
    note.remove();
  }
  for (const session of waiting) {
    for (const holder of holdersOf(session)) {
      if (holder.classList.contains("waiting")) continue;
      holder.classList.add("waiting");
      const note = document.createElement("p");
      note.className = "state mild not-saved";
      note.dataset.of = session;
      note.textContent = say("waiting");
      (holder.querySelector(":scope > header") ?? holder).append(note);
    }
  }
  if (location.pathname === "/agenda") listMissing();
}

// An agenda page that was kept earlier does not have the sessions that were picked since.
function listMissing() {
  const missing = [...waiting].filter((session) => picks.has(session) && !holdersOf(session).length);
  if (!missing.length && !document.getElementById("waiting")) return;
  import("./waiting.js").then(({ listWaiting }) => listWaiting(missing)).catch(() => {});
}

function change(session, isPicked) {
  if (isPicked) picks.add(session); else picks.delete(session);
  repaint();
}

// Shows a note if only picked sessions are shown and there are none.
function showEmptyNote() {
  const note = document.getElementById("none-mine");
  if (note) note.hidden = !root.classList.contains("mine-only") || picks.size > 0;
}

// The script of the filter is loaded with its first use. The entry of the history says that the filter is on.
const filtering = () => import("./filter.js").then(({ filtering }) => filtering(filter, showEmptyNote));

async function setUpFilter() {
  if (!filter) return undefined;
  if (history.state?.mine) return filtering();
  filter.addEventListener("click", async () => (await filtering()).toggle(), { once: true });
  return undefined;
}

const titleOf = (session) => document.querySelector(`[id="t-${session}"], [id="f-${session}"]`)?.textContent
  ?? holdersOf(session)[0]?.querySelector('a[href^="/sessions/"]')?.textContent ?? session;

// The script about overlaps is loaded with the first of them.
const mine = { picks: () => picks, holdersOf, titleOf, repaint, load, sendLater };
const overlaps = () => import("./overlap.js");

async function toggle(session, pressed) {
  const isWanted = !picks.has(session);
  const action = isWanted ? "pick" : "unpick";
  change(session, isWanted);
  let answer;
  try {
    answer = await send(session, action);
  } catch {
    // Without a response the change is queued and sent later, so the page continues to show it.
    try {
      await sendLater([session], action);
    } catch {
      change(session, !isWanted);
      notify(say("refused", { why: "" }));
      return;
    }
    // The pick is queued, even if the script cannot be loaded.
    if (isWanted) overlaps().then((it) => it.findOverlaps(mine, session, pressed)).catch(() => {});
    return;
  }
  if (answer.ok) {
    if (Array.isArray(answer.body.picks)) { picks = new Set(answer.body.picks); await applyQueued(); }
    const { overlaps: found } = answer.body;
    if (found?.length) overlaps().then((it) => it.announceOverlap(mine, session, found, pressed)).catch(() => {});
    return;
  }
  change(session, !isWanted);
  notify(say("refused", { why: answer.body.detail ?? answer.body.title ?? String(answer.status) }));
}

// Shows queued changes, marked as waiting.
async function applyQueued() {
  const queue = await queued();
  waiting = new Set(queue.map(({ session }) => session));
  for (const { session, action } of queue) {
    if (action === "pick") picks.add(session); else picks.delete(session);
  }
  repaint();
}

const FIRST_RETRY = 1000;
const LAST_RETRY = 60000;

// Sends the queue after a delay, which doubles with every retry: the first requests after the network returns often
// fail, and no `online` event tells that a server can be reached again.
function retry(wait = FIRST_RETRY) {
  clearTimeout(retry.timer);
  retry.timer = setTimeout(sendQueue, wait, Math.min(2 * wait, LAST_RETRY));
}

async function sendLater(sessions, action) {
  await Promise.all(sessions.map((session) => enqueue(session, action)));
  await applyQueued();
  notify(say("queued"));
  retry();
}

// Sends the queue, and retries what remains.
async function sendQueue(wait = FIRST_RETRY) {
  if (!(await queued()).length) return;
  const { settled, refused } = await replay();
  if (settled && document.getElementById("waiting")) { location.reload(); return; }
  if (settled) notify(say("settled"));
  if (refused.length) {
    notify(say("unsettled", { titles: refused.map(({ session }) => titleOf(session)).join(", ") }));
  }
  if (settled || refused.length) await load();
  if (navigator.onLine && (await queued()).length) retry(wait);
}

// The readable cookie only shows that there is an agenda. No script can read the edit key.
export const hasAgenda = () => /(?:^|;\s*)agenda_here=1/.test(document.cookie);

async function load() {
  if (hasAgenda()) {
    const answer = await fetch("/agenda/state", { headers: { accept: "application/json" } }).catch(() => null);
    if (answer?.ok) picks = new Set((await answer.json()).picks ?? []);
  }
  await applyQueued();
}

// Submits a form of the agenda page, and queues its change while the server is unreachable.
async function submit(form, submitter) {
  const data = new FormData(form);
  if (submitter?.name) data.append(submitter.name, submitter.value);
  const [sessions, action] = [data.getAll("session"), data.get("action")];
  let answer;
  try {
    answer = await send(sessions, action);
  } catch {
    await sendLater(sessions, action);
    return;
  }
  if (!answer.ok) {
    notify(say("refused", { why: answer.body.detail ?? answer.body.title ?? String(answer.status) }));
    return;
  }
  const [done, place] = [data.get("done") ?? "", data.get("place") ?? submitter?.dataset.place ?? ""];
  const undo = action === "unpick" ? sessions.map((session) => `&undo=${session}`).join("") : "";
  location.assign(`/agenda${done && `?done=${done}${undo}`}${place && `#${place}`}`);
}

export function picking() {
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (form.matches("form[data-forget]")) clear();
    if (form.getAttribute("action") !== "/agenda/picks") return;
    event.preventDefault();
    if (form.id === "pick" && submitter?.value) toggle(submitter.value, submitter);
    else submit(form, submitter);
  });
  window.addEventListener("online", () => sendQueue());
  const shown = setUpFilter();
  load().then(async () => { (await shown)?.restorePlace(); return sendQueue(); });
}
