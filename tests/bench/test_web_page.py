"""The bench's page in a real browser. Where it matters when a frame comes, the walk's time is the test's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from bench.web_show import FRAME_S, Fake, HandClock, served

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
expect = sync_api.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FAST = "5\u00d7"
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE_MS = 30_000  # of a browser on a busy machine

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield browser
        browser.close()


class Tab:
    """A page, and what it complains about."""

    def __init__(self, browser: Any, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def text(self, selector: str) -> str:
        text: str = self.page.locator(selector).inner_text()
        return text

    def walk(self, clock: HandClock, frame: int, to: int) -> None:
        """Let the walk go from one frame to another, four at a time: no more than it catches up with."""
        while frame < to:
            frame += 4
            clock.pass_by(4 * FRAME_S)
            expect(self.page.locator("#time")).to_have_text(f"{frame * FRAME_S:.1f} s")


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.context.close()
    assert tab.complaints == []


def test_a_walk_plays_from_clear_to_stop_lights_the_motors_and_ends_without_contact(tab: Tab) -> None:
    clock = HandClock()
    with served(Fake(), sleep=clock.sleep, clock=clock) as url:
        tab.page.goto(url)
        expect(tab.page.locator("#says")).to_have_text("STOP is felt in time, and the walker stops before the wall.")
        expect(tab.page.locator("#word")).to_have_text("CLEAR")
        expect(tab.page.locator("#belt li")).to_have_text(["left", "back left", "back", "back right", "right"])
        expect(tab.page.locator("#belt li[data-on=true]")).to_have_count(0)
        clear = tab.page.locator("#sign").get_attribute("d")
        tab.walk(clock, 0, 48)
        expect(tab.page.locator("#word")).to_have_text("STOP")
        expect(tab.page.locator("#aloud")).to_have_text(re.compile(r"^STOP, 1\.\d\d m behind$"))
        expect(tab.page.locator("#belt li[data-on=true]")).to_have_count(5)
        assert tab.page.locator("#sign").get_attribute("d") != clear
        assert tab.page.locator("#end").is_hidden()
        last = len(list(Fake().frames(obeys=True))) - 1
        tab.walk(clock, 48, last // 4 * 4)
        clock.pass_by(last % 4 * FRAME_S)
        expect(tab.page.locator("#outcome")).to_have_text("No contact")
        assert tab.text("#summary").startswith("Walked ")
        assert all(address.startswith((url, "data:")) for address in tab.asked)


def test_a_walker_who_ignores_the_belt_ends_in_contact(tab: Tab) -> None:
    show = Fake()
    with served(show) as url:
        tab.page.goto(url)
        tab.page.get_by_label(FAST).check()
        tab.page.get_by_label("The walker obeys the belt").uncheck()
        expect(tab.page.locator("#outcome")).to_have_text("CONTACT")
        expect(tab.page.locator("#play")).to_have_text("Play again")
        assert [start[-1] for start in show.starts] == [True, False]


def test_pause_stops_the_time_of_the_walk_and_play_goes_on_from_there(tab: Tab) -> None:
    clock = HandClock()
    with served(Fake(), sleep=clock.sleep, clock=clock) as url:
        tab.page.goto(url)
        for step in range(4):
            expect(tab.page.locator("#way")).to_have_text(f"{step * FRAME_S:.2f} m")
            clock.pass_by(FRAME_S)
        expect(tab.page.locator("#way")).to_have_text("0.20 m")
        with tab.page.expect_response("**/control"):
            tab.page.keyboard.press("Space")
        expect(tab.page.locator("#play")).to_have_text("Play")
        clock.pass_by(60.0)
        with tab.page.expect_response("**/control"):
            tab.page.keyboard.press("Space")
        clock.pass_by(FRAME_S)
        expect(tab.page.locator("#way")).to_have_text("0.25 m")
        clock.pass_by(FRAME_S)
        expect(tab.page.locator("#way")).to_have_text("0.30 m")


def test_restart_begins_the_walk_anew_and_ends_the_old_one(tab: Tab) -> None:
    clock, show = HandClock(), Fake()
    with served(show, sleep=clock.sleep, clock=clock) as url:
        tab.page.goto(url)
        for step in range(4):
            expect(tab.page.locator("#way")).to_have_text(f"{step * FRAME_S:.2f} m")
            clock.pass_by(FRAME_S)
        expect(tab.page.locator("#way")).to_have_text("0.20 m")
        tab.page.keyboard.press("r")
        expect(tab.page.locator("#way")).to_have_text("0.00 m")
        assert show.closed.wait(PATIENCE_MS / 1000)
        assert len(show.starts) == 2


def test_each_tab_has_a_walk_of_its_own(browser: Any, tab: Tab) -> None:
    other = Tab(browser, reduced_motion="reduce")
    with served(Fake()) as url:
        other.page.goto(url)
        expect(other.page.locator("#way")).to_have_text("0.00 m")
        tab.page.goto(url)
        tab.page.get_by_label(FAST).check()
        expect(tab.page.locator("#outcome")).to_have_text("No contact")
        assert other.text("#way") == "0.00 m"
        other.context.close()
    assert other.complaints == []


def test_where_motion_is_unwanted_the_walk_waits_for_play_and_lamps_do_not_flicker(browser: Any) -> None:
    tab = Tab(browser, reduced_motion="reduce")
    clock = HandClock()
    with served(Fake(), sleep=clock.sleep, clock=clock) as url:
        tab.page.goto(url)
        expect(tab.page.locator("#way")).to_have_text("0.00 m")
        expect(tab.page.locator("#play")).to_have_text("Play")
        with tab.page.expect_response("**/control"):
            tab.page.get_by_role("button", name="Play").click()
        tab.walk(clock, 0, 48)
        frames = list(Fake().frames(obeys=True))[49:54]
        lit = []
        for frame in frames:
            clock.pass_by(FRAME_S)
            expect(tab.page.locator("#way")).to_have_text(f"{frame['y_m']:.2f} m")
            lit.append(tab.page.locator("#belt li[data-on=true]").count())
        tab.context.close()
    assert any(not any(frame["duties"]) for frame in frames)
    assert lit == [5] * 5
    assert tab.complaints == []


def test_the_address_tells_which_walk_to_show_and_keeps_the_choice(tab: Tab) -> None:
    show = Fake()
    with served(show) as url:
        tab.page.goto(f"{url}?scenario=glass&fit=full&profile=cautious&seed=7&obeys=false")
        expect(tab.page.locator("#limit")).to_have_text("A declared limit: No glass is seen by light.")
        assert show.starts == [("glass", "full", "cautious", 7, False)]
        tab.page.locator("#scenario").select_option("wall")
        expect(tab.page.locator("#limit")).to_be_hidden()
        assert "scenario=wall" in tab.page.url and "seed=7" in tab.page.url


def test_what_is_refused_is_told_on_the_page(browser: Any) -> None:
    tab = Tab(browser)
    with served(Fake()) as url:
        tab.page.goto(f"{url}?seed=13")
        expect(tab.page.locator("#trouble")).to_have_text("seed 13 is not to be had")
        tab.page.get_by_label(FAST).check()
        tab.page.get_by_label("Seed").fill("1")
        tab.page.get_by_label("Seed").press("Tab")
        expect(tab.page.locator("#trouble")).to_be_hidden()
        expect(tab.page.locator("#outcome")).to_have_text("No contact")
        tab.context.close()
    assert len(tab.complaints) == 1 and "400" in tab.complaints[0]


def test_all_is_reached_by_keyboard(tab: Tab) -> None:
    with served(Fake()) as url:
        tab.page.goto(url)
        expect(tab.page.locator("#word")).to_have_text("CLEAR")
        reached = []
        for _ in range(8):
            tab.page.keyboard.press("Tab")
            reached.append(tab.page.evaluate("document.activeElement.id || document.activeElement.value"))
        assert reached == ["scenario", "fit", "profile", "seed", "obeys", "play", "restart", "1x"]
        tab.page.keyboard.press("ArrowRight")
        assert tab.page.evaluate("document.activeElement.value") == "2x"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(browser: Any, width: int, scheme: str) -> None:
    tab = Tab(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    with served(Fake()) as url:
        tab.page.goto(f"{url}?scenario=glass")
        tab.page.get_by_label(FAST).check()
        expect(tab.page.locator("#outcome")).to_be_visible()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        tab.context.close()
    assert tab.complaints == []
