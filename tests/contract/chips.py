"""Chips on an I2C bus as the kernel's SMBus calls see them: registers, and wires that can be cut."""

from __future__ import annotations

import os
from errno import EREMOTEIO, ETIMEDOUT
from typing import Any

ALL_LED, LED0, CHANNELS, PRESCALE = 0xFA, 0x06, 16, 0xFE
SLEEP, AUTO_INCREMENT, FULL = 0x10, 0x20, 0x10
AT_POWER_UP = {0x00: 0x11, 0x01: 0x04, PRESCALE: 0x1E}


class Pca9685:
    """The registers of a PCA9685, as its data sheet has them (section 7.3)."""

    def __init__(self) -> None:
        self.power_cycle()

    def power_cycle(self) -> None:
        self.registers = bytearray(256)
        for register, value in AT_POWER_UP.items():
            self.registers[register] = value
        for channel in range(CHANNELS):
            self.registers[LED0 + 4 * channel + 3] = FULL

    def read(self, register: int) -> int:
        return self.registers[register]

    def write(self, register: int, data: list[int]) -> None:
        """Bytes from `register` on; without auto-increment all of them go to the same one."""
        for value in data:
            self._set(register, value)
            if self.registers[0] & AUTO_INCREMENT:
                register = (register + 1) % 256

    def _set(self, register: int, value: int) -> None:
        if register == PRESCALE and not self.registers[0] & SLEEP:
            return  # the chip takes no notice
        self.registers[register] = value
        if ALL_LED <= register < ALL_LED + 4:
            for channel in range(CHANNELS):
                self.registers[LED0 + 4 * channel + register - ALL_LED] = value

    def duty(self, channel: int) -> float:
        """What an output carries, 0 to 1; nothing while the chip sleeps."""
        on_low, on_high, off_low, off_high = self.registers[LED0 + 4 * channel : LED0 + 4 * channel + 4]
        if self.registers[0] & SLEEP or off_high & FULL:
            return 0.0
        if on_high & FULL:
            return 1.0
        on, off = on_low | on_high << 8, off_low | off_high << 8
        return (off - on) % 4096 / 4096

    @property
    def frequency_hz(self) -> float:
        return 25e6 / (4096 * (self.registers[PRESCALE] + 1))


class Drv2605:
    """The registers of a DRV2605L (part 7) or a DRV2605 (part 3), as TI's data sheet SLOS854D has them."""

    def __init__(self, part: int = 7) -> None:
        self.part = part
        self.flags = 0  # of STATUS; latched until read
        self.shorted = False
        self.written: list[tuple[int, list[int]]] = []  # register, bytes
        self.power_cycle()

    def power_cycle(self) -> None:
        self.registers = bytearray(0x23)
        for register, value in {0x01: 0x40, 0x1A: 0x36, 0x1B: 0x93, 0x1C: 0xF5, 0x1D: 0xA0}.items():
            self.registers[register] = value

    def read(self, register: int) -> int:
        if register:
            return self.registers[register]
        flags, self.flags = self.flags | (0x01 if self.shorted and self._asked() else 0), 0
        return self.part << 5 | flags

    def write(self, register: int, data: list[int]) -> None:
        self.written.append((register, list(data)))
        for offset, value in enumerate(data):
            if register + offset == 0x01 and value & 0x80:
                self.power_cycle()
            elif register + offset:  # STATUS is read only
                self.registers[register + offset] = value

    def _asked(self) -> float:
        """Of full scale, -1 to 1: backward below 0. Real-time playback in open loop only: all else is rest here."""
        mode, feedback, control = self.registers[0x01], self.registers[0x1A], self.registers[0x1D]
        open_loop = control & 0x01 if feedback & 0x80 else control & 0x20
        if mode != 0x05 or not open_loop:
            return 0.0
        value = self.registers[0x02]
        unsigned = bool(control & 0x08)  # of which the middle is rest
        return (value - 0x7F if unsigned else value - 0x100 if value > 0x7F else value) / 0x7F

    def duty(self) -> float:
        """What its motor is driven with, of full scale."""
        return 0.0 if self.shorted else self._asked()


class I2cBus:
    """Stands where smbus2.SMBus stands; chips by address. `error` cuts the wires, after `after` more transfers.

    `channels`: buses behind a multiplexer, by number, each with chips of its own; `cut`: errors of some of them.
    """

    def __init__(self) -> None:
        self.chips: dict[int, Any] = {}
        self.channels: dict[int, dict[int, Any]] = {}
        self.cut: dict[int, int] = {}
        self.error: int | None = None
        self.after = 0
        self.missing: OSError | None = None  # the device file cannot be opened
        self.opened: list[int] = []
        self.handles = 0  # open ones

    def smbus(self, number: int) -> _Handle:
        """What `smbus2.SMBus(number)` gives."""
        if self.missing is not None:
            raise self.missing
        self.opened.append(number)
        return _Handle(self, number)

    def transfer(self, address: int, number: int = 1) -> Any:
        error = self.error if self.after <= 0 else None
        error = self.cut.get(number, error)
        if error is not None:
            raise OSError(error, os.strerror(error))
        self.after -= 1
        chips = self.channels.get(number, self.chips)
        if address not in chips:
            raise OSError(EREMOTEIO, os.strerror(EREMOTEIO))
        return chips[address]


class _Handle:
    """One open bus, with the calls that the kernel's own i2c-stub understands."""

    def __init__(self, bus: I2cBus, number: int) -> None:
        self._bus, self._number = bus, number
        self.fd = os.open(os.devnull, os.O_RDWR)
        bus.handles += 1

    def _chip(self, address: int) -> Any:
        if self.fd < 0:
            raise OSError(ETIMEDOUT, "a closed handle")
        return self._bus.transfer(address, self._number)

    def read_byte_data(self, address: int, register: int) -> int:
        return int(self._chip(address).read(register))

    def read_i2c_block_data(self, address: int, register: int, length: int) -> list[int]:
        assert 1 <= length <= 32, "SMBus blocks hold 32 bytes"
        chip = self._chip(address)
        return [int(chip.read(register + offset)) for offset in range(length)]

    def write_byte_data(self, address: int, register: int, value: int) -> None:
        assert 0 <= value <= 255
        self._chip(address).write(register, [value])

    def write_i2c_block_data(self, address: int, register: int, data: list[int]) -> None:
        assert len(data) <= 32, "SMBus blocks hold 32 bytes"
        assert all(0 <= value <= 255 for value in data)
        self._chip(address).write(register, data)

    def __enter__(self) -> _Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            self._bus.handles -= 1
