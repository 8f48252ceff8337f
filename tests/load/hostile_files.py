"""Program files that once took many times their size in memory, and the cost of a command that reads one.

tests/load (such a file harms no server) and tests/bench (its cost) share this generator.
"""

import os
import resource
import subprocess
from pathlib import Path

MAX_FILE = 20 * 1024 * 1024
HEADER = b"id,date,start,end,kind,title,track,room,speakers,abstract,links\n"


def _fill(head: bytes, row: bytes, size: int = MAX_FILE) -> bytes:
    return (head + row * ((size - len(head)) // len(row)))[:size]


def _rows(row: str, count: int) -> bytes:
    """Numbered rows, as many as fit."""
    out, size = [HEADER], len(HEADER)
    for n in range(count):
        line = row.format(n=n).encode()
        size += len(line)
        if size > MAX_FILE:
            break
        out.append(line)
    return b"".join(out)


def _wide(count: int) -> bytes:
    cells = ",".join(f"c{n}" for n in range(count))
    return f"id,date,start,end,kind,title,{cells}\n".encode()[:MAX_FILE]


GOOD = "s-{n},2025-03-25,09:00,09:45,talk,Talk {n},Track 1,Room {n},Jane {n}"
WARNED = "s-{n},2024-03-25,09:00,09:45,talk,&amp; [node:t] {n},Lost,Hall,Jane Doe,#REF! in it,\n"

# The bytes of each file by name, at most 20 MiB.
FILES = {
    "10 million dashes": lambda: HEADER + b"-\n" * 9_990_000,
    "dashes after CRLF": lambda: _fill(HEADER, b"\r\n-"),
    "empty lines": lambda: _fill(HEADER, b"\n"),
    "lines of a comma": lambda: _fill(HEADER, b",\n"),
    "one row of commas": lambda: _fill(HEADER, b","),
    "one row of cells": lambda: _fill(HEADER, b"a,"),
    "one quoted cell": lambda: _fill(HEADER + b'aa,2025-03-25,09:00,09:45,talk,"', b"x")[: MAX_FILE - 2] + b'"\n',
    "one cell of doubled quotes": lambda: _fill(HEADER + b'aa,2025-03-25,09:00,09:45,talk,"', b'""')[: MAX_FILE - 2] + b'"\n',
    "one plain cell": lambda: _fill(HEADER + b"aa,2025-03-25,09:00,09:45,talk,", b"x"),
    "nothing but quotes": lambda: _fill(b"", b'"'),
    "quotes below a header": lambda: _fill(HEADER, b'"\n'),
    "stray quotes": lambda: _fill(HEADER, b'a"b,'),
    "a header without an end": lambda: _fill(b"id,", b"date"),
    "a header of a million columns": lambda: _wide(1_000_000),
    "50,001 valid rows": lambda: _rows(GOOD + ",,\n", 50_001),
    "valid rows of 20 MiB": lambda: _rows(GOOD + "," + "word " * 74 + "x,\n", 50_000),
    "valid rows of two-byte letters": lambda: _rows(GOOD + "," + "é ö " * 60 + "x,\n", 50_000),
    "one id in all rows": lambda: _rows("same,2025-03-25,09:00,09:45,talk,T,,,,,\n", 50_000),
    "a fault in each cell": lambda: _rows("A B,x,x,x,keynoot,,,,: x,,x\n", 50_000),
    "long words for a kind": lambda: _rows("s-{n},x,x,x," + "plenary-talks " * 20 + ",T,,,,,\n", 50_000),
    "nothing but warnings": lambda: _rows(WARNED, 50_000),
    "ten million speakers": lambda: _rows("s-{n},2025-03-25,09:00,09:45,talk,T,,," + "A;" * 30_000 + ",,\n", 50_000),
    "as many links as fit": lambda: _rows(
        "s-{n},2025-03-25,09:00,09:45,talk,T,,,,,\"" + "a http://b\n" * 5_000 + "\"\n", 50_000),
    "NUL": lambda: _fill(HEADER, b"\0"),
    "NUL in rows": lambda: _rows("s-{n},2025-03-25,09:00,09:45,talk,\0,\0,\0,\0,\0,\0\n", 50_000),
    "no UTF-8 at all": lambda: _fill(HEADER, b"\x80"),
    "no UTF-8 in a row each": lambda: _fill(HEADER, b"\xe9\x80,\n"),
    "damaged UTF-8": lambda: _fill(HEADER + "é\n".encode(), b"aa,\xe9\n"),
    "UTF-16": lambda: (b"\xff\xfe" + (HEADER.decode() + "-\n" * 5_000_000).encode("utf-16-le"))[:MAX_FILE],
    "UTF-16 of wide letters": lambda: (b"\xff\xfe" + (HEADER.decode() + "会" * 10_000_000).encode("utf-16-le"))[:MAX_FILE],
    "half decoded": lambda: _rows("s-{n},2025-03-25,09:00,09:45,talk,T,,,," + "Ã" * 200 + ",\n", 50_000),
    "openings of tokens": lambda: _rows("s-{n},2025-03-25,09:00,09:45,talk,T,,,," + "[a:{{{{${{&<" * 45 + ",\n", 50_000),
    "invisible characters": lambda: _rows("s-{n},2025-03-25,09:00,09:45,talk,T" + "\u202e" * 130 + ",,,,,\n", 50_000),
}  # fmt: skip


def write(name: str, directory: Path) -> Path:
    """Writes a file in a process of its own, because the measured peak of a later child includes the size of its parent."""
    path = directory / "hostile.csv"
    path.unlink(missing_ok=True)
    writer = os.fork()
    if writer == 0:
        try:
            path.write_bytes(FILES[name]())
        finally:
            os._exit(0)
    os.waitpid(writer, 0)
    assert path.stat().st_size <= MAX_FILE, name
    return path


def sparse(directory: Path, size: int = 3 << 30) -> Path:
    path = directory / "sparse.csv"
    with open(path, "wb") as file:
        file.truncate(size)
    return path


class Cost:
    """The memory, CPU time and output of a finished process."""

    def __init__(self, status: int, usage: resource.struct_rusage, printed: int):
        self.status, self.printed = status, printed
        self.peak = usage.ru_maxrss / 1024  # MiB
        self.cpu = usage.ru_utime + usage.ru_stime


def cost(command: list[str], stdin=None) -> Cost:
    """Runs a command and measures only that process (wait4)."""
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    printed = 0
    while piece := process.stdout.read(1 << 20):
        printed += len(piece)
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(process.returncode, usage, printed)


def check(binary: Path, config: Path, path: str, output: str = "human", stdin=None) -> Cost:
    return cost([str(binary), "check", path, "--config", str(config), "--format", output], stdin)
