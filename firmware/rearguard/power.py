"""The board's own supply and heat, as the kernel tells them in hwmon; reported when they change.

It has a thread of its own: a file of the firmware's that does not answer must not hold up the guard. What cannot be
read is told once and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from rearguard.core.reading import Report
from rearguard.errors import tell
from rearguard.host import Clock

HWMON = Path("/sys/class/hwmon")
VOLT, VOLT_ALARM = "rpi_volt", "in0_lcrit_alarm"  # 1: below 4.63 V; boards without a detector (Zero) have no rpi_volt
HEAT, HEAT_MILLI_C = "cpu_thermal", "temp1_input"
EVERY_S = 1.0
# The kernel asks the firmware every 2 s whether the supply has dipped since, so that one dip reads as 1 for 2 s. Three
# reads have two dips behind them at least: it lasts. Then the board may go out in mid-walk, and that must be felt.
LOW_READS = 3
# The firmware slows the CPU down from 80 C on. Slowed as far as it goes (600 MHz), it still has many times what the
# guard takes, and a guard that is late all the same is ended by the watchdog: heat is shown, not felt (UNFELT).
HOT_C, COOL_C = 80.0, 75.0
STUCK_S = 5.0  # a read takes microseconds, or some milliseconds of the firmware's (assumed)


def find(root: Path, device: str) -> Path | None:
    """The hwmon folder of the device of that name; None when there is none."""
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return None
    for folder in folders:
        try:
            with (folder / "name").open("rb") as file:
                if file.read(64).strip() == device.encode():
                    return folder
        except OSError:  # it went away; another may be the one
            pass
    return None


def number(path: Path) -> int:
    """The whole number that a file of hwmon holds. Raises OSError or ValueError."""
    with path.open("rb") as file:
        return int(file.read(32))


class PowerWatch(Thread):
    """Reports `system:under_voltage` and `system:hot` as they begin and end."""

    def __init__(self, put: Callable[[Report], None], clock: Clock, root: Path = HWMON) -> None:
        """`put` is called from this thread. `root`: where the kernel keeps its hwmon devices."""
        super().__init__(name="power", daemon=True)
        self._put, self._clock, self._root = put, clock, root
        self._ending = Event()
        self._begun_s: float | None = None  # when the round under way began
        self._known: set[str] = set()  # devices that have been read
        self._told: set[str] = set()
        self._active = {"under_voltage": False, "hot": False}
        self._low = 0  # reads in a row

    def stop(self) -> None:
        """End soon; `join` waits for it."""
        self._ending.set()

    def run(self) -> None:
        while not self._ending.is_set():
            self.round()
            self._ending.wait(EVERY_S)

    def round(self) -> None:
        """Look once."""
        self._begun_s = now = self._clock.now()
        alarm = self._read(VOLT, VOLT_ALARM, 0, 1)
        if alarm is not None:
            self._low = self._low + 1 if alarm else 0
            self._set("under_voltage", self._low >= LOW_READS, now)
        heat = self._read(HEAT, HEAT_MILLI_C, -60_000, 200_000)  # no silicon works beyond
        if heat is not None:
            self._set("hot", heat / 1000 >= (COOL_C if self._active["hot"] else HOT_C), now)
        self._begun_s = None

    def check(self, now_s: float) -> None:
        """Called by the guard now and then: a read that never comes back is told from here."""
        begun = self._begun_s
        if begun is not None and now_s - begun > STUCK_S:
            self._tell("stuck", f"{self._root} does not answer; under-voltage and heat are not watched until it does")

    def _read(self, device: str, file: str, least: int, most: int) -> int | None:
        """A number within bounds; None where the board has no such device, and when it cannot be read."""
        folder = find(self._root, device)  # each time: devices come late in the boot, and with another number
        if folder is None and device not in self._known:
            return None
        path = (folder or self._root / device) / file
        try:
            value = number(path)
            if not least <= value <= most:
                raise ValueError(f"{value} is no value of it")
        except (OSError, ValueError) as error:
            why = (error.strerror or error) if isinstance(error, OSError) else error
            self._tell(device, f"{path} cannot be read: {why}; it is tried again every second")
            return None
        self._known.add(device)
        return value

    def _set(self, fault: str, active: bool, now: float) -> None:
        if active is not self._active[fault]:
            self._active[fault] = active
            self._put(Report("system", now, fault, active))

    def _tell(self, what: str, text: str) -> None:
        """Once for each kind of trouble; a loose one must not fill the log."""
        if what not in self._told:
            self._told.add(what)
            tell(f"power: {text}")
