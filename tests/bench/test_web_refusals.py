"""The bench in a browser: what it refuses, and how."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from bench.web_show import (
    HOME,
    ORDER,
    Answer,
    Clock,
    Fake,
    Heard,
    ask,
    one,
    order,
)
from rearguard.bench.looking import web


@pytest.mark.parametrize("what", ["scenario", "fit", "profile"])
def test_what_there_is_not_is_not_found_and_the_answer_names_what_there_is(what: str) -> None:
    answer = one("/start", {**ORDER, what: "nothing"})
    assert answer.status == 404
    assert answer.text.startswith(f"no {what} 'nothing'; there are: ")


def test_what_the_show_refuses_is_told_in_its_own_words() -> None:
    answer = one("/start", {**ORDER, "seed": 13})
    assert (answer.status, answer.text) == (400, "seed 13 is not to be had")


def test_a_mistake_of_the_show_is_an_error_without_its_innards() -> None:
    answer = Answer()

    async def run() -> None:
        app = web.app(Fake())

        async def send(message: Any) -> None:
            answer.status = message.get("status", answer.status)
            answer.headers |= {name.decode(): value.decode() for name, value in message.get("headers", ())}
            answer.body += message.get("body", b"")

        async def receive() -> Any:
            return {"type": "http.request", "body": json.dumps({**ORDER, "seed": 14}).encode()}

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/start", "query_string": b"", "headers": headers}
        with pytest.raises(ZeroDivisionError):  # for the server's log
            await app(scope, receive, send)

    asyncio.run(run())
    assert answer.status == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:12345", "[::1]:8000", "[::1]"])
def test_it_answers_to_the_names_of_this_machine(host: str) -> None:
    assert one("/menu", headers=(("host", host),)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:8000",
            "localhost:8000@evil.example",
            "127.0.0.2",
        ),
        *(
            "127.0.0.1.evil.example",
            "localhost:",
            "localhost:123456",
            "[::1",
            "::1",
            "[::2]",
            "localhost\n",
            "\u217cocalhost",
        ),
    ],
)
def test_it_does_not_answer_to_other_names(host: str) -> None:
    answer = one("/menu", headers=(("host", host.encode().decode("latin-1")),))
    assert answer.status == 400
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_needs_one_host_header_and_no_more() -> None:
    assert one("/menu", headers=()).status == 400
    assert one("/menu", headers=(HOME, ("host", "localhost"))).status == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost:8000", 200), ("http://localhost:8001", 403), ("http://evil.example", 403), ("null", 403)],
)
def test_only_its_own_page_may_order(origin: str, status: int) -> None:
    headers = (HOME, ("content-type", "application/json"), ("origin", origin))
    assert one("/start", ORDER, headers=headers).status == status


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_other_pages_could_send_is_refused(kind: str) -> None:
    assert one("/start", ORDER, headers=(HOME, ("content-type", kind))).status == 415


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"null", b"[]", b"{}", b'"wall"', b"\xff\xfe", b"[" * 4000, b'{"a":' * 800, b"1e999", b"NaN"),
        *(b'{"scenario": 1, "fit": "starter"}', b'{"scenario": "\xff", "fit": "starter"}', b'{"scenario": "\\ud800"}'),
        json.dumps({**ORDER, "seed": -1}).encode(),
        json.dumps({**ORDER, "seed": 2**32}).encode(),
        json.dumps({**ORDER, "seed": 1.5}).encode(),
        json.dumps({**ORDER, "seed": True}).encode(),
        json.dumps({**ORDER, "speed": "100x"}).encode(),
        json.dumps({**ORDER, "config": "/etc/passwd"}).encode(),
        json.dumps({**ORDER, "scenario": "w" * 101}).encode(),
    ],
)
def test_a_body_that_is_no_order_is_refused_with_a_reason(body: bytes) -> None:
    show = Fake()
    answer = one("/start", body, show)
    assert answer.status == 400
    assert answer.text.startswith("not understood: ")
    assert "\n" not in answer.text and len(answer.text) < 300
    assert not show.starts


def test_a_body_may_have_4096_bytes_and_no_more() -> None:
    order = json.dumps(ORDER).encode()
    assert one("/start", order.ljust(4096)).status == 200
    assert one("/start", order.ljust(4097)).status == 413


@pytest.mark.parametrize(("path", "what"), [("/start", None), ("/control", None), ("/", {}), ("/menu", {})])
def test_other_methods_are_refused(path: str, what: object) -> None:
    assert one(path, what).status == 405


@pytest.mark.parametrize(
    "path", ["/web.py", "/../web.py", "/bench.toml", "/page.html", "/stream/", "/stream/a/b", "/%2e%2e/web.py"]
)
def test_nothing_else_is_there(path: str) -> None:
    assert one(path).status == 404


def test_a_control_names_a_walk_and_an_action_that_there_are() -> None:
    assert one("/control", {"id": "nobody", "action": "pause"}).status == 404
    answer = one("/control", {"id": "nobody", "action": "explode"})
    assert (answer.status, answer.text) == (400, "not understood: Invalid enum value 'explode' - at `$.action`")


def test_a_stream_is_shown_once_and_to_whoever_knows_its_id() -> None:
    async def run() -> list[int]:
        clock = Clock()
        app = web.app(Fake(), sleep=clock.sleep, clock=clock)
        walk = await order(app)
        paths = ["/stream/guess", f"/stream/{walk}", f"/stream/{walk}"]
        return [(await ask(app, path)).status for path in paths]

    assert asyncio.run(run()) == [404, 200, 404]


def test_eight_walks_are_shown_at_once_and_the_ninth_waits_for_one_to_end() -> None:
    async def run() -> None:
        clock = Clock()
        app = web.app(Fake(), sleep=clock.sleep, clock=clock)
        leave = [anyio.Event() for _ in range(web.WALKS)]
        spare = await order(app)
        async with anyio.create_task_group() as group:
            for event in leave:
                walk = await order(app, paused=True)
                shown = anyio.Event()

                async def heard(name: str, data: Any, shown: anyio.Event = shown) -> None:
                    shown.set()

                async def stream(walk: str = walk, heard: Heard = heard, event: anyio.Event = event) -> None:
                    await ask(app, f"/stream/{walk}", heard=heard, leave=event)

                group.start_soon(stream)
                await shown.wait()
            full = [await ask(app, f"/stream/{spare}"), await ask(app, "/start", ORDER)]
            assert [(answer.status, answer.text[:7]) for answer in full] == [(503, "8 walks")] * 2
            leave[3].set()
            while len(app.state.live) == web.WALKS:
                await anyio.lowlevel.checkpoint()
            assert (await ask(app, "/start", ORDER)).status == 200
            for event in leave:
                event.set()

    asyncio.run(run())


def test_orders_that_nobody_looks_at_give_way_to_later_ones() -> None:
    async def run() -> list[int]:
        clock = Clock()
        app = web.app(Fake(), sleep=clock.sleep, clock=clock)
        walks = [await order(app) for _ in range(web.WALKS + 1)]
        return [(await ask(app, f"/stream/{walk}")).status for walk in (walks[0], walks[1], walks[-1])]

    assert asyncio.run(run()) == [404, 200, 200]
