"""Rows 30: small program files that are expensive to read. Measures the peaks of `callboard check` and of previews."""

import hashlib
import http.client
import shutil
import sys
import threading

from . import servers
from .machine import cpu_seconds, memory
from .table import Row

MIB = 2**20
SECRET = "an-organizers-secret-of-the-benchmark"
AT_ONCE = 4

SMOKE = ["10 million dashes", "no UTF-8 at all"]


def rows():
    return {row.number: row for row in [
        Row("30a", "check of any file of at most 20 MiB: peak resident memory", 256, unit=" MiB"),
        Row("30b", "the same: processor time", 3, unit=" s"),
        Row("30c", "check of a larger file, or of a pipe without an end: peak resident memory", 64, unit=" MiB"),
        Row("30d", "four previews at once of 20 MiB of 10 million lines `-`: peak resident memory", 700, unit=" MiB"),
        Row("30e", "the same: processor time", 12, unit=" s"),
        Row("30f", "four previews at once of a 20 MiB file of 50,000 sessions: peak resident memory", 700, unit=" MiB"),
    ]}


def measure(setting):
    sys.path.append(str(setting.program.parent / "tests" / "load"))
    import hostile_files  # noqa: PLC0415  the generator of tests/load

    found, costs = rows(), {}
    for name in SMOKE if setting.smoke else hostile_files.FILES:
        path = hostile_files.write(name, setting.work)
        for output in ("human", "json"):
            cost = hostile_files.check(setting.callboard, setting.config, str(path), output)
            if cost.status not in (0, 65):
                raise RuntimeError(f"check of {name} ended with {cost.status}")
            costs[f"{name}, {output}"] = cost
        path.unlink()
    for number, of in [("30a", lambda cost: cost.peak), ("30b", lambda cost: cost.cpu)]:
        worst = max(costs, key=lambda name: of(costs[name]))
        found[number].add(of(costs[worst]))
        found[number].note = f"the worst of {len(costs)}: {worst}"
    sparse = hostile_files.sparse(setting.work)
    large = {"3 GiB": hostile_files.check(setting.callboard, setting.config, str(sparse)),
             "/dev/zero": hostile_files.check(setting.callboard, setting.config, "/dev/zero")}
    sparse.unlink()
    worst = max(large, key=lambda name: large[name].peak)
    found["30c"].add(large[worst].peak)
    found["30c"].note = worst
    peak, cpu = previews(setting, hostile_files, "10 million dashes", 422)
    found["30d"].add(peak)
    found["30e"].add(cpu)
    peak, cpu = previews(setting, hostile_files, "valid rows of 20 MiB", 200)
    found["30f"].add(peak)
    found["30f"].note = f"{cpu:.1f} s of processor time"
    return list(found.values())


def previews(setting, hostile_files, name, expected):
    """Peak memory in MiB and CPU seconds of a server that gets four requests for a preview of a file at once."""
    work = setting.work / "previews"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    secrets, config = work / "organizer-secrets", work / "callboard.toml"
    secrets.write_text(f"bench sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}\n", encoding="utf-8")
    config.write_text(f'organizer_secret_file = "{secrets}"\n' + setting.config.read_text(encoding="utf-8"), encoding="utf-8")
    body = hostile_files.write(name, work).read_bytes()
    statuses = []
    with servers.callboard(setting.callboard, setting.program, config, work / "data", work) as server:
        def look():
            connection = http.client.HTTPConnection(servers.HOST, server.port, timeout=300)
            fields = {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/csv"}
            connection.request("POST", "/organizer/preview", body, fields)
            statuses.append(connection.getresponse().status)
            connection.close()

        servers.wait_until_idle(server)
        before = cpu_seconds(server.pid)
        threads = [threading.Thread(target=look) for _ in range(AT_ONCE)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        cost = memory(server.pid)[1] / MIB, cpu_seconds(server.pid) - before
    # A server that handles two uploads may refuse the others after 30 s.
    if expected not in statuses or not set(statuses) <= {expected, 503}:
        raise RuntimeError(f"previews of {name} were answered with {statuses}")
    return cost
