"""SIGKILL at random moments of publishing. The server then has the old or the new release, never a mix.

CALLBOARD_KILLS sets the number of kills (20 unless set; the long form is 200).
"""

import os
import random
import re
import threading
import time

import requests

from organizer import SECRET, Organizer, edited, sessions, written

KILLS = int(os.environ.get("CALLBOARD_KILLS", "20"))
RETITLED = ["slow-queries", "live-laugh-log", "search-for-speed"]


def variant(rows: list[dict[str, str]], n: int) -> bytes:
    """The program with three titles that change together, which reveals a mix of two releases."""
    return written(edited(rows, **{id.replace("-", "_"): {"title": f"{id} {n}"} for id in RETITLED}))


def titles(feed: bytes) -> set[int]:
    text = feed.replace(b"\r\n ", b"").decode()
    return {int(n) for n in re.findall(rf"SUMMARY:(?:{'|'.join(RETITLED)}) ([0-9]+)", text)}


def test_a_killed_publication_is_complete_or_has_no_effect(tmp_path):
    organizer = Organizer(tmp_path)
    organizer.start()
    rows = organizer.rows()
    dice = random.Random(20250325)
    served: dict[str, int] = {}
    number = acknowledged = 0

    def note(feed: bytes) -> None:
        for uid, (sequence, _) in sessions(feed).items():
            served[uid] = max(served.get(uid, 0), sequence)

    outcomes = {"old": 0, "new": 0}
    for kill in range(KILLS):
        stop, sent = threading.Event(), [number]

        def publish():
            nonlocal acknowledged
            while not stop.is_set():
                sent[0] += 1
                try:
                    answer = requests.put(
                        organizer.origin + "/organizer/program", data=variant(rows, sent[0]), timeout=30,
                        headers={"Authorization": f"Bearer {SECRET}"},
                    )  # fmt: skip
                except requests.ConnectionError:
                    return
                assert answer.status_code in (200, 201), answer.text
                acknowledged = sent[0]

        def read():
            while not stop.is_set():
                try:
                    note(organizer.get("/program.ics").content)
                except requests.RequestException:
                    return

        threads = [threading.Thread(target=target) for target in (publish, read)]
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0.0, 0.4))
        organizer.kill()
        stop.set()
        for thread in threads:
            thread.join()
        organizer.start()
        feed = organizer.get("/program.ics").content
        found = titles(feed)
        assert len(found) <= 1, f"kill {kill}: a mix of {found}"
        now = found.pop() if found else 0
        assert acknowledged <= now <= sent[0], f"kill {kill}: {now} runs after {acknowledged} was acknowledged"
        csv = organizer.ask("GET", "/organizer/program").content
        assert csv == (variant(rows, now) if now else organizer.program.read_bytes()), f"kill {kill}"
        for uid, (sequence, _) in sessions(feed).items():
            assert sequence >= served.get(uid, 0), f"kill {kill}: {uid} fell from {served[uid]}"
        note(feed)
        outcomes["new" if now == sent[0] else "old"] += 1
        number = max(now, sent[0])
    organizer.kill()
    print(f"{KILLS} kills: {outcomes}, release {number}")
