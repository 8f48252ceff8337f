"""Cuts of a real file system: an ext4 on a loop device is shut down at random moments, as a power cut would.

The shutdown (EXT4_IOC_SHUTDOWN without a flush of the log, as in the tests of the file systems themselves) drops everything
that was not written; the next mount replays the journal. The store grows from cut to cut, and the picks and releases of
all earlier rounds are judged again. Acknowledgements during the cut do not count: during a shutdown a sync may return
without an error although its blocks are not yet assigned to the file. With a power cut, no such sync returns.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

from server import Home, Refused, Server, remove
from truth import EVER, GONE, Agenda, Program, judge

SHUTDOWN, WITHOUT_A_FLUSH = 0x8004587D, 2


def run_tool(*command) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


class Disk:
    def __init__(self, at: Path):
        self.image, self.mount = at / "ext4.image", at / "ext4"
        self.mount.mkdir(exist_ok=True)

    def missing(self) -> str | None:
        """The reason why this machine cannot make such a disk."""
        if os.geteuid() != 0:
            return "only root may mount"
        if not shutil.which("mkfs.ext4"):
            return "there is no mkfs.ext4"
        with open(self.image, "wb") as file:
            file.truncate(96 << 20)
        try:
            run_tool("mkfs.ext4", "-q", "-F", self.image)
            self.attach()
            self.cut()
            self.detach()
        except (subprocess.CalledProcessError, OSError) as error:
            self.detach()
            return f"no ext4 can be mounted from an image and shut down here ({error})"
        return None

    def attach(self) -> None:
        run_tool("mount", "-o", "loop", self.image, self.mount)

    def cut(self) -> None:
        directory = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, SHUTDOWN, struct.pack("I", WITHOUT_A_FLUSH))
        finally:
            os.close(directory)

    def detach(self) -> None:
        subprocess.run(["umount", self.mount], capture_output=True)


def run(home: Home, count: int, seed: int, say=print) -> list[str]:
    disk = Disk(home.at)
    if why := disk.missing():
        say(f"cuts: skipped, {why}")
        return []
    lock, ticks = threading.Lock(), [0]

    def now() -> int:
        with lock:
            ticks[0] += 1
            return ticks[0]

    program, agendas, found = Program(now), [], []
    program.begin()
    acknowledged = late = 0
    try:
        for cut in range(count):
            dice = random.Random(seed + cut)
            disk.attach()
            server = Server(home, disk.mount / "data")
            try:
                server.start()
            except Refused as refused:
                return [*found, f"cut {cut}: it does not start: {refused}"]
            client = server.client()
            faults = judge(client, agendas, program, now()) if cut else []
            faults += filter(None, [program.settle(client), *(agenda.settle(client) for agenda in agendas)])
            agendas = [agenda for agenda in agendas if agenda.shown is not GONE]
            agendas = dice.sample(agendas, min(len(agendas), 30))
            new = [Agenda(now) for _ in range(2)]
            ends = threading.Event()

            def pick(agenda: Agenda, own: random.Random, server=server, ends=ends) -> None:
                client = server.client(f"127.0.4.{own.randrange(1, 250)}")
                if not agenda.key and agenda.create(client, own).status != 201:
                    return
                while not ends.is_set() and agenda.change(client, own).status in (200, 201, 204):
                    pass

            def publish(own: random.Random, server=server, ends=ends) -> None:
                client = server.client()
                while not ends.is_set() and program.publish(client, own).status == 201:
                    program.read(client, program.number)

            work = [threading.Thread(target=pick, args=(agenda, random.Random(dice.random())))
                    for agenda in new + agendas[:4]]  # fmt: skip
            if dice.random() < 0.5:
                work.append(threading.Thread(target=publish, args=(random.Random(dice.random()),)))
            for thread in work:
                thread.start()
            time.sleep(dice.uniform(0, 0.4))
            moment = now()
            disk.cut()
            ends.set()
            time.sleep(dice.choice([0, 0.05]))
            server.kill()
            for thread in work:
                thread.join()
            disk.detach()
            agendas += [agenda for agenda in new if agenda.key]
            for state in [*program.promises.states, *(s for agenda in agendas for s in agenda.promises.states)]:
                if moment < state.acknowledged < EVER:
                    state.acknowledged, late = EVER, late + 1
            program.served = {n: served for n, served in program.served.items() if served[1] < moment}
            acknowledged += sum(s.acknowledged < EVER for a in agendas for s in a.promises.states)
            found += [f"before cut {cut}: {fault}" for fault in faults[:3]]
        disk.attach()
        server = Server(home, disk.mount / "data").start()
        found += [f"after the last cut: {fault}" for fault in judge(server.client(), agendas, program, now())]
        server.kill()
    finally:
        disk.detach()
        remove(disk.image)
    say(f"{count} cuts of an ext4, release {program.number}, {acknowledged} acknowledged changes between them, {late} more while a cut ran")
    return found
