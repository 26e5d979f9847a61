"""The commands, as a user types them: what they print, and what they say when they cannot."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from rearguard.bench.sensing.wires import SerialWire
from rearguard.cli import main
from rearguard.sensors import benewake
from support import MOCK
from test_replay import walk_to_wall

CAPTURES = Path(os.environ.get("REARGUARD_CAPTURES", Path(__file__).parents[2] / "shared" / "captures"))
needs_captures = pytest.mark.skipif(
    not CAPTURES.is_dir(), reason=f"no captures: set REARGUARD_CAPTURES, or see {CAPTURES}"
)


class Typed:
    """A command line, run in this process."""

    def __init__(self, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture, self._monkeypatch = capfdbinary, monkeypatch

    def __call__(self, *words: object, stdin: bytes = b"") -> tuple[int, bytes, str]:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(word) for word in words])
        out, err = self._capture.readouterr()
        return code, out, err.decode()


@pytest.fixture
def rearguard(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Typed:
    return Typed(capfdbinary, monkeypatch)


@pytest.fixture
def mock_toml(tmp_path: Path) -> Path:
    path = tmp_path / "mock.toml"
    path.write_text(MOCK)
    return path


def test_check_config_prints_the_page_of_the_default(rearguard: Typed) -> None:
    code, out, _ = rearguard("check-config")
    assert code == 0
    assert b"default.toml: good" in out
    assert b"Fastest safe walk" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check-config", "--config", "{tmp}/none.toml"], "none.toml: there is no such file"),
        (["run", "--config", "{tmp}/none.toml"], "none.toml: there is no such file"),
        (["replay", "{tmp}/none.jsonl"], "none.jsonl: there is no such file"),
        (["replay", "{tmp}"], "this is a folder"),
        (["replay", "{tmp}/binary"], "binary, line 1: not a reading line"),
        (["replay", "{tmp}/empty"], "empty: there is no reading in it"),
        (["decode", "ld06", "{tmp}/none.bin"], "none.bin: there is no such file"),
        (["decode", "ld07", "{tmp}/binary"], "'ld07': no such sensor; allowed: a02yyuw, benewake, ld06"),
        (["decode", "hcsr04", "{tmp}/binary"], "'hcsr04' does not talk on a serial line"),
        (["decode", "ld06", "{tmp}/binary"], "no intact frame of ld06"),
        (["check-config", "--config", "{tmp}/binary"], "not a text file"),
        (["check-config", "--config", "{tmp}/empty"], "sensor: this key is missing"),
        (["bench", "--config", "{tmp}/none.toml"], "none.toml: there is no such file"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_1(
    rearguard: Typed, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(255, 0, -1)))
    (tmp_path / "empty").touch()
    code, out, err = rearguard(*(word.format(tmp=tmp_path) for word in words))
    assert code == 1
    assert said in err
    assert err.startswith("rearguard: ")
    assert "Traceback" not in err
    assert out == b""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told_so(rearguard: Typed, tmp_path: Path) -> None:
    (tmp_path / "locked").write_text("x")
    (tmp_path / "locked").chmod(0)
    assert "no permission" in rearguard("replay", tmp_path / "locked")[2]


def test_running_without_the_pin_factory_says_how_to_get_it(rearguard: Typed, mocker) -> None:
    mocker.patch.dict(sys.modules, {"lgpio": None})
    code, _, err = rearguard("run")
    assert code == 1
    assert "python3-lgpio" in err


def test_replay_prints_each_change_of_a_bare_file(rearguard: Typed, tmp_path: Path) -> None:
    path = tmp_path / "walk.jsonl"
    path.write_bytes(b"".join(walk_to_wall()))
    code, out, err = rearguard("replay", path)
    assert code == 0
    assert [json.loads(line)["level"] for line in out.splitlines()] == ["clear", "notice", "warn", "stop", "clear"]
    assert err == ""


def test_replay_takes_standard_input_a_configuration_and_a_profile(rearguard: Typed, mock_toml: Path) -> None:
    walk = b"".join(walk_to_wall())
    plain = rearguard("replay", "-", stdin=walk)[1]
    assert rearguard("replay", "-", "--config", mock_toml, stdin=walk)[0] == 0
    assert rearguard("replay", "-", "--profile", "cautious", stdin=walk)[1] != plain


def test_replay_reports_a_torn_last_line_and_succeeds(rearguard: Typed) -> None:
    code, _, err = rearguard("replay", "-", stdin=b"".join(walk_to_wall()) + b'{"t_s": 9')
    assert code == 0
    assert "torn off" in err


def test_decode_ends_with_the_counts_on_standard_error(rearguard: Typed) -> None:
    data = (
        b"\x00\x01" + b"".join(benewake.encode(300 - i, 500) for i in range(50)) + benewake.encode(9, 9)[:-1] + b"\x00"
    )
    code, out, err = rearguard("decode", "benewake", "-", stdin=data)
    assert code == 0
    assert err.splitlines()[-1] == "50 good, 1 rejected, 11 bytes skipped"
    first = json.loads(out.splitlines()[0])
    assert first == {"t_s": 0.0, "sensor": "benewake", "status": "ok", "distance_m": 3.0}


def test_decode_uses_the_settings_of_a_sensor_of_the_configuration(rearguard: Typed, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(MOCK + '[sensor.luna]\ndriver = "benewake"\nrate_hz = 50\nport = "/dev/ttyUSB0"\n')
    data = benewake.encode(300, 500) * 2
    out = rearguard("decode", "luna", "-", "--config", path, stdin=data)[1]
    assert [json.loads(line)["t_s"] for line in out.splitlines()] == [0.0, 0.02]
    assert json.loads(out.splitlines()[0])["sensor"] == "luna"


@needs_captures
def test_a_real_capture_goes_through_decode_and_replay(rearguard: Typed) -> None:
    code, decoded, err = rearguard("decode", "ld06", CAPTURES / "ld06-andyblarblar-example3.bin")
    assert code == 0
    assert err.splitlines()[-1] == "863 good, 0 rejected, 49 bytes skipped"
    assert len(decoded.splitlines()) == 23
    code, out, _ = rearguard("replay", "-", stdin=decoded)
    assert code == 0
    assert [json.loads(line)["faults"] for line in out.splitlines()] == [[]] * len(out.splitlines())


@needs_captures
def test_a_corrupt_capture_has_nothing_good_in_it(rearguard: Typed) -> None:
    code, out, err = rearguard("decode", "ld06", CAPTURES / "ld06-andyblarblar-corrupt.bin")
    assert (code, out) == (1, b"")
    assert err.splitlines()[-1] == "0 good, 7 rejected, 975 bytes skipped"


def test_a_busy_port_is_told_as_such(tmp_path: Path) -> None:
    from random import Random

    from rearguard.bench.sensing.wires import VirtualClock
    from rearguard.errors import DeviceOpenError
    from rearguard.host import Host

    wire = SerialWire(benewake.Emulator(benewake.Config(driver="benewake"), Random(1)))
    settings = benewake.Config(driver="benewake", port=wire.port)
    first, second = (benewake.Sensor(name, settings, Host(VirtualClock(), lambda: None)) for name in ("a", "b"))
    first.open()
    try:
        with pytest.raises(DeviceOpenError, match="another program"):
            second.open()
    finally:
        first.close()
        wire.close()
