"""Each motor for a moment, from left to right, where the one who asks wants to feel it."""

from __future__ import annotations

from collections.abc import Iterator

from rearguard import belt as belts
from rearguard.doctor.finding import Finding, complaint, failure, ok, skipped
from rearguard.doctor.visit import Visit
from rearguard.errors import DeviceLostError, DeviceOpenError

ON_S, OFF_S = 0.4, 0.3  # long enough to tell one from the next (assumed)


def motors(visit: Visit) -> Iterator[Finding]:
    """Never unless asked for: a wearer may wear it."""
    check, config = "motors.belt", visit.config
    if not visit.buzz:
        yield skipped(check, "not tried: the belt may be worn", "rearguard doctor --motors")
    elif visit.running:
        mend = "sudo systemctl stop rearguard && rearguard doctor --motors; sudo systemctl start rearguard"
        yield skipped(check, "the service holds them", mend)
    elif config.pin_factory == "mock":
        yield skipped(check, "pin_factory is 'mock': there is no motor to turn")
    else:
        try:
            _buzz(visit)
        except (DeviceOpenError, DeviceLostError) as error:
            yield failure(check, *complaint(str(error)))
        else:
            names = ", ".join(name for name, _ in config.belt.motors())
            yield ok(check, f"driven one after the other: {names}. Did you feel them in this order?")


def _buzz(visit: Visit) -> None:
    """Raises DeviceOpenError and DeviceLostError; motors are at rest afterwards."""
    config, host = visit.config, visit.host
    belt = belts.load(config.belt.driver).Belt(config.belt, host)
    count, clock = len(config.belt.motors()), host.clock
    belt.open()
    try:
        for turn in range(count):
            for seconds, level in ((ON_S, 1.0), (OFF_S, 0.0)):
                duties = [level if i == turn else 0.0 for i in range(count)]
                end = clock.now() + seconds
                while clock.now() < end:
                    again = belt.write(duties, clock.now())
                    clock.sleep(max(min(again, end) - clock.now(), 0.0))  # a write takes its time, too
    finally:
        belt.close()
