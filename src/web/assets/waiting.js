// Picks that wait for the network, on an agenda page that was kept before them.
import { say } from "./words.js";
import { localize, venueStamp } from "./times.js";

const PLACE = "waiting";

function item({ id, title, start }) {
  const [entry, link, time] = ["li", "a", "time"].map((name) => document.createElement(name));
  link.href = `/sessions/${id}`;
  link.textContent = title;
  entry.append(link);
  if (!start) return entry;
  time.dateTime = start;
  time.dataset.as = "stamp";
  time.textContent = venueStamp(new Date(start));
  entry.append(" ", time);
  return entry;
}

// Lists sessions below the heading of the page, in the order of their starts.
export async function listWaiting(ids) {
  const program = ids.length ? await fetch("/search.json").then((answer) => answer.json()).catch(() => []) : [];
  const known = document.getElementById(PLACE);
  if (!ids.length) { known?.remove(); return; }
  const sessions = ids.map((id) => program.find((it) => it.id === id) ?? { id, title: id });
  sessions.sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  const [section, heading, list] = ["section", "h2", "ul"].map((name) => document.createElement(name));
  section.id = PLACE;
  section.className = "changed";
  heading.textContent = say("waiting");
  list.append(...sessions.map(item));
  section.append(heading, list);
  if (known) known.replaceWith(section);
  else document.querySelector("main h1")?.after(section);
  localize(section);
}
