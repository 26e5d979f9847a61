"""What stands in the box, and where: boards, plugs, buzzer and button. Lengths in mm.

Beside each other, not in layers: the jumper plugs on Pi and PCA9685 reach 17 over their boards, so a perfboard above
them would make the box 44 thick where it is 30. And one above the other rather than in a row: a body is straight
upward and round sideways, where each 10 of length lift the ends of the box by another 2 (radius 110, assumed).
"""

from __future__ import annotations

from manifold3d import Manifold

from mounts.parameters import Parameters
from mounts.shapes import box, rod_y, rod_z

GAP = 1.5  # between a board and a wall, or another board
RIM_GAP = 2.5  # between a wall and what is high enough to meet the lid's rim
BOARD = 1.6  # thickness of a board
SOLDER = 2.5  # joints beneath a perfboard; assumed
LOW = 3.5  # the highest part of a Pi beside its header: mini-HDMI, 3.2 to 3.5 (assumed)
HEADER_X, HEADER_Z = 51.0, 5.1  # 2 x 20 pins, 3.5 from the board's upper edge to their middle
SOCKET_Y = 1.3  # the middle of a micro-USB socket above its board
BUZZER_IN = 0.8  # from the wall to the buzzer
POST = 6.0  # width of a post for a zip tie


def _corner(p: Parameters) -> tuple[float, float]:
    """The lowest x and z inside."""
    return -p.box.inner_x_mm / 2, -p.box.inner_z_mm / 2


def pi_middle(p: Parameters) -> tuple[float, float]:
    """x and z of the Pi's middle: its plugs reach the wall beneath."""
    x, z = _corner(p)
    return x + GAP + p.box.pi_x_mm / 2, z + GAP + p.box.pi_z_mm / 2


def perf_middle(p: Parameters) -> tuple[float, float]:
    """Of the perfboard: above the Pi."""
    x, z = _corner(p)
    return x + GAP + p.box.perf_x_mm / 2, z + 2 * GAP + p.box.pi_z_mm + p.box.perf_z_mm / 2


def board_middle(p: Parameters) -> tuple[float, float]:
    """Of the PCA9685: upright beside the perfboard, its long side along z."""
    x, z = _corner(p)
    return x + 2 * GAP + p.box.perf_x_mm + p.box.board_z_mm / 2, -z - RIM_GAP - p.box.board_x_mm / 2


def adapter_middle(p: Parameters) -> tuple[float, float]:
    """Of the USB adapter: on its edge between fins and the wall, with room for a bent cable at either end."""
    return -_corner(p)[0] - 0.5 - p.box.adapter_y_mm / 2, 0.0


def plugs_x(p: Parameters) -> tuple[float, float]:
    """Of the power socket and of the USB socket; seen from outside the Pi's left edge is at larger x."""
    left = pi_middle(p)[0] + p.box.pi_x_mm / 2
    return left - p.box.pi_power_mm, left - p.box.pi_usb_mm


def plug_y(p: Parameters) -> float:
    return p.print.wall_mm + p.box.standoff_mm + BOARD + SOCKET_Y


def notches(p: Parameters) -> tuple[float, float]:
    """x of the cables' way out: beside the Pi, past its memory card."""
    x = pi_middle(p)[0] + p.box.pi_x_mm / 2
    return x + 6.5, x + 15.0


def button_at(p: Parameters) -> tuple[float, float]:
    """x and z of the button: beneath the PCA9685, beside the cables."""
    return notches(p)[1] + POST / 2 + 8.5, _corner(p)[1] + 10.0


def buzzer_at(p: Parameters) -> tuple[float, float]:
    """x and y of the buzzer's axis, which is upright: under the lid, over the plugs."""
    return sum(plugs_x(p)) / 2, p.print.wall_mm + p.box.inner_y_mm - p.box.buzzer_mm / 2 - 0.5


def _plate(middle: tuple[float, float], x: float, z: float, y: tuple[float, float]) -> Manifold:
    return box((middle[0] - x / 2, middle[0] + x / 2), y, (middle[1] - z / 2, middle[1] + z / 2))


def contents(p: Parameters) -> dict[str, Manifold]:
    """Everything that any build puts into the box, as solids with their plugs and the way these go out."""
    b = p.box
    floor, top = p.print.wall_mm, p.print.wall_mm + b.inner_y_mm
    y = floor + b.standoff_mm
    on = y + BOARD
    pi, low = pi_middle(p), _corner(p)[1]
    pins = pi[0], pi[1] + b.pi_z_mm / 2 - 3.5
    card = (pi[0] + b.pi_x_mm / 2, pi[0] + b.pi_x_mm / 2 + 2.5)  # it stands out by so much; assumed
    zero = _plate(pi, b.pi_x_mm, b.pi_z_mm, (y, on + LOW)) + box(card, (y, on + 1.5), (pi[1] - 5, pi[1] + 9))
    zero += _plate(pins, HEADER_X, HEADER_Z, (y, on + b.jumper_mm))
    at, bx = button_at(p), buzzer_at(p)
    button = rod_y(b.button_mm - 0.2, (top - b.button_deep_mm, top + 6), *at)
    button += rod_y(17.0, (top - 3.0, top), *at)  # its nut, across corners; assumed
    start = low + BUZZER_IN
    found = {
        "Pi": zero,
        "PCA9685": _plate(board_middle(p), b.board_z_mm, b.board_x_mm, (y, on + b.jumper_mm)),
        "perfboard": _plate(perf_middle(p), b.perf_x_mm, b.perf_z_mm, (y, on + b.perf_high_mm))
        + _plate(perf_middle(p), b.perf_hole_x_mm - 7.0, b.perf_z_mm, (y - SOLDER, y)),
        "USB adapter": _plate(
            adapter_middle(p), b.adapter_y_mm, b.adapter_x_mm, (floor + 0.01, floor + b.adapter_z_mm)
        ),
        "buzzer": rod_z(b.buzzer_mm, (start, start + b.buzzer_high_mm), *bx),
        "button": button,
    }
    for name, x in zip(("power plug", "USB plug"), plugs_x(p), strict=True):
        half = (b.plug_x_mm - 0.2) / 2, (b.plug_y_mm - 0.2) / 2
        middle = plug_y(p)
        found[name] = box((x - half[0], x + half[0]), (middle - half[1], middle + half[1]), (low - 30, low + GAP - 0.1))
    for k, x in enumerate(notches(p), 1):  # from outside, over the post, to the boards
        w = b.cable_mm / 2 - 0.2
        found[f"cable {k}"] = box((x - w, x + w), (top - 9.0, top - 4.0), (low - 30, low + 15.0))
    return found
