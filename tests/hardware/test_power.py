"""The power budget: sums done by hand, belts that must not be built as they are, and the page as it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

import limits
import loads
import power
import volts
from power_plot import stamp
from rearguard.belt._drive import DriveConfig
from rearguard.core.pattern import FAULT, LEVELS
from rearguard.core.threat import NOTICE, STOP, WARN
from wiring import BUILDS, HERE, Build

FULL = {"on_ma": 60, "start_ma": 120, "rise_s": 0.06}  # a motor whose numbers are easy to do by hand


@pytest.fixture
def starter() -> Build:
    return Build("starter")


@pytest.fixture
def full_view() -> Build:
    return Build("full-view")


def copied(name: str, folder: Path, *changes: tuple[str, str]) -> Build:
    """A build whose harness is changed in a copy; each change must be there to be made."""
    text = (HERE / name / "harness.yml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "harness.yml").write_text(text)
    (folder / "build.toml").write_text((HERE / name / "build.toml").read_text())
    return Build(name, folder)


def with_motors(more: int, folder: Path) -> Build:
    """The starter with so many motors more, each with terminals and a transistor input of its own on the board."""
    pins = [f"X{i}" for i in range(more)]
    labels = "".join(f", {pin}+, {pin}-" for pin in pins)
    names = "".join(f"  {pin}: {{<<: *motor, subtype: one more}}\n" for pin in pins)
    cables = "".join(
        f"  W9{i}: {{type: to {pin}, pn: wire-0.14, gauge: 0.14 mm2, length: 0.4, wirecount: 2, colors: [RD, BK]}}\n"
        for i, pin in enumerate(pins)
    )
    rows = "".join(f'  - [BOARD: [{pin}+, {pin}-], W9{i}: [1-2], {pin}: ["+", "-"]]\n' for i, pin in enumerate(pins))
    build = copied(
        "starter",
        folder,
        ("BZ+, BZ-]\n", f"BZ+, BZ-{labels}]\n"),
        ("  BUZZER: {type", f"{names}  BUZZER: {{type"),
        ("connections:\n", f"{cables}connections:\n"),
        ("  - [PI: [11, 9]", f"{rows}  - [PI: [11, 9]"),
    )
    board = build.parts["starter-board"]
    board["joins"][0] += [f"{pin}+" for pin in pins]
    board["drives"] |= {f"M_{pin}": f"{pin}-" for pin in pins}
    return build


def test_the_starter_at_rest_is_the_pi_and_one_sensor(starter: Build) -> None:
    assert loads.rest_ma(starter) == 160 + 15
    assert loads.budget(starter)["rest"].peak_ma == 400 + 15


def test_a_stop_of_the_starter_starts_three_rotors_on_top_of_the_pis_peak(starter: Build) -> None:
    assert loads.budget(starter)["STOP held"].peak_ma == pytest.approx(400 + 15 + 3 * 102.5)


def test_a_stop_that_is_held_draws_three_pulses_in_each_of_its_periods(starter: Build) -> None:
    # 75 mA for 150 ms, and while it comes up 27.5 mA more that fade with 25 ms: 11.94 mAs a motor and 230 ms
    assert loads.budget(starter)["STOP held"].mean_ma == pytest.approx(175 + 3 * 11.94 / 0.230, abs=0.1)


def test_a_walk_weighs_the_rhythms_with_their_share_of_the_time(starter: Build) -> None:
    # NOTICE 100 ms in 2 s, WARN 120 ms in 370 ms of one motor; STOP as above of three
    notice, warn, stop = (7.5 + 0.675) / 2.0, (9.0 + 0.682) / 0.37, 3 * 11.94 / 0.23
    walk = loads.budget(starter)["walk"].mean_ma
    assert walk == pytest.approx(175 + 0.10 * notice + 0.05 * warn + 0.02 * stop, abs=0.05)


def test_a_fault_is_felt_on_all_motors_and_heard_for_three_half_seconds_in_five(starter: Build) -> None:
    motors = loads.rhythm_ma(starter, FAULT)
    assert motors == pytest.approx(3 * 3 * (37.5 + 0.69) / 5.0, abs=0.1)
    assert loads.budget(starter)["FAULT"].mean_ma == pytest.approx(175 + motors + 30 * 0.3)


def test_only_a_stop_is_felt_on_every_motor(full_view: Build) -> None:
    one, all_of_them = (loads.rhythm_ma(full_view, LEVELS[level]) for level in (WARN, STOP))
    assert one < 75 * 0.12 / 0.37 * 1.1
    assert all_of_them > 8 * 75 * 0.15 / 0.23
    assert loads.rhythm_ma(full_view, LEVELS[NOTICE]) < one


def test_a_motor_begins_stalled_and_ends_at_what_it_draws_at_speed() -> None:
    first, later = loads.spin(FULL, 1.0, 1e-6), loads.spin(FULL, 1.0, 1.0)
    assert first.charge_mas / 1e-6 == pytest.approx(120, rel=1e-3)
    assert loads.spin(FULL, 1.0, 1.0, later.speed).charge_mas == pytest.approx(60)
    assert loads.spin(FULL, 1.0, 0.06).speed == pytest.approx(0.950, abs=0.001)  # three time constants


def test_a_motor_at_half_duty_settles_where_drag_and_drive_agree() -> None:
    speed = loads.spin(FULL, 0.5, 10.0).speed
    assert speed == pytest.approx(2 / 3)  # 0.5 * (120 - 60 * 2/3) = 40 = 60 * 2/3
    assert loads.spin(FULL, 0.5, 1.0, speed).charge_mas == pytest.approx(40)


def test_a_weaker_pulse_takes_less_charge_but_not_less_than_its_kick() -> None:
    soft, half, full = (DriveConfig(driver="", strength=strength) for strength in (0.35, 0.6, 1.0))
    assert loads.pulse_mas(FULL, 0.15, soft) < loads.pulse_mas(FULL, 0.15, half) < loads.pulse_mas(FULL, 0.15, full)
    assert loads.pulse_mas(FULL, 0.03, soft) == loads.pulse_mas(FULL, 0.03, full)


def test_the_firmware_starts_eight_motors_three_at_a_time(full_view: Build) -> None:
    assert sorted(loads.starts_s(8, loads.drive(full_view))) == [0.0, 0.0, 0.0, 0.01, 0.01, 0.01, 0.02, 0.02]


def test_eight_staggered_motors_draw_less_at_their_peak_and_step_less(full_view: Build) -> None:
    (peak, step), (at_once, at_once_step) = loads.inrush(full_view), loads.inrush(full_view, staggered=False)
    assert at_once == at_once_step == pytest.approx(8 * 102.5)
    assert step == pytest.approx(3 * 102.5)
    # three motors 20 ms after their start, three 10 ms after it, two at it: 75 + 27.5 exp(-t / 25 ms) each
    assert peak == pytest.approx(3 * 87.36 + 3 * 93.43 + 2 * 102.5, abs=0.1)


def test_three_motors_gain_nothing_by_the_stagger(starter: Build) -> None:
    assert loads.inrush(starter) == loads.inrush(starter, staggered=False)


def test_no_moment_of_the_inrush_is_above_its_peak(full_view: Build) -> None:
    for staggered in (True, False):
        peak, _ = loads.inrush(full_view, staggered)
        assert max(loads.inrush_ma(full_view, 0.0005 * i, staggered) for i in range(400)) <= peak + 1e-9


def test_a_bank_of_5000_mah_runs_for_ten_hours_at_314_mA() -> None:
    assert loads.hours(5000, 314.5, 3.7, 0.85) == pytest.approx(10.0)


def test_a_longer_cable_leaves_less_of_the_five_volts() -> None:
    assert loads.rail_v(1000, 5.0, 0.22) == pytest.approx(4.78)
    assert loads.rail_v(1000, 5.0, 0.60) == pytest.approx(4.40)


def test_a_sensor_that_gets_less_than_it_needs_at_a_stop_is_named_with_bank_and_cable(full_view: Build) -> None:
    # 1333 mA: 0.22 ohm take 0.29 V, 0.60 ohm 0.80 V
    outdoor, starter = Build("outdoor"), Build("starter")
    assert volts.undercut([starter, outdoor, full_view]) == [
        "SENSOR (starter) needs 4.5 V and gets 4.32 V (4.75 V, thin cable)",
        "LIDAR (full-view) needs 4.5 V and gets 4.46 V (4.75 V bank), 4.20 V (5.0 V, thin cable), "
        "3.95 V (4.75 V, thin cable)",
    ]
    page = power.page([starter, outdoor, full_view])
    assert "charge it. At the peak of a STOP, LIDAR (full-view) needs 4.5 V and gets 4.46 V (4.75 V bank)." in page
    assert " LIDAR 4.5 V |" in page and " LUNA 3.7 V |" in page
    full_view.parts["ld06"]["supply"]["5V"] = [4.4, 5.5]
    assert "At the peak of a STOP, LIDAR" not in power.page([full_view])


def test_the_capacitor_gives_a_step_until_the_bank_answers(starter: Build) -> None:
    assert loads.dip_v(starter, 470) == pytest.approx(0.1)  # 0.47 A for 0.1 ms out of 470 uF


def test_the_supply_wires_carry_what_hangs_on_the_board_and_nothing_else() -> None:
    for name, count, more in (("starter", 3, 30 + 15), ("outdoor", 5, 30)):
        on, most = count * 75 + more, count * 102.5 + more
        carried = loads.wires(Build(name))
        assert [(carried["W1", n].on_ma, carried["W1", n].most_ma) for n in (1, 2)] == [(on, most)] * 2


def test_a_signal_wire_carries_no_load_to_speak_of(starter: Build) -> None:
    carried = loads.wires(starter)
    assert {number for (cable, number), wire in carried.items() if cable == "W3" and wire.on_ma} == {1, 4}


def test_every_part_that_draws_is_fed_over_a_wire_there_and_one_back() -> None:
    for build in map(Build, BUILDS):
        ends = [name for wire in loads.wires(build).values() for name in wire.feeds]
        draws = {n for n in build.connectors if "on_ma" in build.part(n)}
        own = {*build.of_kind("pi-zero-2w"), *build.of_kind("usb-serial")}  # by USB
        assert {name for name in draws - own if ends.count(name) < 2} == set()


@pytest.mark.parametrize("name", BUILDS)
def test_no_build_has_a_wire_too_thin_a_fuse_too_small_or_a_motor_too_many(name: str) -> None:
    assert list(limits.faults(Build(name))) == []


def test_a_wire_that_is_too_thin_is_named_with_the_one_to_take(full_view: Build) -> None:
    full_view.parts["wire-0.14"]["most_ma"] = 290
    assert list(limits.faults(full_view)) == [
        f"hardware/full-view/harness.yml: wire {n} of W2 (to the LiDAR) carries up to 300 mA; wire-0.14 takes 290 mA: "
        "take wire-0.25"
        for n in (1, 2)
    ]


def test_a_fuse_that_is_too_small_is_named_with_the_one_to_take(full_view: Build) -> None:
    full_view.parts["motor-board-8"]["fuse"] = "fuse-750"
    assert list(limits.faults(full_view)) == [
        "hardware/full-view/harness.yml: BOARD draws 630 mA; its fuse-750 holds 600 mA at 40 C: take fuse-900"
    ]


def test_a_fuse_that_trips_too_late_for_the_wires_behind_it_is_named(starter: Build) -> None:
    starter.parts["fuse-500"]["trip_ma"] = 2300
    found = list(limits.faults(starter))
    assert [line.split(" draws ")[0] for line in found] == [
        f"hardware/starter/harness.yml: a short in {cable}" for cable in ("W4", "W5", "W6", "W7")
    ]
    assert found[0].endswith(
        "before the fuse-500 of BOARD trips; wire-0.14 takes 2200: a smaller fuse or a thicker wire"
    )


def test_one_motor_more_is_no_fault_while_the_fuse_holds_it(tmp_path: Path) -> None:
    assert list(limits.faults(with_motors(1, tmp_path))) == []


def test_a_motor_too_many_for_the_fuse_is_found(tmp_path: Path) -> None:
    assert list(limits.faults(with_motors(2, tmp_path))) == [
        "hardware/starter/harness.yml: BOARD draws 405 mA; its fuse-500 holds 400 mA at 40 C: take fuse-750"
    ]


def test_a_motor_too_many_for_the_transistors_is_found(full_view: Build) -> None:
    full_view.parts["motor-board-8"]["drives"]["IN9"] = "M9-"
    assert list(limits.faults(full_view)) == [
        "hardware/full-view/harness.yml: BOARD drives 10 outputs with 9 transistors: add a mosfet to its needs"
    ]


def test_a_belt_that_asks_too_much_of_bank_and_cable_is_found(full_view: Build) -> None:
    full_view.parts["usb-cable"]["most_ma"] = 1300
    assert list(limits.faults(full_view)) == [
        "hardware/full-view/harness.yml: up to 1363 mA from the usb-cable, which gives 1300: fewer motors"
    ]


def test_what_has_no_fuse_before_it_is_named() -> None:
    assert [loads.unfused(Build(name)) for name in BUILDS] == [["SENSOR"], ["LUNA"], ["LIDAR"]]


def test_the_page_is_the_one_that_is_made_from_the_parts_now() -> None:
    page = power.page([Build(name) for name in BUILDS])
    assert (HERE / "power.md").read_text() == page, "run: python hardware/power.py hardware"


def test_the_picture_shows_the_curves_of_now_and_is_small() -> None:
    picture = (HERE / "power.svg").read_text()
    assert stamp([Build(name) for name in BUILDS]) in picture, "run: python hardware/power.py hardware"
    assert len(picture) < 100_000


def test_a_change_of_a_part_changes_page_and_stamp(starter: Build) -> None:
    page, mark = power.page([starter]), stamp([starter])
    starter.parts["coin-motor"]["on_ma"] = 80
    assert power.page([starter]) != page
    assert stamp([starter]) != mark


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib")
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        assert [path.name for path in power.write(folder)] == ["power.md", "power.svg"]
    for name in ("power.md", "power.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
