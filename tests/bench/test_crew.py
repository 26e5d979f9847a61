"""Spreading work: in this process, over processes that are killed, over a real Dask cluster on this machine."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock, Thread

import pytest

import crew_work
from crew_work import NEVER_S, Cluster, Holder, script
from rearguard.bench.judging import crew
from rearguard.bench.judging.crew import spread
from rearguard.errors import InputError, RearguardError


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    holder = Holder(tmp_path)
    yield holder
    os.close(holder.fd)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks_and_each_is_told(workers: int) -> None:
    told: list[tuple[int, int]] = []
    found = spread(crew_work.square, range(40), workers=workers, done=lambda *count: told.append(count))
    assert found == [number * number for number in range(40)]
    assert told == [(finished, 40) for finished in range(1, 41)]


def test_one_worker_is_this_process_and_two_are_others() -> None:
    assert set(spread(crew_work.where, range(3), workers=1)) == {os.getpid()}
    assert os.getpid() not in spread(crew_work.where, range(3), workers=2)


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_nothing_to_do_is_no_results(workers: int | None) -> None:
    assert spread(crew_work.square, [], workers=workers) == []


def test_the_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {2, 5, 7})
    assert crew.cores() == 3


@pytest.mark.parametrize("workers", [0, -2])
def test_less_than_one_worker_is_refused(workers: int) -> None:
    with pytest.raises(InputError, match=f"workers: {workers} is too few"):
        spread(crew_work.square, [1], workers=workers)


def test_a_killed_worker_costs_no_result(holder: Holder) -> None:
    tasks = [holder.folder, *range(30)]
    told: list[int] = []

    def done(finished: int, _all: int) -> None:
        told.append(finished)
        holder.kill_once()

    assert spread(crew_work.mixed, tasks, workers=2, done=done) == [holder.folder, *(n * n for n in range(30))]
    assert holder.pid not in (0, os.getpid())
    assert told == list(range(1, 32)), "a result counted twice or not at all"


def test_a_piece_that_kills_each_worker_is_named_after_the_others_are_done() -> None:
    told: list[int] = []
    with pytest.raises(RearguardError, match=r"^piece 4 ends its worker each time .* workers=1: 3$"):
        spread(crew_work.die, range(12), workers=2, done=lambda finished, _all: told.append(finished))
    assert told == list(range(1, 12))


def test_pieces_that_ended_a_worker_are_tried_again_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []

    def counted(lines: list[Connection]) -> list[object]:
        together.append(len(lines))
        return list(wait(lines))

    monkeypatch.setattr(crew, "wait", counted)
    with pytest.raises(RearguardError, match="ends its worker each time"):
        spread(crew_work.die, [3, 3], workers=2)
    assert together.count(2) == 1, "only the first time"


def test_workers_that_cannot_even_start_are_not_tried_for_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = crew._start

    def stillborn(members: dict[Connection, BaseProcess]) -> Connection:
        line = start(members)
        started.append(1)
        members[line].kill()
        return line

    monkeypatch.setattr(crew, "_start", stillborn)
    with pytest.raises(RearguardError, match="ends its worker each time"):
        spread(crew_work.square, range(100), workers=2)
    assert len(started) <= 2 * crew.PATIENCE + 1


def test_an_error_that_cannot_be_sent_is_told_in_words_and_any_with_its_place() -> None:
    with pytest.raises(RearguardError, match=r"^StubbornError: 1 of 2$"):
        spread(crew_work.rebel, [1, 2], workers=2)
    with pytest.raises(FileNotFoundError) as caught:
        spread(crew_work.stumble, [3, 3], workers=2)
    assert "in stumble" in caught.value.__notes__[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_the_work_raises_comes_out_as_itself(workers: int) -> None:
    with pytest.raises(FileNotFoundError, match="no walk 3"):
        spread(crew_work.stumble, range(10), workers=workers)


def test_a_result_that_cannot_be_sent_says_so() -> None:
    with pytest.raises(TypeError, match="lock"):
        spread(crew_work.refuse, [1, 2], workers=2)


def test_a_task_that_cannot_be_sent_says_so() -> None:
    with pytest.raises(TypeError, match="lock"):
        spread(repr, [Lock(), Lock()], workers=2)


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, ZeroDivisionError])
def test_workers_in_the_middle_of_a_piece_end_when_the_caller_has_enough(
    holder: Holder, trouble: type[BaseException]
) -> None:
    def done(_finished: int, _all: int) -> None:
        holder.pid = int(holder.says())
        raise trouble

    with pytest.raises(trouble):
        spread(crew_work.mixed, [holder.folder, 1, 2, 3], workers=2, done=done)
    assert holder.says() == b""


def test_ctrl_c_ends_all_and_the_workers_print_nothing(holder: Holder) -> None:
    text = """
try:
    spread(crew_work.hold, sys.argv[1:], workers=2)
except KeyboardInterrupt:
    print("stopped")
"""
    other = Path(holder.folder) / "other"
    other.mkdir()
    second = Holder(other)
    with script(text, holder.folder, second.folder) as process:
        assert int(holder.says()) != int(second.says())
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=NEVER_S)
    assert (out, err, process.returncode) == ("stopped\n", "", 0)
    assert holder.says() == second.says() == b""
    os.close(second.fd)


def test_workers_are_deaf_to_ctrl_c_from_their_first_moment_and_the_caller_is_not() -> None:
    assert spread(crew_work.deaf, range(4), workers=2) == [True] * 4
    assert spread(crew_work.deaf, [0], workers=1) == [False]


def test_workers_end_when_the_caller_is_killed(holder: Holder) -> None:
    with script("spread(crew_work.hold, [sys.argv[1]] * 2, workers=2)", holder.folder) as process:
        assert int(holder.says()) != process.pid
        process.kill()
        assert holder.says() == b""


# On a cluster


def test_without_the_package_a_scheduler_is_refused_with_the_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"needs the distributed package: pip install 'rearguard\[cluster\]'"):
        spread(crew_work.square, [1], scheduler="tcp://127.0.0.1:8786")


def test_a_worker_of_another_version_does_no_piece() -> None:
    with pytest.raises(InputError, match=r"rearguard .*, this is 9\.9; install the same"):
        crew._piece(pickle.dumps(("9.9", crew_work.square, 3)))


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="the distributed package is not installed")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster
    finally:
        cluster.close()


def test_a_cluster_gives_what_this_process_gives_and_raises_what_it_raises(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = cluster.open(workers=2)
    told: list[tuple[int, int]] = []
    found = spread(crew_work.square, range(50), scheduler=address, done=lambda *count: told.append(count))
    assert found == spread(crew_work.square, range(50), workers=1)
    assert told == [(finished, 50) for finished in range(1, 51)]
    assert set(spread(crew_work.where, range(20), scheduler=address)) <= cluster.pids()

    with pytest.raises(FileNotFoundError, match="no walk 3"):
        spread(crew_work.stumble, range(10), scheduler=address)
    with pytest.raises(TypeError, match="lock"):
        spread(repr, [Lock()], scheduler=address)
    monkeypatch.setattr(crew, "__version__", "9.9")
    with pytest.raises(InputError, match=r"has rearguard .*, not 9\.9; install that there"):
        spread(crew_work.square, [1], scheduler=address)


def test_a_killed_worker_of_a_cluster_costs_no_result(cluster: Cluster, holder: Holder) -> None:
    address = cluster.open(workers=2)
    found = spread(crew_work.mixed, [holder.folder, *range(30)], scheduler=address, done=holder.kill_once)
    assert found == [holder.folder, *(number * number for number in range(30))]
    assert holder.pid in cluster.pids()


def test_a_piece_that_kills_each_worker_of_a_cluster_is_named(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "PATIENCE", 1)
    address = cluster.open(workers=2)
    with pytest.raises(RearguardError, match=r"^piece 1 ends its worker each time .*: 3$"):
        spread(crew_work.die, [3], scheduler=address)


def test_a_cluster_that_loses_all_its_workers_is_given_up(
    cluster: Cluster, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = cluster.open(workers=1)
    monkeypatch.setattr(crew, "LOOK_S", 0.1)
    with pytest.raises(RearguardError, match=f"{address}: all workers are gone"):
        spread(crew_work.mixed, [1, holder.folder, 2, 3], scheduler=address, done=holder.kill_once)
    with pytest.raises(InputError, match=f"{address}: no workers; start some: dask worker {address}"):
        spread(crew_work.square, [1], scheduler=address)


def test_a_scheduler_that_goes_away_is_one_line_and_no_log(cluster: Cluster) -> None:
    address = cluster.open(workers=1)
    text = """
try:
    kill = lambda *_: os.kill(int(sys.argv[2]), signal.SIGKILL)
    spread(crew_work.square, range(50), scheduler=sys.argv[1], done=kill)
except Exception as error:
    print(type(error).__name__, error)
"""
    with script(text, address, str(cluster.processes[0].pid)) as process:
        out, err = process.communicate(timeout=NEVER_S)
    assert out == f"RearguardError {address}: the scheduler has gone, or gave up the work; try again\n"
    assert err == ""


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8786", "tcp://127.0.0.1", "tls://127.0.0.1:8786", "tcp://:1", "tcp://a:b"]
)
def test_what_is_no_address_is_refused(cluster: Cluster, address: str) -> None:
    with pytest.raises(InputError, match=f"{address}: no Dask scheduler found"):
        spread(crew_work.square, [1], scheduler=address)


@pytest.mark.parametrize("greeting", [None, b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_where_no_scheduler_answers_the_address_is_named(
    cluster: Cluster, greeting: bytes | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens; somebody listens and is silent; somebody speaks, but not Dask."""
    monkeypatch.setattr(crew, "CONNECT_S", 0.5)

    def greet() -> None:
        line, _ = other.accept()
        with line, suppress(ConnectionResetError):
            line.sendall(greeting or b"")
            line.recv(1)  # until the other side hangs up

    with socket.socket() as other:  # bound in any case, so that nobody else has the port
        other.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        server = Thread(target=greet)
        if greeting is not None:
            other.listen()
            server.start()
        with pytest.raises(InputError, match=f"{address}: no Dask scheduler found .*; start one: dask scheduler"):
            spread(crew_work.square, [1], scheduler=address)
        if greeting is not None:
            server.join(NEVER_S)
    assert capfd.readouterr().err == ""
