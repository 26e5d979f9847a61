"""What a second sensor can be used for instead of seeing more: two that must agree before STOP is felt."""

from __future__ import annotations

import msgspec

from rearguard.bench.walking.quick import NOTHING, Felt, Rearguard
from rearguard.config import Config
from rearguard.core.reading import Input, Reading, Scan
from rearguard.core.threat import CLEAR, Level, Profile


class Agreement:
    """A guard for each sensor. What is felt is the least that any of them says: one false echo cannot raise it.

    The price is that what only one of them sees is not felt at all, so this is no fit for a belt; the bench has it to
    show what nearest-wins costs.
    """

    def __init__(self, config: Config, profile: Profile) -> None:
        parts = config.sensors.items()
        alone = {name: msgspec.structs.replace(config, sensors={name: part}) for name, part in parts}
        self._guards = {name: Rearguard(config, profile) for name, config in alone.items()}
        self._levels: dict[str, Level] = dict.fromkeys(self._guards, CLEAR)
        self._felt = CLEAR
        self.wake_s = 0.0

    def take(self, inputs: tuple[Input, ...], now_s: float) -> Felt | None:
        closing = None
        for name, guard in self._guards.items():
            own = tuple(i for i in inputs if isinstance(i, Reading | Scan) and i.sensor == name)
            if not own and guard.wake_s > now_s:
                continue
            felt = guard.take(own, now_s)
            if felt is not None:
                self._levels[name] = felt.level
                closing = felt.closing_mps
        self.wake_s = min(guard.wake_s for guard in self._guards.values())
        level = min(self._levels.values())
        if level is self._felt:
            return None
        self._felt = level
        return Felt(now_s, level, NOTHING, closing)
