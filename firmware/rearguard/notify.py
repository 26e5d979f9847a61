"""What passes between the guard and systemd. Without systemd, nothing happens.

Words (sd_notify) are datagrams to the socket it names. Marks are empty files in the service's runtime directory, which
outlive a crash but no reboot: `armed` tells the next start that the wearer was left in mid-walk, `poweroff` asks for
the machine to be switched off (systemd/rearguard-poweroff.path). And it may grant a real-time priority.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from rearguard.errors import given_folder, tell

ARMED, POWER_OFF = "armed", "poweroff"
FIFO = "REARGUARD_FIFO"
THREADS = Path("/proc/self/task")  # one folder each


class Notifier:
    """Keeps the socket open; see sd_notify(3) for the words."""

    def __init__(self) -> None:
        path = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if path else None
        self._status = ""

    def send(self, word: str) -> bool:
        """One assignment, such as READY=1; whether it got through (or nobody listens).

        It never waits and never raises: guarding goes before telling.
        """
        if self._socket is None:
            return True
        try:
            self._socket.sendto(word.encode(), self._address)
        except OSError:
            return False  # systemd is busy or restarting
        return True

    def status(self, text: str) -> None:
        """STATUS, when it has changed."""
        if text != self._status and self.send(f"STATUS={text}"):
            self._status = text

    def close(self) -> None:
        """May be called more than once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def supervised() -> bool:
    """Whether systemd (or something like it) waits for our words."""
    return bool(os.environ.get("NOTIFY_SOCKET"))


def watchdog_s() -> float | None:
    """How long systemd lets the service be silent; None when it does not watch."""
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isascii() and text.isdecimal() and int(text) > 0 else None


def _mark(name: str) -> Path | None:
    folder = given_folder("RUNTIME_DIRECTORY")
    return Path(folder) / name if folder else None


def marked(name: str) -> bool:
    """Whether the mark is there."""
    path = _mark(name)
    try:
        return path is not None and path.exists()
    except OSError:
        return False


def mark(name: str, there: bool = True) -> None:
    """Make a mark, or take it away. What cannot be done is told and stops nothing."""
    path = _mark(name)
    try:
        if path is not None and there:
            path.touch()
        elif path is not None:
            path.unlink(missing_ok=True)
    except OSError as error:
        tell(f"{path}: {error.strerror}; the service needs RuntimeDirectory=rearguard")


def take_priority() -> None:
    """Put every thread there is, and so those they start, into SCHED_FIFO at the priority in $REARGUARD_FIFO.

    The journal's thread too: all share one interpreter lock, and while a thread of ordinary priority holds it, any
    busy program could keep the guard waiting. A refusal is told, and the guard goes on.
    """
    text = os.environ.get(FIFO, "")
    if not text:
        return
    most = os.sched_get_priority_max(os.SCHED_FIFO)
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and 1 <= int(text) <= most):
        tell(f"{FIFO} = {text[:60]!r}: allowed: a whole number from 1 to {most}; guarding at ordinary priority")
        return
    try:
        for thread in THREADS.iterdir():
            try:
                os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(int(text)))
            except ProcessLookupError:  # it has ended meanwhile
                pass
    except OSError as error:
        tell(
            f"{FIFO} = {text}: refused ({error.strerror}); guarding at ordinary priority. "
            f"Mend: LimitRTPRIO={text} and RestrictRealtime=no in the unit"
        )
