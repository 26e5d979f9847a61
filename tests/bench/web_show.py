"""What the tests of the web page stand on: a show, clocks, requests and servers. Run as a script, it serves."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from math import hypot
from typing import Any

import anyio
import anyio.lowlevel
from starlette.applications import Starlette

from rearguard.bench.looking import web
from rearguard.errors import InputError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOME = ("host", "localhost:8000")
ORDER = {"scenario": "wall", "fit": "starter"}
MOTORS = {"left": -70, "back_left": -35, "back": 0, "back_right": 35, "right": 70}
WALL_M, FRAME_S, PACE_MPS, STOP_M = 4.0, 0.05, 1.0, 1.7
Heard = Callable[[str, Any], Awaitable[None]]


class Fake:
    """Walks toward a wall at 1 m/s, as the real ones look; what they do to time and to their user can be set."""

    def __init__(self, before: Callable[[float], None] = lambda t_s: None) -> None:
        self.before = before  # called with the time of a frame before that is made
        self.closed = threading.Event()
        self.ended = 0
        self.starts: list[tuple[object, ...]] = []
        self.kept: list[Iterator[dict[str, Any]]] = []  # so that nothing but close() ends them

    def scenarios(self) -> list[dict[str, str]]:
        says = "STOP is felt in time, and the walker stops before the wall."
        return [
            {"name": "wall", "title": "A wall at 1 m/s", "says": says},
            {"name": "glass", "title": "A glass door", "says": "Glass is felt as soon as sound tells of it."},
        ]

    def fits(self) -> list[str]:
        return ["starter", "full"]

    def start(
        self, scenario: str, fit: str, profile: str, seed: int, obeys: bool
    ) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
        self.starts.append((scenario, fit, profile, seed, obeys))
        if seed == 13:
            raise InputError("seed 13 is not to be had")
        if seed == 14:
            raise ZeroDivisionError("the secret of seed 14")
        scene = {
            **{"scenario": scenario, "title": scenario, "fit": fit, "profile": profile, "seed": seed, "obeys": obeys},
            "says": next(one["says"] for one in self.scenarios() if one["name"] == scenario),
            "walls": [
                {"points": [[-6.0, WALL_M], [6.0, WALL_M]], "of": "plaster", "seen": True},
                {"points": [[2.4, -4.0], [2.4, WALL_M]], "of": "glass", "seen": False},
            ],
            "posts": [{"x": -1.4, "y": 2.5, "radius_m": 0.04, "of": "steel"}],
            "motors": [{"name": name, "bearing_deg": at} for name, at in MOTORS.items()],
            "sensors": [
                {"name": "rear", "bearing_deg": 0.0, "half_deg": 10.0, "range_m": 4.0, "sweeps": False},
                {"name": "scan", "bearing_deg": 0.0, "half_deg": 70.0, "range_m": 6.0, "sweeps": True},
            ],
            **{"swath_m": 0.4, "body_m": 0.25, "limit": None if scenario == "wall" else "No glass is seen by light."},
        }
        self.kept.append(self.frames(obeys))
        return scene, self.kept[-1]

    def frames(self, obeys: bool) -> Iterator[dict[str, Any]]:
        y_m, pace_mps, step, rest = 0.0, PACE_MPS, 0, 0
        try:
            while rest < 20:
                t_s = step * FRAME_S
                self.before(t_s)
                room_m = max(WALL_M - y_m, 0.0)
                level = "CLEAR" if room_m > 2.7 or pace_mps == 0 else "WARN" if room_m > STOP_M else "STOP"
                yield self.frame(t_s, y_m, pace_mps, room_m, level, step)
                y_m += pace_mps * FRAME_S
                step += 1
                if obeys and room_m < STOP_M:
                    pace_mps = max(pace_mps - 1.5 * FRAME_S, 0.0)
                if y_m >= WALL_M:
                    pace_mps = 0.0
                rest += pace_mps == 0.0
            contact = y_m >= WALL_M
            end = {"text": f"Walked {y_m:.1f} m and felt STOP once.\nLeast room: {room_m:.2f} m.", "contact": contact}
            yield {**self.frame(step * FRAME_S, y_m, 0.0, room_m, "CLEAR", step), "end": end}
        finally:
            self.ended += 1
            self.closed.set()

    @staticmethod
    def frame(t_s: float, y_m: float, speed_mps: float, room_m: float, level: str, step: int) -> dict[str, Any]:
        felt = level != "CLEAR"
        beat = felt and step % 4 < 3
        person = (2.0 - 0.8 * t_s, 2.6)
        return {
            **{"t_s": t_s, "x_m": 0.01 * (step % 10), "y_m": y_m, "heading_deg": 0.0, "speed_mps": speed_mps},
            **{"room_m": room_m, "level": level, "word": level, "distance_m": room_m if felt else None},
            **{"closing_mps": speed_mps if felt else None, "bearing_deg": 8.0 if felt else None, "faults": []},
            "duties": [float(beat and (level == "STOP" or name == "back")) for name in MOTORS],
            **{"buzzer": False, "needed_m": STOP_M if speed_mps else None},
            "people": [{"x": person[0], "y": person[1], "radius_m": 0.22}],
            "readings": [{"sensor": "rear", "status": "ok", "distance_m": room_m, "bearing_deg": None}],
            "points": [[0.1 * i, WALL_M] for i in range(-20, 21) if hypot(0.1 * i, room_m) < 6.0],
        }


class Clock:
    """Time that passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        await anyio.lowlevel.checkpoint()


class HandClock:
    """Time that passes only when a test says so, from another thread."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._lock = threading.Lock()
        self._asleep: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now_s

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self.now_s += seconds
            woken, self._asleep = self._asleep, []
        for loop, event in woken:
            loop.call_soon_threadsafe(event.set)

    async def sleep(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while True:
            event = asyncio.Event()
            with self._lock:
                if self.now_s >= until_s:
                    return
                self._asleep.append((asyncio.get_running_loop(), event))
            await event.wait()


class Answer:
    """What came back."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    @property
    def text(self) -> str:
        return self.body.decode()


async def ask(
    app: Starlette,
    path: str,
    what: object = None,
    *,
    headers: tuple[tuple[str, str], ...] = (HOME, ("content-type", "application/json")),
    heard: Heard | None = None,
    leave: anyio.Event | None = None,
) -> Answer:
    """One request: POST of `what` (bytes as they are, anything else as JSON), else GET. `heard` gets each event."""
    answer = Answer()
    body = what if isinstance(what, bytes) else json.dumps(what).encode()
    sent = [{"type": "http.request", "body": body if what is not None else b"", "more_body": False}]

    async def receive() -> Any:
        if sent:
            return sent.pop()
        await (leave or anyio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answer.body += message["body"]
            if heard and message["body"] and answer.headers["content-type"].startswith("text/event-stream"):
                name, data = message["body"].decode().removesuffix("\n\n").split("\n")
                await heard(name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))

    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "query_string": b""},
        **{"method": "GET" if what is None else "POST", "path": path, "raw_path": path.encode()},
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    await app(scope, receive, send)
    return answer


def one(path: str, what: object = None, show: Fake | None = None, **more: Any) -> Answer:
    """The answer of a fresh application to one request."""
    return asyncio.run(ask(web.app(show or Fake()), path, what, **more))


async def order(app: Starlette, **what: object) -> str:
    answer = await ask(app, "/start", {**ORDER, **what})
    assert answer.status == 200, answer.text
    walk: str = json.loads(answer.body)["id"]
    return walk


def watch(show: Fake, clock: Clock, heard: Heard | None = None, **what: object) -> list[tuple[str, Any, float]]:
    """All events of one walk, each with the time at which it was sent."""
    events: list[tuple[str, Any, float]] = []

    async def note(name: str, data: Any) -> None:
        events.append((name, data, clock.now_s))
        if heard:
            await heard(name, data)

    async def run() -> None:
        app = web.app(show, sleep=clock.sleep, clock=clock)
        await ask(app, f"/stream/{await order(app, **what)}", heard=note)

    asyncio.run(run())
    return events


@contextmanager
def served(show: Fake, **more: Any) -> Iterator[str]:
    """A server in another thread, and its URL."""
    listening = threading.Event()
    urls: list[str] = []
    server = web.Server(show, "127.0.0.1", 0, lambda url: (urls.append(url), listening.set())[1], **more)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert listening.wait(30)
        yield urls[0]
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


if __name__ == "__main__":
    show = Fake()
    with suppress(SystemExit):
        web.serve(show)
    print(show.ended, "closed")
