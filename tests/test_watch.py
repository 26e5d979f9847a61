"""A bus of sensors that take turns: order, pacing, and the end."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contract.rigs import Bench
from rearguard.core.reading import Reading, Status
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Clock
from rearguard.watch import READ_S, BusThread

TURN_S = 0.06
NAMES = ("left", "rear", "right")


class Talker:
    """A driver that answers at once, or as told, and remembers what was done to it."""

    def __init__(self, name: str, clock: Clock, takes_s: float = 0.0) -> None:
        self.name, self._clock, self._takes_s = name, clock, takes_s
        self.log: list[str] = []
        self.deadlines: list[float] = []
        self.reads: list[float] = []
        self.answer: Any = None

    def open(self) -> None:
        self.log.append("open")

    def read(self, deadline_s: float) -> list[Reading]:
        self.reads.append(self._clock.now())
        self.deadlines.append(deadline_s)
        self._clock.sleep(self._takes_s)
        if self.answer:
            return self.answer()
        return [Reading(self.name, self._clock.now(), Status.CLEAR)]

    def close(self) -> None:
        self.log.append("close")


def bus_of(bench: Bench, talkers: list[Talker], turn_s: float = TURN_S) -> tuple[BusThread, list[Any]]:
    inbox: list[Any] = []
    return BusThread("air", [(t.name, t, turn_s) for t in talkers], inbox.append, bench.clock), inbox


def starts(talkers: list[Talker]) -> list[tuple[float, str]]:
    """Who began to read when."""
    return sorted((t_s, talker.name) for talker in talkers for t_s in talker.reads)


def test_ultrasonics_ping_in_turn_and_none_before_the_air_is_quiet(bench: Bench) -> None:
    rigs = [bench.rig("hcsr04", name) for name in NAMES]
    for rig in rigs:
        rig.view = lambda _: 1.0
    bus, inbox = bench.bus(*rigs)
    bench.run(bus, 3.0)
    pings = sorted((t_s, rig.name) for rig in rigs for t_s in rig.pings)
    assert len(pings) > 40
    assert [name for _, name in pings] == [NAMES[i % 3] for i in range(len(pings))]
    assert min(after - before for (before, _), (after, _) in pairwise(pings)) >= TURN_S - 1e-9
    assert {item.status for item in inbox} == {Status.OK}


@pytest.mark.parametrize("no_echo_s", [0.030, 0.058])
def test_ultrasonics_that_hear_nothing_keep_to_the_same_turns(no_echo_s: float, bench: Bench) -> None:
    rigs = [bench.rig("hcsr04", name) for name in NAMES]
    for rig in rigs:
        rig.emulator.no_echo_s = no_echo_s
    bus, _ = bench.bus(*rigs)
    bench.run(bus, 2.0)
    for rig in rigs:
        assert max(after - before for before, after in pairwise(rig.pings)) <= 3 * TURN_S + 0.005


def test_a_turn_begins_when_the_one_before_is_over_however_short_its_read(bench: Bench) -> None:
    talkers = [Talker(name, bench.clock, takes_s) for name, takes_s in zip(NAMES, (0.0, 0.02, 0.059), strict=True)]
    bus, _ = bus_of(bench, talkers)
    bench.run(bus, 2.0)
    gaps = [after - before for (before, _), (after, _) in pairwise(starts(talkers))]
    assert gaps == pytest.approx([TURN_S] * len(gaps))


def test_a_read_that_takes_longer_than_its_turn_is_followed_at_once(bench: Bench) -> None:
    talkers = [Talker("left", bench.clock, 0.1), Talker("right", bench.clock)]
    bus, _ = bus_of(bench, talkers)
    bench.run(bus, 2.0)
    gaps = [round(after - before, 6) for (before, _), (after, _) in pairwise(starts(talkers))]
    assert set(gaps[0::2]) == {0.1}
    assert set(gaps[1::2]) == {TURN_S}


def test_a_lost_sensor_leaves_its_turn_to_the_others(bench: Bench) -> None:
    talkers = [Talker(name, bench.clock) for name in NAMES]
    bus, inbox = bus_of(bench, talkers)
    talkers[1].answer = lambda: (_ for _ in ()).throw(DeviceLostError("gone"))
    bench.run(bus, 5.0)
    others = starts([talkers[0], talkers[2]])
    assert {name for _, name in others[:2]} == {"left", "right"}
    assert min(after - before for (before, _), (after, _) in pairwise(others)) >= TURN_S - 1e-9
    assert max(after - before for before, after in pairwise(talkers[0].reads)) <= 3 * TURN_S + 1e-9
    assert {item.sensor for item in inbox if item.status is Status.LOST} == {"rear"}


def test_a_sensor_that_talks_by_itself_has_no_turn_to_wait_for(bench: Bench) -> None:
    talker = Talker("rear", bench.clock, 0.01)
    bus, _ = bus_of(bench, [talker], turn_s=0.0)
    bench.run(bus, 1.0)
    assert len(talker.reads) == pytest.approx(100, abs=1)


def test_a_read_may_wait_a_quarter_of_a_second_and_is_opened_once(bench: Bench) -> None:
    talker = Talker("rear", bench.clock, 0.2)
    bus, _ = bus_of(bench, [talker], turn_s=0.0)
    bench.run(bus, 2.0)
    waits = [deadline - start for deadline, start in zip(talker.deadlines, talker.reads, strict=True)]
    assert waits == pytest.approx([READ_S] * len(waits))
    assert READ_S < 0.3, "so that a lost sensor is felt in time"
    assert talker.log == ["open"]


def test_nothing_to_do_is_a_pause_until_the_next_attempt(bench: Bench) -> None:
    talker = Talker("rear", bench.clock)
    talker.open = lambda: (_ for _ in ()).throw(DeviceOpenError("not there"))  # type: ignore[method-assign]
    bus, inbox = bus_of(bench, [talker])
    pause_s = bus.round()
    assert pause_s > 0.0
    assert bus.round() == pytest.approx(pause_s), "not due yet"
    assert len(inbox) == 1
    bench.clock.sleep(pause_s)
    bus.round()
    assert len(inbox) == 2


def test_what_is_read_reaches_the_inbox_in_its_order(bench: Bench) -> None:
    talker = Talker("rear", bench.clock)
    batch = [Reading("rear", 1.0, Status.OK, 2.0), Reading("rear", 1.1, Status.CLEAR)]
    talker.answer = lambda: batch
    bus, inbox = bus_of(bench, [talker])
    bus.round()
    assert inbox == batch


def test_stop_ends_the_run_within_the_round_and_closes_every_sensor(bench: Bench) -> None:
    talkers = [Talker(name, bench.clock) for name in NAMES]
    bus, inbox = bus_of(bench, talkers)

    def stop() -> list[Reading]:
        bus.stop()
        return []

    talkers[1].answer = stop
    bus.run()
    assert [item.sensor for item in inbox] == ["left"]
    assert talkers[2].reads == []
    assert [talker.log[-1] for talker in talkers] == ["close"] * 3


def test_a_sensor_that_does_not_close_does_not_keep_the_others_open(bench: Bench) -> None:
    talkers = [Talker(name, bench.clock) for name in NAMES]
    bus, _ = bus_of(bench, talkers)
    talkers[0].close = lambda: (_ for _ in ()).throw(OSError("stuck"))  # type: ignore[method-assign]
    talkers[1].answer = lambda: bus.stop() or []
    bus.run()
    assert [talker.log[-1] for talker in talkers[1:]] == ["close", "close"]
