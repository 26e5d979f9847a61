"""A configuration that is refused does not silence a belt that was armed once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rearguard import last_good
from rearguard.config import DEFAULT, load
from rearguard.core.pattern import felt_faults
from rearguard.errors import ConfigError
from support import HandGuard, ok


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service's state directory."""
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", f"{folder}:/var/lib/other")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The wearer's configuration."""
    path = tmp_path / "rearguard.toml"
    path.write_bytes(DEFAULT.read_bytes())
    return path


def test_what_the_belt_armed_itself_with_is_kept_and_taken_when_its_own_is_refused(
    state: Path, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last_good.keep(load(own))
    own.write_text(own.read_text().replace("trigger_pin = 23", "trigger_pin = 99"))
    found, refused = last_good.load(own)
    assert refused
    assert found.sensors["rear"].pins()["trigger_pin"] == 23
    told = capsys.readouterr().err
    assert f"{own}: sensor.rear.trigger_pin = 99" in told
    assert str(state / "last-good.toml") in told


def test_where_the_state_is_lost_with_the_power_it_is_kept_where_the_service_says(
    state: Path, own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("REARGUARD_KEEP", str(data))
    last_good.keep(load(own))
    assert [path.name for path in data.iterdir()] == ["last-good.toml"]
    assert not list(state.iterdir())
    own.write_text("profile = 7")
    assert last_good.load(own)[1]


def test_a_good_configuration_is_taken_as_it_is(state: Path, own: Path) -> None:
    last_good.keep(load(None))
    found, refused = last_good.load(own)
    assert not refused
    assert found.source == str(own)


@pytest.mark.parametrize("kept", [None, b"", b"[sensor", b"\xff"], ids=["none", "empty", "torn", "no text"])
def test_without_a_good_one_the_error_is_that_of_the_wearer_s_own(state: Path, own: Path, kept: bytes | None) -> None:
    if kept is not None:
        (state / "last-good.toml").write_bytes(kept)
    own.write_text("profile = 7")
    with pytest.raises(ConfigError, match=str(own)):
        last_good.load(own)


def test_started_by_hand_nothing_is_kept_and_the_error_is_shown(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    last_good.keep(load(own))
    assert list(tmp_path.iterdir()) == [own]
    own.write_text("profile = 7")
    with pytest.raises(ConfigError):
        last_good.load(own)


def test_a_cut_while_it_is_kept_leaves_the_one_before(
    state: Path, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    last_good.keep(load(None))
    before = (state / "last-good.toml").read_bytes()
    own.write_text(own.read_text() + "\n# another\n")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(last_good.os, "fsync", full)
    last_good.keep(load(own))
    assert (state / "last-good.toml").read_bytes() == before
    assert "No space left" in capsys.readouterr().err


def test_guarding_by_the_last_good_one_is_a_fault_that_is_felt(state: Path, own: Path) -> None:
    hand = HandGuard(refused=True)
    hand.guard.begin()
    start = hand.clock.now()
    ticks = [hand.turn([ok(start + 0.06 * i, 3.0)]) for i in range(1, 40)]
    assert "config:refused" in ticks[-1].alert.faults
    assert felt_faults(ticks[-1].alert)
    assert not hand.guard.armed
