"""The commands. Errors that a user can mend are one line on standard error and exit code 1."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rearguard import __version__
from rearguard.errors import InputError, RearguardError, bench_misses, tell

MAX_CAPTURE = 100_000_000  # bytes: more than a day of a TF-Luna, an hour of an LD06 and a half


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says whether it worked."""
    try:
        args = _parser().parse_args(argv)
        if sys.stdout is None:
            raise InputError("standard output is closed; give it a place to go")
        code = int(args.command(args))
        sys.stdout.flush()
        return code
    except RearguardError as error:
        tell(f"rearguard: {error}")
        return 1
    except BrokenPipeError:  # the reader of our output has had enough
        _mute()
        return 0
    except OSError as error:
        _mute()
        tell(f"rearguard: output cannot be written: {error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _mute() -> None:
    """Let what is still waiting for standard output go nowhere, so that the interpreter can end in peace."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rearguard", description="A belt that watches the back of a person who walks backward."
    )
    parser.add_argument("--version", action="version", version=f"rearguard {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        return sub

    def config_option(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--config", type=Path, metavar="FILE", help="configuration in TOML (default: the one that ships)"
        )

    config_option(command("run", _run, "Guard, until told to end. This is what the service runs."))
    config_option(command("check-config", _check, "Print what the wearer will get from a configuration."))
    doctor = command("doctor", _doctor, "Find what is wrong with this machine as a belt, and the line that mends it.")
    doctor.set_defaults(name="doctor")
    doctor.add_argument("--motors", action="store_true", help="buzz each motor for a moment, left to right")
    selftest = command("selftest", _doctor, "Hear each sensor, then feel each motor and hear the buzzer, one by one.")
    selftest.set_defaults(name="selftest", motors=True)
    for sub in (doctor, selftest):
        sub.add_argument(
            "--config", type=Path, metavar="FILE", help="default: the installed one, or the one that ships"
        )
        sub.add_argument("--json", action="store_true", help="one JSON object, for whoever helps you")
        sub.add_argument("--no-sensors", action="store_true", help="do not open the sensors")
    replay = command(
        "replay", _replay, "Step the guard over a journal or reading lines; print each change of the alert."
    )
    replay.add_argument("file", metavar="FILE", help="a journal, or JSON lines; - for standard input")
    config_option(replay)
    replay.add_argument("--profile", choices=("default", "cautious"), help="in place of the configuration's")
    decode = command("decode", _decode, "Turn the raw bytes of a serial sensor into reading lines.")
    decode.add_argument("sensor", metavar="SENSOR", help="a driver, such as ld06, or a sensor of the configuration")
    decode.add_argument("file", metavar="FILE", help="raw bytes; - for standard input")
    config_option(decode)
    bench = command("bench", _bench, "Walk a simulated walk with the whole firmware, no hardware needed.")
    _bench_options(bench)
    _evaluate_options(command("evaluate", _evaluate, "Walk many simulated walks and hold them against the truth."))
    return parser


def _bench_options(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    add("scenario", nargs="?", default="first-walk", metavar="SCENARIO", help="a name, or a TOML file of your own")
    add("--list", action="store_true", help="print the scenarios and the fits")
    add("--fit", "--config", default="both", metavar="NAME", help="a fit that ships, or a configuration (default both)")
    add("--profile", choices=("default", "cautious"), help="in place of the configuration's")
    add("--seed", type=int, default=1, metavar="N", help="of person and noise (default 1)")
    add("--ignore", action="store_true", help="the walker heeds nothing")
    add("--fast", action="store_true", help="do not wait: as fast as this machine can")
    add("--record", type=Path, metavar="DIR", help="leave a journal there, for replay")
    add("--web", action="store_true", help="show it in a browser instead")
    add("--port", type=int, default=0, metavar="N", help="of the web page (default: any that is free)")


def _evaluate_options(sub: argparse.ArgumentParser) -> None:
    add = sub.add_argument
    add("scenarios", nargs="*", metavar="SCENARIO", help="names, or TOML files of your own (default: all that ship)")
    add("--fit", action="append", metavar="NAME", help="a fit that ships, or a configuration (default ultrasonic)")
    add("--profile", action="append", choices=("default", "cautious"), help="of the wearer (default: default)")
    add("--walks", type=int, default=30, metavar="N", help="of each row (default 30)")
    add(
        "--seed", type=int, default=1000, metavar="N", help="of the first walk (default 1000; below that is for tuning)"
    )
    add("--echoes", choices=("none", "isolated", "bursts", "phantoms"), help="false echoes, for the scenario's own")
    add("--ignore", action="store_true", help="the walker heeds nothing: for delays without a change of pace")
    add("--against", choices=("peers", "front", "agreement"), help="the same walks with what a maker would use instead")
    add("--report", type=Path, default=Path("rearguard-evaluation.html"), metavar="FILE", help="HTML to be written")
    add("--workers", type=int, metavar="N", help="processes (default: one a core)")
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://10.0.0.5:8786")


def _run(args: argparse.Namespace) -> int:
    from rearguard import last_good, service

    service.run(*last_good.load(args.config))
    return 0


def _check(args: argparse.Namespace) -> int:
    from rearguard.config import load
    from rearguard.summary import summary

    print(summary(load(args.config)))
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from rearguard.doctor.examine import run

    return run(args)


def _replay(args: argparse.Namespace) -> int:
    from rearguard.config import load
    from rearguard.core.threat import PROFILES
    from rearguard.replay import MAX_LINE, Replay

    config = load(args.config) if args.config else None
    replay = Replay(config, PROFILES[args.profile] if args.profile else None)
    out = sys.stdout.buffer
    with _opened(args.file) as source:
        limited = iter(lambda: source.readline(MAX_LINE), b"")
        for line in replay.run(limited, _name(args.file)):
            out.write(line)
            out.flush()
    for note in replay.notes:
        tell(f"rearguard: {note}")
    if not replay.inputs:
        raise InputError(f"{_name(args.file)}: there is no reading in it")
    return 0


def _decode(args: argparse.Namespace) -> int:
    from rearguard import lines
    from rearguard.capture import decoder_for
    from rearguard.config import load

    decoder = decoder_for(args.sensor, load(args.config) if args.config else None)
    with _opened(args.file) as source:
        data = source.read(MAX_CAPTURE + 1)
    if len(data) > MAX_CAPTURE:
        raise InputError(f"{_name(args.file)}: longer than {MAX_CAPTURE} bytes; cut it into pieces")
    out = sys.stdout.buffer
    for item in decoder.replay(data):
        out.write(lines.encode(item))
    out.flush()
    frames = decoder.frames
    frames.finish()
    if not frames.good:
        tell(f"rearguard: {_name(args.file)}: no intact frame of {args.sensor} in {len(data)} bytes")
    tell(f"{frames.good} good, {frames.rejected} rejected, {frames.skipped} bytes skipped")
    return 0 if frames.good else 1


def _bench(args: argparse.Namespace) -> int:
    try:
        from rearguard.bench.looking.view import run
    except ImportError as error:
        raise bench_misses("bench", error) from None
    return run(args)


def _evaluate(args: argparse.Namespace) -> int:
    try:
        from rearguard.bench.judging.trial import run
    except ImportError as error:
        raise bench_misses("bench", error) from None
    return run(args)


def _name(file: str) -> str:
    return "standard input" if file == "-" else file


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """A file given on the command line, for reading. Raises InputError with what is wrong with it."""
    if file == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed; give it something to read")
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{file}: this is a folder; give a file in it") from None
    except PermissionError:
        raise InputError(f"{file}: no permission to read it") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    with source:
        yield source
