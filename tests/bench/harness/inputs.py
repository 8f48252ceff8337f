"""Program files that weigh little and cost much: what `callboard check` of them takes at most."""

import sys

from .table import Row

SMOKE = ["10 million dashes", "no UTF-8 at all"]


def rows():
    return {row.number: row for row in [
        Row("30a", "check of any file of at most 20 MiB: peak resident memory", 256, unit=" MiB"),
        Row("30b", "the same: processor time", 3, unit=" s"),
        Row("30c", "check of a larger file, or of a pipe without an end: peak resident memory", 64, unit=" MiB"),
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
    return list(found.values())
