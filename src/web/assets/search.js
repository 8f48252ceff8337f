// Searches while the visitor types. This module and its index are loaded when the search box is first used. Without the
// index, Enter sends the search to the server.
import { say } from "./words.js";
import { localize, venueStamp } from "./times.js";
import { repaint } from "./picks.js";

const MAX_RESULTS = 50;
const SNIPPET = 160;

const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d" };
// A text without case, accents and apostrophes, as the server folds it. The server folds each character alone, so a
// sigma at the end of a word has no form of its own.
const fold = (text) => text.normalize("NFKD").replaceAll("Σ", "σ").toLowerCase()
  .replace(/[\p{M}'’‘ʼ`´]/gu, "").replace(/[ßæœøłđ]/g, (it) => LETTERS[it]);

const wordsOf = (query) => [...new Set(fold(query).split(/\s+/).filter(Boolean))];
const atStart = (word) => new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}`, "u");

const ONE_ERROR = 4;
const TWO_ERRORS = 8;
const MAX_LETTERS = 40;
const MAX_SIMILAR = 8;
const MAX_MISSPELT = 3;

// Twice the number of typing errors, plus one if the word is only the beginning of the other; more than allowed if
// there are too many errors. `similar.rs` on the server compares words in the same way.
function difference(word, other, errors) {
  const most = word.length + errors;
  const width = Math.min(other.length, most + 1);
  if (width + errors < word.length) return Infinity;
  let [before, last, row] = [[], Array.from({ length: width + 1 }, (_, at) => at), []];
  for (let at = 0; at < word.length; at += 1) {
    row[0] = at + 1;
    let least = row[0];
    for (let place = 0; place < width; place += 1) {
      let distance = Math.min(last[place] + (word[at] === other[place] ? 0 : 1), last[place + 1] + 1, row[place] + 1);
      if (at && place && word[at] === other[place - 1] && word[at - 1] === other[place]) {
        distance = Math.min(distance, before[place - 1] + 1);
      }
      row[place + 1] = distance;
      least = Math.min(least, distance);
    }
    if (least > errors) return Infinity;
    [before, last, row] = [last, row, before];
  }
  const whole = other.length <= most ? 2 * last[width] : Infinity;
  return Math.min(whole, 2 * Math.min(...last.slice(0, width + 1)) + 1);
}

// The words of the program that are spelt most like a word.
function similar(word, vocabulary) {
  const letters = [...word];
  if (letters.length < ONE_ERROR || letters.length > MAX_LETTERS || !/^\p{Alphabetic}+$/u.test(word)) return [];
  const errors = letters.length < TWO_ERRORS ? 1 : 2;
  let [least, found] = [2 * errors + 1, []];
  for (const [known, its] of vocabulary) {
    const it = difference(letters, its, errors);
    if (it < least) [least, found] = [it, [known]];
    else if (it === least) found.push(known);
  }
  return found.sort().slice(0, MAX_SIMILAR);
}

let vocabulary;
function vocabularyOf(entries) {
  const words = () => new Set(entries.flatMap(({ folded }) => folded.flatMap((text) => text.split(/[^\p{Alphabetic}\p{N}]+/u))));
  return (vocabulary ??= [...words()].filter((it) => it.length >= ONE_ERROR - 1).map((it) => [it, [...it]]));
}

// Each word of a query with the forms to look for: the word itself, or similar words if no session contains it. None
// if a word has no form.
function formsOf(words, entries) {
  let misspelt = 0;
  const forms = [];
  for (const word of words) {
    const isExact = entries.some(({ folded }) => folded.some((text) => text.includes(word)));
    misspelt += isExact ? 0 : 1;
    const found = isExact ? [word] : misspelt > MAX_MISSPELT ? [] : similar(word, vocabularyOf(entries));
    if (!found.length) return undefined;
    forms.push({ isExact, found, starts: found.map(atStart) });
  }
  return forms;
}

// The score of a match in the title, the speakers, the labels and the abstract: at the start of a word, and elsewhere
// or for a similar word.
const WORTH = [[8, 6], [6, 4], [4, 3], [2, 1]];

function score(entry, forms) {
  let total = 0;
  for (const { isExact, found, starts } of forms) {
    let best = 0;
    for (const [n, word] of found.entries()) {
      for (const [field, text] of entry.folded.entries()) {
        if (best >= WORTH[field][0] || !text.includes(word)) continue;
        best = Math.max(best, WORTH[field][isExact && starts[n].test(text) ? 0 : 1]);
      }
    }
    if (!best) return 0;
    total += best;
  }
  return total;
}

// The text as nodes, with the matches marked.
function marked(text, words) {
  const folded = [];
  const places = [];
  [...text].forEach((c, place) => { for (const it of fold(c)) { folded.push(it); places.push(place); } });
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
  const folded = fold(text);
  const at = Math.min(...words.map((word) => folded.indexOf(word)).filter((it) => it >= 0));
  if (at === Infinity) return "";
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
  const time = element("time", "", venueStamp(new Date(start)));
  time.dateTime = start;
  time.dataset.as = "stamp";
  over.append(time);
  if (label) over.append(" ", element("span", "", marked(label, words)));
  const link = element("a", "", marked(title, words));
  link.href = `/sessions/${id}`;
  const head = element("h3", "title", link);
  head.id = `f-${id}`;
  item.append(over, head);
  if (people) item.append(element("p", "people", marked(people, words)));
  const isElsewhere = words.some((word) => ![0, 1, 2].some((field) => entry.folded[field].includes(word)));
  const cut = isElsewhere ? snippet(about, words) : "";
  if (cut) item.append(element("p", "snippet", marked(cut, words)));
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
    folded: [entry.title, entry.people, [entry.track, entry.label, entry.kind, entry.tags].join(" "), entry.about].map((it) => fold(it ?? "")),
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
    const forms = formsOf(words, entries) ?? [];
    const isExact = forms.every((it) => it.isExact);
    const marks = forms.flatMap(({ found }) => found);
    const hits = forms.length ? entries.map((entry) => [score(entry, forms), entry]).filter(([worth]) => worth > 0) : [];
    hits.sort(([a], [b]) => b - a);
    results.hidden = !words.length;
    rest.forEach((it) => { it.hidden = words.length > 0; });
    heading.textContent = !hits.length ? say("nothing-found-for", { text: query })
      : say(isExact ? "results-for" : "similar-results-for", { n: hits.length, text: query });
    list.replaceChildren(...hits.slice(0, MAX_RESULTS).map(([, entry]) => row(entry, marks)));
    localize(list);
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
