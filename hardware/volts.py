"""What is left of 5 V at the header at the worst moment of a STOP, and which sensors need more."""

from __future__ import annotations

from collections.abc import Sequence

import loads
from wiring import RAILS_V, Build, End

COLD = "4.75 V bank"
THIN_OHM = 0.55  # a cable of 1 m with 28 AWG (0.213 ohm/m), both ways, and the same contacts


def left_v(build: Build) -> dict[str, float]:
    """Volts at the header at the worst moment of a STOP, by bank and cable."""
    bank, cable = build.parts["power-bank-5000"], build.parts["usb-cable"]
    peak, low = loads.budget(build)["STOP held"].peak_ma, bank["out_v"][0]
    cases = {
        "5.0 V bank": (5.0, cable["ohm"]),
        COLD: (low, cable["ohm"]),
        "5.0 V, thin cable": (5.0, THIN_OHM),
        "4.75 V, thin cable": (low, THIN_OHM),
    }
    return {case: loads.rail_v(peak, source, ohm + bank["out_ohm"]) for case, (source, ohm) in cases.items()}


def sensors_v(build: Build) -> dict[str, float]:
    """The least that each sensor on the header's 5 V needs."""
    return {
        name: least
        for name in build.connectors
        for pin, (least, _) in (build.part(name)["supply"] if "driver" in build.part(name) else {}).items()
        if build.rails(End(name, pin)) == {RAILS_V["5V"]}
    }


def undercut(builds: Sequence[Build], only: str = "") -> list[str]:
    """The sensors that get less than they need at that moment, by bank and cable; of one case `only`."""
    found = []
    for build in builds:
        for name, least in sensors_v(build).items():
            short = [f"{v:.2f} V ({case})" for case, v in left_v(build).items() if v < least and only in ("", case)]
            if short:
                found.append(f"{name} ({build.name}) needs {least:g} V and gets {', '.join(short)}")
    return found
