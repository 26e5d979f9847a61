"""The start of `rearguard run`, against no more than importing gpiozero and lgpio.

Timed for ours: from creating the process to its words on the notify socket. STATUS=self-test comes when command line,
configuration, drivers and core are there; the first WATCHDOG=1 when gpiozero is loaded too, the pins are open and the
motors have been written for the first time. For the peer: from creating the process until both modules are imported,
which it tells by one byte on a pipe, so that neither pays for its end. Ours imports lgpio as well. The two take turns
after a warm-up that leaves compiled files, and the median of the ratios of neighbours is taken, so that a busy machine
slows both. The last row counts the start up to the motors in instructions, which no machine's mood can touch.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from statistics import median
from time import perf_counter

from firmware import Place, place
from measure import Row, SkipError, counts, figure, say, versus

PAIRS, WARM = 15, 2
AT_MOST = 3.0
TEST, MOTORS = "STATUS=self-test", "WATCHDOG=1"
OURS = "import lgpio; from rearguard.cli import main; main(['run', '--config', {!r}])"
PEER = "import gpiozero, lgpio, os; os.write(1, b'.')"
END_AT_MOTORS = f"""\
import os
from rearguard import notify
notify.Notifier.send = lambda self, word: os._exit(0) if word == {MOTORS!r} else None
"""
END_AT_IMPORT = "import gpiozero, lgpio, os; os._exit(0)"


def rows() -> list[Row]:
    """Milliseconds and instructions to be ready."""
    if find_spec("lgpio") is None:
        raise SkipError("lgpio is missing; pip install 'rearguard[peers]'")
    with place() as here:
        code = OURS.format(str(here.config("hcsr04")))
        say(f"starting each {WARM} + {PAIRS} times")
        times = [(*_ours(here, code), _peer(here)) for _ in range(WARM + PAIRS)][WARM:]
        say("counting both")
        commands = [[sys.executable, "-c", text] for text in (END_AT_MOTORS + code, END_AT_IMPORT)]
        counted = [count / 1e6 for count in counts(commands, here.directory, here.env)]
    return [
        _row("start of `rearguard run` to its self-test (peer: import gpiozero, lgpio)", [(t, p) for t, _, p in times]),
        _row("the same, until the motors have been written", [(m, p) for _, m, p in times]),
        versus("the same, counted", *counted, "M instr", AT_MOST),
    ]


def _row(what: str, pairs: list[tuple[float, float]]) -> Row:
    ratio = median(ours / peer for ours, peer in pairs)
    ours, peer = (figure(1000 * median(side), "ms") for side in zip(*pairs, strict=True))
    return Row(what, ours, peer, f"{ratio:.2f}", f"<= {AT_MOST:g}", ratio <= AT_MOST)


def _ours(here: Place, code: str) -> tuple[float, float]:
    """Seconds to the self-test and to the motors."""
    here.forget()
    began = perf_counter()
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=here.directory, env=here.env, stdout=subprocess.DEVNULL) as guard:
        here.wait_for(TEST)
        test_s = perf_counter() - began
        here.wait_for(MOTORS)
        motors_s = perf_counter() - began
        guard.kill()
    return test_s, motors_s


def _peer(here: Place) -> float:
    """Seconds to the end of the imports."""
    read, write = os.pipe()
    began = perf_counter()
    with subprocess.Popen([sys.executable, "-c", PEER], cwd=here.directory, env=here.env, stdout=write):
        os.close(write)
        told = os.read(read, 1)
        took = perf_counter() - began
    os.close(read)
    assert told == b"."
    return took
