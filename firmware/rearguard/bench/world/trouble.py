"""What goes wrong with a sensor, or with the guard itself, in the middle of a walk."""

from __future__ import annotations

from collections.abc import Sequence
from math import sin
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from rearguard.core.reading import INVALID, LOST, NO_DATA, OK, Reading, Scan, measured

Plan: TypeAlias = list[tuple[float, Reading | Scan]]
SHIRT_M = 0.04  # a shirt over the sensor hangs this far before it (assumed)
BREATH_M, BREATH_RADPS = 0.005, 2.0  # and moves, with breath and step (assumed)


class Trouble(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[trouble]]` of a scenario."""

    is_: Literal["silent", "frozen", "corrupt", "covered", "unplugged", "hang"] = msgspec.field(name="is")
    sensor: str = ""  # none: every one
    from_s: Annotated[float, Meta(ge=0.0)] = 0.0
    until_s: float = float("inf")

    def over(self, t_s: float) -> bool:
        """Whether it lasts at `t_s`."""
        return self.from_s <= t_s < self.until_s


class Troubled:
    """The troubles of one sensor."""

    def __init__(self, troubles: Sequence[Trouble], pulsed: bool) -> None:
        """A pulsed sensor's driver says that no answer came; a talking one is just not heard."""
        self._troubles, self._pulsed = troubles, pulsed
        self._last: dict[float, Reading | Scan] = {}  # what each was when it froze

    def suffered(self, plan: Plan) -> Plan:
        """What is left of these readings."""
        if not self._troubles:
            return plan
        found: Plan = []
        for begun, item in plan:
            now: Reading | Scan | None = item
            for trouble in self._troubles:
                if now is not None and trouble.over(item.t_s):
                    now = self._hit(now, trouble)
                elif item.t_s < trouble.from_s and (isinstance(item, Scan) or item.status is OK):
                    self._last[trouble.from_s] = item
            if now is not None:
                found.append((begun, now))
        return found

    def _hit(self, item: Reading | Scan, trouble: Trouble) -> Reading | Scan | None:
        name, t = item.sensor, item.t_s
        if trouble.is_ == "unplugged" and not self._pulsed:
            return Reading(name, t, LOST)
        if trouble.is_ in ("silent", "unplugged"):  # nobody can tell whether a pulsed sensor is there
            return Reading(name, t, NO_DATA) if self._pulsed else None
        if trouble.is_ == "corrupt":
            return Reading(name, t, INVALID)
        if trouble.is_ == "covered":
            return _shirt(item)
        if trouble.is_ == "frozen":
            return self._last.get(trouble.from_s, item)._replace(t_s=t)
        return item


def _shirt(item: Reading | Scan) -> Reading | Scan:
    """It breathes a little."""
    near_m = SHIRT_M + BREATH_M * sin(BREATH_RADPS * item.t_s)
    if isinstance(item, Scan):
        return item._replace(ranges_m=tuple(near_m + 1e-3 * (i % 3) for i in range(len(item.ranges_m))))
    return measured(item.sensor, item.t_s, near_m)
