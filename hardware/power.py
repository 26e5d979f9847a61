"""The power budget: `python hardware/power.py` prints it; given a folder, it writes power.md and power.svg there.

The sums are in loads.py, the picture, which alone needs matplotlib, in power_plot.py; here is the page.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import limits
import loads
from loads import budget
from power_plot import picture
from rearguard.belt._drive import STAGGER_S
from volts import COLD, THIN_OHM, left_v, sensors_v, undercut
from wiring import BUILDS, Build

ALARM_V = 4.63  # Raspberry Pi: under-voltage alarm of the boards that have one

PAGE = """# Power budget

What each belt draws, how long it lasts, and what could go wrong with its supply. `python hardware/power.py
hardware` makes this page from the parts' figures and the firmware's own rhythms; nobody has measured a whole belt
yet.

![Mean current over strength, battery life, and the motors' inrush](power.svg)

## What it draws

{currents}

- *walk*: {mix}, the rest clear (assumed: a busy corridor; on a clear lane it is *rest*).
- *peak*: the Pi's four cores and radio at work at the same moment as all motors start (and in *boot*, all
  sensors). It lasts some milliseconds; nothing has to give it for long. In *boot*, the mean is an upper bound.
- A lower `strength` spares the bank while STOP is felt, but a walk lasts hardly longer: the Pi and the sensors draw
  most. It lowers no peak, for each pulse begins with a kick at full strength. Set it for the skin, not for the battery.
  At 0.3, STOP held: {soft}.
  At 0.3, longer walk: {gain}.

## How long a bank lasts

{lives}

The mAh on a bank are those of its cells at 3.7 V; 85 % of them leave its converter (assumed). The first figure is
for an old bank in the cold, {worn} of a new one (assumed). Plan with the first figure. There is no fuel gauge:
charge before each walk.

## All motors at once

{inrush}

A rotor that stands still draws more than one that turns. The firmware lets at most {together} motors, or a third of
them, start in any {stagger_ms} ms. With these motors that gains **little in the highest sum**: 12 ohm in series
already keep a standing rotor to 1.4 times its current, and a coin motor needs longer to come up than the whole
stagger lasts. What it gains is the **step**: a bank's converter takes about 0.1 ms to answer (assumed), and until
then the 470 uF must give what is missing. After that the capacitor does nothing, and cable and bank decide. Without
the 12 ohm the stagger gains more.

## What is left of 5 V

At the header, with every motor starting and the Pi at its peak; **bold** is below {alarm} V, where a Pi that has
an alarm raises it (`system:under_voltage`; a Zero has none, and nobody says where it resets).

{rails}

A sensor may go before the Pi, where less is left than its data sheet asks for. It is silent then, or wrong, in the
middle of a STOP:

{undercut}

4.75 V is the least that USB 2.0 lets a socket give: a cold or nearly empty bank. The thin cable is 1 m with 28
AWG: {thin} ohm with its plugs. **The cable matters more than any other choice on this page.**

## Wires

At work / at most (every rotor standing), against what the wire may carry in a warm bundle.

{cables}

## Fuses

{fuses}

{faults}

- A PTC holds 0.8 of its figure at 40 C (assumed; makers' charts give about that); it takes seconds to trip, so
  that an inrush does not. What it takes is that of a new one, and of one that has tripped (Bourns MF-R). Connect a
  sensor's 5 V *before* the fuse, only the motors behind it.
- No fuse stands before {bare}: 5 V straight from the header.
  The bank's own cut-off, 2 to 3 A, is all there is; the wire takes 2.2 A in free air (assumed). Look after these
  wires: sleeve, strain relief, no sharp edges.
- A motor's + wire that touches GND behind its {ohm} ohm draws {short_ma} mA: no fuse here trips at that, and the
  resistor turns {short_w} W into heat, eight times what it is made for. Keep the resistors off plastic and skin,
  and take flameproof (fusible) ones.

## Banks that switch off

Many banks switch off after half a minute below 50 to 100 mA. These belts draw {least} to {most} mA at rest, which is
above it; but a Pi Zero 2 W that is made to save (no Wi-Fi, fewer cores) falls below 75 mA (CNX Software), and the
starter belt with it to the edge. So: leave the belt on a table for ten minutes before the first walk. If it goes
out, use the bank's trickle mode (often two presses of its button; some leave it again after two hours) or take another
bank. **A bank that switches off is felt as nothing at all**: no goodbye, no FAULT, only silence.

## What can brown out, worst first

1. **A thin or long cable.** The thin one above takes {lost} V of 5 from the full view while STOP is
   held. Mend: 30 cm, for 2 A or more.
2. **A cold or empty bank.** It gives 4.75 V, or its cells collapse under a STOP. Mend: carry it under the jacket,
   charge it.{cold}
3. **All motors while Wi-Fi sends** and four cores work: the peaks above. Mend: a good cable; no updates, copies
   or logins on a walk.
4. **The LD06 spins up** while the Pi boots (*boot*, peak). It repeats at each reset, so that a weak bank makes a
   belt that never gets ready.
5. **A plug that moves.** A bank on a belt shakes at every step. Mend: angled plug, cable tied to the bank.

After a brown-out the Pi starts anew within a minute, and the belt guards nothing until *ready* is felt.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table that is as easy to read in a terminal."""
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "| "
        + " | ".join(
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return [lines[0], rule, *lines[1:]]


def currents(builds: Sequence[Build], strength: float | None = None) -> list[str]:
    """Mean and peak of every state, in mA at 5 V."""
    found = {build.name: budget(build, strength) for build in builds}
    states = next(iter(found.values()))
    rows = ([name, *(f"{n.mean_ma:.0f} / {n.peak_ma:.0f}" for n in needs.values())] for name, needs in found.items())
    return table(["mA, mean / peak", *states], rows)


def lives(builds: Sequence[Build]) -> list[str]:
    """Hours of a walk on a bank: old and cold, to new and warm."""
    rows = (
        [b.name, *(f"{h * loads.WORN:.0f} to {h:.0f} h" for h in (loads.life_h(b, mah) for mah in loads.BANKS_MAH))]
        for b in builds
    )
    return table(["", *(f"{mah:,} mAh" for mah in loads.BANKS_MAH)], rows)


def inrush(builds: Sequence[Build]) -> list[str]:
    """STOP on a belt at rest, with the firmware's stagger and without."""
    rows = []
    for build in builds:
        (peak, step), (peak0, step0) = loads.inrush(build), loads.inrush(build, staggered=False)
        dips = [f"{1000 * loads.dip_v(build, ma):.0f} mV" for ma in (step0, step)]
        pairs = [(f"{peak0:.0f} mA", f"{peak:.0f} mA"), (f"{step0:.0f} mA", f"{step:.0f} mA"), (dips[0], dips[1])]
        count = len(loads.motors(build))
        rows.append([f"{build.name}, {count} motors", *(f"{a} -> {b}" for a, b in pairs)])
    return table(["at once -> staggered", "highest sum", "greatest step", "dip of the step"], rows)


def rails(builds: Sequence[Build]) -> list[str]:
    """Volts at the header at the worst moment of a STOP, by bank and cable."""
    rows = []
    for build in builds:
        left = left_v(build)
        volts = (f"{v:.2f} V" if v >= ALARM_V else f"**{v:.2f} V**" for v in left.values())
        needs = ", ".join(f"{name} {least:g} V" for name, least in sensors_v(build).items())
        rows.append([build.name, f"{budget(build)['STOP held'].peak_ma:.0f} mA", needs, *volts])
    return table(["", "peak", "sensor needs", *left_v(builds[0])], rows)


def cables(build: Build) -> list[str]:
    """The cables that carry power, those alike in one line: what they carry, what it costs in volts and heat."""
    groups: dict[tuple[str, ...], list[str]] = {}
    carried = loads.wires(build)
    most: dict[str, loads.Wire] = {}
    for (cable, _), wire in carried.items():
        if wire.feeds and wire.most_ma >= most.get(cable, wire).most_ma:
            most[cable] = wire
    for cable, wire in most.items():
        kinds = sorted(build.connectors[name]["pn"] for name in wire.feeds)
        groups.setdefault((build.cables[cable].part, *kinds), []).append(cable)
    rows = []
    for (pn, *kinds), alike in groups.items():
        length, wire, part = max(build.cables[c].length_m for c in alike), most[alike[0]], build.parts[pn]
        ohm = part["ohm_per_m"]
        name = f"{alike[0]} to {alike[-1]}" if len(alike) > 1 else alike[0]
        what = f"{name}: {build.cables[alike[0]].what if len(kinds) > 1 else kinds[0]}"
        drop, heat = wire.most_ma * ohm * length * 2, (wire.on_ma / 1000) ** 2 * ohm * 1000
        carries = [f"{wire.on_ma:.0f} / {wire.most_ma:.0f} mA", f"{part['most_ma']} mA"]
        rows.append([what, pn, f"{length:g} m", *carries, f"{drop:.0f} mV", f"{heat:.1f} mW/m"])
    return table([build.name, "wire", "length", "carries", "may", "drop, both ways", "warmed by"], rows)


def fuses(builds: Sequence[Build]) -> list[str]:
    """What each board draws through its fuse, and what the fuse holds."""
    rows = []
    for build in builds:
        for _, board, behind in loads.boards(build):
            fuse = build.parts[board["fuse"]]
            on = loads.drawn_ma(build, behind)
            new, tripped = (f"{on * ohm:.0f}" for ohm in fuse["ohm"])
            holds = [f"{loads.WARM * fuse['hold_ma']:.0f} mA", f"{fuse['trip_ma']} mA", f"{new} to {tripped} mV"]
            rows.append([build.name, board["fuse"], f"{on:.0f} mA", *holds])
    return table(["", "fuse", "all at work", "holds at 40 C", "trips", "takes from the motors"], rows)


def page(builds: Sequence[Build]) -> str:
    """The text of power.md."""
    rest = [budget(build)["rest"].mean_ma for build in builds]
    ohm = builds[0].parts["starter-board"]["motor_ohm"]
    faults = [f"- {fault}" for build in builds for fault in limits.faults(build)]
    return PAGE.format(
        currents="\n".join(currents(builds)),
        lives="\n".join(lives(builds)),
        inrush="\n".join(inrush(builds)),
        rails="\n".join(rails(builds)),
        undercut="\n".join(f"- {text}." for text in undercut(builds)) or "- None of these belts has such a sensor.",
        cold="".join(f" At the peak of a STOP, {text}." for text in undercut(builds, COLD)),
        cables="\n\n".join("\n".join(cables(build)) for build in builds),
        fuses="\n".join(fuses(builds)),
        faults="\n".join(faults or ["No wire is too thin, no fuse too small, no board has too many motors."]),
        mix=", ".join(f"{100 * share:.0f} % {level.name}" for level, share in loads.WALK.items()),
        soft=_each(builds, lambda b: f"{budget(b, 0.3)['STOP held'].mean_ma:.0f} mA"),
        gain=_each(builds, lambda b: f"{loads.life_h(b, 1, strength=0.3) / loads.life_h(b, 1) * 100 - 100:.1f} %"),
        together=" or ".join(str(n) for n in sorted({loads.drive(build).start_together for build in builds})),
        stagger_ms=f"{1000 * STAGGER_S:.0f}",
        bare=" and ".join(f"{name} ({build.name})" for build in builds for name in loads.unfused(build)),
        least=f"{min(rest):.0f}",
        most=f"{max(rest):.0f}",
        short_ma=f"{5000 / ohm:.0f}",
        short_w=f"{25 / ohm:.1f}",
        ohm=ohm,
        alarm=ALARM_V,
        thin=THIN_OHM,
        worn=loads.WORN,
        lost=f"{budget(builds[-1])['STOP held'].mean_ma / 1000 * THIN_OHM:.1f}",
    )


def _each(builds: Sequence[Build], say: Callable[[Build], str]) -> str:
    return ", ".join(f"{build.name} {say(build)}" for build in builds)


def write(out: Path) -> list[Path]:
    """power.md and power.svg in `out`; the same data make the same bytes."""
    builds = [Build(name) for name in BUILDS]
    made = {out / "power.md": page(builds), out / "power.svg": picture(builds)}
    for path, text in made.items():
        path.write_text(text)
    return list(made)


def main() -> None:
    """The table in a terminal, or, with a folder as argument, the files."""
    if len(sys.argv) > 1:
        print(*write(Path(sys.argv[1])), sep="\n")
        return
    builds = [Build(name) for name in BUILDS]
    print(*currents(builds), "", *lives(builds), "", *inrush(builds), "", *rails(builds), "", *fuses(builds), sep="\n")
    print(*(fault for build in builds for fault in limits.faults(build)), sep="\n")


if __name__ == "__main__":
    main()
