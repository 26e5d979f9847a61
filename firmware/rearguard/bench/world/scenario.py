"""Scenarios: a walk, what stands and moves in its way, what must be felt and what must not. One TOML file each.

title = "A wall, approached at 1.0 m/s"
says = "STOP is felt in time, and the walker stops before the wall."

[walker]
pace_mps = 1.0

[[wall]]
from = [-6, 7]
to = [6, 7]

[must]
stop = "in time"
"""

from __future__ import annotations

import tomllib
from functools import cache
from math import cos, radians, sin
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from rearguard.bench.world.air import Air
from rearguard.bench.world.gait import Gait
from rearguard.bench.world.surfaces import SurfaceName
from rearguard.bench.world.things import HIGH_M, NEVER, Disc, Wall
from rearguard.bench.world.trouble import Trouble
from rearguard.core.health import Fault
from rearguard.errors import InputError
from rearguard.explain import explain

FOLDER = Path(__file__).with_name("scenarios")
Metres: TypeAlias = Annotated[float, Meta(ge=-1000.0, le=1000.0)]
Size: TypeAlias = Annotated[float, Meta(gt=0.0, le=100.0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0, le=3600.0)]
Speed: TypeAlias = Annotated[float, Meta(ge=0.0, le=5.0)]
Point: TypeAlias = tuple[Metres, Metres]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of a scenario have in common."""


class WalkerTable(Table, frozen=True, kw_only=True):
    """`[walker]`."""

    pace_mps: Speed = 0.6
    sets_off_s: Seconds = 1.0
    stops_s: Seconds | None = None  # of one's own will, for good
    turns_dps: float = 0.0  # positive: toward the wearer's right
    turns_from_s: Seconds = 0.0
    turns_until_s: Seconds = 0.0
    forward: bool = False
    gait: Annotated[float, Meta(ge=0.0, le=3.0)] = 1.0  # how lively: 1 is usual
    hands: Literal["still", "beside", "behind"] = "beside"


class WallTable(Table, frozen=True, kw_only=True):
    """`[[wall]]`: a straight face."""

    from_: Point = msgspec.field(name="from")
    to: Point
    of: SurfaceName = "plaster"
    top_m: Size = HIGH_M
    appears_s: Seconds = 0.0

    def thing(self) -> Wall:
        return Wall(*self.from_, *self.to, self.of, self.top_m, self.appears_s)


class BoxTable(Table, frozen=True, kw_only=True):
    """`[[box]]`: something with four faces, such as furniture or a kerb."""

    at: Point  # its middle
    wide_m: Size
    deep_m: Size = 0.3
    of: SurfaceName = "wood"
    top_m: Size = HIGH_M
    appears_s: Seconds = 0.0

    def things(self) -> list[Wall]:
        x, y, w, d = *self.at, self.wide_m / 2, self.deep_m / 2
        corners = ((x - w, y - d), (x + w, y - d), (x + w, y + d), (x - w, y + d))
        return [Wall(*corners[i - 1], *corners[i], self.of, self.top_m, self.appears_s) for i in range(4)]


class PostTable(Table, frozen=True, kw_only=True):
    """`[[post]]`: something round."""

    at: Point
    diameter_m: Size
    of: SurfaceName = "steel"
    top_m: Size = HIGH_M
    appears_s: Seconds = 0.0

    def thing(self) -> Disc:
        return Disc(*self.at, self.diameter_m / 2, self.of, self.top_m, appears_s=self.appears_s)


class PersonTable(Table, frozen=True, kw_only=True):
    """`[[person]]`: somebody who stands or walks straight on."""

    at: Point
    walks_mps: Speed = 0.0
    toward_deg: Annotated[float, Meta(ge=-180.0, le=180.0)] = 0.0  # 0: along +y; 90: to the wearer's right
    from_s: Seconds = 0.0
    until_s: float = NEVER
    radius_m: Size = 0.2  # half of shoulder breadth and chest depth, in the mean (assumed)
    wears: SurfaceName = "coat"
    tall_m: Size = HIGH_M
    appears_s: Seconds = 0.0

    def thing(self) -> Disc:
        way = radians(self.toward_deg)
        vx, vy = self.walks_mps * sin(way), self.walks_mps * cos(way)
        return Disc(
            *self.at, self.radius_m, self.wears, self.tall_m, vx, vy, self.from_s, self.until_s, self.appears_s, True
        )


class Must(Table, frozen=True, kw_only=True):
    """`[must]`: what must be felt. Times of a fault count from its beginning."""

    stop: Literal["in time"] | None = None  # whenever an oracle that knows the truth would say so
    contact_least_s: Seconds | None = None  # this long before contact, STOP is felt
    sudden_within_s: Seconds | None = None  # after something appears, STOP is felt
    fault: Fault | tuple[Fault, ...] | None = None  # one of these
    fault_within_s: Seconds = 0.3
    armed_within_s: Seconds | None = None  # after the guard hung, it guards again


class MustNot(Table, frozen=True, kw_only=True):
    """`[must_not]`: what must never be felt, or what must never happen."""

    stop: bool = False
    alert: bool = False  # STOP, WARN or NOTICE
    fault: bool = False
    contact: bool = False
    alert_after_s: Seconds | None = None  # no alert from this time on


class Scenario(Table, frozen=True, kw_only=True):
    """One file."""

    title: str
    says: str
    lasts_s: Annotated[float, Meta(gt=0.0, le=3600.0)] = 20.0
    walker: WalkerTable = WalkerTable()
    air: Air = Air()
    wall: tuple[WallTable, ...] = ()
    box: tuple[BoxTable, ...] = ()
    post: tuple[PostTable, ...] = ()
    person: tuple[PersonTable, ...] = ()
    trouble: tuple[Trouble, ...] = ()
    must: Must = Must()
    must_not: MustNot = MustNot()
    limit: dict[str, str] = {}  # by driver: why it physically cannot see this; "all" for any sensor at the belt
    name: str = ""

    def things(self) -> tuple[Wall | Disc, ...]:
        """All that stands and walks."""
        boxes = [face for box in self.box for face in box.things()]
        walls = [table.thing() for table in self.wall]
        posts = [table.thing() for table in self.post]
        people = [table.thing() for table in self.person]
        return (*boxes, *walls, *posts, *people)

    def gait(self) -> Gait:
        """Of the walker."""
        return Gait(*(self.walker.gait * amplitude for amplitude in Gait()))

    def declared(self, drivers: list[str]) -> str | None:
        """Why sensors with these drivers cannot be expected to see it; None when one of them can."""
        if "all" in self.limit:
            return self.limit["all"]
        reasons = [self.limit.get(driver) for driver in drivers]
        return " ".join(dict.fromkeys(r for r in reasons if r)) if all(reasons) else None


def names() -> list[str]:
    """Every scenario that ships, by file name."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load(name: str) -> Scenario:
    """A scenario that ships, by name, or one of the user's own, by path. Raises InputError."""
    path = FOLDER / f"{name}.toml"
    if name.endswith(".toml"):
        path = Path(name)
    elif name not in names():
        raise InputError(f"there is no scenario {name!r}; there are: {', '.join(names())}; or give a TOML file")
    try:
        raw = tomllib.loads(path.read_bytes().decode())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None
    try:
        return msgspec.structs.replace(msgspec.convert(raw, Scenario), name=name)
    except msgspec.ValidationError:
        raise InputError(f"{path}: {explain(raw, Scenario, '')}") from None
