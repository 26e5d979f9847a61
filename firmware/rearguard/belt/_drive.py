"""How strongly a coin or cylinder motor (ERM) is driven, whatever board it hangs on.

A motor needs more to start than to keep turning, so a weak pulse begins with a kick at full duty. Pulses
shorter than the kick are felt at full strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from rearguard.belt import NEVER, BeltConfig


class DriveConfig(BeltConfig, frozen=True, kw_only=True):
    """What the `[belt]` table of any board of motors holds."""

    strength: Annotated[float, Meta(ge=0.3, le=1.0)] = 1.0  # duty of a full pulse; less spares battery and skin
    min_duty: Annotated[float, Meta(ge=0.0, le=0.9)] = 0.35  # below it a coin motor may stand still (assumed)
    kick_s: Annotated[float, Meta(ge=0.0, le=0.1)] = 0.04  # a coin motor takes 50 to 100 ms to full speed

    def duty(self, felt: float) -> float:
        """The electric duty for a felt strength of 0 to 1: 0, or enough to turn."""
        return max(self.min_duty, min(felt, 1.0) * self.strength) if felt > 0.0 else 0.0


class Drive:
    """Which motors turn, and since when."""

    def __init__(self, config: DriveConfig, count: int) -> None:
        """`count` motors, all at rest."""
        self._config = config
        self._duties = [0.0] * count  # as last asked for
        self._kick_until = [-NEVER] * count

    def duties(self, felt: Sequence[float], now_s: float) -> tuple[list[float], float]:
        """The electric duty of each motor now, and when to ask again with the same (inf: no need)."""
        config, again, found = self._config, NEVER, []
        for i, strength in enumerate(felt):
            duty = config.duty(strength)
            if duty and not self._duties[i]:
                self._kick_until[i] = now_s + config.kick_s
            self._duties[i] = duty
            if 0.0 < duty < 1.0 and now_s < self._kick_until[i]:
                duty, again = 1.0, min(again, self._kick_until[i])
            found.append(duty)
        return found, again
