"""Each motor for a moment, from left to right, then the buzzer, where the one who asks wants to feel and hear them."""

from __future__ import annotations

from collections.abc import Iterator

from rearguard import belt as belts
from rearguard.doctor.finding import Finding, complaint, failure, ok, skipped
from rearguard.doctor.visit import Visit
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.panel import Panel
from rearguard.summary import place

ON_S, OFF_S = 0.4, 0.3  # long enough to tell one from the next (assumed)


def motors(visit: Visit) -> Iterator[Finding]:
    """One finding for each that was driven, as it ends. Never unless asked for: a wearer may wear it."""
    check, config = "motors.belt", visit.config
    if not visit.buzz:
        yield skipped(check, "not tried: the belt may be worn", "rearguard selftest")
    elif visit.running:
        mend = "sudo systemctl stop rearguard && rearguard selftest; sudo systemctl start rearguard"
        yield skipped(check, "the service holds them", mend)
    elif config.pin_factory == "mock":
        yield skipped(check, "pin_factory is 'mock': there is no motor to turn")
    else:
        try:
            yield from _buzz(visit)
        except (DeviceOpenError, DeviceLostError) as error:
            yield failure(check, *complaint(str(error)))
        if config.buzzer:
            yield _sound(visit)


def _buzz(visit: Visit) -> Iterator[Finding]:
    """Raises DeviceOpenError and DeviceLostError; motors are at rest afterwards."""
    config, host = visit.config, visit.host
    belt = belts.load(config.belt.driver).Belt(config.belt, host)
    fitted, clock = config.belt.motors(), host.clock
    belt.open()
    try:
        for turn, (name, motor) in enumerate(fitted):
            for seconds, level in ((ON_S, 1.0), (OFF_S, 0.0)):
                duties = [level if i == turn else 0.0 for i in range(len(fitted))]
                end = clock.now() + seconds
                while clock.now() < end:
                    again = belt.write(duties, clock.now())
                    clock.sleep(max(min(again, end) - clock.now(), 0.0))  # a write takes its time, too
            yield ok(f"motors.{name}", f"driven. Felt {place(motor.bearing_deg)}?")
    finally:
        belt.close()


def _sound(visit: Visit) -> Finding:
    """The buzzer, for a moment."""
    check, clock = "motors.buzzer", visit.host.clock
    panel = Panel(visit.config.buzzer, None, visit.host, lambda _: None)
    try:
        panel.open()
        panel.sound(True)
        clock.sleep(ON_S)
    except DeviceOpenError as error:
        return failure(check, *complaint(str(error)))
    finally:
        panel.close()
    return ok(check, "sounded. Heard?")
