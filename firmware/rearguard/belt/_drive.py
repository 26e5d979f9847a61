"""How strongly a coin or cylinder motor (ERM) is driven, and when it may start, whatever board it hangs on.

A motor needs more to start than to keep turning, so a weak pulse begins with a kick at full duty. Pulses
shorter than the kick are felt at full strength.

A rotor at rest draws its stall current, about twice the current at speed (assumed): eight that start at once dip a
power bank or a regulator, and a dip resets boards. So in any 10 ms no more than N motors begin to turn, N being
`start_together` or a third of the belt, whichever is more: the last motor of a STOP starts 20 ms after the first.

      0        10        20 ms      eight motors, N = 3: from the middle of the belt outward
    |###......|###......|##......
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from msgspec import Meta

from rearguard.belt import NEVER, BeltConfig
from rearguard.errors import DeviceLostError

STAGGER_S = 0.010  # a window of starts; three windows reach a whole belt
ROUNDING_S = 1e-6  # of sums of clock times; far less than a window
COAST_S = STAGGER_S  # a motor off for less has not come to rest (it takes 50 ms and more; assumed): that is no start


class DriveConfig(BeltConfig, frozen=True, kw_only=True):
    """What the `[belt]` table of any board of motors holds."""

    strength: Annotated[float, Meta(ge=0.3, le=1.0)] = 1.0  # duty of a full pulse; less spares battery and skin
    min_duty: Annotated[float, Meta(ge=0.0, le=0.9)] = 0.35  # below it a coin motor may stand still (assumed)
    kick_s: Annotated[float, Meta(ge=0.0, le=0.1)] = 0.04  # a coin motor takes 50 to 100 ms to full speed
    start_together: Annotated[int, Meta(ge=1, le=16)] = 3  # in 10 ms: three stalled rotors draw 0.5 A (assumed)

    def duty(self, felt: float) -> float:
        """The electric duty for a felt strength of 0 to 1: 0, or enough to turn."""
        return max(self.min_duty, min(felt, 1.0) * self.strength) if felt > 0.0 else 0.0


class Drive:
    """Which motors turn, since when, and which wait for their turn to start."""

    def __init__(self, config: DriveConfig, count: int) -> None:
        """`count` motors, all at rest."""
        self._config = config
        self._together = max(config.start_together, -(-count // 3))
        middle = (count - 1) / 2
        # what one backs into is most often straight behind, so the middle of the belt is felt first
        self._order = sorted(range(count), key=lambda i: abs(i - middle))
        self._turning = [False] * count
        self._asked_s: list[float | None] = [None] * count  # since when it waits to start
        self._off_s = [-NEVER] * count  # when it was last cut
        self._kick_until = [-NEVER] * count
        self._slots: list[float] = []  # when each start of the last 10 ms makes room for another
        self.free_s = NEVER  # when one of those that wait may start; inf: none waits
        self._kicked_s = NEVER  # when the first of the kicks ends; inf: there is none
        self._halted: set[int] = set()  # whose boards have let them come to rest in this pass

    def duties(self, felt: Sequence[float], now_s: float) -> tuple[list[float], float]:
        """The electric duty of each motor now, and when to ask again with the same (inf: no need).

        Of those that wait, who was asked for first starts first; who is no longer asked for does not start.
        """
        duties = [self._config.duty(strength) for strength in felt]
        self._slots = [slot for slot in self._slots if slot > now_s]
        waiting = []
        for i in self._order:
            if not duties[i]:
                self._off_s[i] = now_s if self._turning[i] else self._off_s[i]
                self._turning[i], self._asked_s[i] = False, None
            elif not self._turning[i]:
                if self._asked_s[i] is None:
                    self._asked_s[i] = now_s
                waiting.append(i)
        waiting.sort(key=lambda i: self._asked_s[i] or 0.0)
        self.free_s = NEVER
        for i in waiting:
            if now_s < self._off_s[i] + COAST_S:
                self._start(i, now_s)
            elif len(self._slots) < self._together:
                self._slots.append(now_s + STAGGER_S)
                self._start(i, now_s)
            else:
                self.free_s, duties[i] = self._slots[0], 0.0
        self._kicked_s = NEVER
        for i, duty in enumerate(duties):
            if 0.0 < duty < 1.0 and now_s < self._kick_until[i]:
                duties[i], self._kicked_s = 1.0, min(self._kicked_s, self._kick_until[i])
        return duties, min(self.free_s, self._kicked_s)

    def put(
        self,
        felt: Sequence[float],
        now_s: float,
        one: Callable[[int, float], None],
        sleep: Callable[[float], None],
    ) -> float:
        """As `duties`, and hand each motor its duty, `one(index, duty)`; returns when to ask again.

        Where one fails, it waits here, up to 20 ms, until each of the others has started: a motor whose board resets
        as it starts waits anew, behind all others, so three passes reach everyone, and there is no fourth.
        Raises DeviceLostError, of the first that failed, when every other motor has been driven; its `again_s` is for
        kicks of the others. Who failed has to wait until its caller writes anyway.
        """
        end_s = now_s + 2 * STAGGER_S + ROUNDING_S
        failed: dict[int, DeviceLostError] = {}
        while True:
            self._halted.clear()
            duties, again = self.duties(felt, now_s)
            driven = False
            for i, duty in enumerate(duties):
                try:
                    one(i, duty)  # always: the watchdog is fed on proof that it can be
                    driven = True
                except DeviceLostError as error:
                    failed.setdefault(i, error)
                except Exception as error:  # each pin factory has its own family of errors
                    failed.setdefault(i, DeviceLostError(f"belt: motor {i + 1} cannot be driven: {error}"))
            if not failed:
                return min(again, now_s + STAGGER_S) if self._halted else again
            if not driven or self.free_s > end_s:  # nobody waits: inf
                first = next(iter(failed.values()))
                first.partly = len(failed) < len(duties)
                first.again_s = min(self._kicked_s, now_s + STAGGER_S if self._halted - failed.keys() else NEVER)
                raise first
            sleep(self.free_s - now_s)
            now_s = self.free_s

    def stopped(self, i: int) -> None:
        """Its board has let motor `i` come to rest: it starts again in its turn, when it is asked for."""
        self._turning[i], self._off_s[i] = False, -NEVER
        self._halted.add(i)

    def _start(self, i: int, now_s: float) -> None:
        self._turning[i], self._asked_s[i] = True, None
        self._kick_until[i] = now_s + self._config.kick_s
