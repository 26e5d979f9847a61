"""What a bus makes of every sensor driver when its device goes, comes back, or shows a defect."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contract.rigs import Bench, Rig
from rearguard import sensors
from rearguard.core.reading import Reading, Scan, Status

DRIVERS = sensors.names()
FELT_S = 0.3  # a dead sensor is felt within this
LONGEST_S = 2.0  # between two attempts to open a lost device

every_driver = pytest.mark.parametrize("driver", DRIVERS)


def lost(inbox: list[Any]) -> list[float]:
    """When devices were lost."""
    return [item.t_s for item in inbox if isinstance(item, Reading) and item.status is Status.LOST]


def measured(inbox: list[Any], name: str = "rear") -> list[float]:
    """When that sensor measured something."""
    return [i.t_s for i in inbox if i.sensor == name and (isinstance(i, Scan) or i.status is Status.OK)]


def guarding(bench: Bench, *rigs: Rig) -> tuple[Any, list[Any]]:
    """A bus that has read these sensors, before a wall, for a while."""
    for rig in rigs:
        rig.view = lambda _: 1.0
    bus, inbox = bench.bus(*rigs)
    bench.run(bus, 1.0)
    assert all(measured(inbox, rig.name) for rig in rigs)
    assert not lost(inbox)
    return bus, inbox


@every_driver
def test_an_unplugged_sensor_is_one_lost_reading_within_300_ms(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    bus, inbox = guarding(bench, rig)
    gone = bench.clock.now()
    rig.unplug()
    inbox.clear()
    for _ in range(100):
        if lost(inbox):
            break
        bench.clock.sleep(bus.round())
    assert [item.status for item in inbox] == [Status.LOST]
    assert gone <= inbox[0].t_s <= gone + FELT_S
    assert bench.clock.now() <= gone + FELT_S


@every_driver
def test_a_lost_sensor_is_tried_again_after_longer_and_longer_pauses(driver: str, bench: Bench, mocker: Any) -> None:
    rig = bench.rig(driver)
    bus, inbox = guarding(bench, rig)
    rig.unplug()
    inbox.clear()
    attempts: list[float] = []
    real = rig.sensor.open
    mocker.patch.object(rig.sensor, "open", side_effect=lambda: (attempts.append(bench.clock.now()), real()))
    bench.run(bus, 15.0)
    pauses = [after - before for before, after in pairwise([lost(inbox)[0], *attempts])]
    assert len(pauses) > 5
    assert 0.0 < pauses[0] < pauses[1] < pauses[2]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(pauses))
    assert max(pauses) == pytest.approx(LONGEST_S) == pauses[-1]
    assert len(lost(inbox)) == 1 + len(attempts), "every failed attempt says that it is still lost"


@every_driver
def test_a_sensor_that_is_plugged_in_again_is_heard_again(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    bus, inbox = guarding(bench, rig)
    rig.unplug()
    bench.run(bus, 5.0)
    rig.plug()
    inbox.clear()
    bench.run(bus, LONGEST_S + 1.0)
    assert measured(inbox)
    assert lost(inbox) == [t for t in lost(inbox) if t < measured(inbox)[0]]


@every_driver
def test_after_a_recovery_the_first_pause_is_short_again(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    bus, inbox = guarding(bench, rig)
    rig.unplug()
    bench.run(bus, 8.0)
    first = lost(inbox)[:2]
    rig.plug()
    bench.run(bus, LONGEST_S + 1.0)
    rig.unplug()
    inbox.clear()
    bench.run(bus, 1.0)
    second = lost(inbox)[:2]
    assert second[1] - second[0] == pytest.approx(first[1] - first[0])


@every_driver
def test_a_sensor_missing_at_the_start_is_lost_and_found_later(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    rig.view = lambda _: 1.0
    rig.unplug()
    bus, inbox = bench.bus(rig)
    bench.run(bus, 0.1)
    assert len(lost(inbox)) == len(inbox) == 1
    rig.plug()
    bench.run(bus, LONGEST_S)
    assert measured(inbox)


@every_driver
def test_a_defect_in_a_driver_is_lost_and_a_restart(
    driver: str, bench: Bench, mocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = bench.rig(driver)
    bus, inbox = guarding(bench, rig)
    closed = mocker.spy(rig.sensor, "close")
    defect = mocker.patch.object(rig.sensor, "read", side_effect=ZeroDivisionError("a defect"))
    inbox.clear()
    bus.round()
    assert [item.status for item in inbox] == [Status.LOST]
    assert closed.call_count >= 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    mocker.stop(defect)
    bench.run(bus, 1.0)
    assert measured(inbox)


@every_driver
def test_trouble_that_stays_the_same_is_told_once(
    driver: str, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = bench.rig(driver)
    bus, _ = guarding(bench, rig)
    rig.unplug()
    bench.run(bus, 1.0)
    capsys.readouterr()
    bench.run(bus, 20.0)
    assert capsys.readouterr().err == ""


@every_driver
@pytest.mark.parametrize("where", ["open", "read"])
@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("a defect")])
def test_a_broken_sensor_does_not_stop_the_other_of_its_bus(
    driver: str, where: str, error: Exception, bench: Bench, mocker: Any
) -> None:
    broken, whole = bench.rig(driver, "broken"), bench.rig(driver, "whole")
    whole.view = lambda _: 1.0
    mocker.patch.object(broken.sensor, where, side_effect=error)
    bus, inbox = bench.bus(broken, whole)
    bench.run(bus, 5.0)
    times = measured(inbox, "whole")
    assert {item.sensor for item in inbox if item.t_s in lost(inbox)} >= {"broken"}
    assert times[-1] > bench.clock.now() - FELT_S
    assert max(after - before for before, after in pairwise(times)) <= FELT_S


@every_driver
def test_a_sensor_whose_close_fails_is_opened_again_all_the_same(driver: str, bench: Bench, mocker: Any) -> None:
    rig = bench.rig(driver)
    bus, inbox = guarding(bench, rig)
    stuck = mocker.patch.object(rig.sensor, "close", side_effect=OSError("already gone"))
    rig.unplug()
    bench.run(bus, 0.1)
    mocker.stop(stuck)
    assert len(lost(inbox)) == 1
    rig.plug()
    inbox.clear()
    bench.run(bus, LONGEST_S)
    assert measured(inbox)
