// Shows times in the visitor's own zone. The page itself has the venue's times; only elements with a time are changed.
import { say } from "./words.js";

const root = document.documentElement;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const venue = root.dataset.zone;
const originals = new Map();
let isOwn = false;

const format = (zone, options) => new Intl.DateTimeFormat(root.lang, { timeZone: zone, ...options });
const HOURS = root.dataset.clock === "12"
  ? { hour: "numeric", minute: "2-digit", hour12: true }
  : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };

function time(zone, instant) {
  return format(zone, HOURS).formatToParts(instant).map((part) =>
    part.type === "dayPeriod" ? say(/^a/i.test(part.value) ? "am" : "pm") || part.value : part.value).join("")
    .replace(/\u202f|\u00a0/g, " ");
}

export const dateIn = (zone, instant) =>
  format(zone, { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(instant)
    .reduce((date, { type, value }) => ({ ...date, [type]: value }), {});

const isOtherDay = (instant) => {
  const [here, there] = [dateIn(own, instant), dateIn(venue, instant)];
  return here.day !== there.day || here.month !== there.month;
};

const DAY = { weekday: "long", month: "long", day: "numeric" };
const SHORT_DAY = { weekday: "short", month: "short", day: "numeric" };
const zoneName = (zone, instant) => format(zone, { timeZoneName: "short" }).formatToParts(instant)
  .find(({ type }) => type === "timeZoneName").value;

const printers = {
  time: (zone, at) => time(zone, at),
  range: (zone, at, end) => `${time(zone, at)}–${time(zone, end)}`,
  day: (zone, at) => format(zone, DAY).format(at),
  date: (zone, at) => format(zone, SHORT_DAY).format(at),
  moment: (zone, at) => `${format(zone, SHORT_DAY).format(at)}, ${time(zone, at)}`,
  stamp: (zone, at) => `${printers.moment(zone, at)} ${zoneName(zone, at)}`,
  full: (zone, at) =>
    `${format(zone, { year: "numeric", month: "long", day: "numeric" }).format(at)}, ${time(zone, at)} ${zoneName(zone, at)}`,
};

export const stamp = (instant) => printers.stamp(isOwn ? own : venue, instant);

function replace(element, text, shift) {
  if (!originals.has(element)) originals.set(element, element.textContent);
  element.textContent = text;
  if (!shift) return;
  const day = document.createElement("small");
  day.className = "shift";
  day.textContent = format(own, { weekday: "short" }).format(shift);
  element.append(" ", day);
}

function convert(scope) {
  for (const element of scope.querySelectorAll("time[data-as]")) {
    const [at, end] = [new Date(element.dateTime), new Date(element.dataset.end)];
    // A time without a date needs the weekday if its date differs from the venue's. The weekday is below the time,
    // where it moves no other element.
    const isBare = ["time", "range"].includes(element.dataset.as);
    replace(element, printers[element.dataset.as](own, at, end), isBare && isOtherDay(at) ? at : undefined);
  }
  for (const zone of scope.querySelectorAll("[data-zone-name]")) {
    replace(zone, zone.dataset.zoneName === "day" ? say("venueDate") : zoneName(own, new Date(zone.dataset.zoneName)));
  }
}

function show() {
  if (isOwn) convert(document);
  else for (const [element, text] of originals) element.textContent = text;
  const line = document.querySelector(".zone-line > span");
  const city = own.split("/").at(-1).replaceAll("_", " ");
  if (line && isOwn) replace(line, say("yourTimes", { zone: city }));
  const button = document.getElementById("zone-switch");
  if (button) button.textContent = say(isOwn ? "venueZone" : "myZone");
}

// Converts the times of elements that a script adds later.
export function localize(scope) {
  if (isOwn) convert(scope);
}

export function zones() {
  try { isOwn = localStorage.getItem("zone") === "own"; } catch { /* storage may be blocked */ }
  if (isOwn) show();
  document.getElementById("zone-switch")?.addEventListener("click", () => {
    isOwn = !isOwn;
    show();
    try { localStorage.setItem("zone", isOwn ? "own" : "venue"); } catch { /* then it is not remembered */ }
  });
}
