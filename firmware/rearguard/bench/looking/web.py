"""The bench in a browser: a walk seen from above, as it happens, on this machine only.

One page (page.html, page.css, page.js, draw.js) and four more addresses:

    GET  /menu        what there is to choose from
    POST /start       Order -> {"id": ...}: a walk is made ready, for whoever holds its id
    GET  /stream/ID   its events, at the walk's own pace; see stream.py. Closing it ends the walk
    POST /control     {"id": ..., "action": "play" | "pause" | "1x" | "2x" | "5x"}

What is refused is told in one line of plain text.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeAlias

import anyio
import msgspec
import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rearguard.bench.looking.gate import LOOPBACK, Gate, broken, read
from rearguard.bench.looking.stream import Clock, Frame, Pace, Sleep, Stream, close
from rearguard.core.threat import PROFILES
from rearguard.errors import InputError, RearguardError

WALKS = 8  # shown at once
REQUESTS = 64  # at once, of all kinds; a browser opens six connections to one host
PAGE = {"/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript", "/draw.js": "text/javascript"}

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=100)]
Speed: TypeAlias = Literal["1x", "2x", "5x"]


class Show(Protocol):
    """What can be walked. Coordinates are in m: +y is the way of the walk, +x the wearer's right at heading 0.

    (x_m, y_m) of a frame is the back of the waist, where the sensors are; its points are in the world, not the sensor.
    """

    def scenarios(self) -> list[dict[str, str]]:
        """Of each its "name", "title" and "says", a sentence of what must be felt."""

    def fits(self) -> list[str]:
        """What may be worn."""

    def start(self, scenario: str, fit: str, profile: str, seed: int, obeys: bool) -> tuple[Frame, Iterator[Frame]]:
        """The still scene, and its frames, 20 a second of walk time, made as fast as they are asked for.

        They are asked for one after the other, but not all from the same thread. Raises InputError.
        """


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A walk that somebody wants to see."""

    scenario: Name
    fit: Name
    profile: Name = "default"
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 1
    obeys: bool = True
    speed: Speed = "1x"
    paused: bool = False  # the first frame is shown all the same


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to become of a walk."""

    id: Name
    action: Literal["play", "pause"] | Speed


class _Desk:
    """Takes orders, and knows the walks that are on. A walk whose stream nobody opens gives way to later ones."""

    def __init__(self, show: Show, sleep: Sleep, clock: Clock) -> None:
        self._show, self._sleep, self._clock = show, sleep, clock
        self._ready: dict[str, tuple[Frame, Iterator[Frame]]] = {}
        self._paces: dict[str, Pace] = {}
        self.live: dict[str, Stream] = {}

    async def page(self, request: Request) -> Response:
        path = request.url.path
        return Response(Path(__file__).with_name(path[1:] or "page.html").read_bytes(), media_type=PAGE[path])

    async def menu(self, request: Request) -> Response:
        return _json({"scenarios": self._show.scenarios(), "fits": self._show.fits(), "profiles": list(PROFILES)})

    async def start(self, request: Request) -> Response:
        order = await read(request, Order)
        self._room()
        names = [scenario["name"] for scenario in self._show.scenarios()]
        _among("scenario", order.scenario, names)
        _among("fit", order.fit, self._show.fits())
        _among("profile", order.profile, list(PROFILES))
        wanted = partial(self._show.start, order.scenario, order.fit, order.profile, order.seed, order.obeys)
        try:
            made = await to_thread.run_sync(wanted)
        except RearguardError as error:
            raise HTTPException(400, str(error)) from None
        walk = secrets.token_urlsafe(16)
        self._ready[walk] = made
        self._paces[walk] = Pace(order.speed, order.paused, self._sleep, self._clock)
        while len(self._ready) > WALKS:
            oldest = next(iter(self._ready))
            del self._paces[oldest]
            close(self._ready.pop(oldest)[1])
        return _json({"id": walk})

    async def stream(self, request: Request) -> Response:
        walk = request.path_params["walk"]
        if walk not in self._ready:
            raise HTTPException(404, "no such walk is waiting to be shown; start one first")
        self._room()
        scene, frames = self._ready.pop(walk)
        self.live[walk] = Stream(scene, frames, self._paces[walk], partial(self._over, walk))
        return self.live[walk]

    async def control(self, request: Request) -> Response:
        order = await read(request, Control)
        if order.id not in self._paces:
            raise HTTPException(404, "no such walk; it may be over")
        self._paces[order.id].act(order.action)
        return Response(status_code=204)

    def _room(self) -> None:
        if len(self.live) >= WALKS:
            raise HTTPException(503, f"{WALKS} walks are being shown already; close one of their pages first")

    def _over(self, walk: str) -> None:
        del self.live[walk], self._paces[walk]


def app(
    show: Show, *, sleep: Sleep = anyio.sleep, clock: Clock = time.monotonic, names: frozenset[str] = LOOPBACK
) -> Starlette:
    """The web application. `sleep` and `clock`, in s, keep the pace; `names` are the hosts it answers to."""
    desk = _Desk(show, sleep, clock)
    routes = [Route(path, desk.page) for path in PAGE]
    routes += [Route("/menu", desk.menu), Route("/stream/{walk}", desk.stream)]
    routes += [Route("/start", desk.start, methods=["POST"]), Route("/control", desk.control, methods=["POST"])]
    gate = Middleware(Gate, names=names)
    made = Starlette(routes=routes, middleware=[gate], exception_handlers={Exception: broken})
    made.state.live = desk.live
    return made


class Server(uvicorn.Server):
    """A server for one show; `run()` blocks until Ctrl-C, SIGTERM or `should_exit`."""

    def __init__(
        self,
        show: Show,
        host: str,
        port: int,
        ready: Callable[[str], None],
        *,
        sleep: Sleep = anyio.sleep,
        clock: Clock = time.monotonic,
    ) -> None:
        """Listens from here on. Raises InputError when it cannot."""
        shown = f"[{host}]" if ":" in host else host
        self._ready, self._app = ready, app(show, sleep=sleep, clock=clock, names=LOOPBACK | {shown})
        if not 0 <= port < 65536:
            raise InputError(f"cannot listen on port {port}: ports are 0 to 65535, and 0 takes any that is free")
        try:
            self._socket = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise InputError(f"cannot listen on {shown}:{port}: {error}; port 0 takes any that is free") from None
        self._url = f"http://{shown}:{self._socket.getsockname()[1]}/"
        settings = uvicorn.Config(
            self._app,
            limit_concurrency=REQUESTS,
            log_level="error",
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="off",
        )
        super().__init__(settings)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on the socket of this server."""
        super().run(sockets or [self._socket])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the address once somebody answers there."""
        await super().startup(sockets)
        self._ready(self._url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the walks first, for a stream ends by itself only with its walk."""
        for stream in self._app.state.live.values():
            stream.scope.cancel()
        await super().shutdown(sockets)


def _say(url: str) -> None:
    print(f"The bench is at {url} (Ctrl-C ends it)", flush=True)


def serve(show: Show, host: str = "127.0.0.1", port: int = 0, ready: Callable[[str], None] = _say) -> None:
    """Show walks until Ctrl-C; `ready` is told the URL. Port 0: any that is free.

    There are no passwords: a `host` other than this machine shows the bench to whoever can reach it. Raises InputError.
    """
    with suppress(KeyboardInterrupt):
        Server(show, host, port, ready).run()


def _among(what: str, given: str, known: list[str]) -> None:
    if given not in known:
        raise HTTPException(404, f"no {what} {given!r}; there are: {', '.join(known)}")


def _json(what: object) -> Response:
    return Response(msgspec.json.encode(what), media_type="application/json")
