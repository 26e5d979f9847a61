"""A TF-Luna or TFmini frame: ours against adafruit_tfmini.

Both read the same frames from memory, each in the way it reads a line: ours all that waits (here 4096 bytes, what the
kernel holds at the most), the peer one frame for each answer, which is all it offers. Counted for ours: reading, the
time, framing, checksum, plausibility, time stamps and making the Readings. Counted for the peer: its public `distance`,
which empties the input buffer (here a C method that does nothing), reads one byte and then eight, sums and returns
centimetres. Time stamps and status codes are ours alone. The second row has no such lumps: one frame at a time.

The third row takes the same frames from a serial port, a pseudo-terminal opened by pyserial: ours by `Sensor.read`,
which drains the port in one go, the peer by `distance`, which empties the buffer and reads twice. Each frame is written
when the reader is ready for it: for the peer just after it has emptied the buffer. The writing counts for both.
"""

from __future__ import annotations

import os
import tty
from io import BytesIO
from itertools import cycle
from random import Random
from time import monotonic
from typing import Any

from measure import Row, per_item, versus
from rearguard.host import Host, RealClock
from rearguard.sensors import benewake

FEW, MANY = 910, 2730  # frames: two lumps, and six
FRAMES = MANY
LUMP = 4096 // benewake.SIZE * benewake.SIZE
PORT_FEW, PORT_MANY = 200, 600
AT_MOST = 0.65


class Uart(BytesIO):
    """The least a UART can be, all of it C."""

    baudrate = 115200
    reset_input_buffer = BytesIO.flush


def wire() -> bytes:
    """A walk from 6 m to 1 m, over and over, as a TF-Luna puts it on its line."""
    emulator = benewake.Emulator(benewake.Config(driver="benewake"), Random(1))
    walk = b"".join(emulator.wire(i / 100, lambda _, i=i: 6.0 - i / 100) for i in range(500))
    frames = len(walk) // benewake.SIZE
    return (walk * (FRAMES // frames + 1))[: FRAMES * benewake.SIZE]


def ours(n: int) -> None:
    """Decode `n` frames."""
    read, feed = BytesIO(wire()).read, _decoder().feed
    for _ in range(n * benewake.SIZE // LUMP):
        feed(read(LUMP), monotonic())


def single(n: int) -> None:
    """Decode `n` frames, each by itself."""
    read, feed = BytesIO(wire()).read, _decoder().feed
    for _ in range(n):
        feed(read(9), monotonic())


def peer(n: int) -> None:
    """Decode `n` frames."""
    device = _peer()
    for _ in range(n):
        device.distance  # noqa: B018  the property is the measurement


def port(n: int) -> None:
    """Read and decode `n` frames from a port."""
    line, end = os.openpty()
    sensor = benewake.Sensor("rear", benewake.Config(driver="benewake", port=os.ttyname(end)), _host())
    sensor.open()
    tty.setraw(end)
    data, read, now = wire(), sensor.read, monotonic
    for i in range(n):
        os.write(line, data[i * 9 : i * 9 + 9])
        assert read(now() + 0.25)


def peer_port(n: int) -> None:
    """Read and decode `n` frames from a port."""
    import serial
    from adafruit_tfmini import TFmini

    line, end = os.openpty()
    data = wire()
    at = cycle(range(0, len(data), 9))

    class Port(serial.Serial):
        def reset_input_buffer(self) -> None:
            super().reset_input_buffer()
            i = next(at)
            os.write(line, data[i : i + 9])

    device = TFmini(Port(os.ttyname(end), 115200, timeout=1))
    for _ in range(n):
        device.distance  # noqa: B018


def check() -> None:
    """Both must tell the same distances."""
    read, decoder, device = BytesIO(wire()).read, _decoder(), _peer()
    for reading in decoder.feed(read(LUMP), 0.0) + decoder.feed(read(9), 1.0):
        cm = device.distance
        assert reading.distance_m == cm / 100, (reading, cm)


def rows() -> list[Row]:
    """Instructions a frame."""
    check()
    port(3), peer_port(3)
    ours, single, peer = (per_item("benewake", work, FEW, MANY) for work in ("ours", "single", "peer"))
    whole = [per_item("benewake", work, PORT_FEW, PORT_MANY) for work in ("port", "peer_port")]
    return [
        versus("decode a TF-Luna frame (peer: adafruit_tfmini)", ours, peer, "instr", AT_MOST),
        versus("the same, one frame at a time", single, peer, "instr", None),
        versus("the same from a serial port, with reading it", *whole, "instr", AT_MOST),
    ]


def _host() -> Host:
    return Host(RealClock(), lambda: None)


def _decoder() -> benewake.Decoder:
    return benewake.Decoder("rear", benewake.Config(driver="benewake"))


def _peer() -> Any:
    from adafruit_tfmini import TFmini

    return TFmini(Uart(wire()))
