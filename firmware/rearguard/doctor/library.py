"""The library beneath the pins: whether the one that the configuration names works here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from rearguard.doctor.finding import CannotTellError, Finding, failure, ok, warning
from rearguard.doctor.visit import Visit
from rearguard.host import APT, PIP, from_apt, library_mend, released

MODULES = {"lgpio": ("lgpio", "gpiochip_open"), "rpigpio": ("RPi.GPIO", "setmode")}  # and what a whole one has
CHECK = "pins.library"
PROBE = """
import importlib, importlib.metadata, json, sys
said = {"versions": {}, "error": "", "whole": False, "apt": any(p.endswith("dist-packages") for p in sys.path)}
for name in "lgpio", "RPi.GPIO", "rpi-lgpio":
    try:
        said["versions"][name] = str(importlib.metadata.version(name))
    except Exception:
        pass
try:
    said["whole"] = hasattr(importlib.import_module(sys.argv[1]), sys.argv[2])
except BaseException as error:
    said["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""  # in a process of its own: these libraries may end it, and lgpio litters the folder it is imported in


def library(visit: Visit) -> Iterator[Finding]:
    """Imports it as the guard will."""
    factory = visit.config.pin_factory
    if factory not in MODULES:
        mend = 'in the configuration: pin_factory = "lgpio"'
        yield warning(CHECK, f"pin_factory is {factory!r}: no motor will turn, no pin is read", mend)
        return
    module, part = MODULES[factory]
    try:
        said = probe(visit, module, part)
    except CannotTellError as error:
        yield failure(CHECK, str(error), f'{sys.executable} -c "import {module}"   # shows why')
        return
    versions = said["versions"]
    if "RPi.GPIO" in versions and "rpi-lgpio" in versions:
        what = "RPi.GPIO and rpi-lgpio are both installed, and hide each other"
        again = from_apt(APT["rpigpio"], said["apt"]) if released() or said["apt"] else f"{PIP} install rpi-lgpio"
        yield failure(CHECK, what, f"{_out()} RPi.GPIO rpi-lgpio; {again}")
    if said["error"]:
        mend = from_apt(APT[factory], said["apt"]) if factory == "lgpio" else library_mend(factory, said["apt"])
        yield failure(CHECK, f"{module} cannot be imported: {said['error'][:200]}", mend)
    elif not said["whole"]:
        what = f"{module} {versions.get(module, '')} is an empty stub, as PyPI gives where it has no wheel"
        yield failure(CHECK, what, f"{_out()} {module}; {from_apt(APT[factory], said['apt'])}")
    elif factory == "rpigpio" and "rpi-lgpio" not in versions and visit.rp1:
        yield failure(CHECK, f"RPi.GPIO does not know the {visit.model}", 'in the configuration: pin_factory = "lgpio"')
    else:
        name = module if module in versions else "rpi-lgpio"
        yield ok(CHECK, f"{name} {versions.get(name, '(no version given)')}")


def _out() -> str:
    """What takes packages of pip out; those that a release sees are the system's."""
    return "sudo /usr/bin/python3 -m pip uninstall --break-system-packages -y" if released() else f"{PIP} uninstall -y"


def probe(visit: Visit, module: str, part: str) -> dict[str, Any]:
    """What importing it came to, and whether it has `part`. Raises CannotTellError."""
    code, text = visit.machine.run([sys.executable, "-c", PROBE, module, part])
    try:
        said = json.loads(text.splitlines()[-1])
        flags = {key: bool(said[key]) for key in ("whole", "apt")}
        return {"versions": dict(said["versions"]), "error": str(said["error"]), **flags}
    except (ValueError, LookupError, TypeError):
        raise CannotTellError(f"{module} ends Python itself (code {code}): {text[-100:]!r}") from None
