"""What tests of the bench share: scenarios made in place, and keys that are pressed at their time."""

from __future__ import annotations

from typing import Any

import msgspec

from rearguard.bench.world.scenario import Scenario

CALM_AIR = {"false_echoes": "none", "missed_share": 0.0}


def made(**tables: Any) -> Scenario:
    """A scenario from its tables."""
    return msgspec.convert({"title": "A test", "says": "Nothing.", **tables}, Scenario)


def wall(y_m: float, **more: Any) -> dict[str, Any]:
    """A `[[wall]]` across the way."""
    return {"from": [-3.0, y_m], "to": [3.0, y_m], **more}


class FakeKeys:
    """Keys that are pressed at their times, and the clock that passes while somebody waits for one."""

    there = True

    def __init__(self, *pressed: tuple[float, str]) -> None:
        self._pressed = list(pressed)
        self.now_s = 100.0
        self._began_s = self.now_s

    def now(self) -> float:
        return self.now_s

    def passed(self) -> float:
        return self.now_s - self._began_s

    def get(self, timeout_s: float) -> str | None:
        until = self.now_s + timeout_s
        if self._pressed and self._began_s + self._pressed[0][0] <= until:
            at, key = self._pressed.pop(0)
            self.now_s = max(self.now_s, self._began_s + at)
            return key
        assert timeout_s < 1000.0, "nobody will press a key any more"
        self.now_s = until
        return None
