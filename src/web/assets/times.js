// Shows times in the visitor's own zone. The page itself has the venue's times; only elements with a time are changed.
import { locale, say } from "./words.js";

const root = document.documentElement;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const venue = root.dataset.zone;
const originals = new Map();
let isOwn = false;

const format = (zone, options) => new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
const is12 = root.dataset.clock === "12";

// The clock in a zone, in the digits of every language here.
function clock(zone, instant) {
  const parts = format(zone, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).formatToParts(instant);
  const [hour, minute] = ["hour", "minute"].map((type) => parts.find((part) => part.type === type).value);
  if (!is12) return { time: `${hour}:${minute}` };
  return { time: `${hour % 12 || say("twelve")}:${minute}`, half: say(hour < 12 ? "am" : "pm") };
}

const time = (zone, instant) => (is12 ? say("time-12", clock(zone, instant)) : clock(zone, instant).time);

function range(zone, at, until) {
  const [start, end] = [clock(zone, at), clock(zone, until)];
  if (is12 && start.half === end.half) return say("range-12", { start: start.time, end: end.time, half: end.half });
  return say("range", { start: time(zone, at), end: time(zone, until) });
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
// The page names the venue's zone in the same way wherever it can.
const zoneName = (zone, instant) => (zone === venue && root.dataset.zoneShort) || format(zone, { timeZoneName: "short" }).formatToParts(instant)
  .find(({ type }) => type === "timeZoneName").value;

const zoneNames = (zone, from, to) => [...new Set([zoneName(zone, from), zoneName(zone, to)])].join("/");

const printers = {
  time: (zone, at) => time(zone, at),
  range,
  day: (zone, at) => format(zone, DAY).format(at),
  date: (zone, at) => format(zone, SHORT_DAY).format(at),
  moment: (zone, at) => say("moment", { day: format(zone, SHORT_DAY).format(at), time: time(zone, at) }),
  stamp: (zone, at) => `${printers.moment(zone, at)} ${zoneName(zone, at)}`,
  full: (zone, at) => {
    const day = format(zone, { year: "numeric", month: "long", day: "numeric" }).format(at);
    return `${say("moment", { day, time: time(zone, at) })} ${zoneName(zone, at)}`;
  },
};

export const venueStamp = (instant) => printers.stamp(venue, instant);

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
    // where it moves no other element. The time of a session's page stands after its date.
    const isBare = ["time", "range"].includes(element.dataset.as) && !element.closest(".when");
    replace(element, printers[element.dataset.as](own, at, end), isBare && isOtherDay(at) ? at : undefined);
  }
  for (const zone of scope.querySelectorAll("[data-zone-name]")) {
    const { zoneName, zoneEnd } = zone.dataset;
    replace(zone, zoneName === "day" ? say("venue-date") : zoneNames(own, new Date(zoneName), new Date(zoneEnd)));
  }
}

function show() {
  if (isOwn) convert(document);
  else {
    for (const [element, text] of originals) element.textContent = text;
    originals.clear();
  }
  const line = document.querySelector(".zone-line > span");
  const city = own.split("/").at(-1).replaceAll("_", " ");
  if (line && isOwn) replace(line, say("your-times", { zone: city }));
  const button = document.getElementById("zone-switch");
  if (button) button.textContent = say(isOwn ? "venue-zone" : "my-zone");
}

// Converts the times of elements that a script adds later.
export function localize(scope) {
  if (isOwn) convert(scope);
}

// Whether both zones have the same time throughout the conference.
const isSameTime = () => [root.dataset.from, root.dataset.to].map((at) => new Date(at))
  .every((at) => clock(own, at).time === clock(venue, at).time && clock(own, at).half === clock(venue, at).half && !isOtherDay(at));

export function zones() {
  try { isOwn = localStorage.getItem("zone") === "own"; } catch { /* storage may be blocked */ }
  if (isOwn) show();
  const button = document.getElementById("zone-switch");
  // Its room stays, so that nothing moves.
  if (button && !isOwn && root.dataset.from && isSameTime()) button.style.visibility = "hidden";
  button?.addEventListener("click", () => {
    isOwn = !isOwn;
    show();
    try { localStorage.setItem("zone", isOwn ? "own" : "venue"); } catch { /* then it is not remembered */ }
  });
}
