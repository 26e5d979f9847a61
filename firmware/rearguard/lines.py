"""The guard's inputs and alerts as JSON lines: one format for the journal, for `decode` and for `replay`.

    {"t_s": 12.34, "sensor": "rear", "status": "ok", "distance_m": 1.23}
    {"t_s": 12.50, "sensor": "scan", "scan": {"start_deg": -60.0, "step_deg": 0.8, "ranges_m": [1.2, null]}}
    {"t_s": 12.60, "source": "belt", "fault": "write_failed", "active": true}
    {"t_s": 12.70, "cue": "pause"}

In a journal each of these also has `now_s`, the time of the step that took it; a step that took nothing is
{"now_s": 12.80}. A line with `level` is an alert, written when it changed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from rearguard.core.alert import Alert
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Command, Cue, Input, Reading, Report, Scan, Status
from rearguard.core.threat import Level
from rearguard.errors import InputError

SCHEMA, VERSION = "rearguard.journal", 1


class Sweep(msgspec.Struct, frozen=True):
    """The `scan` of a line."""

    start_deg: float
    step_deg: float
    ranges_m: tuple[float | None, ...]


class Line(msgspec.Struct, frozen=True):
    """Any line there is; which fields it has says what it is."""

    t_s: float | None = None
    now_s: float | None = None
    sensor: str | None = None
    status: Status | None = None
    distance_m: float | None = None
    bearing_deg: float | None = None
    quality: float | None = None
    scan: Sweep | None = None
    source: str | None = None
    fault: str | None = None
    active: bool = True
    cue: Cue | None = None
    level: str | None = None
    schema: str | None = None
    version: int | None = None
    config: dict[str, Any] | None = None

    def input(self) -> Input | None:
        """What the line tells the core; None for a header, an alert or an empty step."""
        if self.t_s is None or self.level is not None or self.schema is not None:
            return None
        if self.sensor is not None and self.status is not None:
            return Reading(self.sensor, self.t_s, self.status, self.distance_m, self.bearing_deg, self.quality)
        if self.sensor is not None and self.scan is not None:
            sweep = self.scan
            return Scan(
                self.sensor, self.t_s, _grid(sweep.start_deg, sweep.step_deg, len(sweep.ranges_m)), sweep.ranges_m
            )
        if self.source is not None and self.fault is not None:
            return Report(self.source, self.t_s, self.fault, self.active)
        return None if self.cue is None else Command(self.t_s, self.cue)


@lru_cache(maxsize=8)
def _grid(start_deg: float, step_deg: float, count: int) -> tuple[float, ...]:
    return tuple(start_deg + i * step_deg for i in range(count))


_decoder = msgspec.json.Decoder(Line)


def decode(text: bytes, where: str) -> Line:
    """One line. Raises InputError, which begins with `where`, when it is none of ours."""
    try:
        line = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where}: not a reading line: {error}") from None
    if line.input() is None and line.now_s is None and line.level is None and line.schema is None:
        raise InputError(f"{where}: not a reading line: it needs t_s with sensor and status, or sensor and scan")
    return line


def encode(item: Input, now_s: float | None = None) -> bytes:
    """One input as a line, with the time of the step that took it where there is one."""
    line: dict[str, Any] = {"t_s": item.t_s}
    if isinstance(item, Reading):
        line |= {"sensor": item.sensor, "status": item.status}
        for key in ("distance_m", "bearing_deg", "quality"):
            value = getattr(item, key)
            if value is not None:
                line[key] = value
    elif isinstance(item, Scan):
        bearings = item.bearings_deg
        step = bearings[1] - bearings[0] if len(bearings) > 1 else 0.0
        start = bearings[0] if bearings else 0.0
        line |= {
            "sensor": item.sensor,
            "scan": {"start_deg": start, "step_deg": step, "ranges_m": item.ranges_m},
        }
    elif isinstance(item, Report):
        line |= {"source": item.source, "fault": item.fault, "active": item.active}
    else:
        line["cue"] = item.cue
    if now_s is not None:
        line["now_s"] = now_s
    return msgspec.json.encode(line) + b"\n"


def step(now_s: float) -> bytes:
    """A step without inputs."""
    return msgspec.json.encode({"now_s": now_s}) + b"\n"


def header(t_s: float, wall: str, config: dict[str, Any], firmware: str) -> bytes:
    """The first line of a journal. `wall` is the only wall-clock time in it."""
    return (
        msgspec.json.encode(
            {"schema": SCHEMA, "version": VERSION, "firmware": firmware, "wall": wall, "t_s": t_s, "config": config}
        )
        + b"\n"
    )


def alert(t_s: float, a: Alert) -> bytes:
    """An alert as `replay` prints it."""
    line = {
        "t_s": round(t_s, 6),
        "level": a.level.name.lower(),
        "bearing_deg": _short(a.bearing_deg),
        "distance_m": _short(a.distance_m),
        "closing_mps": _short(a.closing_mps),
        "faults": a.faults,
    }
    if a.paused:
        line["paused"] = True
    return msgspec.json.encode(line) + b"\n"


def change_key(a: Alert, pipeline: Pipeline) -> tuple[Any, ...]:
    """Two alerts with the same key feel the same, and are one."""
    place = pipeline.place(a.bearing_deg) if a.level in (Level.NOTICE, Level.WARN) else None
    return a.level, a.faults, a.paused, place


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
