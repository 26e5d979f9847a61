"""Words to systemd over a real datagram socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rearguard.notify import Notifier, watchdog_s


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(path)
        ours.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield ours


@pytest.fixture
def notifier(systemd: socket.socket) -> Iterator[Notifier]:
    made = Notifier()
    yield made
    made.close()


def test_a_word_gets_there(systemd: socket.socket, notifier: Notifier) -> None:
    assert notifier.send("READY=1")
    assert systemd.recv(100) == b"READY=1"


def test_a_status_is_told_when_it_changes_and_only_then(systemd: socket.socket, notifier: Notifier) -> None:
    for text in ("guarding", "guarding", "STOP 0.7 m"):
        notifier.status(text)
    assert [systemd.recv(100), systemd.recv(100)] == [b"STATUS=guarding", b"STATUS=STOP 0.7 m"]
    with pytest.raises(BlockingIOError):
        systemd.recv(100)


def test_a_full_socket_is_reported_and_never_waited_for(notifier: Notifier) -> None:
    sent = [notifier.send(f"STATUS={i}") for i in range(5000)]
    assert not all(sent)


def test_an_abstract_socket_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind("\0rearguard-test-notify")
        monkeypatch.setenv("NOTIFY_SOCKET", "@rearguard-test-notify")
        notifier = Notifier()
        notifier.send("READY=1")
        notifier.close()
        assert ours.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier()
    assert notifier.send("READY=1")
    notifier.close()
    notifier.close()


def test_a_vanished_systemd_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notifier = Notifier()
    assert not notifier.send("WATCHDOG=1")
    notifier.close()


@pytest.mark.parametrize(("given", "seconds"), [("2000000", 2.0), ("", None), ("0", None), ("soon", None)])
def test_the_watchdog_interval_is_read(monkeypatch: pytest.MonkeyPatch, given: str, seconds: float | None) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", given)
    assert watchdog_s() == seconds
