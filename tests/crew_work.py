"""Pieces of work for bench/test_crew.py: what other processes do must be importable there."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path


def square(number: int) -> int:
    return number * number


def where(_: int) -> int:
    return os.getpid()


def stumble(number: int) -> int:
    """3 is too much."""
    if number == 3:
        raise FileNotFoundError(f"no walk {number}")  # an OSError, as those of a lost connection are
    return number


def die(number: int) -> int:
    """Only 3 is deadly."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(_: int) -> object:
    """A result that no pickle holds."""
    return threading.Lock()


def hold(folder: str) -> str:
    """The first time for ever, with its process id in the pipe of the folder, open for as long as the process lives."""
    try:
        (Path(folder) / "been").mkdir()
    except FileExistsError:
        return folder
    with (Path(folder) / "pipe").open("w") as pipe:
        print(os.getpid(), file=pipe, flush=True)
        threading.Event().wait()
    return folder


def mixed(task: int | str) -> int | str:
    """A folder to hold in, or a number to square."""
    return hold(task) if isinstance(task, str) else square(task)


def deaf(_: int) -> bool:
    """Whether this process was started deaf to Ctrl-C."""
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
