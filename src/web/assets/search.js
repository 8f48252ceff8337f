// Searches while the visitor types. This module and its index are loaded when the search box is first used. Without the
// index, Enter sends the search to the server.
import { say } from "./words.js";
import { stamp } from "./times.js";
import { repaint } from "./picks.js";

const MOST = 50;
const SNIPPET = 160;

const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d" };
// One character without case, accents and apostrophes, as the server folds it.
const foldChar = (c) => c.normalize("NFKD").toLowerCase().replace(/[\p{M}'’‘ʼ`´]/gu, "").replace(/[ßæœøłđ]/g, (it) => LETTERS[it]);
const fold = (text) => [...text].map(foldChar).join("");

const wordsOf = (query) => [...new Set(fold(query).split(/\s+/).filter(Boolean))];
const atStart = (word) => new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}`, "u");

// The score of a match in the title, the speakers, the labels and the abstract; higher at the start of a word.
const WORTH = [[8, 6], [6, 4], [4, 3], [2, 1]];

function score(entry, words, starts) {
  let total = 0;
  for (const [n, word] of words.entries()) {
    const worth = entry.folded.map((text, field) =>
      text.includes(word) ? WORTH[field][starts[n].test(text) ? 0 : 1] : 0);
    const best = Math.max(...worth);
    if (!best) return 0;
    total += best;
  }
  return total;
}

// The text as nodes, with the matches marked.
function marked(text, words) {
  const folded = [];
  const places = [];
  [...text].forEach((c, place) => { for (const it of foldChar(c)) { folded.push(it); places.push(place); } });
  const plain = folded.join("");
  const hits = new Set();
  for (const word of words) {
    for (let at = plain.indexOf(word); at >= 0; at = plain.indexOf(word, at + word.length)) {
      const from = [...plain.slice(0, at)].length;
      const last = places[from + [...word].length - 1];
      for (let place = places[from]; place <= last; place += 1) hits.add(place);
    }
  }
  const nodes = [];
  let [run, isHit] = ["", false];
  const flush = () => {
    if (!run) return;
    const node = isHit ? document.createElement("mark") : document.createTextNode(run);
    if (isHit) node.textContent = run;
    nodes.push(node);
    run = "";
  };
  [...text].forEach((c, place) => {
    if (hits.has(place) !== isHit) { flush(); isHit = hits.has(place); }
    run += c;
  });
  flush();
  return nodes;
}

function snippet(text, words) {
  const at = Math.min(...words.map((word) => fold(text).indexOf(word)).filter((it) => it >= 0), text.length);
  const from = Math.max(0, text.lastIndexOf(" ", Math.max(0, at - 60)));
  const cut = text.slice(from, from + SNIPPET).trim();
  return `${from ? "…" : ""}${cut}${from + SNIPPET < text.length ? "…" : ""}`;
}

function element(name, className, ...children) {
  const it = document.createElement(name);
  if (className) it.className = className;
  it.append(...children.flat());
  return it;
}

function row(entry, words) {
  const { id, title, people, track, slug, label, start, end, about, pause } = entry;
  const item = element("li", `card${slug ? ` t-${slug}` : ""}`);
  item.dataset.start = start;
  item.dataset.end = end;
  const over = element("p", "over");
  if (track) over.append(element("span", "track", marked(track, words)), " ");
  over.append(element("span", "", stamp(new Date(start))));
  if (label) over.append(" ", element("span", "", marked(label, words)));
  const link = element("a", "", marked(title, words));
  link.href = `/sessions/${id}`;
  const head = element("h3", "title", link);
  head.id = `f-${id}`;
  item.append(over, head);
  if (people) item.append(element("p", "people", marked(people, words)));
  const isElsewhere = words.some((word) => ![0, 1, 2].some((field) => entry.folded[field].includes(word)));
  if (isElsewhere && about) item.append(element("p", "snippet", marked(snippet(about, words), words)));
  if (!pause) {
    const button = element("button", "pick", say("pick"));
    button.setAttribute("form", "pick");
    button.name = "session";
    button.value = id;
    button.id = `q-${id}`;
    button.setAttribute("aria-labelledby", `q-${id} f-${id}`);
    item.append(button);
  }
  return item;
}

let index;
const load = () => (index ??= fetch("/search.json").then((answer) => (answer.ok ? answer.json() : null)).then((entries) =>
  entries?.map((entry) => ({
    ...entry,
    folded: [entry.title, entry.people, [entry.track, entry.label, entry.kind].join(" "), entry.about].map((it) => fold(it ?? "")),
  }))).catch(() => null).then((entries) => { if (!entries) index = undefined; return entries; }));

export function searching() {
  const box = document.getElementById("search");
  const results = document.getElementById("results");
  // The server searches within a filter.
  const isFiltered = [...new URLSearchParams(location.search).keys()].some((key) => !["q", "embed"].includes(key));
  if (!box || !results || isFiltered) return;
  const [heading, list] = [results.querySelector("h2"), results.querySelector("ul")];
  const rest = document.querySelectorAll("[data-unsearched]");
  let asked;

  async function run() {
    const query = box.value.trim();
    asked = query;
    const words = wordsOf(query);
    const entries = words.length ? await load() : [];
    if (asked !== query || !entries) return;
    const starts = words.map(atStart);
    const hits = entries.map((entry) => [score(entry, words, starts), entry]).filter(([worth]) => worth > 0);
    hits.sort(([a], [b]) => b - a);
    results.hidden = !words.length;
    rest.forEach((it) => { it.hidden = words.length > 0; });
    heading.textContent = !hits.length ? say("nothing-found-for", { text: query })
      : say("results-for", { n: hits.length, text: query });
    list.replaceChildren(...hits.slice(0, MOST).map(([, entry]) => row(entry, words)));
    repaint();
    const address = new URL(location.href);
    if (query) address.searchParams.set("q", query); else address.searchParams.delete("q");
    history.replaceState(history.state, "", address);
    // A page of results has no other sessions to show when the search is cleared.
    if (!words.length && !document.querySelector(".day")) location.assign(address);
  }

  load();
  box.addEventListener("input", run);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && box.value) { event.preventDefault(); box.value = ""; run(); }
  });
  if (box.value && box.value !== box.defaultValue) run();
}
