// Synthetic programs, always the same, in the shape of real conferences. Their texts are those of the shipped program.
import { shipped } from "./server.js";

// The cells of a CSV file. Quoted cells may contain commas and line breaks.
function parse(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

const [header, ...rows] = parse(shipped.program);
const column = (name) => rows.map((row) => row[header.indexOf(name)]).filter(Boolean);
const [titles, people, abstracts] = [column("title"), column("speakers"), column("abstract")];

const cell = (text) => `"${String(text).replaceAll('"', '""')}"`;
const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

const LINES = "id,date,start,end,kind,title,track,room,speakers,abstract";

// Sessions of three days, from nine in the morning on; each day has a keynote, breaks and parallel sessions.
function timetable({ sessions, lanes, length, place }) {
  const lines = [LINES];
  const days = ["2025-03-25", "2025-03-26", "2025-03-27"];
  const add = (day, from, minutes, kind, title, rest = "") =>
    lines.push(`s${lines.length}x,${day},${clock(from)},${clock(from + minutes)},${kind},${cell(title)},${rest || ",,,"}`);
  const fixed = days.length * 4;
  const perDay = Math.ceil((sessions - fixed) / days.length);
  for (const [n, day] of days.entries()) {
    add(day, 540, 45, "plenary", `Keynote ${n + 1}`);
    add(day, 585, 30, "break", "Coffee");
    add(day, 720, 60, "meal", "Lunch");
    add(day, 1140, 60, "social", "Reception");
    const count = Math.min(perDay, sessions - fixed - n * perDay);
    for (let it = 0; it < count; it += 1) {
      const [lane, slot] = [it % lanes, Math.floor(it / lanes)];
      const morning = Math.floor(105 / length);
      const from = slot < morning ? 615 + slot * length : 780 + (slot - morning) * length;
      const k = lines.length;
      const [title, speaker, abstract] = [titles, people, abstracts].map((texts) => texts[k % texts.length]);
      add(day, from, length, "talk", `${title} ${k}`, `${place(lane)},${cell(speaker)},${cell(abstract)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const withTracks = (count) => {
  const colours = ["#1f5fa8", "#8a3d8f", "#2f6f3e", "#a0522d", "#00707a", "#6b5b00"];
  const tracks = Array.from({ length: count }, (_, n) =>
    `[[tracks]]\nname = "Track ${n + 1}"\nslug = "track-${n + 1}"\ncolour = "${colours[n % colours.length]}"\n`);
  return `${shipped.config.split(/^\[\[tracks\]\]/m)[0]}\n${tracks.join("\n")}`;
};

// 138 sessions in six tracks.
export const sixTracks = () => ({
  program: timetable({ sessions: 138, lanes: 6, length: 50, place: (lane) => `Track ${lane + 1},Room ${lane + 1}` }),
  config: withTracks(6),
});

// 1,079 sessions in 37 rooms.
export const manyRooms = () => ({
  program: timetable({ sessions: 1079, lanes: 37, length: 35, place: (lane) => `,Room ${lane + 1}` }),
  config: shipped.config,
});
