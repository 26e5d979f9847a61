"""One examination: the machine, the configuration, and what several checks want to know, asked once."""

from __future__ import annotations

import re
from functools import cached_property

from rearguard.config import Config
from rearguard.doctor import boot
from rearguard.doctor.finding import CannotTellError
from rearguard.doctor.machine import Machine
from rearguard.host import Host

UNIT = "rearguard.service"
ASKED = (
    "LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,NeedDaemonReload,Type,Restart,User,"
    "SupplementaryGroups,WatchdogUSec,StatusText"
)
RUNNING = ("active", "activating", "reloading", "deactivating")  # also between two attempts: it may come back any time


class Visit:
    """What a check is given."""

    def __init__(
        self,
        machine: Machine,
        config: Config | None,
        source: str,
        broken: str = "",
        listen: bool = True,
        buzz: bool = False,
    ) -> None:
        """`source` is the file of the configuration; `broken` says why it cannot be used.

        `listen` opens the sensors, `buzz` drives the motors.
        """
        self.machine, self._config, self.source, self.broken = machine, config, source, broken
        self.listen, self.buzz = listen, buzz

    @property
    def config(self) -> Config:
        """Raises CannotTellError when it cannot be used."""
        if self._config is None:
            raise CannotTellError("needs a configuration that can be used")
        return self._config

    @cached_property
    def host(self) -> Host:
        """What the drivers stand on; opens nothing yet. Raises CannotTellError."""
        return self.machine.host(self.config)

    @cached_property
    def model(self) -> str:
        """What the device tree says; "" where there is none."""
        try:
            return self.machine.text("/proc/device-tree/model")
        except CannotTellError:
            return ""

    @property
    def pi(self) -> bool:
        return self.model.startswith("Raspberry Pi")

    @property
    def rp1(self) -> bool:
        """Whether the header hangs on an RP1: a Pi 5 and its kin."""
        return self.pi and bool(re.search(r"Pi (5|500)\b|Module 5", self.model))

    @cached_property
    def boot(self) -> boot.Boot:
        """Raises CannotTellError."""
        if not self.pi:
            raise CannotTellError("this is no Raspberry Pi")
        return boot.read(self.machine, self.model)

    @cached_property
    def _shown(self) -> dict[str, str] | CannotTellError:
        try:
            return self.machine.show(UNIT, f"--property={ASKED}")
        except CannotTellError as error:
            return error

    @property
    def service(self) -> dict[str, str]:
        """What systemd says of the service. Raises CannotTellError."""
        if isinstance(self._shown, CannotTellError):
            raise CannotTellError(str(self._shown))
        return self._shown

    @property
    def installed(self) -> bool:
        """Whether systemd knows the service; False as well where systemd cannot be asked."""
        return not isinstance(self._shown, CannotTellError) and self._shown.get("LoadState") == "loaded"

    @property
    def running(self) -> bool:
        """Whether the service holds pins and ports, as far as can be told."""
        return not isinstance(self._shown, CannotTellError) and self._shown.get("ActiveState") in RUNNING
