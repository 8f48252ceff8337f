// Picks without leaving the page: shown at once, undone if the server refuses, queued while the server is unreachable.
import { say, notify } from "./words.js";
import { clear, enqueue, queued, replay, send } from "./queue.js";

const root = document.documentElement;
const counts = document.querySelectorAll("[data-count]");
const filter = document.getElementById("mine-switch");
let picks = new Set();

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

function setUpFilter() {
  filter?.addEventListener("click", () => {
    const isOn = root.classList.toggle("mine-only");
    filter.setAttribute("aria-pressed", String(isOn));
    showEmptyNote();
  });
}

// Announces an overlap, and offers to keep both sessions or only the new one.
function announceOverlap(session, overlaps) {
  const title = document.querySelector(`[id="t-${session}"], [id="f-${session}"]`)?.textContent ?? session;
  const other = overlaps.map((it) => it.title).join(", ");
  const replace = async () => {
    const ids = overlaps.map((it) => it.id);
    ids.forEach((id) => picks.delete(id));
    repaint();
    const answer = await send(ids, "unpick").catch(() => null);
    if (answer?.ok) notify(say("replaced"));
    else if (answer) { await load(); notify(say("refused", { why: answer.body.title ?? String(answer.status) })); }
    else await sendLater(ids, "unpick");
  };
  notify(say("overlaps", { title, other }), { label: say("keep-both") }, { label: say("replace"), run: replace });
}

async function toggle(session) {
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
    }
    return;
  }
  if (answer.ok) {
    if (Array.isArray(answer.body.picks)) { picks = new Set(answer.body.picks); await applyQueued(); }
    if (answer.body.overlaps?.length) announceOverlap(session, answer.body.overlaps);
    return;
  }
  change(session, !isWanted);
  notify(say("refused", { why: answer.body.detail ?? answer.body.title ?? String(answer.status) }));
}

// Shows queued changes as if the server had stored them.
async function applyQueued() {
  for (const { session, action } of await queued()) {
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
  notify(say("queued"));
  retry();
}

// Sends the queue, and retries what remains.
async function sendQueue(wait = FIRST_RETRY) {
  if (!(await queued()).length) return;
  const { settled, refused } = await replay();
  if (settled) notify(say("settled"));
  if (refused.length) {
    const title = ({ session }) => document.getElementById(`t-${session}`)?.textContent ?? session;
    notify(say("unsettled", { titles: refused.map(title).join(", ") }));
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
    for (const session of sessions) document.getElementById(session)?.classList.add("waiting");
    return;
  }
  if (!answer.ok) {
    notify(say("refused", { why: answer.body.detail ?? answer.body.title ?? String(answer.status) }));
    return;
  }
  const [done, place] = [data.get("done") ?? "", data.get("place") ?? submitter?.dataset.place ?? ""];
  location.assign(`/agenda${done && `?done=${done}`}${place && `#${place}`}`);
}

export function picking() {
  // Without scripts, a separate form removes a picked session.
  document.querySelectorAll("button.pick[form=unpick]").forEach((button) => button.setAttribute("form", "pick"));
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (form.matches("form[data-forget]")) clear();
    if (form.getAttribute("action") !== "/agenda/picks") return;
    event.preventDefault();
    if (form.id === "pick" && submitter?.value) toggle(submitter.value);
    else submit(form, submitter);
  });
  window.addEventListener("online", () => sendQueue());
  setUpFilter();
  load().then(() => sendQueue());
}
