"""Watches a PCA9685 on a simulated I2C bus: tells each change of its channels as [t_s, channel, on or off].

`board.py BUS ADDRESS CHANNELS`, run by the program's own Python, which has smbus2.
"""

from __future__ import annotations

import json
import sys
import time

import smbus2

LED0, FULL = 0x06, 0x10
LOOK_S = 0.004


def main() -> None:
    """Look at each channel's registers again and again."""
    bus, address, channels = smbus2.SMBus(int(sys.argv[1])), int(sys.argv[2], 0), range(int(sys.argv[3]))
    was = dict.fromkeys(channels, 0)
    print("ready", flush=True)
    while True:
        for channel in channels:
            on_high, off_high = (bus.read_byte_data(address, LED0 + 4 * channel + i) for i in (1, 3))
            off_low = bus.read_byte_data(address, LED0 + 4 * channel + 2)
            turns = int(not off_high & FULL and bool(on_high & FULL or off_high & 0x0F or off_low))
            if turns != was[channel]:
                was[channel] = turns
                print(json.dumps([time.monotonic(), channel, turns, "board"]), flush=True)
        time.sleep(LOOK_S)


main()
