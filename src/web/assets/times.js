// Times in the visitor's own zone, and what is on now. The venue's times are the page's own text.
import { say } from "./words.js";

const root = document.documentElement;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const originals = new Map();

function format(zone, options) {
  return new Intl.DateTimeFormat(root.lang, { timeZone: zone, ...options });
}

const clock = () => format(own, root.dataset.clock === "12"
  ? { hour: "numeric", minute: "2-digit", hour12: true }
  : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function time(instant) {
  return clock().formatToParts(instant).map((part) =>
    part.type === "dayPeriod" ? say(/^a/i.test(part.value) ? "am" : "pm") || part.value : part.value).join("")
    .replace(/\u202f|\u00a0/g, " ");
}

const date = (zone, instant) =>
  format(zone, { year: "numeric", month: "numeric", day: "numeric" }).format(instant);

// Where the visitor's date is not the venue's, the weekday says so.
function labelled(instant) {
  const differs = date(own, instant) !== date(root.dataset.zone, instant);
  return differs ? `${format(own, { weekday: "short" }).format(instant)} ${time(instant)}` : time(instant);
}

function replace(element, text) {
  if (!originals.has(element)) originals.set(element, element.textContent);
  element.textContent = text;
}

function show(isOwn) {
  if (!isOwn) {
    for (const [element, text] of originals) element.textContent = text;
    return;
  }
  for (const element of document.querySelectorAll("time[datetime]")) {
    replace(element, labelled(new Date(element.dateTime)));
  }
  for (const card of document.querySelectorAll("[data-start]")) {
    const range = card.querySelector(".range");
    if (range) replace(range, `${labelled(new Date(card.dataset.start))}–${time(new Date(card.dataset.end))}`);
  }
  for (const zone of document.querySelectorAll(".zone")) replace(zone, own);
  const line = document.querySelector(".zone-line > span");
  if (line) replace(line, say("yourTimes", { zone: own }));
}

export function zones() {
  const button = document.getElementById("zone-switch");
  let isOwn = false;
  try { isOwn = localStorage.getItem("zone") === "own"; } catch { /* storage may be closed to us */ }
  const set = (value) => {
    isOwn = value;
    button?.setAttribute("aria-pressed", String(isOwn));
    show(isOwn);
    try { localStorage.setItem("zone", isOwn ? "own" : "venue"); } catch { /* not remembered, then */ }
  };
  if (isOwn) set(true);
  button?.addEventListener("click", () => set(!isOwn));
}

export function marker() {
  const mark = () => {
    const now = Date.now();
    let next;
    for (const moment of document.querySelectorAll(".moment")) {
      const cards = [...moment.querySelectorAll("[data-start]")];
      const isOn = (card) => Date.parse(card.dataset.start) <= now && now < Date.parse(card.dataset.end);
      cards.forEach((card) => card.classList.toggle("now", isOn(card)));
      const start = Date.parse(cards[0]?.dataset.start);
      const isNext = start > now && (next ?? start) === start && start - now < 12 * 3600000;
      if (isNext) next = start;
      label(moment, cards.some(isOn) ? "now" : isNext ? "next" : "");
    }
  };
  mark();
  setInterval(mark, 30000);
}

// Placed in the margin under the time, so that it moves nothing.
function label(moment, state) {
  const head = moment.querySelector(".at");
  let tag = head?.querySelector(".tag");
  if (!state) { tag?.remove(); return; }
  if (!head) return;
  if (!tag) { tag = document.createElement("span"); tag.className = "tag"; head.append(" ", tag); }
  if (tag.textContent !== say(state)) tag.textContent = say(state);
}
