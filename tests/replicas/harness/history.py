"""Clients that record their requests and the answers, and the check of these histories."""

import json
import random
import re
import threading
import time

EVENT = re.compile(rb"BEGIN:VEVENT\r\n(.*?)END:VEVENT", re.S)


def sequences(feed):
    """The SEQUENCE of each UID."""
    unfolded = feed.replace(b"\r\n ", b"")
    found = {}
    for event in EVENT.findall(unfolded):
        lines = dict(line.split(b":", 1) for line in event.split(b"\r\n") if b":" in line)
        found[lines[b"UID"]] = int(lines.get(b"SEQUENCE", b"0"))
    return found


class Client(threading.Thread):
    """One person with one agenda, who picks and unpicks through random replicas."""

    def __init__(self, replicas, sessions, seed, stop):
        super().__init__(daemon=True)
        self.replicas, self.sessions, self.stop = replicas, sessions, stop
        self.random = random.Random(seed)
        self.key = self.feed = None
        self.position = "0"
        # For each session, the values that the agenda may have. An operation without an answer may have happened, or happen
        # until a later operation is acknowledged: each acknowledged one has its own entry in the log.
        self.possible = {session: {False} for session in sessions}
        self.acknowledged = self.unknown = 0
        self.faults = []

    def headers(self):
        return {"Authorization": f"Bearer {self.key}", "Callboard-Position": self.position}

    def run(self):
        while not self.stop.is_set():
            try:
                if self.key is None:
                    self.create()
                elif self.random.random() < 0.6:
                    self.write()
                else:
                    self.read()
            except Exception as error:  # a thread's exception would be lost
                self.faults.append(f"the client failed: {error!r}")
                return
            time.sleep(0.005)

    def create(self):
        replica = self.random.choice(self.replicas)
        body = json.dumps({"name": "one", "picks": []})
        try:
            status, headers, answer = replica.request(
                "POST", "/api/v1/agendas", {"Content-Type": "application/json"}, body
            )
        except OSError:
            return
        if status == 201:
            agenda = json.loads(answer)
            self.key, self.position = agenda["edit_key"], headers["Callboard-Position"]
            self.feed = "/agendas/" + agenda["read_links"][0]["feed"].rsplit("/", 1)[1]

    def write(self):
        session, is_picked = self.random.choice(self.sessions), self.random.random() < 0.6
        replica = self.random.choice(self.replicas)
        try:
            method = "PUT" if is_picked else "DELETE"
            status, headers, answer = replica.request(method, f"/api/v1/agenda/picks/{session}", self.headers())
        except OSError:
            status = None
        if status in (200, 201, 204):
            self.acknowledged += 1
            self.possible[session] = {is_picked}
            self.position = headers["Callboard-Position"]
        elif status is None or status >= 500:
            self.unknown += 1
            self.possible[session] = self.possible[session] | {is_picked}
        elif status not in (404, 409, 429):
            self.faults.append(f"{method} {session}: {status} {answer[:200]}")
        elif status == 404:
            # Only a replica that is behind may not know the session or the agenda; with a position it is not.
            self.faults.append(f"{method} {session} on {replica.name}: 404 {answer[:200]}")

    def read(self):
        """A client that brings its position sees its own writes, on any replica whose database can be reached."""
        replica = self.random.choice(self.replicas)
        try:
            status, _, answer = replica.request("GET", "/api/v1/agenda", self.headers())
        except OSError:
            return
        if status == 200 and not self.faulty.is_set():
            self.compare(json.loads(answer)["picks"], replica.name)

    faulty = threading.Event()

    def compare(self, picks, where):
        for session in self.sessions:
            if (session in picks) not in self.possible[session]:
                self.faults.append(f"{session} is {'' if session in picks else 'not '}picked on {where}")


class Poller(threading.Thread):
    """A calendar that polls the program on one replica: no SEQUENCE may ever fall."""

    def __init__(self, replica, stop):
        super().__init__(daemon=True)
        self.replica, self.stop, self.highest = replica, stop, {}
        self.answered = self.failed = 0
        self.faults = []

    def run(self):
        while not self.stop.is_set():
            try:
                status, _, feed = self.replica.request("GET", "/program.ics", timeout=5)
            except OSError:
                self.failed += 1
                time.sleep(0.05)
                continue
            self.answered += 1
            if status == 200:
                for uid, sequence in sequences(feed).items():
                    if sequence < self.highest.get(uid, 0):
                        self.faults.append(f"{uid}: SEQUENCE fell to {sequence} on {self.replica.name}")
                    self.highest[uid] = max(sequence, self.highest.get(uid, 0))
            time.sleep(0.03)
