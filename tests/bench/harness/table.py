"""Rows of the table: the ratios of all rounds, their median and spread, and whether the median reaches the target."""

import statistics


class Row:
    """One line of the table. With `at_least` the target is a minimum. `unit` is for values that are no ratios."""

    def __init__(self, number, what, target, at_least=False, unit=""):
        self.number, self.what, self.target, self.at_least, self.unit = number, what, target, at_least, unit
        self.values, self.note = [], ""

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def verdict(self):
        if not self.values:
            return "not measured"
        reached = self.median >= self.target if self.at_least else self.median <= self.target
        return "reached" if reached else "MISSED"

    def cells(self):
        sign = ">=" if self.at_least else "<="
        target = f"{sign} {self.target:g}{self.unit}"
        if not self.values:
            return [self.number, self.what, "-", "-", target, self.verdict, self.note]
        spread = f"{min(self.values):.2f} to {max(self.values):.2f}" if len(self.values) > 1 else "one round"
        return [self.number, self.what, f"{self.median:.2f}{self.unit}", spread, target, self.verdict, self.note]


def show(rows, markdown=False):
    """The table as text."""
    head = ["#", "what", "median", "spread", "target", "verdict", "note"]
    lines = [[str(cell) for cell in row.cells()] for row in rows]
    if markdown:
        out = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        return "\n".join(out + ["| " + " | ".join(cells) + " |" for cells in lines])
    widths = [max(len(cells[place]) for cells in [head, *lines]) for place in range(len(head))]
    pad = lambda cells: "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()
    return "\n".join(map(pad, [head, *lines]))
