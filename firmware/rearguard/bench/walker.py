"""A person who walks backward and obeys the belt."""

from __future__ import annotations

from collections.abc import Sequence

REACT_S = 0.75  # from the first pulse to the first change of pace, as the default profile assumes
BRAKE_MPS2, START_MPS2 = 1.5, 0.8  # braking as the default profile assumes; setting off is gentler (assumed)
CAREFUL = 0.6  # of the usual pace, while a single motor pulses fast
QUIET_S = 1.5  # without a pulse before walking on
FREE_M = 2.0  # and with this much room: whoever was told to stop looks back before walking on
FAST_S = 0.5  # pulses of one motor nearer together than this mean: slow down


class Walker:
    """Position along the way, and what the belt has made of the pace."""

    def __init__(self, pace_mps: float) -> None:
        self.y_m, self.speed_mps = 0.0, 0.0
        self.going = False  # set off, when ready is felt
        self._pace_mps = pace_mps
        self._heed: list[tuple[float, float]] = []  # (from when, pace), as decided
        self._aim_mps = pace_mps
        self._felt_s = float("-inf")
        self._pulse_s = float("-inf")
        self._lit: tuple[bool, ...] = ()

    def feel(self, duties: Sequence[float], t_s: float) -> None:
        """Notice the motors as they are at `t_s`."""
        lit = tuple(duty > 0.0 for duty in duties)
        if any(lit):
            self._felt_s = t_s
        if lit != self._lit and any(lit):
            if all(lit):
                self._heed.append((t_s + REACT_S, 0.0))
            elif t_s - self._pulse_s < FAST_S:
                self._heed.append((t_s + REACT_S, CAREFUL * self._pace_mps))
            self._pulse_s = t_s
        self._lit = lit

    def move(self, t_s: float, dt_s: float, free_m: float) -> None:
        """Walk on for `dt_s`; `free_m` is what a look over the shoulder shows, after a halt."""
        while self._heed and self._heed[0][0] <= t_s:
            self._aim_mps = min(self._aim_mps, self._heed.pop(0)[1])
        if t_s - self._felt_s > QUIET_S and not self._heed and (self.speed_mps > 0.0 or free_m > FREE_M):
            self._aim_mps = self._pace_mps
        aim = self._aim_mps if self.going else 0.0
        if self.speed_mps > aim:
            self.speed_mps = max(aim, self.speed_mps - BRAKE_MPS2 * dt_s)
        else:
            self.speed_mps = min(aim, self.speed_mps + START_MPS2 * dt_s)
        self.y_m += self.speed_mps * dt_s
