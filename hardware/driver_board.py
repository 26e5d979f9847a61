"""The driver's part of a schematic: the supply of the motor board, its channels with their loads, and the PCA9685."""

from __future__ import annotations

from plan import CHIP, EDGES, FIRST_Y, LEAD, PI, TOP_Y, ULN, DrawingError, Plan
from symbols import NORMAL, Point, ohm
from wiring import End

# TI SLRS049, ULN2803A in DIP-18: inputs 1 to 8 on one side, their outputs opposite, so that a pair sums to 19.
ULN_CHANNELS, ULN_PAIR, ULN_GND, ULN_COM = 8, 19, 9, 10
PULL_X, FLAG_X, LOAD_X = 21.3, 31.6, 40.0
PLUS = 1.05  # of a load above its minus
FUSED = "+5VF"


def supply(plan: Plan) -> None:
    """5 V through the fuse to +5VF, and ground."""
    sheet, part = plan.sheet, plan.build.part(plan.board)
    left = EDGES[0]
    plan.from_header(End(plan.board, "5V"), TOP_Y, (left, TOP_Y), clamp=True)
    plan.from_header(End(plan.board, "GND"), TOP_Y - 1.5, (left, TOP_Y - 1.5), clamp=True)
    sheet.line((left, TOP_Y - 1.5), (left + 1.2, TOP_Y - 1.5), (left + 1.2, TOP_Y - 1.8))
    sheet.ground((left + 1.2, TOP_Y - 1.8))
    sheet.line((left, TOP_Y), (22.6, TOP_Y))
    holds = plan.build.parts[part["fuse"]]["hold_ma"] / 1000
    sheet.fuse((22.6, TOP_Y), (24.2, TOP_Y), f"PTC {holds:g} A")
    sheet.line((24.2, TOP_Y), (FLAG_X - 0.6, TOP_Y))
    sheet.flag((FLAG_X - 0.6, TOP_Y), f"{FUSED}: 5 V behind the fuse", "left")
    value = plan.name(next(key for key in part["needs"] if key.startswith("capacitor")))
    sheet.dot((25.0, TOP_Y))
    sheet.capacitor((25.0, TOP_Y), (25.0, TOP_Y - 1.5), value.split("capacitor ")[1].replace("uF", "µF"))
    sheet.ground((25.0, TOP_Y - 1.5))


def channels(plan: Plan) -> float:
    """Each input of the board with its transistor and load; the lower end of the board."""
    sheet, drives = plan.sheet, plan.build.part(plan.board)["drives"]
    rows = [FIRST_Y - _pitch(plan) * number for number in range(min(len(drives), ULN_CHANNELS))]
    spare = [rows[-1] - 0.95 - 0.75 * number for number in range(ULN_CHANNELS - len(rows))]
    top, low = FIRST_Y + 1.75, (rows + spare)[-1] - 1.1
    sheet.box(ULN[0], top, ULN[1], low)
    sheet.text((ULN[0] + 0.3, top - 0.55), plan.name("uln2803a").split(",")[0], size=NORMAL)
    _leg(plan, (28.5, top), (28.5, TOP_Y), "COM", ULN_COM)
    sheet.dot((28.5, TOP_Y))
    _leg(plan, (25.4, low), (25.4, low - 0.9), "GND", ULN_GND)
    sheet.ground((25.4, low - 0.9))
    for number, y in enumerate(rows + spare, 1):
        pins = ((ULN[0], -1, number, "B"), (ULN[1], 1, ULN_PAIR - number, "C"))
        for x, side, pin, letter in pins:
            plan.stub((x, y), side, f"{number}{letter}", str(pin))
            if y in spare:
                sheet.unused((x + LEAD * side, y))
    for number, (pin, out) in enumerate(drives.items()):
        if number < ULN_CHANNELS:
            y = rows[number]
            sheet.line((ULN[0] + 0.85, y), (25.9, y))
            sheet.inverter(25.9, y, 27.4)
            sheet.line((27.4, y), (ULN[1] - 0.85, y))
            _input(plan, pin, y, (ULN[0] - LEAD, y))
            _load(plan, out, y, (ULN[1] + LEAD, y), FLAG_X)
        else:
            y = low - 2.8
            _input(plan, pin, y, (25.2, y))
            drain, source = sheet.mosfet((25.2, y), plan.name("mosfet").split()[0])
            sheet.line(source, (source[0], y - 1.0))
            sheet.ground((source[0], y - 1.0))
            _load(plan, out, drain[1], drain, 28.4)
            sheet.dot((29.6, drain[1]))
            sheet.dot((29.6, drain[1] + PLUS))
            value = plan.name("diode").split()[0]
            sheet.diode((29.6, drain[1]), (29.6, drain[1] + PLUS), "")
            sheet.text((30.1, drain[1] + PLUS / 2), f"{sheet.next('D')}  {value}")
            low = y
    return low - 1.9


def _pitch(plan: Plan) -> float:
    """From channel to channel; eight are as tight as they can be."""
    return 2.1 if plan.chips else 2.4


def _leg(plan: Plan, at: Point, to: Point, name: str, number: int) -> None:
    """A pin at the upper or lower side of a block."""
    side = 1 if to[1] > at[1] else -1
    plan.sheet.line(at, to)
    plan.sheet.text((at[0], at[1] - 0.35 * side), name, "center", 11)
    plan.sheet.text((at[0] + 0.15, at[1] + 0.35 * side), str(number), "left", 10)


def _input(plan: Plan, pin: str, y: float, to: Point) -> None:
    """From the header or the chip to a terminal, its pull-down, and on."""
    sheet, end = plan.sheet, End(plan.board, pin)
    at = (EDGES[0], y)
    source = next((other for other in plan.build.net(end) if other.part in plan.chips), None)
    if source is None:
        plan.from_header(end, y, at, clamp=True)
    else:
        plan.stub((CHIP[1], y), 1, source.pin, "")
        sheet.line((CHIP[1] + LEAD, y), at)
        sheet.terminal(at, pin, 1)
        plan.drawn |= {source, end}
    sheet.line(at, to)
    rail, value = plan.build.part(plan.board)["pulls"][pin]
    if rail != "GND":
        raise DrawingError(f"hardware/parts.toml: {plan.board} pulls {pin} to {rail}; this sheet draws GND only")
    sheet.dot((PULL_X, y))
    sheet.resistor((PULL_X, y), (PULL_X, y - 1.4), ohm(value))
    sheet.ground((PULL_X, y - 1.4))


def _load(plan: Plan, out: str, y: float, start: Point, flag_x: float) -> None:
    """A motor with its resistor, or the buzzer, between +5VF and an output of the board."""
    sheet, edge = plan.sheet, EDGES[1]
    minus = End(plan.board, out)
    plus = End(plan.board, out.replace("-", "+"))
    far = plan.only((at for at in plan.build.net(minus) if at.part != plan.board), f"wires from {minus} to a load")
    back = End(far.part, "+")
    if back not in plan.build.net(plus):
        raise DrawingError(f"{plan.build.folder.name}/harness.yml: {back} must go to {plus}, for {far} goes to {minus}")
    sheet.line(start, (edge, y), (LOAD_X, y))
    sheet.flag((flag_x, y + PLUS), FUSED)
    if plan.build.connectors[far.part]["pn"] == "buzzer":
        sheet.line((flag_x, y + PLUS), (LOAD_X, y + PLUS))
        sheet.buzzer((LOAD_X, y + PLUS), (LOAD_X, y))
    else:
        sheet.line((flag_x, y + PLUS), (33.2, y + PLUS))
        sheet.resistor((33.2, y + PLUS), (34.8, y + PLUS), ohm(plan.build.part(plan.board)["motor_ohm"]))
        sheet.line((34.8, y + PLUS), (LOAD_X, y + PLUS))
        sheet.motor((LOAD_X, y + PLUS), (LOAD_X, y))
    sheet.terminal((edge, y), minus.pin, -1)
    sheet.terminal((edge, y + PLUS), plus.pin, -1)
    drawn = plan.build.connectors[far.part]
    sheet.text((LOAD_X + 0.85, y + PLUS - 0.2), f"{far.part}, {drawn['subtype']}", size=NORMAL)
    sheet.note((LOAD_X + 0.85, y + PLUS - 0.85), plan.setting(far))
    plan.drawn |= {minus, plus, far, back}


def chip(plan: Plan, name: str) -> None:
    """The PCA9685: supply, I2C and enable at its left; `_input` has drawn its outputs."""
    sheet, build = plan.sheet, plan.build
    outputs = [end for end in build.ends() if end.part == name and end.pin.startswith("LED")]
    low = min(FIRST_Y - _pitch(plan) * (len(outputs) - 1), FIRST_Y - 6.9) - 0.7
    sheet.box(CHIP[0], FIRST_Y + 1.75, CHIP[1], low)
    sheet.text((CHIP[0] + 0.3, FIRST_Y + 1.2), plan.called(name), size=NORMAL)
    rows = {"VCC": FIRST_Y, "OE": FIRST_Y - 2.2, "SDA": FIRST_Y - 4.4, "SCL": FIRST_Y - 5.5, "GND": FIRST_Y - 6.6}
    for pin, y in rows.items():
        end = End(name, pin)
        plan.from_header(end, y, (CHIP[0] - LEAD, y), says=plan.setting(end))
        plan.stub((CHIP[0], y), -1, pin, "")
    for pin, (rail, value) in build.part(name)["pulls"].items():
        sheet.resistor((11.45, rows[rail]), (11.45, rows[pin]), ohm(value))
        sheet.dot((11.45, rows[rail]))
        sheet.dot((11.45, rows[pin]))
    sheet.note((PI[1] + 1.0, rows["OE"] - 0.5), "high: all motors off", "low: while the guard lives")
