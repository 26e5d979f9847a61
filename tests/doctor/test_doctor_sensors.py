"""What sensors say in a second, over their own emulated wires."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest

from contract.rigs import Bench
from doctor.fake_pi import PINS, SERIAL, Findings, Pi
from doctor.test_doctor_service import Walk
from rearguard import lines
from rearguard.core.reading import Reading, Status
from rearguard.doctor.examine import examine, visit_for
from rearguard.doctor.finding import Finding, Verdict
from rearguard.errors import DeviceOpenError
from rearguard.host import Host
from support import ok

OK, WARNING, FAILURE, SKIPPED = Verdict


class Table:
    """A kitchen table: a Pi and sensors on it, each on its own emulated wire."""

    def __init__(self, pi: Pi, bench: Bench) -> None:
        self.pi, self.bench = pi, bench

    def ultrasonic(self, **changes: Any) -> Any:
        rig = self.bench.rig("hcsr04", **changes)
        self.pi.configure(PINS.format(trigger=rig.config.trigger_pin, echo=rig.config.echo_pin))
        return rig

    def talker(self, driver: str, keys: str = "", **changes: Any) -> Any:
        """A serial part; `keys` are what the configuration says of it, `changes` how the part is."""
        rig = self.bench.rig(driver, **changes)
        text = SERIAL.format(port=rig.config.port).replace('"benewake"', f'"{driver}"\n{keys}')
        self.pi.configure(text)
        return rig

    def examine(self, listen: bool = True, buzz: bool = False) -> Findings:
        machine = replace(self.pi.machine, host=lambda _: self.bench.host)
        return Findings(examine(visit_for(machine, None, listen, buzz)))

    def rear(self) -> Finding:
        return self.examine()("sensors.rear")


@pytest.fixture
def table(pi: Pi, bench: Bench) -> Table:
    return Table(pi, bench)


def test_an_ultrasonic_before_a_wall_answers_as_often_as_it_should(table: Table) -> None:
    table.ultrasonic().view = lambda _: 1.234
    found = table.rear()
    assert found.verdict is OK
    assert found.what.startswith("16.7 answers/s of 16.7, 1.23 m, within ")


def test_an_ultrasonic_in_the_open_says_that_nothing_is_in_range(table: Table) -> None:
    table.ultrasonic()
    found = table.rear()
    assert found.verdict is OK
    assert found.what.endswith("nothing in range")


def test_a_cut_wire_is_a_failure_that_names_the_pins(table: Table) -> None:
    rig = table.ultrasonic()
    rig.cut = True
    found = table.rear()
    assert found.verdict is FAILURE
    assert found.what == "no answer in 1.4 s"
    assert found.mend == (
        f"check its 5 V and GND, and trigger to GPIO {rig.config.trigger_pin}, echo to GPIO {rig.config.echo_pin}"
    )


def test_every_other_ping_unanswered_is_not_good(table: Table) -> None:
    rig, pings = table.ultrasonic(), count()
    edges = rig.emulator.edges
    rig.view = lambda _: 1.0
    rig.emulator.edges = lambda t_s, view: edges(t_s, view) if next(pings) % 3 else []
    found = table.rear()
    assert found.verdict is WARNING
    assert "no data" in found.what


def test_an_ultrasonic_that_always_says_the_same_is_doubted(table: Table) -> None:
    rig = table.ultrasonic()
    rig.view, rig.emulator.noise_m = (lambda _: 1.2345), 0.0
    found = table.rear()
    assert found.verdict is WARNING
    assert found.what.endswith("always the very same")


def test_a_lidar_that_counts_whole_centimetres_may_say_the_same(table: Table) -> None:
    rig = table.talker("benewake")
    rig.view, rig.emulator.noise_m = (lambda _: 1.0), 0.0
    assert table.rear().verdict is OK


def test_a_reading_that_jumps_is_doubted(table: Table) -> None:
    rig, random = table.ultrasonic(), Random(3)
    rig.view = lambda _: 1.0
    rig.emulator.edges = lambda t_s, _: [(t_s + 0.001, True), (t_s + 0.001 + random.uniform(0.002, 0.02), False)]
    found = table.rear()
    assert found.verdict is WARNING
    assert found.what.endswith("it jumps")


def test_a_tf_luna_gives_its_hundred_answers(table: Table) -> None:
    table.talker("benewake").view = lambda _: 1.5
    found = table.rear()
    assert found.verdict is OK
    assert found.what.startswith("100")
    assert "answers/s of 100.0, 1.50 m" in found.what


def test_a_tf_luna_that_is_slower_than_promised_is_a_failure(table: Table) -> None:
    table.talker("benewake", "rate_hz = 250", rate_hz=50).view = lambda _: 1.5
    found = table.rear()
    assert found.verdict is FAILURE
    assert found.what.endswith("too few")


def test_a_dazzled_tf_luna_is_a_failure(table: Table) -> None:
    table.talker("benewake").emulator.dazzled = True
    found = table.rear()
    assert found.verdict is FAILURE
    assert "100 % invalid" in found.what


def test_a_tf_luna_that_gets_nothing_back_is_asked_to_look_at_a_wall(table: Table) -> None:
    table.talker("benewake")
    found = table.rear()
    assert found.verdict is WARNING
    assert "100 % weak" in found.what


def test_a_hand_on_the_tf_luna_is_told(table: Table) -> None:
    table.talker("benewake").view = lambda _: 0.1
    found = table.rear()
    assert found.verdict is WARNING
    assert "something covers it" in found.what


def test_a_silent_line_is_a_failure_that_names_the_port(table: Table) -> None:
    rig = table.talker("ld06")
    rig.cut = True
    found = table.rear()
    assert found.verdict is FAILURE
    assert repr(rig.config.port) in found.mend


def test_an_ld06_turns_ten_times_a_second(table: Table) -> None:
    table.talker("ld06").view = lambda _: 2.0
    found = table.rear()
    assert found.verdict is OK
    assert " answers/s of 10.0, 1.9" in found.what


def test_a_port_that_is_unplugged_is_a_failure_with_the_drivers_own_words(table: Table) -> None:
    table.talker("benewake").unplug()
    found = table.rear()
    assert found.verdict is FAILURE
    assert "is not there" in found.what


def test_a_sensor_is_let_go_after_it_was_heard(table: Table) -> None:
    rig = table.talker("benewake")
    table.rear()
    rig.sensor.open()  # exclusive: it would be refused


def test_pins_that_do_not_open_are_told_once(table: Table) -> None:
    def refuse() -> Any:
        raise DeviceOpenError("pin_factory 'lgpio': no permission on /dev/gpiochip0; join its group: sudo usermod")

    table.ultrasonic()
    text = (table.pi.root / "etc/rearguard/rearguard.toml").read_text()
    table.pi.configure(text + '[sensor.side]\ndriver = "hcsr04"\ntrigger_pin = 26\necho_pin = 27\n')
    table.bench.host = Host(table.bench.clock, refuse)
    found = table.examine()
    assert (found("sensors.rear").verdict, found("sensors.rear").mend) == (FAILURE, "join its group: sudo usermod")
    assert found("sensors.side").verdict is SKIPPED


def test_sensors_are_left_alone_when_asked_to_and_on_mock_pins(table: Table) -> None:
    rig = table.ultrasonic()
    assert table.examine(listen=False)("sensors.rear").verdict is SKIPPED
    table.pi.configure('pin_factory = "mock"\n' + (table.pi.root / "etc/rearguard/rearguard.toml").read_text())
    assert table.rear().verdict is SKIPPED
    assert rig.pings == []


def running(table: Table, begin_s: float) -> Walk:
    table.pi.shown["ActiveState"] = "active"
    text = (table.pi.root / "etc/rearguard/rearguard.toml").read_text()
    if "[journal]" not in text:
        table.pi.configure(text + '[journal]\ndirectory = "/var/lib/rearguard/journal"\n')
    return Walk(table.pi, 1, begin_s, "2026-07-10T14:02:00Z")


def test_a_running_service_keeps_its_wires_and_its_journal_is_asked(table: Table) -> None:
    rig = table.ultrasonic()
    walk = running(table, 80.0)
    for i in range(300):
        t = 80.0 + 0.06 * i
        walk.add(lines.encode(ok(t, 1.1 + 0.001 * (i % 3)), t))
    found = table.rear()
    assert found.verdict is OK
    assert found.what == "16.7 answers/s of 16.7, 1.10 m, within 0 cm (from the journal: the service holds it)"
    assert rig.pings == []


def test_a_sensor_that_is_silent_in_the_journal_is_a_failure(table: Table) -> None:
    table.ultrasonic()
    walk = running(table, 80.0)
    for i in range(300):
        t = 80.0 + 0.06 * i
        walk.add(lines.encode(Reading("rear", t, Status.NO_DATA), t))
    found = table.rear()
    assert found.verdict is FAILURE
    assert found.what.startswith("no answer in 10.0 s")


def test_a_journal_of_another_day_says_nothing_of_now(table: Table) -> None:
    table.ultrasonic()
    running(table, 10.0).add(lines.encode(ok(11.0, 1.0), 11.0)).step(12.0)
    found = table.rear()
    assert found.verdict is SKIPPED
    assert "its journal ends 88 s ago" in found.what


@pytest.mark.parametrize("ahead_s", [2.0, 500.0])
def test_a_journal_of_an_earlier_start_of_the_pi_says_nothing_of_now(table: Table, ahead_s: float) -> None:
    table.ultrasonic()
    begin_s = table.bench.clock.now() + ahead_s - 18.0
    walk = running(table, begin_s)
    for i in range(301):
        t = begin_s + 0.06 * i
        walk.add(lines.encode(ok(t, 1.1 + 0.001 * (i % 3)), t))
    found = table.rear()
    assert found.verdict is SKIPPED
    assert found.what == "the service holds the wires, and its journal is of an earlier start of the Pi"


def test_a_service_without_a_journal_yet_is_skipped(table: Table) -> None:
    table.ultrasonic()
    table.pi.shown["ActiveState"] = "activating"
    assert table.rear().verdict is SKIPPED
