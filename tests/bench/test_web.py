"""The bench in a browser: its addresses, the pace of a walk, and how it ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import pytest

from bench import web_show
from bench.web_show import (
    FRAME_S,
    ORDER,
    Clock,
    Fake,
    ask,
    one,
    order,
    served,
    watch,
)
from rearguard.bench.looking import web
from rearguard.errors import InputError


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript"), ("/draw.js", "text/javascript")],
)
def test_the_page_is_all_there_and_may_load_nothing_from_elsewhere(path: str, kind: str) -> None:
    answer = one(path)
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, kind)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy and "*" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "http://" not in answer.text and "https://" not in answer.text
    assert "<script>" not in answer.text and "<style" not in answer.text and " style=" not in answer.text


def test_the_menu_names_scenarios_fits_and_profiles() -> None:
    menu = json.loads(one("/menu").body)
    assert [scenario["name"] for scenario in menu["scenarios"]] == ["wall", "glass"]
    assert (menu["fits"], menu["profiles"]) == (["starter", "full"], ["default", "cautious"])


def test_an_order_reaches_the_show_as_it_was_given() -> None:
    show = Fake()
    one("/start", {"scenario": "glass", "fit": "full", "profile": "cautious", "seed": 7, "obeys": False}, show)
    assert show.starts == [("glass", "full", "cautious", 7, False)]


def test_a_stream_is_the_scene_then_every_frame_and_ends_with_the_walk() -> None:
    show = Fake()
    events = watch(show, Clock())
    names = [name for name, _, _ in events]
    assert names == ["scene"] + ["frame"] * (len(names) - 1)
    assert events[0][1]["fit"] == "starter"
    assert [frame for _, frame, _ in events[1:]] == list(Fake().frames(obeys=True))
    assert show.closed.is_set()


@pytest.mark.parametrize(("speed", "times"), [("1x", 1.0), ("2x", 2.0), ("5x", 5.0)])
def test_frames_are_sent_when_their_time_has_come(speed: str, times: float) -> None:
    for name, data, sent_s in watch(Fake(), Clock(), speed=speed):
        if name == "frame":
            assert sent_s == pytest.approx(data["t_s"] / times, abs=1e-6)


def test_a_change_of_speed_holds_from_then_on() -> None:
    clock = Clock()

    async def run() -> None:
        app = web.app(Fake(), sleep=clock.sleep, clock=clock)
        walk = await order(app)

        async def heard(name: str, data: Any) -> None:
            if name == "frame" and data["t_s"] == pytest.approx(1.0):
                await ask(app, "/control", {"id": walk, "action": "5x"})
            if name == "frame" and data["t_s"] >= 1.0:
                assert clock.now_s == pytest.approx(1.0 + (data["t_s"] - 1.0) / 5)

        await ask(app, f"/stream/{walk}", heard=heard)

    asyncio.run(run())
    assert clock.now_s > 1.5


def test_after_a_slow_frame_the_walk_does_not_race_to_catch_up() -> None:
    clock = Clock()

    def slow(t_s: float) -> None:
        if t_s == 1.0:
            clock.now_s += 3.0

    frames = {data["t_s"]: sent_s for name, data, sent_s in watch(Fake(slow), clock) if name == "frame"}
    assert frames[1.0] == pytest.approx(3.95)
    assert frames[2.0] == pytest.approx(3.95 + 1.0 - 0.2)


def test_a_paused_walk_shows_one_frame_and_its_time_stands_still_until_it_goes_on() -> None:
    clock = Clock()
    sent: list[float] = []

    async def run() -> None:
        app = web.app(Fake(), sleep=clock.sleep, clock=clock)
        walk = await order(app, paused=True)
        shown = anyio.Event()

        async def heard(name: str, data: Any) -> None:
            if name == "frame":
                sent.append(clock.now_s)
                shown.set()

        async def hand() -> None:
            await shown.wait()
            clock.now_s += 60.0
            await anyio.wait_all_tasks_blocked()
            assert len(sent) == 1
            await ask(app, "/control", {"id": walk, "action": "play"})

        async with anyio.create_task_group() as group:
            group.start_soon(hand)
            await ask(app, f"/stream/{walk}", heard=heard)

    anyio.run(run)
    assert sent[1] == pytest.approx(60.0 + FRAME_S)


def test_whoever_leaves_ends_the_walk() -> None:
    show = Fake()
    frames = 0

    async def run() -> None:
        clock = Clock()
        app = web.app(show, sleep=clock.sleep, clock=clock)
        leave = anyio.Event()

        async def heard(name: str, data: Any) -> None:
            nonlocal frames
            frames += name == "frame"
            if frames == 5:
                leave.set()

        walk = await order(app)
        await ask(app, f"/stream/{walk}", heard=heard, leave=leave)
        assert not app.state.live
        assert (await ask(app, "/control", {"id": walk, "action": "pause"})).status == 404

    asyncio.run(run())
    assert show.closed.is_set()
    assert 5 <= frames < 10


def test_a_walk_that_cannot_go_on_says_why() -> None:
    def before(t_s: float) -> None:
        if t_s > 0.5:
            raise InputError("the wire came off")

    show = Fake(before)
    name, data, _ = watch(show, Clock())[-1]
    assert (name, data) == ("trouble", "the wire came off")
    assert show.closed.is_set()


def test_a_mistake_in_a_walk_is_told_in_the_terminal_and_not_in_the_browser(capsys: pytest.CaptureFixture[str]) -> None:
    def before(t_s: float) -> None:
        raise ZeroDivisionError("the secret of a walk")

    name, data, _ = watch(Fake(before), Clock())[-1]
    assert name == "trouble"
    assert "secret" not in data
    assert "ZeroDivisionError: the secret of a walk" in capsys.readouterr().err


def test_a_browser_that_goes_away_ends_its_walk() -> None:
    show = Fake()
    with served(show) as url:
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        line.request("POST", "/start", json.dumps(ORDER), {"Content-Type": "application/json"})
        walk = json.loads(line.getresponse().read())["id"]
        line.request("GET", f"/stream/{walk}")
        answer = line.getresponse()
        assert answer.readline() == b"event: scene\n"
        assert not show.closed.is_set()
        answer.close()
        line.close()
        assert show.closed.wait(30)


def test_ctrl_c_ends_the_server_and_the_walk_it_shows() -> None:
    command = [sys.executable, web_show.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = http.client.HTTPConnection(urlsplit(process.stdout.readline().split()[4]).netloc, timeout=30)
            line.request("POST", "/start", json.dumps({**ORDER, "paused": True}), {"Content-Type": "application/json"})
            walk = json.loads(line.getresponse().read())["id"]
            line.request("GET", f"/stream/{walk}")
            answer = line.getresponse()
            assert answer.readline() == b"event: scene\n"
            process.send_signal(signal.SIGINT)
            answer.read()  # to its end, though the walk stands still
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "1 closed\n", "")
    line.close()


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"^cannot listen on 127\.0\.0\.1:{port}: .*port 0 takes any"):
            web.serve(Fake(), port=port)
    with pytest.raises(InputError, match="cannot listen on"):
        web.serve(Fake(), port=70000)
