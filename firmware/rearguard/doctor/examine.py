"""All checks in order, and the command."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from rearguard.config import DEFAULT, Config, load
from rearguard.doctor import (
    access,
    board,
    buzzing,
    electric,
    history,
    library,
    lines,
    listening,
    page,
    twowire,
    uart,
    unit,
    upkeep,
)
from rearguard.doctor.finding import CannotTellError, Finding, Verdict, failure, ok, skipped, warning
from rearguard.doctor.machine import Machine
from rearguard.doctor.visit import Visit
from rearguard.errors import ConfigError

INSTALLED = "/etc/rearguard/rearguard.toml"


def configuration(visit: Visit) -> Iterable[Finding]:
    """Whether it can be used."""
    if visit.broken:
        mend = f"sudo nano {visit.source}; rearguard check-config --config {visit.source}"
        yield failure("board.config", visit.broken, mend)
    else:
        default = ", the default that ships" if visit.source == str(DEFAULT) else ""
        yield ok("board.config", f"good{default}")


CHECKS: tuple[tuple[str, Callable[[Visit], Iterable[Finding]]], ...] = (  # what one is called when it cannot tell
    ("board.model", board.model),
    ("board.system", board.system),
    ("board.python", board.python),
    ("board.config", configuration),
    ("board.memory", upkeep.memory),
    ("board.disk", upkeep.disk),
    ("board.clock", upkeep.clock),
    ("power.voltage", electric.voltage),
    ("power.throttling", electric.throttling),
    ("power.temperature", electric.temperature),
    ("access.service", access.service),
    ("access.you", access.you),
    ("pins.library", library.library),
    ("pins.chip", lines.chip),
    ("pins.lines", lines.taken),
    ("ports.all", uart.ports),
    ("uart.boot", uart.settings),
    ("uart.console", uart.console),
    ("i2c.bus", twowire.bus),
    ("sensors.all", listening.hear),
    ("motors.belt", buzzing.motors),
    ("service.state", unit.state),
    ("service.restarts", unit.restarts),
    ("service.unit", unit.current),
    ("service.watchdog", unit.watchdog),
    ("history.faults", history.faults),
)


SELFTEST = ("board.config", "sensors.all", "motors.belt")  # what a maker touches, by itself


def examine(visit: Visit, names: Container[str] | None = None) -> Iterable[Finding]:
    """Every finding, or those of some checks, as soon as it is known.

    Never raises: a check that breaks is a finding, too.
    """
    for name, check in CHECKS:
        if names is not None and name not in names:
            continue
        try:
            yield from check(visit)
        except CannotTellError as error:
            yield skipped(name, str(error), error.mend)
        except Exception as error:  # a defect of one check must not hide what the others find
            what = f"this check broke: {type(error).__name__}: {str(error)[:200]}"
            yield warning(name, what, "tell the makers of Rearguard, with this line")


def visit_for(machine: Machine, given: Path | None, listen: bool = True, buzz: bool = False) -> Visit:
    """The configuration that was given, else the installed one, else the one that ships."""
    path = given or (machine.path(INSTALLED) if machine.has(INSTALLED) else DEFAULT)
    config: Config | None = None
    broken = ""
    try:
        if path.is_fifo() and path != given:
            raise ConfigError(f"{path}: this is a pipe; a file is needed")
        config = load(path)
    except ConfigError as error:
        broken = str(error)
    return Visit(machine, config, str(path), broken, listen, buzz)


def run(args: argparse.Namespace) -> int:
    """The commands `doctor` and `selftest`; the exit code is 1 when there is a failure."""
    given = args.config.absolute() if args.config else None
    visit = visit_for(Machine(), given, not args.no_sensors, args.motors)
    if args.motors:
        for number in (signal.SIGTERM, signal.SIGHUP):  # a terminal that is gone must not leave a motor on
            signal.signal(number, lambda number, _: sys.exit(128 + number))
    with contextlib.ExitStack() as stack:
        if not os.environ.get("LG_WD"):  # lgpio leaves files in the folder it is imported in
            with contextlib.suppress(OSError):
                stack.enter_context(contextlib.chdir(stack.enter_context(TemporaryDirectory())))
        if args.json:
            show: page.Json | page.Page = page.Json(visit.source, sys.stdout)
        else:
            show = page.Page(visit.source, sys.stdout, os.environ, args.name)
        failed = False
        for finding in examine(visit, SELFTEST if args.name == "selftest" else None):
            failed = failed or finding.verdict is Verdict.FAILURE
            show.take(finding)
        show.end()
    return 1 if failed else 0
