"""Rows 20 to 23: CPU of work that grows with the sessions: a crowded hour, an agenda with gaps, a feed with an option,
a suggestion for many picks."""

import json
import shutil

from . import servers
from .machine import cpu_seconds
from .programs import Program
from .servers import wait_until_idle
from .table import Row

PICKS = 250
SUGGESTED = 500


def rows():
    return {row.number: row for row in [
        Row("20", "start with 32,000 sessions in one hour / with 8,000: CPU", 5),
        Row("21", "/schedule.json of 32,000 sessions in one hour / of 8,000: CPU", 5),
        Row("22", "GET /agenda with 250 picks at 50,000 sessions: CPU", 50, unit=" ms"),
        Row("22b", "GET /program.ics?alarm=… at 50,000 sessions, joined for each request: CPU", 50, unit=" ms"),
        Row("23a", "a suggestion for 500 picks of different talks", 5, unit=" ms"),
        Row("23b", "a suggestion for 500 picks, a tenth of them repeats", 20, unit=" ms"),
    ]}


def lay(work, name, program):
    folder = work / name
    folder.mkdir()
    program.write(folder / "program.csv")
    program.config(folder / "callboard.toml")
    return folder


def start(setting, folder):
    shutil.rmtree(folder / "data", ignore_errors=True)
    return servers.callboard(setting.callboard, folder / "program.csv", folder / "callboard.toml", folder / "data",
                             folder)


def spent(server, action):
    """CPU seconds of the server during an action, including its background work; and the action's result."""
    before = cpu_seconds(server.pid)
    result = action()
    return cpu_seconds(server.pid) - before, result


def schedule(server):
    status, _, body = server.ask("/schedule.json")
    assert status == 200, f"/schedule.json is {status}"
    return body


def agenda(server, ids):
    """Creates an agenda with these picks and returns its edit key."""
    body = json.dumps({"picks": ids}).encode()
    connection = servers.http.client.HTTPConnection(servers.HOST, server.port, timeout=60)
    try:
        connection.request("POST", "/api/v1/agendas", body, {"Host": "localhost", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 201, f"{answer.status}: {text[:200]}"
        return json.loads(text)["edit_key"]
    finally:
        connection.close()


def measure(setting):
    found, work = rows(), setting.work / "crowds"
    work.mkdir()
    few, many = (lay(work, name, Program(setting.program, sessions).crowd())
                 for name, sessions in zip(("few", "many"), setting.crowd))
    large = Program(setting.program, setting.sessions)
    folder = lay(work, "large", large)
    # Every other half-hour, so that a gap lies between any two picks of a day.
    step = 2 * large.tracks
    ids = [row[0] for row in large.rows[::step]][:PICKS]
    for _ in range(setting.long_rounds):
        suggested = setting.tool("suggest", str(SUGGESTED), "3" if setting.smoke else "50")
        for number, name in (("23a", "plain"), ("23b", "repeats")):
            one = suggested[name]
            found[number].add(one["ms"])
            found[number].note = f"{one['chosen']} chosen, {'exact' if one['exact'] else 'limit of branches reached'}"
        with start(setting, few) as server:
            wait_until_idle(server)
            small = cpu_seconds(server.pid)
            made_small, _ = spent(server, lambda server=server: schedule(server))
        with start(setting, many) as server:
            wait_until_idle(server)
            crowded = cpu_seconds(server.pid)
            made, body = spent(server, lambda server=server: schedule(server))
        found["20"].add(crowded / small)
        found["20"].note = f"{crowded:.2f} s / {small:.2f} s"
        found["21"].add(made / max(made_small, 0.01))
        found["21"].note = f"{made:.2f} s / {made_small:.2f} s, {len(body) / 2**20:.1f} MiB"
        with start(setting, folder) as server:
            wait_until_idle(server)
            cookie = {"Cookie": f"__Host-agenda={agenda(server, ids)}"}
            server.ask("/agenda", cookie)
            times = 20

            def ask(server=server, cookie=cookie):
                for _ in range(times):
                    status, _, body = server.ask("/agenda", cookie)
                    assert status == 200 and body.count(b'class="unpick"') == len(ids), status
                return body

            cpu, body = spent(server, ask)
            found["22"].add(cpu / times * 1e3)
            found["22"].note = f"{len(body) / 1024:.0f} KiB, {len(ids)} picks"

            def join(server=server):
                for minutes in range(1, times + 1):
                    status, _, body = server.ask(f"/program.ics?alarm={minutes}m", {"Accept-Encoding": "gzip"})
                    assert status == 200 and len(body) > 0, status
                return body

            cpu, body = spent(server, join)
            found["22b"].add(cpu / times * 1e3)
            found["22b"].note = f"{len(body) / 2**20:.1f} MiB"
    return list(found.values())
