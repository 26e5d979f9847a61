"""What may come in to the bench's web page, and what goes out with every answer."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
BODY_BYTES = 4096
SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

T = TypeVar("T")


class Gate:
    """Refuses what does not come from a page of this very server, and marks every answer as this server's own."""

    def __init__(self, inner: ASGIApp, names: frozenset[str]) -> None:
        self._inner, self._names = inner, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE)
            await send(message)

        refused = self._refused(scope) if scope["type"] == "http" else None
        await (refused or self._inner)(scope, receive, marked)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        named = re.fullmatch(r"([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?", host.lower(), re.ASCII)
        if not named or named[1] not in self._names or len(headers.getlist("host")) != 1:
            return PlainTextResponse("this address is not one of the bench's; open the one it printed", 400)
        if scope["method"] == "POST" and any(origin != f"http://{host}" for origin in headers.getlist("origin")):
            return PlainTextResponse("only the bench's own page may do that", 403)
        return None


async def read(request: Request, kind: type[T]) -> T:
    """The body of a request. Raises HTTPException, which says what is wrong with it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the body must be application/json")
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                raise HTTPException(413, f"the body is longer than {BODY_BYTES} bytes")
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"not understood: {error}") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body ended early") from None


async def broken(request: Request, error: Exception) -> Response:
    """The error itself goes to the terminal, not to the browser."""
    return PlainTextResponse("the bench made a mistake; the terminal says which", 500, headers=SAFE)
