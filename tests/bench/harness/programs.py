"""Large programs, made from the texts of the real program with a fixed seed: the same bytes on every machine."""

import csv
import datetime
import random
import re

FIRST_DAY = datetime.date(2025, 3, 24)
DAYS = 20
SLOTS = 25
COLUMNS = ["id", "date", "start", "end", "kind", "title", "track", "room", "speakers", "abstract"]


class Program:
    """A program with a given number of sessions: 20 days with 25 half-hours each, and as many tracks as needed.

    Each session has one or two speakers. There is one speaker for every three sessions. No person and no room is
    booked twice at the same time.
    """

    def __init__(self, real, sessions):
        self.sessions, self.tracks = sessions, max(1, sessions // (DAYS * SLOTS))
        rng = random.Random(6)
        with open(real, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        titles = [row["title"] for row in rows if row["speakers"]]
        sentences = [s for row in rows for s in re.split(r"(?<=[.!?]) +", row["abstract"]) if 40 < len(s) < 160]
        people = [line.split(": ")[-1] for row in rows for line in row["speakers"].splitlines()]
        names = [person.partition(", ")[0].split(" ") for person in people]
        firsts, lasts = [name[0] for name in names], [name[-1] for name in names]
        employers = [person.partition(", ")[2] or "Independent" for person in people]
        pool = set()
        while len(pool) < max(4 * self.tracks, sessions // 3):
            pool.add(f"{rng.choice(firsts)} {chr(rng.randrange(65, 91))}. {rng.choice(lasts)}")
        self.speakers = [f"{name}, {rng.choice(employers)}" for name in sorted(pool)]
        rng.shuffle(self.speakers)
        turn, self.rows = 0, []
        for number in range(sessions):
            when, track = divmod(number, self.tracks)
            day, slot = divmod(when, SLOTS)
            minutes = 8 * 60 + 30 * slot
            count = 1 + (number % 3 == 0)
            speakers = [self.speakers[(turn + k) % len(self.speakers)] for k in range(count)]
            turn += count
            clock = lambda at: f"{at // 60:02}:{at % 60:02}"
            self.rows.append([
                f"session-{number}", (FIRST_DAY + datetime.timedelta(day)).isoformat(), clock(minutes),
                clock(minutes + 30), "talk", f"{rng.choice(titles)} ({number})", f"Track {track + 1}",
                f"Room {track + 1}", "\n".join(speakers), " ".join(rng.sample(sentences, 2))[:220].strip(),
            ])

    def crowd(self):
        """Moves all sessions to one hour of the first day, without rooms. No conference does this, but a CSV can."""
        for row in self.rows:
            row[1:4] = [FIRST_DAY.isoformat(), "10:00", "11:00"]
            row[6:9] = ["", "", ""]
        return self

    def write(self, path, change=0):
        """Writes program.csv. Each number of `change` gives one session a different title."""
        partial = path.with_suffix(".partial")
        with open(partial, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(COLUMNS)
            for place, row in enumerate(self.rows):
                if change and place == len(self.rows) // 2:
                    row = [*row[:5], f"{row[5]}, take {change}", *row[6:]]
                out.writerow(row)
        partial.replace(path)

    def config(self, path):
        """Writes the config of the program: its dates and tracks, and a short debounce."""
        last = FIRST_DAY + datetime.timedelta(DAYS - 1)
        text = [
            "[conference]", 'title = "Large"', 'slug = "large"', f"first_day = {FIRST_DAY}", f"last_day = {last}",
            'zone = "America/Los_Angeles"', 'language = "en-US"', 'clock = "24h"',
        ]
        for track in range(1, self.tracks + 1):
            text += ["[[tracks]]", f'name = "Track {track}"', f'slug = "track-{track}"', 'colour = "#0b6e8f"']
        text += ["[publishing]", "debounce_ms = 1"]
        path.write_text("\n".join(text) + "\n", encoding="utf-8")

    def paths(self):
        """Paths of tracks, days, rooms and speakers, by kind."""
        days = [f"/days/{FIRST_DAY + datetime.timedelta(day)}.ics" for day in range(DAYS)]
        tracks = [f"/tracks/track-{track}.ics" for track in range(1, self.tracks + 1)]
        rooms = [f"/rooms/room-{track}.ics" for track in range(1, self.tracks + 1)]
        slug = lambda name: re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        plain = [name for name in (one.partition(", ")[0] for one in self.speakers) if name.isascii()]
        return {"day": days, "track": tracks, "room": rooms,
                "speaker": [f"/speakers/{slug(name)}.ics" for name in plain]}
