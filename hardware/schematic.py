"""The electrical schematic of a build, with what the harness hides: transistors, resistors, the fuse.

`python hardware/schematic.py` draws all builds anew. Every pin, name and value is read from the build; the code has
only places on the sheet. A pin that the sheet would leave out is an error.
"""

from __future__ import annotations

from pathlib import Path

import driver_board
from plan import CHIP, EDGES, LEAD, PI, TOP_Y, DrawingError, Plan
from symbols import HEIGHT, LARGE, NORMAL, WIDTH, ohm
from wiring import BUILDS, HERE, Build, End

MARGIN = 0.4  # of the frame
LETTER = 0.22  # of a note, about its width
STEP = 1.05  # from pin to pin of a block
SONAR_X = (24.4, 29.2)  # of a sensor behind an adapter


def schematic(build: Build) -> bytes:
    """The sheet, as SVG. Raises DrawingError."""
    plan = Plan(build)
    driver_board.supply(plan)
    bottom = driver_board.channels(plan)
    for chip in plan.chips:
        driver_board.chip(plan, chip)
    sensors = [name for name in build.connectors if "driver" in build.part(name)]
    on_board = [name for name in sensors if _is_divided(plan, name)]
    for name in on_board:
        bottom = _divided(plan, name, bottom)
    plan.sheet.box(EDGES[0], TOP_Y + 1.6, EDGES[1], bottom, dashed=True)
    plan.sheet.text((EDGES[1] - 0.3, TOP_Y + 1.1), plan.called(plan.board), "right", NORMAL)
    for name in sensors:
        if name not in on_board:
            _sensor(plan, name)
    for name in build.of_kind("button"):
        _button(plan, name)
    _pi(plan)
    _one_channel(plan, bottom - 0.6)
    _legend(plan)
    if left := {end for end in build.ends() if end not in plan.drawn}:
        names = ", ".join(str(end) for end in sorted(left))
        raise DrawingError(f"{build.folder.name}/harness.yml: the schematic has no place for {names}")
    return plan.sheet.svg()


def write(build: Build, out: Path) -> list[Path]:
    """Writes schematic.svg into the folder `out`."""
    path = out / "schematic.svg"
    path.write_bytes(schematic(build))
    return [path]


def _is_divided(plan: Plan, name: str) -> bool:
    """Whether a sensor's answer goes through a divider of the board."""
    divides = plan.build.part(plan.board).get("divides", {})
    ends = {at for pin in plan.build.part(name)["logic"] for at in plan.build.net(End(name, pin))}
    return any(End(plan.board, pin) in ends for pin in divides)


def _divided(plan: Plan, name: str, top: float) -> float:
    """A sensor that hangs on the board, its answer through the divider; the new lower end of the board."""
    sheet, build = plan.sheet, plan.build
    answer, volts = next(iter(build.part(name)["logic"].items()))
    (feed, ground), echo = plan.supply(name), End(name, answer)
    others = [end for end in build.ends() if end.part == name and end not in (feed, ground, echo)]
    trigger = plan.only(others, f"trigger pins of {name}")
    rows = {feed: top - 0.8, trigger: top - 2.2, echo: top - 3.6, ground: top - 5.0}
    for end, y in rows.items():
        clamp = plan.at_board(end)
        sheet.line((EDGES[1], y), (42.2 - LEAD, y))
        sheet.terminal((EDGES[1], y), clamp.pin, -1)
        plan.stub((42.2, y), -1, end.pin, "")
        plan.drawn |= {end, clamp}
    sheet.box(42.2, top, 46.4, rows[ground] - 0.7)
    sheet.text((42.2, top + 1.0), plan.called(name), size=NORMAL)
    sheet.note((42.2, top + 0.4), build.connectors[name]["subtype"])
    for end in (feed, ground):
        sheet.line((33.6, rows[end]), (EDGES[1], rows[end]))
    sheet.rail((33.6, rows[feed]), "+5 V")
    sheet.rail((EDGES[0] + 1.35, TOP_Y), "+5 V")
    sheet.dot((EDGES[0] + 1.35, TOP_Y))
    sheet.line((33.6, rows[ground]), (33.6, rows[ground] - 0.4))
    sheet.ground((33.6, rows[ground] - 0.4))
    y, left = rows[trigger], EDGES[0]
    plan.from_header(plan.at_board(trigger, False), y, (left, y), clamp=True, says=plan.setting(trigger))
    sheet.line((left, y), (EDGES[1], y))
    y, divider = rows[echo], build.part(plan.board)["divides"][plan.at_board(echo).pin]
    plan.from_header(End(plan.board, divider["to"]), y, (left, y), clamp=True, says=plan.setting(echo))
    sheet.line((left, y), (25.0, y))
    sheet.resistor((25.0, y), (27.0, y), ohm(divider["top_ohm"]))
    sheet.line((27.0, y), (EDGES[1], y))
    sheet.dot((22.6, y))
    sheet.resistor((22.6, y), (22.6, y - 1.6), ohm(divider["bottom_ohm"]))
    sheet.ground((22.6, y - 1.6))
    upper, lower = divider["top_ohm"] / 1000, divider["bottom_ohm"] / 1000
    less = volts * lower / (upper + lower)
    sheet.note((25.0, y - 0.9), f"{volts:g} V x {lower:g} / ({upper:g} + {lower:g}) = {less:.2f} V")
    return rows[ground] - 1.5


def _sensor(plan: Plan, name: str) -> None:
    """A sensor on wires of the header, or behind an adapter that is plugged into USB."""
    build, sheet = plan.build, plan.sheet
    pins = [end for end in build.ends() if end.part == name]
    feed, ground = plan.supply(name)
    tied = [end for end in pins if end in build.net(ground) and end != ground]
    order = [feed, *(end for end in pins if end not in (feed, ground, *tied)), ground, *tied]
    top = plan.lowest - 2.2
    rows = {end: top - STEP * number for number, end in enumerate(order)}
    adapter = next((at.part for at in build.net(feed) if "feeds" in build.part(at.part) and at.part != plan.pi), None)
    left, right = SONAR_X if adapter else CHIP
    for end, y in rows.items():
        if end in tied:
            sheet.line((left - LEAD, y), (left - LEAD, rows[ground]))
            sheet.dot((left - LEAD, rows[ground]))
        elif adapter is None:
            plan.from_header(end, y, (left - LEAD, y), says=plan.setting(end))
        else:
            at = plan.only((at for at in build.net(end) if at.part == adapter), f"wires from {end} to {adapter}")
            plan.stub((CHIP[1], y), 1, at.pin, "")
            sheet.line((CHIP[1] + LEAD, y), (left - LEAD, y))
            plan.drawn.add(at)
        plan.stub((left, y), -1, end.pin, "")
        plan.drawn.add(end)
    low = rows[order[-1]] - 0.6
    sheet.box(left, top + 0.6, right, low)
    sheet.text((left, top + 1.6), plan.called(name), size=NORMAL)
    sheet.note((left, top + 1.0), build.connectors[name]["subtype"])
    if "notes" in build.connectors[name]:
        note = build.connectors[name]["notes"]
        sheet.note((left, low - 0.4), note)
        plan.right = max(plan.right, left + LETTER * len(note) + 0.6)
    if adapter:
        sheet.box(CHIP[0], top + 0.6, CHIP[1], low)
        sheet.text((CHIP[0], top + 1.0), plan.called(adapter), size=NORMAL)
        sheet.text((PI[1] - 0.25, top), "USB", "right", 12)
        sheet.line((PI[1], top), (CHIP[0], top), width=3)
        if "otg-adapter" in build.about["extra"]:
            sheet.note((PI[1] + 1.0, top + 0.45), "by the OTG adapter")
        plan.right = max(plan.right, right + 1.8)
    plan.lowest = min(plan.lowest, low)


def _button(plan: Plan, name: str) -> None:
    """Between a pin and ground."""
    sheet, build = plan.sheet, plan.build
    pins = [end for end in build.ends() if end.part == name]
    signal = plan.only((end for end in pins if plan.setting(end)), f"settings for a pin of {name}")
    ground = plan.only((end for end in pins if end != signal), f"pins of {name} that go to ground")
    y = plan.lowest - 1.4
    plan.from_header(signal, y, (12.4, y), says=plan.setting(signal))
    plan.from_header(ground, y - 1.2, (14.6, y - 1.2))
    sheet.button((12.4, y), (14.2, y))
    sheet.line((14.2, y), (14.6, y), (14.6, y - 1.2))
    sheet.text((15.1, y), name, size=NORMAL)
    sheet.note((15.1, y - 0.65), "pull-up inside the Pi")
    plan.drawn |= set(pins)


def _pi(plan: Plan) -> None:
    """The block whose rows have been drawn."""
    sheet = plan.sheet
    sheet.box(PI[0], TOP_Y + 1.8, PI[1], plan.lowest - 0.6)
    drawn = plan.build.connectors[plan.pi]
    sheet.text((PI[0] + 0.2, TOP_Y + 1.35), drawn["type"], size=11.5)
    sheet.note((PI[0] + 0.2, TOP_Y + 0.75), f"{plan.pi}: {drawn['subtype']}")


def _one_channel(plan: Plan, top: float) -> None:
    """What each channel of the ULN2803A is inside (TI SLRS049): a Darlington pair, and a diode to COM."""
    sheet, x, y = plan.sheet, plan.right + 1.4, top - 4.6
    sheet.text((x - 1.4, top - 0.25), f"Inside each channel of the {plan.name('uln2803a').split(',')[0]}", size=NORMAL)
    sheet.note((x - 1.4, top - 0.85), "(the diode takes the kick of a motor that stops)")
    sheet.flag((x, y + 0.8), "B")
    sheet.line((x, y + 0.8), (x + 0.3, y + 0.8))
    sheet.inner_resistor((x + 0.3, y + 0.8), (x + 2.1, y + 0.8), "2.7 kΩ")
    sheet.line((x + 2.1, y + 0.8), (x + 2.6, y + 0.8))
    first, middle = sheet.npn((x + 2.6, y + 0.8))
    second, low = sheet.npn((x + 4.2, middle[1]))
    sheet.line(middle, (x + 4.2, middle[1]))
    sheet.line(first, (first[0], y + 1.9), (second[0], y + 1.9), second)
    sheet.dot((second[0], y + 1.9))
    sheet.line(low, (low[0], low[1] - 0.25))
    sheet.ground((low[0], low[1] - 0.25))
    sheet.line((second[0], y + 1.9), (x + 6.6, y + 1.9))
    sheet.dot((x + 5.7, y + 1.9))
    sheet.flag((x + 6.6, y + 1.9), "C", "left")
    sheet.diode((x + 5.7, y + 1.9), (x + 5.7, y + 3.0), "")
    sheet.line((x + 5.7, y + 3.0), (x + 6.6, y + 3.0))
    sheet.flag((x + 6.6, y + 3.0), "COM", "left")


def _legend(plan: Plan) -> None:
    """The frame, the title and what cannot be seen."""
    sheet, left, top = plan.sheet, 35.0, 5.4
    m, right, up = MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN
    sheet.line((m, m), (m, up), (right, up), (right, m), (m, m))
    sheet.line((left, m), (left, top), (right, top))
    sheet.text((left + 0.5, top - 0.8), f"Rearguard: {plan.build.about['title'].lower()} belt", size=LARGE)
    notes = [
        f"Wired for the configuration “{plan.build.about['config']}”.",
        "Numbers: pins of the header at the Pi, of the case at the ULN.",
        "The power bank feeds the Pi at PWR IN.",
    ]
    if plan.chips:
        notes.append("Pull-ups of SDA and SCL are on the Pi.")
    notes.append("Drawn by hardware/schematic.py from the harness.")
    sheet.note((left + 0.5, top - 1.8), *notes)


if __name__ == "__main__":
    for known in BUILDS:
        for made in write(Build(known), HERE / known):
            print(made)
