"""Failovers of the database to a streaming standby, with and without loss."""

import json
import os
import time

from .database import Database
from .history import sequences
from .replica import Replica

KIND = {"Content-Type": "application/json"}


def failover(verdict, directory, binary, program, secret, loses):
    what = "a failover that loses entries" if loses else "a failover to a synchronous standby"
    os.mkdir(directory)
    primary = Database(os.path.join(directory, "one"))
    standby = primary.standby(os.path.join(directory, "two"), synchronous=not loses)
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    make = lambda name, accepts: Replica(
        name, binary, os.path.join(directory, name), primary, program(1), secret[1], hosts, accepts
    )
    replica = make("replica", loses)
    try:
        if loses:
            cautious = make("cautious", False)
            cautious.start()
            ended = cautious.process.wait(20)
            verdict.check(ended == 78, f"{what}: without acknowledge_loss a replica does not start, exit code {ended}")
        replica.start()
        replica.wait_until_it_answers()
        create = lambda: json.loads(replica.request("POST", "/api/v1/agendas", KIND, '{"name": "n", "picks": []}')[2])
        publish = lambda release: replica.request(
            "PUT", "/organizer/program", {"Authorization": f"Bearer {secret[0]}", "Content-Type": "text/csv"}, program(release)
        )
        agenda = create()
        key = {"Authorization": f"Bearer {agenda['edit_key']}"}
        pick = lambda session: replica.request("PUT", f"/api/v1/agenda/picks/{session}", key)[0]
        publish(2)
        if loses:
            wait_for_the_standby(primary)
            standby.stop()
        acknowledged = [session for session in ("talk-1", "talk-2", "talk-3") if pick(session) < 300]
        publish(3)
        before = sequences(replica.request("GET", "/program.ics")[2])
        primary.stop()
        if loses:
            standby.start()
        started = time.monotonic()
        standby.promote()
        if loses:
            ended = replica.process.wait(30)
            verdict.check(ended == 1, f"{what}: the replica notices it and ends with exit code {ended}")
            replica.start()
            replica.wait_until_it_answers()
        status = None
        while time.monotonic() - started < 30 and status not in (200, 201, 204):
            try:
                status = pick("talk-8")
            except OSError:
                pass
            time.sleep(0.05)
        took = time.monotonic() - started
        verdict.check(status in (200, 201, 204) and (took < 10 or loses), f"{what}: writes work again after {took:.1f} s")
        picks = json.loads(replica.request("GET", "/api/v1/agenda", key)[2])["picks"]
        after = sequences(replica.request("GET", "/program.ics")[2])
        fallen = [uid for uid, sequence in after.items() if sequence < before.get(uid, 0)]
        verdict.check(not fallen, f"{what}: no SEQUENCE falls {fallen or ''}")
        if loses:
            verdict.check("talk-1" not in picks, f"{what}: the lost picks are gone, {picks} are left")
            verdict.check(replica.says("the database had lost entries"), f"{what}: the log says so")
        else:
            lost = [session for session in acknowledged if session not in picks]
            verdict.check(not lost, f"{what}: {len(acknowledged)} acknowledged picks, lost {len(lost)}")
    finally:
        replica.stop()
        primary.remove()
        standby.remove()


def wait_for_the_standby(primary):
    behind = "SELECT pg_current_wal_lsn() > replay_lsn FROM pg_stat_replication"
    while primary.query(behind) != "f":
        time.sleep(0.05)
