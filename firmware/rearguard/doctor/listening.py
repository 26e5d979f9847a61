"""What each sensor says in a second, by its production driver; of a service that runs, from its journal."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any, NamedTuple

from rearguard.core.health import REJECT_SHARE
from rearguard.core.reading import Reading, Scan, SensorSpec, Status
from rearguard.doctor import records
from rearguard.doctor.finding import CannotTellError, Finding, complaint, failure, ok, skipped, warning
from rearguard.doctor.visit import Visit
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host
from rearguard.sensors import load

LISTEN_S = 1.0
WAIT_S = 0.25  # of one read, as the guard's
ENOUGH, POOR = 0.8, 0.5  # of the promised rate: below the one a warning, below the other a failure (assumed)
SILENT_SHARE = 0.2  # of pings without an answer; 13 % were seen outdoors (docs/facts.md)
NOISES, RESTLESS_M = 10, 0.1  # a still reading stays within so many times its noise, and within this (assumed)
SAME = 10  # equal values in a row; noise makes fewer
FINE_M = 0.001  # only of a part with finer steps than this is an equal value odd
AHEAD_DEG = 5.0  # of a sweep: what is straight behind
STOP = "sudo systemctl stop rearguard; rearguard doctor; sudo systemctl start rearguard"
FRESH_S = 5.0  # the journal of a service that runs is no older


class Heard(NamedTuple):
    """All that came in a stretch of time."""

    seconds: float
    items: list[Reading | Scan]


def hear(visit: Visit) -> Iterator[Finding]:
    """One finding for each sensor."""
    config = visit.config
    specs = {spec.name: spec for spec in config.specs()}
    if visit.running:
        yield from _from_journal(visit, specs)
        return
    host, pins_fail = visit.host, ""
    for name, part in config.sensors.items():
        check = f"sensors.{name}"
        if not visit.listen:
            yield skipped(check, "not opened: --no-sensors")
        elif config.pin_factory == "mock" and not hasattr(part, "port"):
            yield skipped(check, "pin_factory is 'mock': there is no wire to listen on")
        elif not hasattr(part, "port") and pins_fail:
            yield skipped(check, pins_fail)
        elif not hasattr(part, "port") and (pins_fail := _refused(host)):
            yield failure(check, *complaint(pins_fail))
        else:
            yield _try(visit, check, name, specs[name], host)


def _refused(host: Host) -> str:
    """Why there are no pins; "" when there are."""
    try:
        host.pins()
    except DeviceOpenError as error:
        return str(error)
    return ""


def _try(visit: Visit, check: str, name: str, spec: SensorSpec, host: Host) -> Finding:
    part = visit.config.sensors[name]
    try:
        sensor = load(part.driver).Sensor(name, part, host)
        try:
            heard = listen(sensor, part.turn_s, spec, host)
        finally:
            sensor.close()
    except (DeviceOpenError, DeviceLostError) as error:
        return failure(check, *complaint(str(error)))
    return judge(check, heard, 1 / max(part.senses().period_s, part.turn_s), spec, _wiring(part))


def listen(sensor: Any, turn_s: float, spec: SensorSpec, host: Host) -> Heard:
    """Open it, give it time to start, and take what it says for a second. Raises DeviceOpenError, DeviceLostError."""
    clock = host.clock
    items: list[Reading | Scan] = []
    sensor.open()
    began = clock.now()
    heard = False
    while clock.now() < began + (LISTEN_S if heard else spec.startup_s + LISTEN_S):
        start = clock.now()
        found = sensor.read(start + WAIT_S)
        clock.sleep(max(start + turn_s - clock.now(), 0.0))
        if not heard and any(_answers(item) for item in found):
            heard, began, items = True, clock.now(), []  # the first one came in the middle of something
        else:
            items += found
    return Heard(clock.now() - began, items)


def _answers(item: Reading | Scan) -> bool:
    return isinstance(item, Scan) or item.status not in (Status.NO_DATA, Status.LOST)


def _wiring(part: Any) -> str:
    if hasattr(part, "port"):
        return f"check its 5 V and GND, and that its TX goes to the RX of port {part.port!r}"
    pins = ", ".join(f"{key.removesuffix('_pin')} to GPIO {pin}" for key, pin in part.pins().items())
    return f"check its 5 V and GND, and {pins}"


def judge(check: str, heard: Heard, promised_hz: float, spec: SensorSpec, wiring: str) -> Finding:
    """What the figures come to."""
    items, total = heard.items, max(len(heard.items), 1)
    answers = [item for item in items if _answers(item)]
    count = {status: sum(1 for i in items if isinstance(i, Reading) and i.status is status) for status in Status}
    values = [value for value in map(_value, answers) if value is not None]
    if not answers:
        return failure(check, f"no answer in {heard.seconds:.1f} s", wiring)
    rate = len(answers) / heard.seconds
    said = [f"{rate:.1f} answers/s of {promised_hz:.1f}", *_shares(count, total)]
    if values:
        said.append(f"{median(values):.2f} m, within {100 * _spread(values):.0f} cm")
    elif not any(count[s] for s in (Status.WEAK, Status.INVALID, Status.TOO_CLOSE)):
        said.append("nothing in range")
    what = ", ".join(said)
    if count[Status.INVALID] > REJECT_SHARE * total:
        return failure(check, f"{what}: too many are not to be believed", wiring)
    if rate < POOR * promised_hz:
        return failure(check, f"{what}: too few", wiring)
    if rate < ENOUGH * promised_hz or count[Status.NO_DATA] > SILENT_SHARE * total:
        return warning(check, f"{what}: some are missing", wiring)
    if count[Status.TOO_CLOSE] > total / 2:
        return warning(check, f"{what}: something covers it", "take away what is before it, and run this again")
    if not values and count[Status.WEAK]:
        return warning(check, f"{what}: nothing was measured", "point it at a wall 1 m away, and run this again")
    if values and _spread(values) > max(NOISES * spec.noise_m, RESTLESS_M):
        return warning(check, f"{what}: it jumps", "point it at a wall 1 m away, hold still, and run this again")
    if _stuck(answers):
        return warning(check, f"{what}: always the very same", "wave a hand before it, and run this again")
    return ok(check, what)


def _shares(count: dict[Status, int], total: int) -> list[str]:
    odd = (Status.NO_DATA, Status.INVALID, Status.WEAK, Status.TOO_CLOSE)
    return [f"{100 * count[s] / total:.0f} % {s.replace('_', ' ')}" for s in odd if count[s]]


def _value(item: Reading | Scan) -> float | None:
    """The distance straight behind."""
    if isinstance(item, Reading):
        return item.distance_m
    middle = sum(item.bearings_deg) / len(item.bearings_deg) if item.bearings_deg else 0.0
    beam = [
        range_m
        for bearing, range_m in zip(item.bearings_deg, item.ranges_m, strict=True)
        if range_m is not None and abs(bearing - middle) <= AHEAD_DEG
    ]
    return min(beam, default=None)


def _spread(values: list[float]) -> float:
    """Between the 10th and the 90th of a hundred, so that one false echo does not count."""
    if len(values) < SAME:
        return max(values) - min(values)
    cuts = quantiles(values, n=10, method="inclusive")
    return cuts[-1] - cuts[0]


def _stuck(answers: list[Reading | Scan]) -> bool:
    """Whether a part with fine steps says one thing only."""
    if len(answers) < SAME:
        return False
    if all(isinstance(item, Scan) for item in answers):
        scans = [item.ranges_m for item in answers if isinstance(item, Scan)]
        return any(r is not None for r in scans[0]) and all(ranges == scans[0] for ranges in scans)
    values = {item.distance_m for item in answers if isinstance(item, Reading)}
    value = values.pop() if len(values) == 1 else None
    return value is not None and abs(value * 100 - round(value * 100)) > 100 * FINE_M * 1e-3


def _from_journal(visit: Visit, specs: dict[str, SensorSpec]) -> Iterator[Finding]:
    """The same of a guard that holds the wires: what it heard in its last seconds."""
    why, mend, last = "", STOP, records.Tail({}, 0.0, 0.0)
    try:
        last = records.tail(visit)
    except CannotTellError as error:
        why, mend = f"the service holds the wires, and {error}", error.mend or STOP
    age_s = visit.host.clock.now() - last.end_s  # now, not before it was read: then none of this start is ahead of us
    if not why and age_s < 0.0:
        why = "the service holds the wires, and its journal is of an earlier start of the Pi"
    elif not why and age_s > FRESH_S:
        why = f"the service holds the wires, and its journal ends {age_s:.0f} s ago"
    for name, spec in specs.items():
        check, part = f"sensors.{name}", visit.config.sensors[name]
        if why:
            yield skipped(check, why, mend)
            continue
        heard = Heard(last.end_s - last.begin_s, last.items.get(name, []))
        promised = 1 / max(part.senses().period_s, spec.round_s)
        found = judge(check, heard, promised, spec, _wiring(part))
        yield found._replace(what=f"{found.what} (from the journal: the service holds it)")
