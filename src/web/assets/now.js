// Shows the present moment: marks running and past sessions, folds past days, and scrolls to the present moment.
import { say } from "./words.js";
import { dateIn } from "./times.js";

const root = document.documentElement;
const button = document.getElementById("now");
const unfolded = new Set();

const starts = (element) => Date.parse(element.dataset.start);
const ends = (element) => Date.parse(element.dataset.end);
const isDuring = (now) => Date.parse(root.dataset.from) - 12 * 3600000 <= now && now < Date.parse(root.dataset.to);

function fold(day, isFolded) {
  const moments = day.querySelector(".moments");
  let toggle = day.querySelector(":scope > .fold");
  if (!toggle && isFolded) {
    toggle = document.createElement("button");
    toggle.type = "button";
    toggle.className = "fold";
    toggle.addEventListener("click", () => unfold(day, day.classList.contains("folded")));
    day.querySelector(".day-head").after(toggle);
  }
  if (!toggle) return;
  day.classList.toggle("folded", isFolded);
  // Find-in-page finds text that is hidden with `until-found`, and unfolds it.
  if (isFolded) moments.setAttribute("hidden", "until-found"); else moments.removeAttribute("hidden");
  toggle.setAttribute("aria-expanded", String(!isFolded));
  toggle.textContent = say(isFolded ? "unfold" : "fold");
}

function unfold(day, isOpen = true) {
  if (isOpen) unfolded.add(day); else unfolded.delete(day);
  fold(day, !isOpen);
}

// The label is in the margin under the time, so that it shifts no other element.
function label(moment, state) {
  const head = moment.querySelector(".at");
  let tag = head?.querySelector(".tag");
  if (!state) { tag?.remove(); return; }
  if (!head) return;
  if (!tag) { tag = document.createElement("span"); head.append(" ", tag); }
  tag.className = `tag ${state}`;
  if (tag.textContent !== say(state)) tag.textContent = say(state);
}

const isInView = (element) => {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
};

// Folds past days that are not in view, without moving the elements in view.
function foldPast(today) {
  const days = [...document.querySelectorAll(".day")];
  const isPast = (day) => today !== undefined && day.id.slice(4) < today;
  const changed = days.filter((day) => isPast(day) !== day.classList.contains("folded") && !unfolded.has(day) && !isInView(day));
  if (!changed.length) return;
  // Scroll anchoring would do this too, but not in every browser, and not always around containers.
  const anchor = days.flatMap((day) => [...day.querySelectorAll(".moment")]).find(isInView);
  const before = anchor?.getBoundingClientRect().top;
  root.style.overflowAnchor = "none";
  changed.forEach((day) => fold(day, isPast(day)));
  if (anchor) scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
  requestAnimationFrame(() => { root.style.overflowAnchor = ""; });
}

// Draws a line through the grid of the present day, at the height of the present time.
function drawLine(now = Date.now()) {
  let line = document.querySelector(".now-line");
  for (const grid of document.querySelectorAll(".grid")) {
    const rows = [...grid.querySelectorAll(".moment")];
    const times = rows.map((row) => Date.parse(row.querySelector(".time > .at > time").dateTime));
    const end = Math.max(...[...grid.querySelectorAll("[data-end]")].map(ends));
    if (now < times[0] || end <= now) continue;
    const at = times.findLastIndex((time) => time <= now);
    const share = (now - times[at]) / ((times[at + 1] ?? end) - times[at]);
    if (!line) {
      line = document.createElement("p");
      line.className = "now-line";
    }
    if (line.parentNode !== grid) grid.append(line);
    // A row's offsetTop counts from the table, which need not begin where the grid does.
    const table = rows[at].offsetParent;
    line.style.top = `${Math.round(table.offsetTop + rows[at].offsetTop + share * rows[at].offsetHeight)}px`;
    line.style.width = `${grid.firstElementChild.offsetWidth - rows[at].firstElementChild.offsetWidth}px`;
    return;
  }
  line?.remove();
}

// Remembers the choice between grid and list. Both also work without scripts.
function choices() {
  for (const box of document.querySelectorAll(".switches > label > input")) {
    try { box.checked ||= localStorage.getItem(box.id) === "on"; } catch { /* storage may be blocked */ }
    box.addEventListener("change", () => {
      try { localStorage.setItem(box.id, box.checked ? "on" : ""); } catch { /* then it is not remembered */ }
      drawLine();
    });
  }
}

export const isShown = (element) => element.checkVisibility?.() ?? true;

// The first of the running moments that fits into the window together with the last of them.
export function firstOf(running) {
  const last = running.at(-1);
  const foot = Math.max(...[...last.querySelectorAll(".now h4, .now .title")].map((it) => it.getBoundingClientRect().bottom));
  // The bar and the headings of a grid cover the top.
  const room = innerHeight - (last.closest(".grid") ? 128 : 80);
  return running.find((it) => foot - it.getBoundingClientRect().top <= room) ?? last;
}

// The moment to scroll to: the first with a running session, or else the next; among those that no filter hides.
function targetOf({ running, next }) {
  const shown = running.filter(isShown);
  if (shown.length) return firstOf(shown);
  if (next && isShown(next)) return next;
  const timed = [...document.querySelectorAll(".moment:has([data-start])")].filter(isShown);
  return timed.find((it) => starts(it.querySelector("[data-start]")) > Date.now()) ?? timed.at(-1) ?? running.at(-1) ?? next;
}

// Marks what is over, on and next, and returns the moments that are on, and the next.
export function mark({ folds = true } = {}) {
  const now = Date.now();
  const isNow = isDuring(now);
  // Feedback is asked for once the session has begun.
  for (const link of document.querySelectorAll("[data-after]")) link.hidden = now < Date.parse(link.dataset.after);
  const running = [];
  let [next, following] = [undefined, undefined];
  for (const moment of document.querySelectorAll(".moment")) {
    const cards = [...moment.querySelectorAll("[data-start]")];
    if (!cards.length) continue;
    let isOn = false;
    for (const card of cards) {
      const isRunning = starts(card) <= now && now < ends(card);
      card.classList.toggle("now", isRunning);
      card.classList.toggle("past", isNow && ends(card) <= now);
      isOn ||= isRunning;
    }
    const start = starts(cards[0]);
    if (isOn) running.push(moment);
    if (isNow && start > now && (following ?? start) === start) { following = start; next ??= moment; }
    label(moment, isOn ? "now" : isNow && following === start && start > now ? "next" : "");
  }
  // The night belongs to the day before.
  const night = Number(root.dataset.dayChange ?? 0) * 60_000;
  const { year, month, day: date } = dateIn(root.dataset.zone, new Date(now - night));
  const today = `${year}-${month}-${date}`;
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.hash === `#day-${today}`) tab.setAttribute("aria-current", "date"); else tab.removeAttribute("aria-current");
  }
  if (folds) {
    foldPast(isNow ? today : undefined);
    drawLine(now);
  }
  root.classList.toggle("ended", Date.parse(root.dataset.to) <= now);
  const isAny = isNow && (running.length > 0 || Boolean(next));
  if (button) {
    button.hidden = !isAny;
    button.textContent = say(running.length ? "to-now" : "to-next");
  }
  return isAny ? { running, next } : undefined;
}

export const scrollsAlone = (grid) => Boolean(grid) && getComputedStyle(grid).overflowY === "auto";

export function lead(moment, behavior) {
  const head = moment.querySelector(".time") ?? moment;
  const grid = moment.closest(".grid");
  if (!scrollsAlone(grid)) {
    head.scrollIntoView({ block: "start", behavior });
    return;
  }
  // A grid that scrolls by itself is shown as a whole, with its headings.
  const headings = grid.querySelector("thead").offsetHeight;
  grid.scrollTo({ top: grid.scrollTop + head.getBoundingClientRect().top - grid.getBoundingClientRect().top - headings, behavior });
  grid.scrollIntoView({ block: "start", behavior });
}

function reveal() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const day = target && target.closest(".day.folded");
  if (!day) return;
  unfold(day);
  target.scrollIntoView();
}

// Marks the tab of the day at the reader's position.
function follow() {
  const tabs = new Map([...document.querySelectorAll(".tabs a")].map((tab) => [tab.hash.slice(1), tab]));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const tab = tabs.get(target.id);
      tab?.classList.toggle("here", isIntersecting);
      if (isIntersecting && tab) {
        const strip = tab.closest(".tabs");
        strip.scrollLeft = tab.offsetLeft - strip.clientWidth / 2 + tab.offsetWidth / 2;
      }
    }
  }, { rootMargin: "-30% 0px -69% 0px" });
  document.querySelectorAll(".day").forEach((day) => observer.observe(day));
}

export function present() {
  choices();
  const found = mark({ folds: false });
  // Folds only after the page was drawn at its scroll position, so that folding moves nothing in view.
  requestAnimationFrame(() => requestAnimationFrame(() => mark()));
  addEventListener("resize", () => drawLine());
  if (!button) return;
  const [entry] = performance.getEntriesByType("navigation");
  const isOpened = !location.hash && !location.search && (entry?.type ?? "navigate") === "navigate";
  if (found && isOpened && scrollY === 0) lead(targetOf(found), "instant");
  reveal();
  button.addEventListener("click", () => {
    const it = mark();
    const moment = it && targetOf(it);
    if (!moment) return;
    const day = moment.closest(".day.folded");
    if (day) unfold(day);
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    lead(moment, isStill ? "instant" : "smooth");
    const head = moment.querySelector(".time");
    head?.setAttribute("tabindex", "-1");
    head?.focus({ preventScroll: true });
  });
  addEventListener("hashchange", reveal);
  document.addEventListener("beforematch", ({ target: found }) => {
    const day = found.closest(".day");
    if (day) unfold(day);
  });
  setInterval(mark, 30000);
  // Later, so that the first task stays short.
  setTimeout(follow);
}
