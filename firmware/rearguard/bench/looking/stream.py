"""One walk on its way to a browser: kept to its pace, and sent as server-sent events."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import anyio
import msgspec
from anyio import to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rearguard.errors import RearguardError, tell

SPEEDS = {"1x": 1.0, "2x": 2.0, "5x": 5.0}  # walk time to real time
SLICE_S = 0.05  # a pause or another speed is heeded after this much waiting, at the latest
NEAR_S = 1e-6  # of walk time: less than this to wait for is rounding
LAG_S = 0.2  # of walk time that is caught up with after a slow frame; what is older is let go

Frame: TypeAlias = dict[str, Any]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]
Clock: TypeAlias = Callable[[], float]


class Pace:
    """The time of a walk, in s, which passes at a speed or stands still."""

    def __init__(self, speed: str, paused: bool, sleep: Sleep = anyio.sleep, clock: Clock = time.monotonic) -> None:
        self._speed, self._sleep, self._clock = SPEEDS[speed], sleep, clock
        self._going = anyio.Event()
        self._begun = False
        self._at_s, self._seen_s = 0.0, clock()  # the time of the walk, and what the clock said then
        self.act("pause" if paused else "play")

    def act(self, action: str) -> None:
        """Heed a control: "play", "pause" or a speed, from this moment on."""
        self._look()
        if action == "play":
            self._going.set()
        elif action == "pause":
            self._going = anyio.Event()
        else:
            self._speed = SPEEDS[action]

    async def due(self, t_s: float) -> None:
        """Wait until the walk has come to `t_s`. The first time it begins there, so a paused walk shows one frame."""
        if not self._begun:
            self._begun, self._at_s, self._seen_s = True, t_s, self._clock()
            return
        while True:
            self._look()
            if not self._going.is_set():
                await self._going.wait()
            elif self._at_s < t_s - NEAR_S:
                await self._sleep(min((t_s - self._at_s) / self._speed, SLICE_S))
            else:
                self._at_s = min(self._at_s, t_s + LAG_S)
                return

    def _look(self) -> None:
        """Let the time pass that has passed since the last look."""
        now_s = self._clock()
        if self._going.is_set():
            self._at_s += (now_s - self._seen_s) * self._speed
        self._seen_s = now_s


class Stream(Response):
    """The events of one walk, until it is over, its `scope` is cancelled, or nobody looks; then its frames are closed.

    Events: one `scene`, a `frame` for each, and `trouble` with a sentence when the walk breaks off.
    """

    media_type = "text/event-stream"

    def __init__(self, scene: Frame, frames: Iterator[Frame], pace: Pace, over: Callable[[], object]) -> None:
        """`over` is called when the frames have been closed."""
        super().__init__()
        del self.headers["content-length"]
        self.scope = anyio.CancelScope()
        self._scene, self._frames, self._pace, self._over = scene, frames, pace, over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, receive)
            try:
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                with self.scope:
                    await self._play(send)
            finally:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(close, self._frames)
                self._over()
            await send({"type": "http.response.body", "body": b""})
            group.cancel_scope.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.scope.cancel()

    async def _play(self, send: Send) -> None:
        async def event(name: str, what: object) -> None:
            body = b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(what))
            await send({"type": "http.response.body", "body": body, "more_body": True})

        await event("scene", self._scene)
        try:
            while (frame := await to_thread.run_sync(next, self._frames, None)) is not None:
                await self._pace.due(frame["t_s"])
                await event("frame", frame)
        except RearguardError as error:
            await event("trouble", str(error))
        except Exception:  # whatever it is, this walk is over, and the others go on
            tell(traceback.format_exc())
            await event("trouble", "The walk broke off; the terminal says why.")


def close(frames: Iterator[Frame]) -> None:
    """Let a generator put away what it uses; other iterators have nothing to close."""
    end = getattr(frames, "close", None)
    if end:
        end()
