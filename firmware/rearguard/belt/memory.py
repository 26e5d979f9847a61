"""A belt of nothing but memory: keeps what would have been felt, for tests and for trying a configuration."""

from __future__ import annotations

from collections.abc import Sequence

from rearguard.belt import NEVER, BeltConfig, Motor
from rearguard.errors import DeviceLostError
from rearguard.host import Host


class Config(BeltConfig, frozen=True, kw_only=True):
    """`[belt]` with `driver = "memory"`."""

    motor: dict[str, Motor]

    def motors(self) -> list[tuple[str, Motor]]:
        return sorted(self.motor.items(), key=lambda item: item[1].bearing_deg)


class Belt:
    """Records (time, duties) whenever the duties change."""

    def __init__(self, config: Config, host: Host) -> None:
        self._count = len(config.motor)
        self._open = False
        self.written: list[tuple[float, tuple[float, ...]]] = []

    def open(self) -> None:
        self.close()
        self._open = True

    def write(self, duties: Sequence[float], now_s: float) -> float:
        if not self._open or len(duties) != self._count:
            raise DeviceLostError("belt is closed, or was given duties for other motors than it has")
        if not self.written or self.written[-1][1] != tuple(duties):
            self.written.append((now_s, tuple(duties)))
        return NEVER

    def close(self) -> None:
        if self._open:
            self._open = False
            self.written.append((self.written[-1][0] if self.written else 0.0, (0.0,) * self._count))
