"""What an ultrasonic sensor hears: the echo of each thing, and of these the first that is loud enough.

A smooth face answers like a mirror, from the point where it is square to the sensor (Kuc & Siegel 1987); a post or a
person like a cylinder, which spreads the echo by sqrt(a / (a + r)); an edge or a rough face a little, in all
directions. Sound spreads with the distance and air takes its share. Levels are in dB, 0 for a wall at 0.5 m.
"""

from __future__ import annotations

from math import radians

import numpy as np

from rearguard.bench.world.things import HIGH_M, Disc, Floats, Poses, Thing, Wall
from rearguard.sensors import Sonar

AIR_DB_PER_M = 1.3  # at 40 kHz, 20 degrees, 50 % humidity (ISO 9613-1)
RAIN_DB_PER_M = 0.7  # more, in heavy rain (assumed)
EDGE_DB = 32.0  # an edge diffracts this much less than a face mirrors (assumed)
SIDE_DB = 60.0  # however far off the axis, no less than this is heard
LEVEL_SD_DB = 2.0  # from ping to ping, by turbulence and noise (assumed)


def heard(part: Sonar, things: tuple[Thing, ...], poses: Poses, air_db_per_m: float, level_db: Floats) -> Floats:
    """The distance of the echo that is heard first at each pose, in m; inf where none is. `level_db`: luck."""
    first = np.full(len(poses.t_s), np.inf)
    for thing in things:
        for distance, loud in _echoes(part, thing, poses, air_db_per_m):
            first = np.where((loud + level_db >= part.floor_db) & (distance < first), distance, first)
    return first


def _echoes(part: Sonar, thing: Thing, poses: Poses, air_db: float) -> list[tuple[Floats, Floats]]:
    """(distance, level) of each echo of one thing."""
    surface = thing.surface
    if isinstance(thing, Wall):
        px, py, inside = thing.foot(poses.x_m, poses.y_m)
        dx, dy = px - poses.x_m, py - poses.y_m
        r = np.maximum(np.hypot(dx, dy), 0.005)
        loud = _level(part, thing, poses, r, np.arctan2(dx, dy), air_db)
        loud = np.where(inside, loud - surface.sonar_db, loud - max(surface.sonar_db, EDGE_DB))
        there = poses.t_s >= thing.from_s
        found = [(r, np.where(there, loud, -np.inf))]
        if surface.rough_db < SIDE_DB:  # what the middle of the beam falls on
            along, cosine = thing.cast(poses, np.sin(poses.heading), np.cos(poses.heading))
            near = np.where(np.isinf(along), 100.0, along)
            rough = _level(part, thing, poses, near, poses.heading, air_db) - surface.rough_db
            found.append((along, rough + 20.0 * np.log10(np.maximum(cosine, 1e-3))))
        return found
    px, py = thing.at(poses.t_s)  # type: ignore[attr-defined]
    radius: float = thing.radius_m  # type: ignore[attr-defined]
    dx, dy = px - poses.x_m, py - poses.y_m
    r = np.maximum(np.hypot(dx, dy) - radius, 0.005)
    loud = _level(part, thing, poses, r, np.arctan2(dx, dy), air_db)
    loud = loud + 10.0 * np.log10(radius / (radius + r)) - surface.sonar_db
    appears: float = thing.appears_s  # type: ignore[attr-defined]
    return [(r, np.where(poses.t_s >= appears, loud, -np.inf))]


def _level(part: Sonar, thing: Thing, poses: Poses, r: Floats, toward: Floats, air_db: float) -> Floats:
    """What comes back from a hard face square to the sensor at distance `r`, seen in the direction `toward`."""
    aside = (toward - poses.heading + np.pi) % (2 * np.pi) - np.pi
    off = (aside / radians(part.half_beam_deg)) ** 2
    if thing.top_m < HIGH_M:
        above = poses.height_m + r * np.tan(poses.pitch) - thing.top_m
        off = off + (np.arctan2(np.maximum(above, 0.0), r) / radians(part.half_beam_up_deg)) ** 2
    loss = np.minimum(part.beam_db * off, SIDE_DB)
    return -20.0 * np.log10(2.0 * r) - 2.0 * r * air_db - loss


def wander(things: tuple[Thing, ...], poses: Poses, distance_m: Floats) -> Floats:
    """The deviation, at each pose, of the place that answers: that of the softest thing this near."""
    found = np.zeros(len(distance_m))
    for thing in things:
        if not thing.surface.wander_m:
            continue
        if isinstance(thing, Disc):
            px, py = thing.at(poses.t_s)
            here = np.hypot(px - poses.x_m, py - poses.y_m) - thing.radius_m
        elif isinstance(thing, Wall):
            px, py, _ = thing.foot(poses.x_m, poses.y_m)
            here = np.hypot(px - poses.x_m, py - poses.y_m)
        else:
            continue
        found = np.where(np.abs(here - distance_m) < 0.3, thing.surface.wander_m, found)
    return found
