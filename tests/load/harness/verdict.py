"""The checks of a run and their results."""


class Verdict:
    def __init__(self, strict: bool):
        self.strict = strict
        self.passed = 0
        self.failed = []

    def holds(self, what: str, is_so: bool) -> None:
        print(f"  {'ok    ' if is_so else 'FAILED'} {what}", flush=True)
        if is_so:
            self.passed += 1
        else:
            self.failed.append(what)

    def figure(self, what: str, is_so: bool) -> None:
        """Checks a figure that depends on the machine: asserted in the long form, only printed in the short one."""
        if self.strict:
            self.holds(what, is_so)
        else:
            print(f"  {'met   ' if is_so else 'missed'} {what}", flush=True)

    def close(self) -> int:
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        return 1 if self.failed else 0
