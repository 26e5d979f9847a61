"""A word to systemd (sd_notify): a datagram to the socket it names. Without systemd, nothing happens."""

from __future__ import annotations

import os
import socket


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
