"""`rearguard run` as a process of its own, with a LiDAR on a pseudo-terminal and systemd's socket."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from time import monotonic

import pytest

from rearguard.bench.sensing.wires import SerialWire
from rearguard.sensors import benewake

CONFIG = """
pin_factory = "mock"
[sensor.luna]
driver = "benewake"
port = "{port}"
[belt]
driver = "gpio_pwm"
motor.back = {{ pin = 13, bearing_deg = 0 }}
[buzzer]
pin = 25
[button]
pin = 17
[journal]
directory = "{folder}/journal"
"""
ALLOWED = {"gpiozero", "colorzero", "lgpio", "_lgpio", "RPi", "serial", "smbus2", "msgspec", "rearguard"}
TAKEN_IF_THERE = {"typing_extensions", "importlib_metadata", "lazy_importer", "zipp"}  # by msgspec and gpiozero
PATIENCE_S = 30.0  # for the machine, not for the guard: nothing here is timed


class Bench:
    """A guard under way, a sensor that can be moved, unplugged and plugged, and what systemd hears."""

    def __init__(self, folder: Path) -> None:
        self.wire = SerialWire(benewake.Emulator(benewake.Config(driver="benewake"), Random(1)))
        self.distance_m = 5.0
        self.speed_mps = 0.0
        self.wire.view = lambda _: self.distance_m
        self.config = folder / "c.toml"
        self.config.write_text(CONFIG.format(port=self.wire.port, folder=folder))
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind(str(folder / "notify"))
        self.told.settimeout(PATIENCE_S)
        self.heard: list[str] = []
        self._ending = Event()
        self._hand = Lock()  # one hand on the plug: it must not be pulled while the sensor is writing
        self._pump = Thread(target=self._run)
        self._pump.start()
        self.process: subprocess.Popen[str] | None = None

    def start(self, *command: str) -> subprocess.Popen[str]:
        words = command or ("-m", "rearguard", "run", "--config", str(self.config))
        env = {"NOTIFY_SOCKET": self.told.getsockname(), "WATCHDOG_USEC": "2000000", "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [sys.executable, *words], env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self.process

    def plug(self) -> None:
        """The sensor is there."""
        with self._hand:
            self.wire.plug()

    def unplug(self) -> None:
        """The sensor is gone."""
        with self._hand:
            self.wire.unplug()

    def hear(self, part: str) -> str:
        """Wait until systemd is told something with `part` in it."""
        end_s = monotonic() + PATIENCE_S
        while monotonic() < end_s:
            self.heard.append(self.told.recv(4096).decode())
            if part in self.heard[-1]:
                return self.heard[-1]
        raise AssertionError(f"{part!r} was never told, but {self.heard[-5:]}")

    def close(self) -> None:
        self._ending.set()
        self._pump.join()
        self.wire.close()
        self.told.close()
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def _run(self) -> None:
        """The sensor, in real time."""
        last = monotonic()
        while not self._ending.wait(0.01):
            now = monotonic()
            self.distance_m = max(self.distance_m - self.speed_mps * (now - last), 0.6)
            last = now
            with self._hand:
                self.wire.pump(now)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_it_arms_guards_survives_unplugging_and_says_goodbye(bench: Bench) -> None:
    process = bench.start()
    bench.hear("READY=1")
    bench.speed_mps = 1.0
    bench.hear("STATUS=STOP")
    bench.unplug()
    bench.hear("FAULT luna:lost")
    bench.distance_m, bench.speed_mps = 5.0, 0.0
    bench.plug()
    bench.hear("STATUS=guarding")
    process.send_signal(signal.SIGTERM)
    bench.hear("STOPPING=1")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert "is gone" in err
    assert "WATCHDOG=1" in bench.heard


def test_by_hand_a_port_that_is_absent_is_an_error_and_the_end(bench: Bench) -> None:
    bench.unplug()
    words = [sys.executable, "-m", "rearguard", "run", "--config", str(bench.config)]
    done = subprocess.run(words, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("rearguard: sensor.luna: ")
    assert f"{bench.wire.port} is not there" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_under_systemd_a_port_that_is_absent_is_felt_and_tried_again(bench: Bench) -> None:
    bench.unplug()
    bench.start()
    bench.hear("FAULT luna:lost")
    bench.plug()
    bench.hear("STATUS=guarding")


def test_an_interrupt_from_the_keyboard_ends_it_as_well(bench: Bench) -> None:
    process = bench.start()
    bench.hear("READY=1")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert err == ""


def test_a_defect_in_a_driver_is_a_felt_fault_and_a_restart_of_the_sensor(bench: Bench) -> None:
    script = (
        "import sys\n"
        "from rearguard.sensors import benewake\n"
        "feed, calls = benewake.Decoder.feed, []\n"
        "def broken(self, data, now):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 200: raise ZeroDivisionError('a defect')\n"
        "    return feed(self, data, now)\n"
        "benewake.Decoder.feed = broken\n"
        "from rearguard.cli import main\n"
        f"sys.exit(main(['run', '--config', {str(bench.config)!r}]))\n"
    )
    process = bench.start("-c", script)
    bench.hear("READY=1")
    bench.hear("FAULT luna:lost")
    bench.hear("STATUS=guarding")
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "ZeroDivisionError: a defect" in err


def test_the_guard_imports_nothing_but_what_it_may(bench: Bench) -> None:
    script = (
        "import sys\n"
        "from rearguard import service\n"
        "turn, turns = service.Guard.turn, []\n"
        "def counted(self, inputs, now):\n"
        "    turns.append(1)\n"
        "    if len(turns) == 150: self.stop()\n"
        "    return turn(self, inputs, now)\n"
        "service.Guard.turn = counted\n"
        "from rearguard.cli import main\n"
        f"code = main(['run', '--config', {str(bench.config)!r}])\n"
        "roots = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(*sorted(root for root in roots if not root.startswith('_')))\n"
        "sys.exit(code)\n"
    )
    process = bench.start("-c", script)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    found = set(out.split())
    assert {"gpiozero", "serial", "msgspec", "rearguard"} <= found
    assert found - ALLOWED - TAKEN_IF_THERE <= {"sitecustomize"}


def test_neither_bench_nor_companions_are_part_of_the_guard(bench: Bench) -> None:
    script = (
        "import sys\n"
        "import rearguard.cli, rearguard.service\n"
        "print(*sorted(name for name in sys.modules if name.startswith('rearguard.')))\n"
    )
    out, _ = bench.start("-c", script).communicate(timeout=PATIENCE_S)
    assert "rearguard.service" in out
    assert "bench" not in out


def test_a_terminal_that_hangs_up_ends_it_with_a_goodbye(bench: Bench) -> None:
    process = bench.start()
    bench.hear("READY=1")
    process.send_signal(signal.SIGHUP)
    bench.hear("STOPPING=1")
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
