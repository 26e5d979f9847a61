"""What every sensor driver must do, whatever the part. A new file in sensors/ is tested here with no change."""

from __future__ import annotations

import re
import subprocess
import sys
from statistics import median
from typing import Any

import msgspec
import pytest

from contract.rigs import PINS, Bench, PinRig, ranges_behind, smallest
from rearguard import sensors
from rearguard.core.reading import Reading, Scan, Status
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.sensors import SerialEmulator

DRIVERS = sensors.names()
SERIAL = [name for name in DRIVERS if issubclass(sensors.load(name).Emulator, SerialEmulator)]
PULSED = [name for name in DRIVERS if name not in SERIAL]
SHORTEST = 4  # bytes of a frame
FAULTS = {Status.INVALID, Status.NO_DATA, Status.LOST}

every_driver = pytest.mark.parametrize("driver", DRIVERS)
every_serial_driver = pytest.mark.parametrize("driver", SERIAL)


def warm(bench: Bench, driver: str, distance_m: float | None = None) -> Any:
    """A rig that is past its start-up, before a wall at that distance."""
    rig = bench.open(driver)
    rig.view = lambda _: distance_m
    rig.listen(rig.config.spec("rear").startup_s)
    return rig


def statuses(items: list[Reading | Scan]) -> set[Status]:
    return {item.status for item in items if isinstance(item, Reading)}


@every_driver
def test_a_driver_has_config_sensor_and_emulator(driver: str) -> None:
    module = sensors.load(driver)
    assert issubclass(module.Config, sensors.SensorConfig)
    assert all(callable(getattr(module.Sensor, method)) for method in ("open", "read", "close"))
    assert any(hasattr(module.Emulator, method) for method in ("wire", "edges"))


@every_driver
def test_a_driver_opens_with_its_part_its_manual_and_a_drawing_of_its_wire(driver: str) -> None:
    doc = sensors.load(driver).__doc__ or ""
    assert re.search(r"\b[A-Z]{2,}[\w-]*", doc.splitlines()[0]), "the first line names the part"
    assert re.search(r"(?i)manual|data ?sheet|user guide", doc)
    assert any(line.startswith("    ") for line in doc.splitlines()), "the wire is drawn"


@every_driver
def test_the_required_keys_alone_make_a_valid_configuration(driver: str) -> None:
    config_type, table = sensors.load(driver).Config, smallest(driver, iter(PINS))
    config = msgspec.convert(table, config_type)
    assert set(config.pins().values()) >= {value for key, value in table.items() if key != "driver"}
    for key in table:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({k: v for k, v in table.items() if k != key}, config_type)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**table, "no_such_key": 1}, config_type)


@every_driver
def test_the_spec_of_a_driver_is_possible(driver: str) -> None:
    config = msgspec.convert({**smallest(driver, iter(PINS)), "bearing_deg": 30.0}, sensors.load(driver).Config)
    spec = config.spec("rear")
    assert (spec.name, spec.bearing_deg) == ("rear", 30.0)
    assert 0.0 < spec.min_range_m < spec.proved_range_m <= spec.max_range_m < 50.0
    assert spec.min_range_m <= spec.hold_below_m < spec.proved_range_m
    assert 0.0 < spec.noise_m < 0.05
    assert 0.0 < spec.startup_s <= 5.0
    assert 0.0 <= config.turn_s <= 0.1
    assert config.bus()


@every_driver
def test_importing_a_driver_imports_no_hardware_library(driver: str) -> None:
    code = f"import sys, rearguard.sensors.{driver}; print({{'gpiozero', 'serial', 'lgpio', 'RPi'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@every_driver
@pytest.mark.parametrize("distance_m", [0.5, 1.0, 2.0, 3.5])
def test_a_wall_straight_behind_is_measured_to_within_3_cm(driver: str, distance_m: float, bench: Bench) -> None:
    rig = warm(bench, driver, distance_m)
    found = rig.listen(1.0)
    ranges = ranges_behind(found)
    assert len(ranges) == len(found) > 4
    assert median(ranges) == pytest.approx(distance_m, abs=0.03)


@every_driver
def test_nothing_in_range_is_neither_a_distance_nor_no_data_nor_a_fault(driver: str, bench: Bench) -> None:
    found = warm(bench, driver).listen(1.0)
    assert len(found) > 4
    assert not ranges_behind(found)
    assert not statuses(found) & (FAULTS | {Status.OK, Status.TOO_CLOSE})
    assert all(set(item.ranges_m) == {None} for item in found if isinstance(item, Scan))


@every_driver
def test_a_silent_wire_is_no_data_and_never_a_distance(driver: str, bench: Bench) -> None:
    rig = warm(bench, driver, 1.0)
    rig.cut = True
    rig.listen(0.25)  # what was still on its way
    found = rig.listen(2.0)
    assert statuses(found) <= {Status.NO_DATA}
    assert not [item for item in found if isinstance(item, Scan)]


@every_driver
@pytest.mark.parametrize("wait_s", [0.005, 0.05, 0.25])
def test_read_on_a_silent_wire_never_waits_past_its_deadline(driver: str, wait_s: float, bench: Bench) -> None:
    rig = bench.open(driver)
    rig.cut = True
    for _ in range(5):
        deadline = bench.clock.now() + wait_s
        rig.sensor.read(deadline)
        assert bench.clock.now() <= deadline


@every_serial_driver
def test_a_silent_line_is_waited_for_once_and_not_polled(driver: str, bench: Bench, mocker: Any) -> None:
    spy = mocker.patch("rearguard.sensors._serial.select", side_effect=bench.select)
    rig = bench.open(driver)
    rig.cut = True
    deadline = bench.clock.now() + 0.25
    assert rig.sensor.read(deadline) == []
    spy.assert_called_once()
    assert spy.call_args.args[3] == pytest.approx(0.25)


@every_serial_driver
def test_a_deadline_in_the_past_is_not_waited_for(driver: str, bench: Bench) -> None:
    rig = bench.open(driver)
    rig.cut = True
    assert rig.sensor.read(bench.clock.now() - 1.0) == []
    assert bench.waits == [0.0]


@every_serial_driver
def test_one_read_drains_all_that_waits(driver: str, bench: Bench) -> None:
    rig = bench.open(driver)
    rig.emulator.wire(bench.clock.now(), rig.view)
    bench.clock.sleep(0.225)
    sent = rig.send(rig.emulator.wire(bench.clock.now(), rig.view))
    assert rig.waiting() == sent >= 2 * SHORTEST
    assert len(rig.sensor.read(bench.clock.now())) >= 2
    assert rig.waiting() == 0
    assert set(bench.waits) <= {0.0}, "waited for what was there"


@every_driver
def test_times_never_go_back_and_lie_within_what_the_clock_passed(driver: str, bench: Bench) -> None:
    rig = warm(bench, driver, 1.0)
    before = bench.clock.now()
    times = [item.t_s for item in rig.listen(1.0)]
    assert times == sorted(times)
    assert before <= times[0] + 1e-6  # times are rounded to the microsecond
    assert times[-1] <= bench.clock.now() + 1e-6


@every_driver
def test_readings_carry_the_name_of_their_sensor(driver: str, bench: Bench) -> None:
    assert {item.sensor for item in warm(bench, driver, 1.0).listen(0.5)} == {"rear"}


@every_driver
def test_close_may_come_before_open_and_twice_after_it(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    rig.sensor.close()
    rig.sensor.open()
    rig.sensor.close()
    rig.sensor.close()


@every_driver
def test_a_closed_driver_says_that_the_device_is_lost(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    with pytest.raises(DeviceLostError):
        rig.sensor.read(bench.clock.now() + 0.25)
    rig.sensor.open()
    rig.sensor.close()
    with pytest.raises(DeviceLostError):
        rig.sensor.read(bench.clock.now() + 0.25)


@every_driver
def test_open_after_close_and_open_after_open_work_again(driver: str, bench: Bench) -> None:
    rig = warm(bench, driver, 1.0)
    rig.sensor.close()
    for _ in range(2):
        rig.sensor.open()
        rig.listen(0.25)
        assert median(ranges_behind(rig.listen(0.5))) == pytest.approx(1.0, abs=0.03)


@every_driver
def test_unplugged_while_reading_is_a_lost_device_that_can_be_closed(driver: str, bench: Bench) -> None:
    rig = warm(bench, driver, 1.0)
    rig.unplug()
    with pytest.raises(DeviceLostError):
        rig.listen(0.5)
    rig.sensor.close()


@every_driver
def test_a_device_that_is_not_there_cannot_be_opened_and_the_error_names_it(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    rig.unplug()
    where = [str(pin) for pin in rig.config.pins().values()] if isinstance(rig, PinRig) else [rig.config.port]
    with pytest.raises(DeviceOpenError) as raised:
        rig.sensor.open()
    assert all(word in str(raised.value) for word in where)


@every_driver
def test_a_device_that_came_late_opens_at_the_next_attempt(driver: str, bench: Bench) -> None:
    rig = bench.rig(driver)
    rig.view = lambda _: 1.0
    rig.unplug()
    with pytest.raises(DeviceOpenError):
        rig.sensor.open()
    rig.plug()
    rig.sensor.open()
    rig.listen(0.25)
    assert ranges_behind(rig.listen(0.5))


def test_a_name_that_is_no_driver_is_refused() -> None:
    with pytest.raises(KeyError):
        sensors.load("_serial")
    with pytest.raises(KeyError):
        sensors.load("no_such_part")
