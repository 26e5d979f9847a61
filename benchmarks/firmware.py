"""The guard as a process of its own: its configuration, its environment, and the socket it reports to."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SILENCE_S = 60.0  # a guard that says nothing for so long does not work
SENSORS = {
    "hcsr04": 'driver = "hcsr04"\ntrigger_pin = 23\necho_pin = 24',
    "benewake": 'driver = "benewake"\nport = "{port}"',
    "ld06": 'driver = "ld06"\nport = "{port}"\nsector_deg = 160',
}
CONFIG = """\
pin_factory = "mock"
[sensor.rear]
{sensor}
[belt]
driver = "gpio_pwm"
motor.left = {{ pin = 12, bearing_deg = -90 }}
motor.back = {{ pin = 13, bearing_deg = 0 }}
motor.right = {{ pin = 19, bearing_deg = 90 }}
[journal]
enabled = {journal}
directory = "{directory}"
"""


class Place:
    """A directory of its own for a guard, and the notify socket in it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        path = directory / "notify"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.settimeout(SILENCE_S)
        self.notify.bind(str(path))
        # Installed packages are compiled; so is everything here, after the first start, and not in the checkout.
        spare = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self.env = spare | {"NOTIFY_SOCKET": str(path), "PYTHONPYCACHEPREFIX": str(directory / "compiled")}

    def config(self, sensor: str, port: str = "", journal: bool = False) -> Path:
        """A configuration file for one sensor and three motors."""
        path = self.directory / f"{sensor}.toml"
        table = SENSORS[sensor].format(port=port)
        path.write_text(CONFIG.format(sensor=table, journal=str(journal).lower(), directory=self.directory))
        return path

    def forget(self) -> None:
        """What an earlier guard has said."""
        self.notify.setblocking(False)
        try:
            while self.notify.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.notify.settimeout(SILENCE_S)

    def wait_for(self, word: str) -> None:
        """Until the guard has said `word`."""
        while self.notify.recv(4096).decode() != word:
            pass


@contextmanager
def place() -> Iterator[Place]:
    """A place that is cleared away afterwards."""
    with TemporaryDirectory(prefix="rearguard-benchmark-") as directory:
        made = Place(Path(directory))
        try:
            yield made
        finally:
            made.notify.close()
