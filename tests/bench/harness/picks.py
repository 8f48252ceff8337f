"""Rows 14, 14b and 16 to 19: a million agendas, and picks that are on disk when they are acknowledged."""

import shutil

from . import servers
from .load import Target, load
from .machine import memory
from .table import Row

MIB = 2**20
# The record of an agenda of ten picks and its key.
RECORD_BYTES = 400


def rows():
    return {row.number: row for row in [
        Row("14", "start with a million agendas / opening and scanning sled alone", 1.2),
        Row("14b", "ready with a million agendas, every record verified, on every core", 3, unit=" s"),
        Row("16a", "resident memory with a million agendas, after start", 250, unit=" MiB"),
        Row("16b", "the same after 200,000 agenda feeds", 300, unit=" MiB"),
        Row("17", "picks/s of one client / fdatasync appends", 0.8, at_least=True),
        Row("18", "picks/s of 64 clients / of one", 8, at_least=True),
        Row("19", "p99 of a pick with 64 clients / p99 of one fdatasync", 6),
    ]}


def million(setting, found):
    work = setting.work / "million"
    work.mkdir()
    data, tokens = work / "data", work / "tokens"

    def start(**options):
        return servers.callboard(setting.callboard, setting.program, setting.config, data, work, **options)

    def ready():
        with start(core=None) as server:
            return server.started

    start().stop()
    setting.say(f"writing {setting.million} agendas: "
                f"{setting.tool('agendas', data, 'srecon25americas', setting.million, tokens)}")
    paths = work / "paths"
    paths.write_text("".join(f"/agendas/{token}.ics\t-\n" for token in tokens.read_text().split()))
    # The first opening after the writes takes longer, because sled reads its whole log once.
    found["14b"].note = f"the first start after they were written: {ready():.2f} s"
    for _ in range(setting.long_rounds):
        found["14b"].add(ready())
        scan = setting.tool("scan", data)
        with start() as server:
            found["14"].add(server.started / scan["scanned"]["wall_s"])
            found["14"].note = f"{server.started:.2f} s / {scan['scanned']['wall_s']:.2f} s"
            found["16a"].add(memory(server.pid)[0] / MIB)
            asked = 0
            while asked < setting.agenda_feeds:
                asked += load(Target(server, paths=paths), setting.seconds)["requests"]
            found["16b"].add(memory(server.pid)[0] / MIB)
            found["16b"].note = f"{asked} feeds"
    if setting.million < 1_000_000:
        for number in ["14", "14b", "16a", "16b"]:
            found[number].note += f", {setting.million} agendas only"


def clients(setting, found):
    work = setting.work / "picks"
    work.mkdir()
    with servers.callboard(setting.callboard, setting.program, setting.config, work / "data", work) as server:
        address = f"127.0.0.1:{server.port}"
        for _ in range(setting.rounds):
            appends = setting.tool("appends", work / "appends", RECORD_BYTES, setting.seconds)
            one = setting.tool("picks", address, 1, setting.seconds)
            many = setting.tool("picks", address, 64, setting.seconds)
            again = setting.tool("appends", work / "appends", RECORD_BYTES, setting.seconds)
            # The disk is shared, so its speed is measured before and after.
            rate, p99 = (appends["rate"] + again["rate"]) / 2, (appends["p99_s"] + again["p99_s"]) / 2
            found["17"].add(one["rate"] / rate)
            found["17"].note = f"{one['rate']:.0f}/s / {rate:.0f}/s"
            found["18"].add(many["rate"] / one["rate"])
            found["18"].note = f"{many['rate']:.0f}/s"
            found["19"].add(many["p99_s"] / p99)
            found["19"].note = f"{many['p99_s'] * 1e3:.1f} ms / {p99 * 1e3:.1f} ms"
            setting.say(f"appends {rate:.0f}/s, one client {one['rate']:.0f}/s, 64 clients {many['rate']:.0f}/s")


def measure(setting):
    found = rows()
    clients(setting, found)
    million(setting, found)
    shutil.rmtree(setting.work / "million", ignore_errors=True)
    return list(found.values())
