// Picking without leaving the page: shown at once, taken back if the server refuses, queued if it is away.
import { say, notify } from "./words.js";
import { clear, enqueue, queued, replay, send } from "./queue.js";

const buttons = () => document.querySelectorAll("button.pick[form=pick]");
const count = document.querySelector("[data-count]");
let picks = new Set();

function paint(button, isPicked) {
  button.setAttribute("aria-pressed", String(isPicked));
  button.textContent = say(isPicked ? "picked" : "pick");
  button.closest(".card")?.classList.toggle("chosen", isPicked);
}

function show() {
  for (const button of buttons()) paint(button, picks.has(button.value));
  if (count) count.textContent = picks.size ? ` ${picks.size}` : "";
}

function change(session, isPicked) {
  if (isPicked) picks.add(session); else picks.delete(session);
  show();
}

async function toggle(session) {
  const wanted = !picks.has(session);
  const action = wanted ? "pick" : "unpick";
  change(session, wanted);
  let answer;
  try {
    answer = await send(session, action);
  } catch {
    // No answer: the wish is kept and settled later, so it stays on the page.
    try {
      await enqueue(session, action);
      notify(say("queued"));
    } catch {
      change(session, !wanted);
      notify(say("refused", { why: "" }));
    }
    return;
  }
  if (answer.ok) {
    if (Array.isArray(answer.body.picks)) { picks = new Set(answer.body.picks); await overlay(); }
    return;
  }
  change(session, !wanted);
  notify(say("refused", { why: answer.body.detail ?? answer.body.title ?? String(answer.status) }));
}

// What waits in the queue is shown as if it were saved.
async function overlay() {
  for (const { session, action } of await queued()) {
    if (action === "pick") picks.add(session); else picks.delete(session);
  }
  show();
}

const FIRST_RETRY = 1000;
const LAST_RETRY = 60000;

// The first requests after the network is back often fail, so what is left is sent again after a while.
async function settle(wait = FIRST_RETRY) {
  if (!(await queued()).length) return;
  const { settled, refused } = await replay();
  if (settled) notify(say("settled"));
  if (refused.length) {
    const title = ({ session }) => document.getElementById(`t-${session}`)?.textContent ?? session;
    notify(say("unsettled", { titles: refused.map(title).join(", ") }));
  }
  if (settled || refused.length) await load();
  if (navigator.onLine && wait <= LAST_RETRY && (await queued()).length) setTimeout(settle, wait, 2 * wait);
}

// The cookie that may be read only says that there is an agenda; the key itself no script can see.
const hasAgenda = () => /(?:^|;\s*)agenda_here=1/.test(document.cookie);

async function load() {
  if (hasAgenda()) {
    const answer = await fetch("/agenda/state", { headers: { accept: "application/json" } }).catch(() => null);
    if (answer?.ok) picks = new Set((await answer.json()).picks ?? []);
  }
  await overlay();
}

// The agenda's own forms: sent as they are, and queued where nobody answers.
async function submit(form, submitter) {
  const data = new FormData(form);
  if (submitter?.name) data.append(submitter.name, submitter.value);
  const [sessions, action] = [data.getAll("session"), data.get("action")];
  let answer;
  try {
    answer = await send(sessions, action);
  } catch {
    await Promise.all(sessions.map((session) => enqueue(session, action)));
    for (const session of sessions) document.getElementById(session)?.classList.add("waiting");
    notify(say("queued"));
    return;
  }
  if (answer.ok) location.assign("/agenda");
  else notify(say("refused", { why: answer.body.detail ?? answer.body.title ?? String(answer.status) }));
}

export function picking() {
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (form.matches("form[data-forget]")) clear();
    if (form.getAttribute("action") !== "/agenda/picks") return;
    event.preventDefault();
    if (form.id === "pick" && submitter?.value) toggle(submitter.value);
    else submit(form, submitter);
  });
  window.addEventListener("online", () => settle());
  load().then(() => settle());
}
