"""Schematics, parts lists and wiring tables say what the harness says; what is committed is what they would say now."""

from __future__ import annotations

import csv
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

import pytest

import bill
import harness
import schematic
from plan import DrawingError
from symbols import HEIGHT, PX, WIDTH
from wiring import BUILDS, HEADER_PART, HERE, Build, End, WiringError

BY_NAME = pytest.mark.parametrize("name", BUILDS)


class Text(NamedTuple):
    """A text of an SVG, and the box that it takes: a letter is 0.46 as wide as high (Arial, measured here)."""

    text: str
    left: float
    right: float
    upper: float
    lower: float


def texts(svg: bytes) -> list[Text]:
    found = []
    for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        for line in element.iter("{http://www.w3.org/2000/svg}tspan"):
            words, size = line.text or "", float(element.attrib["font-size"])
            width, x = 0.46 * size * len(words), float(line.attrib["x"])
            left = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[element.attrib["text-anchor"]]
            y = float(element.attrib["y"]) + float(line.attrib["dy"])
            found.append(Text(words, left, left + width, y - 0.4 * size, y + 0.4 * size))
    return found


def altered(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Build:
    """A copy of a build with other words in its harness."""
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(HERE / name / "build.toml", folder)
    text = (HERE / name / "harness.yml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) >= 1
        text = text.replace(old, new)
    (folder / "harness.yml").write_text(text, encoding="utf-8")
    return Build(name, folder)


# GPIO 12 on header pin 32 becomes GPIO 16 on pin 36.
MOVED = (("32, 33, 35", "36, 33, 35"), ("GPIO 12", "GPIO 16"))


@BY_NAME
def test_the_schematic_names_every_wired_gpio_with_its_pin_and_every_part(name: str) -> None:
    build = Build(name)
    words = [text.text for text in texts(schematic.schematic(build))]
    (pi,) = build.of_kind(HEADER_PART)
    for pin in build.connectors[pi]["pins"]:
        assert words.count(build.header[str(pin)]) >= 1
        assert str(pin) in words
    for connector in build.connectors:
        assert any(connector in word for word in words)


@BY_NAME
def test_the_schematic_shows_each_small_part_as_often_as_the_bill_counts_it(name: str) -> None:
    build, counts = Build(name), bill.counts(Build(name))
    words = [text.text for text in texts(schematic.schematic(build))]
    for part, value in (
        ("resistor-12", "12 Ω"),
        ("resistor-10k", "10 kΩ"),
        ("resistor-1k", "1 kΩ"),
        ("resistor-2k", "2 kΩ"),
    ):
        assert sum(word == value or word.endswith(f"  {value}") for word in words) == counts[part]
    assert words.count("M") == counts["coin-motor"]
    assert words.count("IRLU024N") == counts["mosfet"]
    assert sum("1N4148" in word for word in words) == counts["diode"]
    assert sum("PTC" in word for word in words) == 1


@BY_NAME
def test_no_two_texts_of_the_schematic_overlap_and_none_leaves_the_sheet(name: str) -> None:
    found = texts(schematic.schematic(Build(name)))
    for number, a in enumerate(found):
        assert a.left > 0 and a.right < WIDTH * PX and a.upper > -HEIGHT * PX and a.lower < 0, a
        for b in found[number + 1 :]:
            apart = a.right <= b.left or b.right <= a.left or a.lower <= b.upper or b.lower <= a.upper
            assert apart, (a, b)


def test_the_divider_of_the_echo_is_worked_out_on_the_sheet() -> None:
    words = [text.text for text in texts(schematic.schematic(Build("starter")))]
    assert "5 V x 2 / (1 + 2) = 3.33 V" in words


def test_a_pin_that_moves_in_the_harness_moves_in_the_schematic(tmp_path: Path) -> None:
    words = [text.text for text in texts(schematic.schematic(altered(tmp_path, "starter", *MOVED)))]
    assert "GPIO 16" in words
    assert "36" in words
    assert "GPIO 12" not in words
    assert "32" not in words


def test_a_pin_that_moves_in_the_harness_moves_in_the_wiring_table(tmp_path: Path) -> None:
    page = harness.table(altered(tmp_path, "starter", *MOVED))
    assert "| W2.3 signals | yellow | PI pin 36: GPIO 16 | BOARD M_L | 10 cm | 0.14 |" in page
    assert "| `belt.motor.left.pin` | GPIO 16 (header pin 36) | LEFT - | W2 yellow, W4 yellow |" in page
    assert "GPIO 12" not in page


def test_two_motors_that_change_places_change_places_on_the_sheet(tmp_path: Path) -> None:
    left, front = "W7: [1-2], LEFT:", "W6: [1-2], FRONT_LEFT:"
    build = altered(
        tmp_path, "full-view", (left, "W7: [1-2], X:"), (front, "W6: [1-2], LEFT:"), (" X:", " FRONT_LEFT:")
    )
    for drawn, first in ((Build("full-view"), "FRONT_LEFT, left of the belly"), (build, "LEFT, left hip")):
        found = {text.text: text for text in texts(schematic.schematic(drawn))}
        assert found["M1+"].upper < found[first].lower < found["M2+"].upper


def test_a_pin_without_a_place_on_the_sheet_is_an_error_that_names_it(tmp_path: Path) -> None:
    build = altered(tmp_path, "starter", ("[VCC, Trig, Echo, GND]}", "[VCC, Trig, Echo, GND, OUT]}"))
    with pytest.raises(DrawingError, match=r"starter/harness\.yml: 2 trigger pins of SENSOR"):
        schematic.schematic(build)


def test_a_clamp_without_a_wire_is_an_error_that_names_it(tmp_path: Path) -> None:
    build = altered(tmp_path, "starter", ("BZ+, BZ-]\n  SENSOR", "BZ+, BZ-, SPARE]\n  SENSOR"))
    with pytest.raises(DrawingError, match=r"starter/harness\.yml: the schematic has no place for BOARD\.SPARE"):
        schematic.schematic(build)


def test_a_wire_that_is_gone_is_an_error_that_names_its_end(tmp_path: Path) -> None:
    build = altered(tmp_path, "outdoor", ("  - [PI: [22], W12: [1], BOARD: [BUZ]]\n", ""))
    with pytest.raises(DrawingError, match=r"outdoor/harness\.yml: 0 wires from BOARD\.BUZ to the header"):
        schematic.schematic(build)


def test_the_starters_bill_is_what_a_hand_counts() -> None:
    counts = bill.counts(Build("starter"))
    assert counts == {
        **{"pi-zero-2w": 1, "power-bank-5000": 1, "usb-cable": 1, "sd-card": 1, "hc-sr04": 1, "coin-motor": 3},
        **{
            "buzzer": 1,
            "button": 1,
            "perfboard": 1,
            "uln2803a": 1,
            "resistor-1k": 1,
            "resistor-2k": 1,
            "resistor-10k": 4,
        },
        **{"resistor-12": 3, "capacitor-470u": 1, "fuse-500": 1, "screw-terminal": 5, "pin-header": 1},
        **{"ic-socket": 1, "sensor-plug": 1, "small-stuff": 1, "webbing": 1, "filament": 150},
    }


def test_a_soldered_board_is_no_line_of_the_bill_and_a_bought_one_is() -> None:
    parts = {line.part: line.quantity for line in bill.bill(Build("outdoor"))}
    assert "motor-board-5" not in parts
    assert parts["pca9685"] == 1
    assert parts["resistor-1k"] == 1  # what the PCA9685 needs


def test_wire_is_counted_by_length_and_number_with_a_tenth_to_spare() -> None:
    # 0.25 mm²: 0.1 m x 2. 0.14 mm²: 0.1 x 6 + 0.4 x 4 + 0.4 x 2 + 0.4 x 2 + 0.6 x 2 + 0.1 x 2 + 0.3 x 2 = 5.8 m.
    assert bill.wire_m(Build("starter")) == {"wire-0.25": 0.3, "wire-0.14": 6.4}


@BY_NAME
def test_the_totals_are_the_last_line_and_the_sum_of_the_others(name: str) -> None:
    build = Build(name)
    with (HERE / name / "parts.csv").open(encoding="utf-8", newline="") as file:
        *lines, total = list(csv.DictReader(file))
    assert total["part"] == "Total"
    assert float(total["price (EUR)"]) == pytest.approx(sum(float(line["price (EUR)"]) for line in lines))
    assert float(total["price (EUR)"]) == bill.price_eur(build)
    assert float(total["mass (g)"]) == pytest.approx(sum(float(line["mass (g)"]) for line in lines), abs=1.0)  # rounded
    assert float(total["mass (g)"]) == bill.mass_g(build)


def test_a_part_that_is_nowhere_described_is_named() -> None:
    build = Build("starter")
    build.about["extra"]["gold-plate"] = 1
    with pytest.raises(WiringError, match="gold-plate"):
        bill.bill(build)


@BY_NAME
def test_every_wire_stands_once_in_the_wiring_table(name: str) -> None:
    build = Build(name)
    page = harness.table(build)
    for wire in build.wires:
        assert page.count(f"| {wire.cable}.{wire.number} ") == 1
    assert sum(line.startswith("| W") for line in page.splitlines()) == len(build.wires)
    for key in build.about["wires"]:
        assert f"| `{key}` |" in page


@BY_NAME
def test_what_brings_volts_is_soldered_last(name: str) -> None:
    build = Build(name)
    order = [harness.stage(build, wire.cable) for wire in harness.wires(build)]
    assert order == sorted(order)
    fed = {wire.cable for wire in build.wires for end in wire.ends if end.part == "PI" and build.rails(end) - {0.0}}
    last = {wire.cable for wire, at in zip(harness.wires(build), order, strict=True) if at == max(order)}
    assert last == fed


def test_a_setting_reaches_its_pin_by_the_wires_between() -> None:
    build = Build("outdoor")
    along = [(wire.cable, wire.color) for wire in harness.way(build, End("BACK", "-"))]
    assert along == [("W6", "BU"), ("W9", "BU")]
    assert "| `belt.motor.back.channel` | channel 2 of PWM | BACK - | W6 blue, W9 blue |" in harness.table(build)


@BY_NAME
def test_what_is_committed_is_what_is_made_now(name: str, tmp_path: Path) -> None:
    build = Build(name)
    (tmp_path / "wiring.md").write_text(harness.table(build), encoding="utf-8")
    for path in (*schematic.write(build, tmp_path), *bill.write(build, tmp_path), tmp_path / "wiring.md"):
        committed = HERE / name / path.name
        if path.suffix == ".svg":
            made, kept = ([text.text for text in texts(at.read_bytes())] for at in (path, committed))
            assert made == kept, f"{committed} is stale"  # its places are schemdraw's, and may move with its version
        else:
            assert path.read_text(encoding="utf-8") == committed.read_text(encoding="utf-8"), f"{committed} is stale"


@BY_NAME
def test_two_runs_give_the_same_bytes_and_no_picture_is_large(name: str) -> None:
    assert schematic.schematic(Build(name)) == schematic.schematic(Build(name))
    for picture in ("schematic.svg", "harness.svg"):
        assert (HERE / name / picture).stat().st_size < 200_000


@BY_NAME
def test_the_harness_drawing_holds_every_part_and_nothing_that_changes_by_itself(name: str) -> None:
    build = Build(name)
    text = (HERE / name / "harness.svg").read_text(encoding="utf-8")
    words = {"".join(element.itertext()) for element in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")}
    for connector in build.connectors:
        assert connector in words
    for cable in build.cables:
        assert any(word == cable or word.startswith(f"{cable},") for word in words), cable
    assert "<!--" not in text
    assert "WireViz" not in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz: apt install graphviz")
@BY_NAME
def test_the_harness_is_drawn_anew_alike_twice(name: str) -> None:
    first, again = harness.drawing(Build(name)), harness.drawing(Build(name))
    assert first == again
    assert f"Rearguard {name}: harness" in first
