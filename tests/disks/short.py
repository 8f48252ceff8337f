"""A few cases of each kind for the daily run, and a proof that the judges can fail. Prints TAP."""

import os
import time

import crash
import cuts
import faults
import flips
import full
import kills
from server import BINARY, Home


def run(home: Home, seed: int, jobs: int) -> int:
    number = failed = left_out = 0

    def test(what: str, check) -> None:
        nonlocal number, failed, left_out
        number += 1
        said: list[str] = []
        started = time.monotonic()
        try:
            found = check(said.append)
        except Exception as error:  # the other tests still run
            found = [f"{type(error).__name__}: {error}"]
        failed += bool(found)
        skipped = [line.split("skipped, ")[1] for line in said if "skipped, " in line]
        left_out += bool(skipped and len(skipped) == len(said))
        skip = f" # SKIP {skipped[0]}" if skipped and len(skipped) == len(said) else ""
        print(f"{'not ok' if found else 'ok'} {number} - {what} ({time.monotonic() - started:.0f} s){skip}")
        for line in [*said, *(f"WRONG {fault}" for fault in found[:20])]:
            print(f"# {line}")

    test("crash states", lambda say: crash.run(home, 60, seed, jobs, say=say))
    test("the judge of crash states detects lying syncs", lambda say: must_find(home, seed, jobs, say))
    test("cuts of an ext4", lambda say: cuts.run(home, 4, seed, say))
    test("single faults", lambda say: faults.run(home, 21, seed, jobs, [], say))
    test("flipped bytes and truncated files", lambda say: flips.run(home, 300, 4, seed, jobs, say))
    test("a full disk", lambda say: full.run(home, 1, seed, ["tmpfs" if os.geteuid() == 0 else "shim"], say))
    test("kills", lambda say: kills.run(home, 100, 5000, seed, say))
    test("the judge of kills detects an older store", lambda say: kills.must_find(home, seed, say))
    print(f"1..{number}\n# pass {number - failed - left_out}\n# fail {failed}\n# skipped {left_out}\n# server {BINARY.name}")
    return 1 if failed else 0


def must_find(home: Home, seed: int, jobs: int, say) -> list[str]:
    found = crash.run(home, 12, seed, jobs, {"lies": 1}, say)
    return [] if len(found) >= 4 else [f"of 12 states without syncs only {len(found)} were found wrong: {found}"]
