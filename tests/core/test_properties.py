"""What holds whatever goes in: any values, any times, any order."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, nan

from hypothesis import given, settings
from hypothesis import strategies as st

from core.worlds import DEFAULT, GRID_DEG, LASER, MOTORS, SONAR, SWEEP, Post, Wall, sweep
from rearguard.core.alert import Alert
from rearguard.core.pattern import BeltFrame, Renderer, felt_faults
from rearguard.core.pipeline import Pipeline, Tick
from rearguard.core.reading import Command, Cue, Input, Reading, Report, Scan, SensorSpec, Status
from rearguard.core.threat import PROFILES, Level

SPECS = (SONAR, LASER, SWEEP)
QUIET = (Status.NO_DATA, Status.LOST, Status.INVALID, Status.CLEAR, Status.WEAK)
SILENT = BeltFrame((0.0,) * len(MOTORS))
PERIOD_S = 5.2  # every rhythm comes round in this time

names = st.sampled_from([spec.name for spec in SPECS] + ["stranger"])
numbers = st.one_of(
    st.floats(0.0, 4.0),
    st.floats(),
    st.sampled_from([nan, inf, -inf, -0.0, 0.02, 0.1, 4.0, 1e308, -1e308, 5e-324]),
)
ages = st.one_of(st.floats(-0.3, 0.3), st.floats(-2.0, 2.0), st.sampled_from([nan, inf, -inf, 0.0, 0.25, 1e9, -1e9]))
bearings = st.one_of(st.none(), st.floats(-180.0, 180.0), st.floats())
ranges = st.one_of(st.none(), st.floats(0.0, 12.0), numbers)
grids = st.one_of(
    st.just(GRID_DEG[60:90]),
    st.lists(st.floats(-180.0, 180.0), max_size=6).map(tuple),
    st.lists(st.floats(), max_size=6).map(tuple),
)


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    grid = draw(grids)
    size = draw(st.sampled_from([len(grid), len(grid), 0, len(grid) + 1]))
    seen = draw(st.one_of(ranges.map(lambda r: [r] * size), st.lists(ranges, min_size=min(size, 6), max_size=6)))
    return Scan(draw(names), draw(ages), grid, tuple(seen[i % len(seen)] for i in range(size)) if seen else ())


readings = st.builds(
    Reading,
    names,
    ages,
    st.sampled_from(Status),
    st.one_of(st.none(), numbers),
    bearings,
    st.one_of(st.none(), numbers),
)
reports = st.builds(
    Report, st.sampled_from(["belt", "journal", "power"]), ages, st.sampled_from(["a", "b"]), st.booleans()
)
commands = st.builds(Command, ages, st.sampled_from(Cue))
anything: st.SearchStrategy[Input] = st.one_of(readings, readings, scans(), reports, commands)
paces = st.one_of(
    st.floats(0.0, 0.2),
    st.floats(0.0, 3.0),
    st.sampled_from([0.0, 0.06, -0.5, -0.999, -1.001, -5.0, nan, inf, -inf, 3600]),
)
Steps = list[tuple[float, list[Input]]]  # (seconds since the last step, what has arrived)


def steps(items: st.SearchStrategy[Input], size: int = 30) -> st.SearchStrategy[Steps]:
    """Runs of steps; some say the same again and again, since most states need more than one answer."""
    single = st.tuples(paces, st.lists(items, max_size=3)).map(lambda step: [step])
    steady = st.tuples(st.sampled_from([0.01, 0.06, 0.1]), items, st.integers(3, 12)).map(
        lambda run: [(run[0], [run[1]._replace(t_s=0.0)])] * run[2]
    )
    return st.lists(st.one_of(single, steady), max_size=size).map(lambda runs: [step for run in runs for step in run])


def run(pipeline: Pipeline, todo: Steps, start_s: float = 100.0) -> list[Tick]:
    """Step through `todo`. The times of what arrives count from the step they arrive in."""
    ticks, now = [pipeline.step([], start_s)], start_s
    for pace, items in todo:
        then = now + pace
        arrived = [item._replace(t_s=item.t_s + now) for item in items]
        ticks.append(pipeline.step(arrived, then))
        now = then if isfinite(then) else now
    return ticks


def guard(specs: Sequence[SensorSpec] = SPECS) -> Pipeline:
    return Pipeline(specs, MOTORS, DEFAULT)


@settings(max_examples=250, deadline=None)
@given(steps(anything), st.sampled_from([0.0, 100.0, -5.0, 1e6]), st.sampled_from(sorted(PROFILES.values())))
def test_whatever_goes_in_a_sound_tick_comes_out(todo: Steps, start_s: float, profile: object) -> None:
    for tick in run(Pipeline(SPECS, MOTORS, profile), todo, start_s):  # type: ignore[arg-type]
        assert isfinite(tick.t_s)
        assert tick.wake_s > tick.t_s
        assert len(tick.frame.duties) == len(MOTORS)
        assert all(0.0 <= duty <= 1.0 for duty in tick.frame.duties)
        assert tick.alert.faults == tuple(sorted(set(tick.alert.faults)))
        told = (tick.alert.bearing_deg, tick.alert.distance_m, tick.alert.closing_mps)
        assert all(value is not None and isfinite(value) for value in told) or told == (None, None, None)
        assert (told[0] is not None) is (tick.alert.level > Level.CLEAR)
        assert all(track.distance_m >= 0.0 and isfinite(track.closing_mps) for track in tick.tracks)


@settings(max_examples=100, deadline=None)
@given(steps(anything))
def test_the_same_inputs_give_the_same_ticks(todo: Steps) -> None:
    assert run(guard(), todo) == run(guard(), todo)


@settings(max_examples=100, deadline=None)
@given(steps(st.builds(Reading, names, ages, st.sampled_from(QUIET), numbers, bearings), 20))
def test_without_one_echo_no_level_is_raised(todo: Steps) -> None:
    for tick in run(guard(), todo):
        assert tick.alert.level is Level.CLEAR
        assert tick.tracks == ()


@settings(max_examples=150, deadline=None)
@given(steps(anything))
def test_silence_means_that_nothing_is_to_be_felt_and_only_that(todo: Steps) -> None:
    pipeline, now = guard(), 100.0
    for pace, items in todo:
        now = now + pace if isfinite(pace) else now
        tick = pipeline.step([item._replace(t_s=item.t_s + now) for item in items], now)
        if not (tick.alert.level or felt_faults(tick.alert) or tick.alert.paused or pipeline.playing()):
            assert tick.frame == SILENT
    # Now nothing more arrives, which is itself to be felt.
    tick = pipeline.step([], now)
    felt, end_s = tick.frame != SILENT, tick.t_s + PERIOD_S
    while tick.wake_s < end_s:
        tick = pipeline.step([], tick.wake_s)
        felt = felt or tick.frame != SILENT
    assert felt


alerts = st.builds(
    Alert,
    st.sampled_from(Level),
    st.one_of(st.none(), st.floats(-400.0, 400.0)),
    faults=st.sampled_from([(), ("journal:full",), ("rear:lost",), ("journal:full", "rear:lost")]),
    paused=st.booleans(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 3.0), alerts, st.one_of(st.none(), st.sampled_from(Cue))), max_size=8), alerts)
def test_after_any_past_an_alert_is_felt_within_one_period_or_it_is_nothing(
    past: list[tuple[float, Alert, Cue | None]], alert: Alert
) -> None:
    renderer, now = Renderer(MOTORS), 50.0
    for pace, other, cue in past:
        now += pace
        if cue is not None:
            renderer.cue(cue, now)
        renderer.render(other, now)
    end_s = now + PERIOD_S
    frame, wake = renderer.render(alert, now)
    lasting, cue_left = bool(alert.level or felt_faults(alert) or alert.paused), renderer.playing() is not None
    felt = any(frame.duties)
    while (now := wake) < end_s:
        frame, wake = renderer.render(alert, now)
        assert wake > now
        felt = felt or any(frame.duties)
        assert felt_faults(alert) or renderer.playing() is Cue.SELF_TEST or not frame.buzzer
    assert felt or not lasting
    assert lasting or cue_left or not felt


speeds = st.lists(st.tuples(st.floats(-1.0, 2.0), st.integers(2, 25)), min_size=1, max_size=6)


def course(start_m: float, legs: list[tuple[float, int]]) -> list[float]:
    """Distances every 60 ms of something that comes nearer at one speed after the other."""
    found = [start_m]
    for speed, count in legs:
        found += [found[-1] - speed * 0.06 * (i + 1) for i in range(count)]
    return found


def seen(sensor: str, t_s: float, distance_m: float) -> list[Input]:
    """What a sensor says of something at a distance, in range, too close or out of range."""
    if distance_m < SONAR.min_range_m:
        return [Reading(sensor, t_s, Status.TOO_CLOSE)]
    if distance_m > SONAR.max_range_m:
        return [Reading(sensor, t_s, Status.CLEAR)]
    return [Reading(sensor, t_s, Status.OK, distance_m)]


def stepped(specs: Sequence[SensorSpec], arriving: Sequence[list[Input]]) -> list[Level]:
    pipeline = guard(specs)
    return [pipeline.step(items, i * 0.06).alert.level for i, items in enumerate(arriving)]


LEFT, RIGHT = SONAR._replace(name="left"), SONAR._replace(name="right")


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 3.9), speeds, st.floats(0.0, 1.0))
def test_a_second_sensor_that_sees_the_same_nearer_never_lowers_the_level(
    start_m: float, legs: list[tuple[float, int]], nearer_m: float
) -> None:
    way = [d for d in course(start_m, legs) if d > nearer_m + SONAR.min_range_m]
    one = [seen("left", i * 0.06, d) for i, d in enumerate(way)]
    both = [items + seen("right", i * 0.06, d - nearer_m) for i, (items, d) in enumerate(zip(one, way, strict=True))]
    assert all(b >= a for a, b in zip(stepped([LEFT], one), stepped([LEFT, RIGHT], both), strict=True))


broken = st.one_of(
    st.none(),
    st.builds(Reading, st.just("right"), st.just(0.0), st.sampled_from([Status.NO_DATA, Status.LOST, Status.INVALID])),
    st.builds(Reading, st.just("right"), st.just(0.0), st.just(Status.OK), st.sampled_from([nan, inf, -1.0, 1e9, 1.5])),
    st.just(Reading("right", 0.0, Status.TOO_CLOSE)),
    st.just(Scan("right", 0.0, (0.0, nan), (1.0, 1.0))),
)


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 3.9), speeds, st.lists(broken, min_size=1, max_size=5), st.integers(0, 30))
def test_a_sensor_that_fails_never_lowers_the_level_that_another_raises(
    start_m: float, legs: list[tuple[float, int]], failing: list[Input | None], from_i: int
) -> None:
    way = course(start_m, legs)
    one = [seen("left", i * 0.06, d) for i, d in enumerate(way)]
    both = []
    for i, items in enumerate(one):
        item = failing[i % len(failing)] if i >= from_i else Reading("right", 0.0, Status.OK, 3.0)
        both.append(items + ([item._replace(t_s=i * 0.06)] if item is not None else []))
    assert all(b >= a for a, b in zip(stepped([LEFT], one), stepped([LEFT, RIGHT], both), strict=True))


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.35, 0.35), st.floats(0.4, 1.2), st.floats(2.5, 4.0))
def test_whatever_stands_in_the_way_is_a_stop_well_before_it_is_reached(x_m: float, speed: float, y_m: float) -> None:
    pipeline, world = guard([SWEEP]), [Post(x_m, y_m, 0.1), Wall(-0.7, 0.0, -0.7, 9.0), Wall(0.7, 0.0, 0.7, 9.0)]
    stop_m = min(speed * 0.95 + speed**2 / 3 + 0.45, y_m - 0.1 - 0.5 * speed)  # half a second to make its acquaintance
    gap = y_m - 0.1
    for i in range(100):
        t = 0.1 * i
        gap = y_m - 0.1 - speed * t
        if gap < 0.2:
            break
        level = pipeline.step([sweep(t, world, speed * t)], t).alert.level
        assert level is Level.STOP or gap > stop_m - 0.1 * speed - 0.05
    assert gap < 0.2
