"""For bench/test_crew.py: pieces of work, which other processes import by name, and the processes around them."""

from __future__ import annotations

import importlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parent
PATHS = {**os.environ, "PYTHONPATH": str(TESTS)}
NEVER_S = 20.0  # only what hangs takes so long


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


class StubbornError(Exception):
    """Made from two numbers, kept as a sentence: pickle cannot make it anew."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} of {other}")


def rebel(_: int) -> None:
    raise StubbornError(1, 2)


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


class Holder:
    """The process in which crew_work.hold() holds, seen through the pipe that it has open."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        os.mkfifo(folder / "pipe")
        self.fd = os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.pid = 0

    def says(self) -> bytes:
        """What it wrote; nothing when it is dead."""
        assert select.select([self.fd], [], [], NEVER_S)[0], "nobody holds"
        return os.read(self.fd, 100)

    def kill_once(self, _finished: int = 0, _all: int = 0) -> None:
        if not self.pid:
            self.pid = int(self.says())
            os.kill(self.pid, signal.SIGKILL)


@contextmanager
def script(text: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Python in a process group of its own."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import crew_work, os, signal, sys; from rearguard.bench.judging.crew import spread\n{text}",
            *args,
        ],
        env=PATHS,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Cluster:
    """A scheduler and workers without nannies, each a process on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, *args: str, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        settings = {
            **PATHS,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",  # Dask gives a piece up when its first worker dies
        }
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{command}", *args, "--no-dashboard"],
            cwd=self.folder,
            env=settings,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        self.processes.append(process)
        return process

    def open(self, workers: int) -> str:
        """Where the scheduler listens, once the workers are there."""
        scheduler = self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", stderr=subprocess.PIPE)
        assert scheduler.stderr is not None
        said = next(line for line in scheduler.stderr if b"Scheduler at:" in line)  # StopIteration if it has ended
        address = said.split()[-1].decode()
        for _ in range(workers):
            self.start("dask_worker", address, "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1")
        if workers:
            distributed = importlib.import_module("distributed")
            with distributed.Client(address, timeout=NEVER_S, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=NEVER_S)
        return address

    def pids(self) -> set[int]:
        return {process.pid for process in self.processes}

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.communicate()
