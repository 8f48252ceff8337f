"""Hostile texts, a program with one in every text cell, and its twin with harmless texts of the same shape.

All output made of the two must have the same structure. A difference means that a text was taken for markup.
"""

import csv
import io
import json
import random
import re
import subprocess
import unicodedata
from pathlib import Path
from string import ascii_lowercase

from feeds import ROOT
from server import BINARY

PAYLOADS = [payload["text"] for payload in json.loads((ROOT / "tests/fixtures/hostile/payloads.json").read_text())]

COLUMNS = ["id", "date", "start", "end", "kind", "title", "track", "block", "room", "speakers", "abstract", "bios",
           "url", "links", "status"]  # fmt: skip
TEXTS = COLUMNS[5:14]
KINDS = ["talk", "plenary", "lightning", "panel", "workshop", "discussion", "remarks", "break", "meal", "social"]


# Characters that import removes from every text: direction overrides and isolates, byte order marks.
REMOVED = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"


def harmless(text: str) -> str:
    """The text with letters for all characters but those that structure a cell: line ends, `,` `;` `:`."""
    return "".join(map(_letters, re.split("([,;:\n\r\u2028\u2029\u0085])", text)))


def _letters(piece: str) -> str:
    """Letters derived from the piece: equal pieces give equal letters, since equal names are one person."""
    if piece in set(",;:\n\r\u2028\u2029\u0085"):
        return piece
    out, letters = [], random.Random(piece.strip())
    for c in piece:
        if c.isspace():
            out.append(" ")
        elif unicodedata.category(c) != "Cc" and c not in REMOVED:
            # The first piece gets at least six letters, so that short pieces differ too.
            out += letters.choices(ascii_lowercase, k=1 if "".join(out).strip() else 6)
    return "".join(out)


def flat(text: str) -> str:
    return re.sub(r"[\r\n\u2028\u2029\u0085]+", " ", text)


def utf8(text: str) -> bool:
    try:
        return bool(text.encode("utf-8")) or True
    except UnicodeEncodeError:
        return False


def cells(n: int, text: str) -> dict[str, str]:
    """A row with the text in every cell. A different ending keeps the cells apart."""
    end, line = f" p{n:03}", flat(text)
    day, slot = n % 4, n // 4
    minutes, address = 8 * 60 + 8 * slot, re.sub(r"\s", "%20", line)
    return {
        "id": f"row-{n:03}", "date": f"2025-03-{24 + day}", "kind": KINDS[n % len(KINDS)],
        "start": f"{minutes // 60:02}:{minutes % 60:02}", "end": f"{(minutes + 8) // 60:02}:{(minutes + 8) % 60:02}",
        "title": text + end, "track": line + end, "block": line + end, "room": text + end,
        "speakers": f"{line}{end}, {line}\nChair{line.replace(',', ' ')}: Ann{end}", "abstract": f"{text}{end}\n\n{text}",
        "bios": f"{text}{end}\n--\n{text}{end}", "url": f"https://conf.example/{address}", "status": "",
        "links": f"{line}{end} https://conf.example/{address}",
    }  # fmt: skip


def twin(row: dict[str, str]) -> dict[str, str]:
    made = {column: harmless(row[column]) for column in TEXTS}
    # Addresses stay addresses, and lines of dashes stay separators.
    made["bios"] = "\n--\n".join(map(harmless, row["bios"].split("\n--\n")))
    made["url"] = "https://conf.example/x" if row["url"] else ""
    label = row["links"].rpartition(" ")[0]
    made["links"] = f"{harmless(label)} https://conf.example/x" if label else ""
    number = f" p{row['id'][-3:]}"
    for column in ("title", "track", "block", "room"):
        if row[column]:
            made[column] = harmless(row[column].removesuffix(number)) + number
    made["speakers"] = number.join(map(harmless, row["speakers"].split(number)))
    return {**row, **made}


def written(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def accepted(rows: list[dict[str, str]], folder: Path, config: Path) -> tuple[list[dict[str, str]], set[tuple[str, str]]]:
    """The rows without the cells that import rejects, and the rejected cells."""
    refused: set[tuple[str, str]] = set()
    rows = [dict(row) for row in rows]
    while True:
        file = folder / "tried.csv"
        file.write_bytes(written(rows))
        report = check(file, config)
        errors = [fault for fault in report["faults"] if fault["severity"] == "error"]
        if not errors:
            return rows, refused
        starts, line = [], 2
        for row in rows:
            starts.append(line)
            line += 1 + sum(len(re.findall(r"\r\n|\r|\n", row[column])) for column in COLUMNS)
        for fault in errors:
            if fault["rule"] == "more-faults":
                continue  # a report lists 200 faults of a kind; the next round finds the others
            place = max(n for n, start in enumerate(starts) if start <= fault["line"])
            column = fault["column"]
            assert column in TEXTS, fault
            refused.add((rows[place]["id"], column))
            rows[place][column] = "Refused" + f" p{place:03}" if column == "title" else ""
            if column == "speakers":
                rows[place]["bios"] = ""


def check(file: Path, config: Path) -> dict:
    done = subprocess.run([str(BINARY), "check", str(file), "--config", str(config), "--format", "json"],
                          capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.returncode in (0, 65), done.stderr
    return json.loads(done.stdout)


def toml(text: str) -> str:
    escaped = (c if c.isalnum() and c.isascii() else f"\\U{ord(c):08X}" for c in text)
    return f'"{"".join(escaped)}"'
