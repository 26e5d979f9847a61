"""Real-time priority, where the service grants it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from rearguard import notify
from rearguard.notify import FIFO, take_priority

Asked = list[tuple[int, int, int]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the kernel is asked for: thread, policy, priority."""
    found: Asked = []
    monkeypatch.setattr(
        os,
        "sched_setscheduler",
        lambda thread, policy, param: found.append((thread, policy, param.sched_priority)),
    )
    return found


def test_every_thread_there_is_gets_the_priority_asked_for(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FIFO, "20")
    done = Event()
    threads = [Thread(target=done.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    take_priority()
    done.set()
    assert {thread.native_id for thread in threads} | {os.getpid()} <= {thread for thread, _, _ in asked}
    assert {(policy, priority) for _, policy, priority in asked} == {(os.SCHED_FIFO, 20)}
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("given", [None, ""])
def test_unasked_nothing_is_changed(given: str | None, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FIFO, raising=False)
    if given is not None:
        monkeypatch.setenv(FIFO, given)
    take_priority()
    assert asked == []


@pytest.mark.parametrize("given", ["0", "100", "-1", "high", "2.5", "1e1", "٣", " 20", "9" * 5000])
def test_a_bad_value_is_told_with_what_is_allowed_and_nothing_is_changed(
    given: str, asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FIFO, given)
    take_priority()
    said = capsys.readouterr().err
    assert "allowed: a whole number from 1 to 99; guarding at ordinary priority" in said
    assert len(said) < 200
    assert asked == []


def test_a_refusal_is_told_once_with_what_grants_it_and_is_no_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setenv(FIFO, "20")
    take_priority()
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "refused (Operation not permitted)" in said[0]
    assert "LimitRTPRIO=20" in said[0]


def test_a_thread_that_ends_meanwhile_keeps_no_other_from_its_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for thread in ("11", "12", "13"):
        (tmp_path / thread).mkdir()
    tried: list[int] = []

    def first_is_gone(thread: int, policy: int, param: os.sched_param) -> None:
        tried.append(thread)
        if len(tried) == 1:
            raise ProcessLookupError(3, "No such process")

    monkeypatch.setattr(os, "sched_setscheduler", first_is_gone)
    monkeypatch.setattr(notify, "THREADS", tmp_path)
    monkeypatch.setenv(FIFO, "5")
    take_priority()
    assert sorted(tried) == [11, 12, 13]


def test_where_the_kernel_grants_it_later_threads_have_it_too() -> None:
    script = (
        "import os\n"
        "from threading import Thread\n"
        "from rearguard.notify import take_priority\n"
        "take_priority()\n"
        "def show(): print(os.sched_getscheduler(0) == os.SCHED_FIFO, os.sched_getparam(0).sched_priority)\n"
        "thread = Thread(target=show)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, FIFO: "3"}, capture_output=True, text=True, check=True
    )
    if "refused" in done.stderr:
        pytest.skip(f"not granted here: {done.stderr.strip()}")
    assert done.stdout == "True 3\n"
