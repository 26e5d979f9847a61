"""Many small pieces of work, spread over the cores of this machine or over a Dask cluster.

A piece may be done twice (its worker died before the answer came), so it must give the same result each time and leave
nothing behind. Work and tasks travel by pickle: the function must be importable by name on the other side.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import pickle
import pkgutil
import signal
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar
from urllib.parse import urlsplit

from rearguard import __version__
from rearguard.errors import InputError, RearguardError

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 3  # workers that a piece may end, or times that one which Dask gave up is sent again (assumed)
QUEUED = 2  # pieces sent for each thread of a cluster: one in work, one that waits (assumed)
CONNECT_S = 5.0  # for a scheduler to answer (assumed)
LOOK_S = 10.0  # for a first worker; without a result, until workers are counted: PATIENCE times none ends it (assumed)


def spread(
    work: Callable[[T], R],
    tasks: Sequence[T],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    done: Callable[[int, int], None] | None = None,
) -> list[R]:
    """work(task) for each task, in any order; the results in the order of the tasks.

    `workers`: processes; None: one for each core that this process may use; 1: in this very process.
    `scheduler`: "tcp://host:port" of a Dask cluster that has the same rearguard; `workers` then says nothing. Dask
    neither encrypts nor asks who calls: trusted networks only. `done(finished, all)` is called here after each piece.

    What work() raises comes out as itself, at once, and ends the rest. Raises InputError for `workers` below 1 and for
    a cluster that cannot be used, RearguardError for a piece that ends its worker each time and a cluster that goes.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers: {workers} is too few; give 1 or more")
    found: dict[int, R] = {}

    def keep(index: int, result: R) -> None:
        found[index] = result
        if done:
            done(len(found), len(tasks))

    workers = workers or cores()
    if scheduler is not None:
        _on_cluster(work, tasks, scheduler, keep)
    elif workers == 1:
        for index, task in enumerate(tasks):
            keep(index, work(task))
    else:
        _in_processes(work, tasks, workers, keep)
    return [found[index] for index in range(len(tasks))]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_processes(work: Callable[[T], R], tasks: Sequence[T], workers: int, keep: Callable[[int, R], None]) -> None:
    """A pipe for each process, so that one that dies takes nothing with it but its piece.

    That piece is tried again alone, when all others are done: memory may have been short. Not a ProcessPoolExecutor:
    in CPython 3.11 a worker that is killed while another starts can stop the thread that manages them all.
    """
    todo, suspects = deque(range(len(tasks))), deque[int]()
    ended = [0] * len(tasks)  # workers, by each piece
    fruitless = 0  # workers ended since the last result
    crew: dict[Connection, BaseProcess] = {}
    idle: list[Connection] = []
    flying: dict[Connection, int] = {}
    try:
        while todo or suspects or flying:
            while (todo and len(flying) < workers) or (suspects and not flying):
                index = (todo or suspects).popleft()
                packed = pickle.dumps((work, tasks[index]))
                line = idle.pop() if idle else _start(crew)
                flying[line] = index
                with suppress(OSError):  # it is dead, which wait() shows
                    line.send_bytes(packed)
            ready = wait(list(flying))
            for line in [line for line in flying if line in ready]:
                index = flying.pop(line)
                try:
                    answer = line.recv_bytes()
                except (EOFError, OSError):
                    _end(line, crew.pop(line))
                    fruitless, ended[index] = fruitless + 1, ended[index] + 1
                    if ended[index] == PATIENCE or fruitless == PATIENCE * workers:
                        raise _culprit(index, tasks[index]) from None
                    suspects.append(index)
                else:
                    idle.append(line)
                    good, result = pickle.loads(answer)
                    if not good:
                        raise result
                    fruitless = 0
                    keep(index, result)
    finally:
        for line, process in crew.items():
            _end(line, process)


def _start(crew: dict[Connection, BaseProcess]) -> Connection:
    """Spawned: a fork copies locks that other threads hold; a fork server stays, with the environment of its first use.

    It inherits a blocked SIGINT, so that Ctrl-C in its first moments prints no traceback either.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
        crew[ours] = process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
    return ours


def _end(line: Connection, process: BaseProcess) -> None:
    process.kill()
    process.join()
    line.close()


def _serve(line: Connection) -> None:
    """A worker. Ctrl-C is the parent's business; the parent's death is the worker's, even in the middle of a piece."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()
    with suppress(EOFError, OSError):  # the parent has gone
        while True:
            line.send_bytes(_answer(line.recv_bytes()))


def _follow() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _answer(packed: bytes) -> bytes:
    """(True, result) or (False, error), packed."""
    try:
        work, task = pickle.loads(packed)
        return pickle.dumps((True, work(task)))
    except BaseException as error:
        error.add_note(f"In a worker: {traceback.format_exc()}")
        try:
            answer = pickle.dumps((False, error))
            pickle.loads(answer)  # not all that can be packed can be unpacked
            return answer
        except Exception:
            return pickle.dumps((False, RearguardError(f"{type(error).__name__}: {error}")))


def _culprit(index: int, task: object) -> RearguardError:
    return RearguardError(
        f"piece {index + 1} ends its worker each time (out of memory, or no start?); try workers=1: {task!r:.200}"
    )


def _on_cluster(work: Callable[[T], R], tasks: Sequence[T], address: str, keep: Callable[[int, R], None]) -> None:
    """Never more on the way than keeps the threads of the cluster busy; what Dask gives up is sent again."""
    todo = deque(range(len(tasks)))
    flying: dict[Any, int] = {}
    again = [0] * len(tasks)
    room = idle = 0
    with _client(address) as (distributed, client):
        while todo or flying:
            with _talk(address):
                if todo and len(flying) <= room // 2:  # in batches, that each pay once for the way
                    room = max(QUEUED * sum(client.nthreads().values()), 1)
                    batch = [todo.popleft() for _ in range(min(room - len(flying), len(todo)))]
                    pieces = [pickle.dumps((__version__, work, tasks[index])) for index in batch]
                    flying.update(zip(client.map(_piece, pieces, pure=False), batch, strict=True))
                try:
                    ended = distributed.wait(list(flying), timeout=LOOK_S, return_when="FIRST_COMPLETED").done
                except TimeoutError:
                    idle = 0 if client.nthreads() else idle + 1
                    if idle == PATIENCE:
                        raise RearguardError(f"{address}: all workers are gone; start some and try again") from None
                    continue
                good = [future for future in ended if future.status == "finished"]
                results = client.gather(good, errors="skip")
            idle = 0
            if len(results) < len(good):
                continue  # a worker died with its result, and the second time failed: the next turn sees it
            for future, result in zip(good, results, strict=True):
                keep(flying.pop(future), result)
            for future in [future for future in ended if future.status == "error"]:
                failure, index = future.exception(), flying.pop(future)
                if not isinstance(failure, distributed.KilledWorker):
                    raise failure.with_traceback(future.traceback())
                if again[index] == PATIENCE:
                    raise _culprit(index, tasks[index]) from failure
                again[index] += 1
                todo.append(index)


def _piece(packed: bytes) -> Any:
    """On a worker of the cluster, which may have joined since _client() asked for versions."""
    version, work, task = pickle.loads(packed)
    if version != __version__:
        raise InputError(f"a worker of the cluster has rearguard {__version__}, this is {version}; install the same")
    return work(task)


@contextmanager
def _client(address: str) -> Iterator[tuple[Any, Any]]:
    """The distributed package, and a client of a cluster that has workers, all of them with this very rearguard."""
    try:
        distributed: Any = importlib.import_module("distributed")  # optional, and not strictly typed
    except ImportError:
        raise InputError("a scheduler needs the distributed package: pip install 'rearguard[cluster]'") from None
    logs = {log: log.level for log in map(logging.getLogger, ("distributed", "distributed.client"))}
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)  # what goes wrong is told by an error, once
    try:
        try:
            _knock(address)
            client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(f"{address}: no Dask scheduler found ({error}); start one: dask scheduler") from error
        with client, client.as_current():
            with _talk(address):
                try:
                    client.wait_for_workers(1, timeout=LOOK_S)
                except TimeoutError:
                    raise InputError(f"{address}: no workers; start some: dask worker {address}") from None
                told = client.run(pkgutil.resolve_name, "rearguard:__version__", on_error="return")
            for worker, version in told.items():
                if version != __version__ and not isinstance(version, OSError):  # that one has just died
                    raise InputError(f"{worker} has rearguard {version}, not {__version__}; install that there")
            yield distributed, client
    finally:
        for log, level in logs.items():
            log.setLevel(level)


def _knock(address: str) -> None:
    """Raises OSError or ValueError where no scheduler listens: Client hangs on a silent port or an unknown host."""
    parts = urlsplit(address)
    if parts.scheme != "tcp" or not parts.hostname or not parts.port:
        raise ValueError("not like tcp://host:port")
    with socket.create_connection((parts.hostname, parts.port), CONNECT_S) as line:
        size = int.from_bytes(line.recv(8, socket.MSG_WAITALL), "little")
    if not 0 < size < 2**20:  # Dask speaks first: the length of a greeting of some 200 bytes; ASCII is beyond 2**50
        raise ValueError("something else listens there")


@contextmanager
def _talk(address: str) -> Iterator[None]:
    """Around what needs the scheduler, and nothing else: such errors inside are the cluster's."""
    try:
        yield
    except (OSError, CancelledError) as error:
        raise RearguardError(f"{address}: the scheduler has gone, or gave up the work; try again") from error
