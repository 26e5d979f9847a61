"""What is committed is what the data say; what is not is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import generate
import wiring
from rearguard.belt import _drive


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, somewhere else."""
    here = tmp_path / "hardware"
    shutil.copytree(wiring.HERE, here, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(wiring, "HERE", here)
    monkeypatch.setattr(generate, "HERE", here)
    monkeypatch.setattr(generate, "MADE", here / "made.json")
    return here


def test_every_drawing_and_table_is_up_to_date() -> None:
    assert list(generate.stale()) == []


def test_a_table_edited_by_hand_is_told(copied: Path) -> None:
    path = copied / "starter" / "parts.csv"
    path.write_text(path.read_text().replace("HC-SR04", "HC-SR05", 1))
    assert list(generate.stale()) == ["hardware/starter/parts.csv is not what the data say now"]


def test_a_drawing_edited_by_hand_and_one_that_is_gone_are_told(copied: Path) -> None:
    (copied / "starter" / "harness.svg").write_text("<svg/>")
    (copied / "outdoor" / "schematic.svg").unlink()
    assert sorted(generate.stale()) == [
        "hardware/outdoor/schematic.svg is not the one that was made",
        "hardware/starter/harness.svg is not the one that was made",
    ]


def test_data_that_changed_make_drawings_and_tables_stale(copied: Path) -> None:
    path = copied / "starter" / "harness.yml"
    path.write_text(path.read_text().replace("length: 0.6", "length: 0.7"))
    said = list(generate.stale())
    assert "hardware: the drawings of the builds are older than what they are made from" in said
    assert "hardware/starter/wiring.md is not what the data say now" in said
    assert not any("mounts" in text for text in said)


def test_a_measure_that_changed_makes_the_mounts_stale(copied: Path) -> None:
    path = copied / "mounts" / "parameters.toml"
    path.write_text(path.read_text() + "\n")
    assert list(generate.stale()) == ["hardware: the drawings of the mounts are older than what they are made from"]


def test_a_firmware_whose_rhythm_changed_makes_the_picture_of_the_power_budget_stale(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list(generate.stale())
    monkeypatch.setattr(_drive, "STAGGER_S", 0.03)
    assert [text for text in generate.stale() if text not in before] == [
        "hardware/power.svg does not show what parts and firmware say now",
        "hardware/power.md is not what the data say now",
    ]


def test_a_picture_of_the_power_budget_that_is_gone_is_told_once(copied: Path) -> None:
    (copied / "power.svg").unlink()
    assert [text for text in generate.stale() if "power" in text] == ["hardware/power.svg is not the one that was made"]


@pytest.mark.parametrize(("out", "noted"), [("hardware", True), ("./hardware/../hardware", True), ("elsewhere", False)])
def test_what_was_made_is_noted_when_it_is_made_in_place_however_the_place_is_written(
    out: str, noted: bool, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied.parent)
    monkeypatch.setattr(generate, "make", lambda out: {"builds": [Path("power.svg")], "mounts": []})
    monkeypatch.setattr(generate.mounts, "wrong", lambda parameters: [])
    monkeypatch.setattr("sys.argv", ["generate.py", "--out", out])
    before = (copied / "made.json").read_text()
    assert generate.main() == 0
    assert ((copied / "made.json").read_text() != before) is noted


def test_every_drawing_is_on_the_list(copied: Path) -> None:
    told = json.loads((copied / "made.json").read_text())
    listed = {name for group in told.values() for name in group} - {"from"}
    there = {
        path.relative_to(copied).as_posix() for kind in ("svg", "png", "stl") for path in copied.rglob(f"*.{kind}")
    }
    assert listed == there


def test_the_table_of_the_readme_is_put_between_its_marks_and_nowhere_else() -> None:
    text = f"before\n{generate.BEGIN}old\n{generate.END}after\n"
    assert generate.with_table(text, "new\n") == f"before\n{generate.BEGIN}new\n{generate.END}after\n"


def test_data_that_cannot_be_read_are_told_in_a_line(copied: Path, capsys: pytest.CaptureFixture[str], mocker) -> None:
    path = copied / "outdoor" / "harness.yml"
    path.write_text(path.read_text().replace("connections:", "connexions:"))
    mocker.patch("sys.argv", ["generate.py"])
    assert generate.main() == 1
    assert capsys.readouterr().err == f"{path}: there is no 'connections'\n"
