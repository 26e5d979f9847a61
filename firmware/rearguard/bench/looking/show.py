"""Walks for a web page: the still scene of each, and its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from math import isfinite
from pathlib import Path
from typing import Any

from rearguard.bench.looking.seen import Seen
from rearguard.bench.walking.moment import Moment
from rearguard.bench.walking.outcome import Outcome, limit_of
from rearguard.bench.walking.truth import BODY_M
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit as fits
from rearguard.bench.world import scenario as scenarios
from rearguard.bench.world.things import Disc, Wall
from rearguard.bench.world.way import BELT_M
from rearguard.config import Config
from rearguard.core.threat import PROFILES
from rearguard.errors import InputError

FRAME = 5  # moments: 20 frames in a second of the walk


class Walks:
    """Walks for a web page: a `web.Show`."""

    def __init__(self, scenario: str, fit: str) -> None:
        """These two stand first; they may be files of the user's own. Raises InputError, ConfigError."""
        scenarios.load(scenario)
        fits.load(fit)
        self._scenarios = {Path(name).stem: name for name in dict.fromkeys([scenario, *scenarios.names()])}
        self._fits = {Path(name).stem: name for name in dict.fromkeys([fit, *fits.names()])}

    def scenarios(self) -> list[dict[str, str]]:
        """Name, title and what must be alert."""
        loaded = [(name, scenarios.load(path)) for name, path in self._scenarios.items()]
        return [{"name": name, "title": one.title, "says": one.says} for name, one in loaded]

    def fits(self) -> list[str]:
        """What may be worn."""
        return list(self._fits)

    def start(
        self, scenario: str, fit: str, profile: str, seed: int, obeys: bool
    ) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
        """The still scene, and its frames, 20 a second of walk time. Raises InputError, ConfigError."""
        if scenario not in self._scenarios or fit not in self._fits or profile not in PROFILES:
            raise InputError(f"there is no walk {scenario!r} with {fit!r} and {profile!r}")
        chosen, belt = scenarios.load(self._scenarios[scenario]), fits.load(self._fits[fit])
        limit = limit_of(chosen, belt)
        named = {"scenario": scenario, "title": chosen.title, "says": chosen.says, "fit": fit, "profile": profile}
        scene = {**named, "seed": seed, "obeys": obeys, "limit": limit, **_scene(chosen, belt)}
        return scene, _frames(lambda: Walk(chosen, belt, PROFILES[profile], seed, obeys), limit)


def _scene(chosen: scenarios.Scenario, belt: Config) -> dict[str, Any]:
    """What stands still, and the belt."""
    walls = [thing for thing in chosen.things() if isinstance(thing, Wall)]
    posts = [thing for thing in chosen.things() if isinstance(thing, Disc) and not _comes(thing)]
    sensors = []
    for name, part in belt.sensors.items():
        sense = part.senses()
        sector = getattr(sense, "sector_deg", 0.0)
        sensors.append(
            {
                "name": name,
                "bearing_deg": part.bearing_deg,
                "half_deg": sector or sense.half_beam_deg,
                "range_m": sense.most_m,
                "sweeps": sector > 0.0,
            }
        )
    return {
        "walls": [
            {
                "points": [[w.x0, w.y0], [w.x1, w.y1]],
                "of": w.of,
                "seen": w.top_m >= BELT_M,
                "appears_s": w.from_s,
            }
            for w in walls
        ],
        "posts": [{"x": p.x, "y": p.y, "radius_m": p.radius_m, "of": p.of} for p in posts],
        "motors": [{"name": name, "bearing_deg": motor.bearing_deg} for name, motor in belt.belt.motors()],
        "sensors": sensors,
        "swath_m": belt.swath_m,
        "body_m": BODY_M,
    }


def _comes(disc: Disc) -> bool:
    """Whether it is no part of the still scene."""
    return disc.person or disc.appears_s > 0.0


def _frames(make: Callable[[], Walk], limit: str | None) -> Iterator[dict[str, Any]]:
    """The walk, 20 times a second; the last frame says what it came to. Nothing is open before the first."""
    walk = make()
    outcome = Outcome(walk, limit)
    seen = Seen()
    last: Moment | None = None
    with closing(walk.run()) as moments:
        for i, moment in enumerate(moments):
            outcome.add(moment)
            seen.add(moment)
            last = moment
            if i % FRAME == FRAME - 1:
                yield _frame(walk, moment, seen)
    assert last is not None
    yield {**_frame(walk, last, seen), "end": {"text": outcome.text(), "contact": outcome.contact}}


def _frame(walk: Walk, moment: Moment, seen: Seen) -> dict[str, Any]:
    alert, t = moment.alert, float(moment.way.t_s[0])
    comes = [d for d in walk.things if isinstance(d, Disc) and _comes(d) and d.appears_s <= t]
    return {
        "t_s": round(moment.t_s, 3),
        "walk_s": round(moment.walk_s, 3),
        "x_m": round(moment.x_m, 3),
        "y_m": round(moment.y_m, 3),
        "heading_deg": round(moment.heading_deg, 2),
        "speed_mps": round(moment.speed_mps, 3),
        "room_m": round(moment.room_m, 3) if isfinite(moment.room_m) else None,
        "needed_m": round(moment.needed_m, 3) if moment.needed_m is not None else None,
        "level": moment.level.name,
        "word": moment.word,
        "distance_m": alert.distance_m,
        "closing_mps": alert.closing_mps,
        "bearing_deg": alert.bearing_deg,
        "faults": list(alert.faults),
        "duties": list(moment.duties),
        "buzzer": moment.buzzer,
        "people": [{"x": float(d.at(t)[0]), "y": float(d.at(t)[1]), "radius_m": d.radius_m} for d in comes],
        "readings": seen.readings(),
        "points": seen.points(),
    }
