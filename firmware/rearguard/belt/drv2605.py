"""TI DRV2605L (or DRV2605), a haptic driver for each motor: every one behind its own channel of a TCA9548A on I2C.

All answer at 0x5A, so each hangs on a channel of the multiplexer, of which the kernel makes a bus. In config.txt:

    dtoverlay=i2c-mux,pca9548,addr=0x70,base=11,disconnect_on_idle     channels 0 to 7 are /dev/i2c-11 to /dev/i2c-18
    dtparam=i2c_arm_baudrate=400000                                    eight motors in 2 ms, not 8 (worked out)

(overlays/README of Raspberry Pi's kernel has `i2c-mux`, `pca9548` and `addr`; an older kernel knows no `base` and
counts on from its last bus: i2cdetect -l.) Registers (TI SLOS854D, section 8.6; bit 7 first), and what power-up leaves:

    0x00 STATUS    DEVICE_ID:3 - DIAG_RESULT FB_STS OVER_TEMP OC_DETECT          id 7: DRV2605L, 3: DRV2605; reading
                                                                                 clears the flags
    0x01 MODE      DEV_RESET STANDBY - - - MODE:3                                0x40: standby; 5: real-time playback
    0x02 RTP_INPUT what is played                                                0x00
    0x03 LIBRARY   - - - HI_Z - LIBRARY_SEL:3                                    nothing is played from it
    0x16 RATED_VOLTAGE                                                           ignored in open loop, so not written
    0x17 OD_CLAMP  full scale in open loop: ERM 21.59 mV * n (from memory; SLOS825B has 21.96),
                   LRA 21.32 mV * n * sqrt(1 - f * 800 us) rms
    0x1A FEEDBACK  N_ERM_LRA FB_BRAKE_FACTOR:3 LOOP_GAIN:2 BEMF_GAIN:2           0x36
    0x1B CONTROL1  STARTUP_BOOST - AC_COUPLE DRIVE_TIME:5                        0x93
    0x1C CONTROL2  BIDIR_INPUT BRAKE_STABILIZER SAMPLE:2 BLANKING:2 IDISS:2      0xF5
    0x1D CONTROL3  NG_THRESH:2 ERM_OPEN_LOOP SUPPLY_COMP_DIS                     0xA0
                   DATA_FORMAT_RTP LRA_DRIVE_MODE N_PWM_ANALOG LRA_OPEN_LOOP
    0x20 LRA       - OL_LRA_PERIOD:7                                             98.46 us * n; of the DRV2605L only

**Open loop**, for both actuators. A closed loop wants an auto-calibration: up to 0.7 s of buzzing a motor, anew after
each dip of its supply, which would be in mid-alarm; and its outcome depends on how tight the belt sits. What the loop
would give at the start, the kick gives: full scale is `overdrive_v`, and a pulse goes on at `rated_v`. Braking is lost.

**Signed input** (DATA_FORMAT_RTP 0), 0x00 to 0x7F. In open loop the middle of the scale is rest: to a chip set to
unsigned input, 0x00 is full drive backward (SLOS854D, data formats, open-loop mode).

A chip keeps its last input when the guard hangs or is killed, until `ExecStopPost=` puts it to rest; where the Pi hangs
or the bus is gone, nothing does. EN (high: on) is the way out: tie all of them together, 10 kilohm to ground
(assumed), held high by a heartbeat, as a retriggerable one-shot of 1 s on SCL before the multiplexer (not built). An EN
that stays low is **not noticed**, for the chip goes on answering (found by users of both, TI E2E 1174173 and 1180260):
only who feels no motor in the self-test knows.
A channel that holds SDA or SCL low stops all the others: that is a fault of the belt, which only the buzzer can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import ETIMEDOUT
from math import sqrt
from typing import Annotated, Literal

from msgspec import Meta

from rearguard.belt import Motor
from rearguard.belt._drive import Drive, DriveConfig
from rearguard.belt._i2c import CONFIG_TXT, Chip, shorten_waits, without_library
from rearguard.errors import DeviceLostError, DeviceOpenError
from rearguard.host import Host

ADDRESS = 0x5A
STATUS, MODE, RTP_INPUT, LIBRARY, OD_CLAMP, FEEDBACK, OL_LRA_PERIOD = 0x00, 0x01, 0x02, 0x03, 0x17, 0x1A, 0x20
OVER_TEMP, OC_DETECT = 0x02, 0x01  # of STATUS
STANDBY, REAL_TIME = 0x40, 0x05  # of MODE
DRV2605, DRV2605L = 3, 7  # ids
FULL = 0x7F
LATE_TRIED = 2  # of the chips that time out, in one write: 0.1 s, where eight on a bus held low would take 0.4 s
ERM_LOOP = (0x36, 0x93, 0xF5, 0xA0)  # FEEDBACK to CONTROL3: as after power-up, which is ERM in open loop, signed
LRA_LOOP = (0xB6, 0x93, 0xF5, 0x81)  # the same, with N_ERM_LRA, and LRA_OPEN_LOOP instead of ERM_OPEN_LOOP
ERM_V, LRA_V, LRA_LOSS_S = 21.59e-3, 21.32e-3, 800e-6  # of the formulas for OD_CLAMP
PERIOD_S = 98.46e-6
RATED_V = {"erm": 3.0, "lra": 2.0}  # coin motors of many makers; LRA of 10 mm, rms (Precision Microdrives C10-100)
OVERDRIVE = {"erm": 1.2, "lra": 1.0}  # times the rated voltage (assumed); an LRA of 2.0 V stands little more


class BusMotor(Motor, frozen=True, kw_only=True):
    """`[belt.motor.NAME]`: one motor and the bus of its driver."""

    bus: Annotated[int, Meta(ge=0, le=99)]  # /dev/i2c-N of its channel


class Config(DriveConfig, frozen=True, kw_only=True):
    """`[belt]` with `driver = "drv2605"`. Motors are all of one kind."""

    motor: dict[str, BusMotor]
    bus: Annotated[int, Meta(ge=0, le=99)] = 1  # of the multiplexer; 1 is on pins 3 and 5 of the header
    address: Annotated[int, Meta(ge=0x70, le=0x77)] = 0x70  # of the multiplexer; bridges A0 to A2 add to it
    actuator: Literal["erm", "lra"] = "erm"  # a coin or cylinder motor, or a linear one
    rated_v: Annotated[float, Meta(ge=0.5, le=5.0)] | None = None  # erm: 3.0 V; lra: 2.0 V rms
    overdrive_v: Annotated[float, Meta(ge=0.5, le=5.2)] | None = None  # during the kick; erm: 1.2 rated_v; lra: rated_v
    resonance_hz: Annotated[float, Meta(ge=100.0, le=300.0)] = 175.0  # of an lra; 3 Hz beside it is felt (assumed)

    def motors(self) -> list[tuple[str, Motor]]:
        return sorted(self.motor.items(), key=lambda item: item[1].bearing_deg)

    def channels(self) -> dict[str, int]:
        return {f"motor.{name}.bus": motor.bus for name, motor in self.motor.items()}

    def registers_at_rest(self) -> list[tuple[int, int, int, int]]:
        ends = ((RTP_INPUT, 0), (MODE, STANDBY))
        return [(motor.bus, ADDRESS, *end) for motor in self.motor.values() for end in ends]

    def duty(self, felt: float) -> float:
        """Of full scale, which is the overdrive voltage."""
        rated, full = self.volts()
        return super().duty(felt) * rated / full

    def volts(self) -> tuple[float, float]:
        """Rated and overdrive voltage, of an LRA rms; the second is never less than the first."""
        rated = self.rated_v or RATED_V[self.actuator]
        return rated, max(rated, self.overdrive_v or rated * OVERDRIVE[self.actuator])

    def settings(self) -> list[tuple[int, Sequence[int]]]:
        """What is written to a chip while it rests: register, and the bytes from there on."""
        lra = self.actuator == "lra"
        step_v = LRA_V * sqrt(1.0 - self.resonance_hz * LRA_LOSS_S) if lra else ERM_V
        found: list[tuple[int, Sequence[int]]] = [
            (RTP_INPUT, [0]),
            (LIBRARY, [0]),
            (OD_CLAMP, [min(round(self.volts()[1] / step_v), 0xFF)]),
            (FEEDBACK, LRA_LOOP if lra else ERM_LOOP),
        ]
        return [*found, (OL_LRA_PERIOD, [round(1.0 / (self.resonance_hz * PERIOD_S))])] if lra else found


class Belt:
    """One chip a motor. Each write is read back with what the chip says of itself; one that fails silences no other."""

    def __init__(self, config: Config, host: Host) -> None:
        self._config, self._clock = config, host.clock
        self._names = [name for name, _ in config.motors()]
        self._chips = [Chip(config.motor[name].bus, ADDRESS, "DRV2605", "SDA, SCL, VIN, GND") for name in self._names]
        first = min((chip.bus for chip in config.motor.values()), default=config.bus)
        self._overlay = (
            f"put into {CONFIG_TXT}: dtoverlay=i2c-mux,pca9548,addr={config.address:#x},base={first}  then: "
            "sudo reboot; which buses there are: i2cdetect -l"
        )
        self._ready = [False] * len(self._chips)  # set up, and answered last time
        self._late: dict[int, str] = {}  # who timed out when last tried, longest ago first, and what was said of that
        self._passed_over: set[int] = set()  # of those, who is not tried in this write
        self._drive = Drive(config, len(self._chips))
        self._open = False

    def open(self) -> None:
        """Raises DeviceOpenError when no motor can be driven; one that cannot is told, and felt, by every write."""
        self.close()
        failed: list[DeviceLostError] = []
        try:
            shorten_waits(self._config.bus)  # of the real bus: a channel has no waits of its own
        except ImportError as error:
            raise without_library() from error
        except OSError:  # the channels tell what is missing
            pass
        for i in range(len(self._chips)):
            try:
                self._set_up(i)
            except DeviceLostError as error:
                failed.append(error)
        if len(failed) == len(self._chips):
            self.close()
            raise DeviceOpenError(str(failed[0])) from failed[0]
        self._drive, self._open = Drive(self._config, len(self._chips)), True

    def write(self, duties: Sequence[float], now_s: float) -> float:
        if not self._open or len(duties) != len(self._chips):
            raise DeviceLostError("belt is closed, or was given duties for other motors than it has")
        self._passed_over = set(list(self._late)[LATE_TRIED:])
        return self._drive.put(duties, now_s, self._one, self._clock.sleep)

    def close(self) -> None:
        was_open, self._open = self._open, False
        self._late.clear()
        self._passed_over.clear()
        for i, chip in enumerate(self._chips):
            for _ in range(2 if was_open or chip.held else 0):
                try:
                    chip.connect()  # a write that failed has let it go
                    chip.write(RTP_INPUT, 0)
                    chip.write(MODE, STANDBY)
                    break
                except OSError:  # once more, for motors disturb a bus; if it is gone, that has been told
                    chip.let_go()
            chip.let_go()
            self._ready[i] = False

    def _one(self, i: int, duty: float) -> None:
        """Motor `i` at `duty`, 0 to 1. Raises DeviceLostError."""
        if i in self._passed_over:
            raise DeviceLostError(self._late[i])
        self._late.pop(i, None)
        if not self._ready[i]:
            self._set_up(i)
            self._drive.stopped(i)
            duty = 0.0  # it may have been without power: it starts in its turn
        chip, value = self._chips[i], round(duty * FULL)
        try:
            chip.write(RTP_INPUT, value)
            status, mode, held = chip.read_block(STATUS, 3)
        except OSError as error:
            raise self._lost(i, error) from error
        if (mode, held) != (REAL_TIME, value):  # its motor stood still meanwhile: that must be felt
            self._set_up(i)
            self._drive.stopped(i)
            raise self._said(
                i,
                "had forgotten its settings and has been set up again: it was without power for a moment; "
                "look at its VIN and GND wires",
            )
        if status & OC_DETECT:
            raise self._said(i, "has cut its motor off: too much current; look for a short at OUT+ and OUT-")
        if status & OVER_TEMP:
            raise self._said(i, "has cut its motor off: too hot; look for a motor that is blocked or too strong for it")

    def _set_up(self, i: int) -> None:
        """Its motor at rest, its settings written, ready to play. Raises DeviceLostError."""
        chip = self._chips[i]
        try:
            chip.connect()
            chip.write(MODE, STANDBY)
            part = chip.read(STATUS) >> 5
            lra = self._config.actuator == "lra"
            if part not in (DRV2605, DRV2605L):
                raise self._said(
                    i, f"says that it is part {part}, not a DRV2605L (7) or DRV2605 (3); look at its print"
                )
            if lra and part == DRV2605:
                raise self._said(i, "is a DRV2605, which cannot time an lra by itself; fit a DRV2605L, or an erm motor")
            for register, values in self._config.settings():
                chip.write_block(register, values)
            chip.write(MODE, REAL_TIME)
            if chip.read(MODE) != REAL_TIME:
                raise self._said(i, "does not keep its settings; look at its EN (high: on), VIN and GND wires")
        except DeviceLostError:  # which is an OSError, too
            self._ready[i] = False
            raise
        except OSError as error:
            raise self._lost(i, error) from error
        self._ready[i] = True

    def _lost(self, i: int, error: OSError) -> DeviceLostError:
        self._ready[i] = False
        self._chips[i].let_go()
        what = f"belt.motor.{self._names[i]}: {self._chips[i].trouble(error, self._overlay)}"
        if error.errno == ETIMEDOUT:
            self._late[i] = what
            self._passed_over.add(i)
        return DeviceLostError(what)

    def _said(self, i: int, what: str) -> DeviceLostError:
        return DeviceLostError(f"belt.motor.{self._names[i]}: the chip at {ADDRESS:#x} on {self._chips[i].path} {what}")
