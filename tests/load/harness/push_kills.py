"""`kill -9` of the server and of `callboard deliver` while they send messages: each device gets its message, and no device
gets it more than twice, however many kills there are.

A killed sender leaves a file that says which messages it was sending. The next one repeats those once. A claim whose answer
was on its way when a process died ends after two minutes.
"""

import random
import time
from collections import Counter

from .push import PushServer, PushService

#: Seconds until the outbox is empty after the last kill: a claim, and the retries.
PATIENCE = 200
#: Seconds that the push service takes for a message, so that kills meet messages that are being sent.
DELAY = 0.2


def _round(server: PushServer, service: PushService, kills: int, devices: int, is_early: bool, verdict) -> None:
    # The messages of one round take as long as its kills.
    pause = devices * DELAY / 24 / kills
    began = server.move_session()
    # Some kills meet the publication and the queuing of messages, most meet the sending.
    while not is_early and service.count() == 0 and time.monotonic() < began + PATIENCE:
        time.sleep(0.02)
    killed = Counter()
    for _ in range(kills):
        time.sleep(random.uniform(0, 2 * pause))
        what = random.choice(["deliver", "deliver", "server", "both"])
        killed[what] += 1
        if what != "server":
            server.sender.kill()
            server.sender.wait()
        if what != "deliver":
            server.process.kill()
            server.process.wait()
            server.start()
        if what != "server":
            server.start_sender()
    took = time.monotonic() - began
    # A release that was not announced yet has no deliveries, so the number is looked at until all messages are there.
    until = time.monotonic() + PATIENCE
    while (server.waiting() != 0 or service.count() < devices) and time.monotonic() < until:
        time.sleep(0.5)
    received = Counter(path for path, _ in service.take())
    copies = Counter(received.values())
    all_there = time.monotonic() - began
    twice = f"{copies.get(2, 0)} of {devices} messages came twice"
    print(f"         {dict(killed)} killed in {took:.0f} s, {twice}, all were there after {all_there:.0f} s", flush=True)
    verdict.holds(f"{devices - len(received)} devices without a message", len(received) == devices)
    verdict.holds(f"at most {max(copies, default=0)} copies of a message", max(copies, default=0) <= 2)


def run(asked, is_short: bool, verdict) -> None:
    kills, devices, each = (6, 200, 6) if is_short else (200, 1_000, 10)
    kills = asked.count or kills
    service = PushService(DELAY)
    with PushServer() as server:
        server.start()
        server.subscribe(devices, service)
        server.start_sender()
        for number, left in enumerate(range(kills, 0, -each)):
            _round(server, service, min(each, left), devices, number % 4 == 3, verdict)
    service.end()
