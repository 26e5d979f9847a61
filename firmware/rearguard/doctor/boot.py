"""What the firmware of the Pi is told at boot: config.txt and cmdline.txt."""

from __future__ import annotations

import re
from typing import NamedTuple

from rearguard.doctor.finding import CannotTellError
from rearguard.doctor.machine import Machine

FOLDERS = ("/boot/firmware", "/boot")  # Bookworm and later; before that, and a link since
ON = {"", "on", "1", "yes", "true"}
MODELS = {  # the filter of config.txt that holds for a model, first match wins
    r"Pi (5|500)\b|Module 5": "pi5",
    r"Pi (4|400)\b|Module 4": "pi4",
    r"Pi 3|Module 3": "pi3",
    r"Zero 2": "pi02",
    r"Zero W": "pi0w",
    r"Zero": "pi0",
    r"Pi 2": "pi2",
}
ALSO = {"pi02": {"pi0"}, "pi0w": {"pi0"}}  # a filter that takes in others


class Boot(NamedTuple):
    """What holds for this board."""

    folder: str
    settings: dict[str, str]  # enable_uart and the like, the last one wins
    params: dict[str, str]  # of dtparam: i2c_arm, uart0
    overlays: frozenset[str]
    consoles: tuple[str, ...]  # as cmdline.txt names them, without speed

    @property
    def config(self) -> str:
        return f"{self.folder}/config.txt"

    def on(self, *params: str) -> bool:
        """Whether one of these device tree parameters is switched on."""
        return any(name in self.params and self.params[name] in ON for name in params)


def read(machine: Machine, model: str) -> Boot:
    """Both files. Raises CannotTellError when there is no config.txt."""
    why = "there is no config.txt in /boot/firmware or /boot"
    for folder in FOLDERS:
        try:
            text = machine.text(f"{folder}/config.txt")
        except CannotTellError as error:
            why = str(error) if machine.has(f"{folder}/config.txt") else why
            continue
        return _parse(folder, text, _consoles(machine, folder), model)
    raise CannotTellError(why)


def _consoles(machine: Machine, folder: str) -> tuple[str, ...]:
    try:
        words = machine.text(f"{folder}/cmdline.txt").split()
    except CannotTellError:
        words = []
    return tuple(word[8:].split(",")[0] for word in words if word.startswith("console="))


def _parse(folder: str, text: str, consoles: tuple[str, ...], model: str) -> Boot:
    own = next((name for pattern, name in MODELS.items() if re.search(pattern, model)), "")
    filters = {"all", own, *ALSO.get(own, set())}
    settings: dict[str, str] = {}
    params: dict[str, str] = {}
    overlays: set[str] = set()
    holds = True
    for raw in text.splitlines():
        line = raw.split("#")[0].strip()
        if line.startswith("["):
            holds = line.strip("[]").lower() in filters
        elif holds and "=" in line:
            key, value = (part.strip() for part in line.split("=", 1))
            if key == "dtparam":
                params.update(_pair(item) for item in value.split(","))
            elif key == "dtoverlay":
                overlays.add(value.split(",")[0].strip())
            else:
                settings[key] = value
    return Boot(folder, settings, params, frozenset(overlays), consoles)


def _pair(item: str) -> tuple[str, str]:
    key, _, value = item.partition("=")
    return key.strip(), value.strip().lower()
