"""The tables and the page: what they say, that nothing breaks them, and that a browser makes of it what is meant."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from html import escape
from io import BytesIO, TextIOWrapper
from itertools import product
from math import inf
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from rearguard.bench.judging import plots, report
from rearguard.bench.judging.report import OURS, ROWS, WORST, html, replay, rows, table, worst
from rearguard.bench.walking.score import Stop, Walked

HOSTILE = '<script>alert(1)</script>"&[red]'
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FELT = Stop(due_m=1.5, felt_m=1.45, needed_m=1.4, closing_mps=1.0, felt_closing_mps=0.98, late_s=0.05, ttc_s=1.45)
WALK = Walked(
    *("wall", "ultrasonic", "default", 1, OURS, True, 36.0, 0.6, False, 1),
    *(0, 0, 0, 0, 3, (FELT,), ()),  # nothing missed, false or broken; three alerts, one of them a STOP
)
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look at the page with")


def walked(scenario: str = "wall", seed: int = 1, **other: Any) -> Walked:
    """A walk of 36 s in which one danger was felt."""
    return WALK._replace(scenario=scenario, seed=seed, **other)


def lost(scenario: str = "wall", seed: int = 1, **other: Any) -> Walked:
    """The same, but the danger was never felt."""
    values = {"missed": 1, "stops": (), "contact": True, "broken": ("STOP was missed 1 times", "contact")}
    return walked(scenario, seed, **(values | other))


def many(seed: int, guards: tuple[str, ...] = (OURS,), scenarios: int = 6, walks: int = 4) -> list[Walked]:
    """Walks of four rows a scenario and guard, two dangers each."""
    luck, fits = Random(seed), ("ultrasonic", "three-ultrasonics")
    found = []
    for s, fit, profile, guard, n in product(range(scenarios), fits, ("default", "cautious"), guards, range(walks)):
        stops = [FELT._replace(felt_m=1.5 - late, late_s=late) for late in (luck.uniform(-0.2, 0.4), luck.random() / 9)]
        row = {"fit": fit, "profile": profile, "guard": guard}
        found.append(walked(f"scenario-{s}", n, **row, false_stops=luck.randint(0, 1), stops=tuple(stops), dangers=2))
    return found


def printed(walks: list[Walked], limits: report.Limits | None = None, encoding: str = "utf-8") -> list[str]:
    out = BytesIO()
    console = Console(width=100, file=TextIOWrapper(out, encoding=encoding, write_through=True))
    console.print(table(walks, limits or {}))
    return [line.rstrip() for line in out.getvalue().decode(encoding).splitlines()]


def page(walks: list[Walked], limits: report.Limits | None = None) -> str:
    return html(walks, limits or {}, "rearguard bench --all", "Walks")


def words(text: str) -> str:
    """What is read of the page or a part of it; fails unless each tag is closed in its turn."""
    root = ElementTree.fromstring(text)
    for tag in (*root.iter("style"), *root.iter("script")):
        tag.text = ""
    return " ".join(" ".join(root.itertext()).split())


def section(text: str, name: str) -> str:
    return next(part for part in re.findall(r"<figure>.*?</figure>", text, re.DOTALL) if f"<h2>{name}</h2>" in part)


def drawing(text: str, name: str) -> ElementTree.Element:
    return next(ElementTree.fromstring(section(text, name)).iter("svg"))


def test_a_row_tells_what_its_walks_came_to() -> None:
    lines = printed([walked(false_stops=2, false_others=1, chatter=3), lost(seed=2)])
    row = next(line for line in lines if line.strip().startswith("wall"))
    assert row.split() == ["wall", "2", "1/2", "1", "100", "<361", "50", "5.0/inf", "0.0", "3", "BROKEN"]


def test_only_what_varies_has_a_column() -> None:
    head = "\n".join(printed([walked()]))
    assert not any(word in head for word in ("fit", "profile", "guard", "ultrasonic"))
    head = "\n".join(printed([walked(), walked(fit="ld06"), walked(guard="gpiozero")]))
    assert "fit, guard" in head
    assert "profile" not in head


def test_the_table_fits_100_columns_and_cuts_no_figure() -> None:
    walks = many(1, (OURS, "gpiozero as it comes", "openpilot, 3 in a row"))
    walks += [walked("somebody-comes-from-behind", n, false_stops=30) for n in range(1200)]
    lines = printed(walks)
    assert max(map(len, lines)) <= 100
    assert not any("…" in line for line in lines)
    assert any("1,200" in line and "0/1,200" in line and "3,000 <3,031" in line for line in lines)


def test_declared_limits_are_dim_in_no_total_and_of_one_fit_alone() -> None:
    walks, limits = [walked(), lost("pole", fit="tf-luna")], {("pole", "tf-luna"): "Beside the beam."}
    lines = printed(walks, limits)
    assert next(line for line in lines if "pole" in line).endswith("limit")
    assert next(line.split()[2::8] for line in lines if "total" in line) == ["0/1", "ok"]
    assert [row.style for row in table(walks, limits).rows] == [None, "dim", None]
    assert [row.verdict for row in rows([lost("pole", fit="ld06"), *walks], limits)] == ["BROKEN", "ok", "limit"]


def test_each_guard_has_a_total_of_its_own() -> None:
    lines = printed([walked(), lost(guard="gpiozero")])
    totals = [line.split() for line in lines if "total" in line]
    assert [(total[1], total[3], total[-1]) for total in totals] == [(OURS, "0/1", "ok"), ("gpiozero", "1/1", "BROKEN")]


def test_a_touch_counts_only_where_the_walker_heeds_stop() -> None:
    ignoring = walked(contact=True, obeys=False)
    tally = rows([ignoring, walked()], {})[0].tally
    assert (tally.contacts, tally.heeding) == (0, 1)
    assert worst([ignoring, walked("tight", stops=(FELT._replace(ttc_s=0.5),))], {})[0].scenario == "tight"


def test_names_are_never_taken_for_markup_and_ascii_is_enough() -> None:
    walks = [walked("[red]wall[/red]"), lost(seed=2), walked(seconds=0.0, dangers=0, stops=(), fit="ld06")]
    lines = printed(walks, encoding="ascii")
    assert any("[red]wall[/red]" in line for line in lines)
    assert any("inf" in line for line in lines)


def test_the_command_walks_the_same_walk_again() -> None:
    walk = walked("my walk's.toml", 7, fit="a b", profile="cautious", obeys=False)
    words = shlex.split(replay(walk))
    assert words[:3] == ["rearguard", "bench", "my walk's.toml"]
    assert words[3:] == ["--fit", "a b", "--profile", "cautious", "--seed", "7", "--ignore"]
    assert "--ignore" not in replay(walked())


def test_the_worst_come_first_each_with_its_command() -> None:
    calm, tight = walked("calm"), walked("tight", stops=(FELT._replace(ttc_s=0.3),))
    broken = walked("fault", broken=("no_data: never",))
    missed, touched = walked("late", missed=1, dangers=2), walked("touch", contact=True)
    found = worst([calm, tight, broken, missed, touched], {})
    assert [w.scenario for w in found] == ["touch", "late", "fault", "tight", "calm"]
    text = page([calm, tight, broken, missed, touched])
    at = [section(text, "The worst walks").index(replay(w)) for w in found]
    assert at == sorted(at)
    assert "1 of 5 rows broken" in words(text)


def test_a_row_has_one_worst_walk_and_limits_and_peers_have_none() -> None:
    walks = [walked(seed=1), lost(seed=2), lost("pole"), lost("door", guard="gpiozero")]
    assert [(w.scenario, w.seed) for w in worst(walks, {("pole", "ultrasonic"): "Thin."})] == [("wall", 2)]


def test_every_row_that_is_broken_is_among_the_worst() -> None:
    walks = [lost(f"s{n}") for n in range(WORST + 5)] + [walked(f"t{n}") for n in range(5)]
    assert len(worst(walks, {})) == WORST + 5
    assert len(worst(walks[WORST:], {})) == 10
    assert len(worst([walked(f"t{n}") for n in range(WORST + 5)], {})) == WORST


@pytest.mark.parametrize(
    "walks",
    [
        [],
        [walked()],
        [walked(seconds=0.0, dangers=0, stops=(), alerts=0, least_m=inf)],
        [lost(), lost(guard="gpiozero"), walked(guard="Kalman")],
        [lost("pole")],
        [walked(guard="gpiozero")],
        [walked(), walked("field", guard="gpiozero")],
        [walked(stops=(FELT._replace(felt_m=inf, closing_mps=-0.3),))],
        many(2, (OURS, "gpiozero")),
    ],
)
def test_the_page_is_whole_whatever_was_walked(walks: list[Walked]) -> None:
    text = page(walks, {("pole", "ultrasonic"): "Thin."})
    assert "nan" not in words(text)
    drawn = [mark for svg in ElementTree.fromstring(text).iter("svg") for mark in svg.iter()]
    assert len(drawn) > 30
    assert not any(re.search("nan|inf", value) for mark in drawn for value in mark.attrib.values())


def test_the_page_needs_nothing_from_outside() -> None:
    text = page(many(3, (OURS, "gpiozero")))
    assert not re.search(r"https?:|//|@import|url\(|src=|href=|<link|<img|<iframe", text)


def test_names_sentences_and_commands_cannot_break_the_page() -> None:
    names = {"fit": HOSTILE, "profile": HOSTILE}
    walks = [lost(HOSTILE, **names, broken=(HOSTILE,)), walked(HOSTILE, **names, guard=HOSTILE), walked()]
    text = html(walks, {("door", HOSTILE): HOSTILE}, HOSTILE, HOSTILE)
    assert len(list(ElementTree.fromstring(text).iter("script"))) == 1
    assert words(text).count(HOSTILE) >= 12


def test_the_headline_is_about_our_guard_without_the_limits() -> None:
    walks = [walked(false_stops=1), walked(seed=2), lost("pole"), lost(guard="gpiozero")]
    said = words(page(walks, {("pole", "ultrasonic"): "Too thin for it."}))
    for part in ("Every expectation was met.", "Dangers missed 0 of 2", "Contacts 0 of 2", "Expectations met 1 of 1"):
        assert part in said
    assert "False STOPs / h 50 1\N{EN DASH}279, in 0.02 h walked" in said
    assert "Declared limits pole, ultrasonic: Too thin for it." in said


def test_each_danger_felt_is_a_dot_with_a_tooltip() -> None:
    text = page([walked(seed=9), walked(fit="ld06", stops=(FELT, FELT))])
    dots = list(drawing(text, "Was there room to stop?").iter("circle"))
    assert [dot.get("class") for dot in dots] == ["dot s0", "dot s1", "dot s1"]
    assert dots[0].findtext("title") == "wall, ultrasonic, default, seed 9: 1.45 m, needed 1.40 m"
    assert "Quick, or quiet?" not in text  # for one guard alone


def front(walks: list[Walked]) -> tuple[dict[str, tuple[float, float]], str]:
    """Where each guard's mark is, and what stands below."""
    text, where = page(walks), {}
    for mark in drawing(text, "Quick, or quiet?").iter("circle"):
        where[str(mark.findtext("title")).split(": ")[0]] = float(mark.attrib["cx"]), float(mark.attrib["cy"])
    return where, words(section(text, "Quick, or quiet?"))


def test_the_front_sets_the_quick_low_and_the_quiet_left() -> None:
    walks = [walked(seconds=3600.0), walked(guard="slow", seconds=3600.0, stops=(FELT._replace(late_s=0.4),))]
    walks += [walked(guard=f"{n} false", seconds=3600.0, false_stops=n) for n in (1, 10, 100)]
    where, said = front(walks)
    assert where[OURS][0] < where["1 false"][0] < where["10 false"][0] < where["100 false"][0]
    ten, hundred = (where[f"{n} false"][0] for n in (10, 100))
    assert hundred - ten == pytest.approx(ten - where["1 false"][0], abs=0.2)  # a log scale
    assert where["slow"][1] < where[OURS][1]
    assert {OURS, "slow"} <= set(said.split())


def test_a_guard_that_misses_half_is_not_drawn_as_quick() -> None:
    walks = [walked(seed=n, guard=guard) for guard in (OURS, "blind") for n in range(3)]
    walks[4:] = [lost(seed=n, guard="blind") for n in (1, 2)]
    where, said = front(walks)
    assert set(where) == {OURS}
    assert "1 not drawn: half of the dangers were never felt" in said


def test_guards_are_compared_on_the_walks_that_all_of_them_did() -> None:
    easy = [walked("easy", n, false_stops=0, seconds=3600.0) for n in range(50)]
    walks = [*easy, walked(false_stops=10, seconds=3600.0), walked(guard="gpiozero", false_stops=10, seconds=3600.0)]
    where, said = front(walks)
    assert where[OURS] == where["gpiozero"]
    assert "1 walks that all guards share" in said


def test_a_page_of_many_walks_stays_below_2_megabytes_and_keeps_our_rows() -> None:
    walks = many(6, ("gpiozero", OURS), scenarios=125, walks=20)
    assert sum(len(w.stops) for w in walks if w.guard == OURS) == 20_000
    text = page(walks)
    assert len(text.encode()) < 2_000_000
    shown = words(section(text, "Every row"))
    assert f"{ROWS} of 1,000 rows" in shown
    assert (shown.count(OURS), shown.count("gpiozero")) == (500, ROWS - 500)


def test_every_colour_is_there_in_light_and_in_dark() -> None:
    light, dark = report.STYLE.split("}}*")[0].split("@media screen and (prefers-color-scheme:dark)")
    used = set(re.findall(r"var\((--\w+)\)", report.STYLE + plots.STYLE)) - {"--c"}
    assert used == set(re.findall(r"(--\w+):", light)) == set(re.findall(r"(--\w+):", dark))


def browse(folder: Path, text: str) -> str:
    """The page as a browser has it once its scripts have run."""
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", f"--user-data-dir={folder / 'browser'}", "--dump-dom"]
    done = subprocess.run([str(CHROMIUM), *flags, file.as_uri()], capture_output=True, check=True, timeout=120)
    return done.stdout.decode()


@in_chromium
def test_a_click_on_a_head_sorts_by_number_and_a_second_one_turns_it_round(tmp_path: Path) -> None:
    walks = [walked(f"{n} false", false_stops=n) for n in (9, 100, 10)] + [walked("none", seconds=0.0)]
    heads = "[...document.querySelectorAll('figure:last-of-type th button')]"
    click = f"{heads}.find(head=>head.textContent.startsWith('false\\u00a0STOP')).click();"
    order = ["none", "9 false", "10 false", "100 false"]
    for clicks, way, names in ((1, "ascending", order), (2, "descending", order[::-1])):
        script = f"<script>{click * clicks}</script></html>"
        shown = section(browse(tmp_path, page(walks).replace("</html>", script)), "Every row")
        assert re.findall(r"<tr class=\"ok\"><td>([^<]*)</td>", shown) == names
        assert shown.count(f'aria-sort="{way}"') == shown.count("aria-sort") == 1


@in_chromium
def test_400_pixels_are_wide_enough(tmp_path: Path) -> None:
    over = "<script>const e=document.documentElement;document.title=e.scrollWidth-e.clientWidth</script></html>"
    inner = escape(page(many(7, (OURS, "gpiozero"))).replace("</html>", over))
    frame = f'<iframe srcdoc="{inner}" style="width:400px;height:900px"></iframe><p id="over"></p>'
    script = "<script>onload=()=>{over.textContent=frames[0].document.title+' px too wide'}</script>"
    assert '<p id="over">0 px too wide</p>' in browse(tmp_path, f"<!doctype html>{frame}{script}")
