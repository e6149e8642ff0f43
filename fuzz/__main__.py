"""`make fuzz`: feed every target damaged input; a surprise prints the seed that repeats it."""

from __future__ import annotations

import gc
import random
import signal
import sys
import time
import tracemalloc
from typing import Final

import click

from fuzz.mutate import mutate
from fuzz.target import Feed, Target
from fuzz.targets import TARGETS

PEAK_BYTES_MAX: Final = 64 << 20
"""What a target may hold at once, the reader and its seeds included."""

TRACED_MAX: Final = 20_000
"""Inputs whose memory is traced byte by byte; that takes five times as long as the rest."""

GROWTH_BLOCKS_MAX: Final = 10_000
"""How many more objects there may be at a target's end than after a tenth of its inputs."""

STALL_S: Final = 20
"""No input takes as long, on whatever computer."""


class StalledError(BaseException):
    """An input took too long; nobody's `except` catches it."""


@click.command()
@click.argument("names", nargs=-1)
@click.option("--count", type=int, help="Inputs for each target, not its own number.")
@click.option("--seconds", type=float, help="Longest time for each target, not its own.")
@click.option("--seed", type=int, help="Repeat the run that printed this seed.")
def main(
    names: tuple[str, ...], count: int | None, seconds: float | None, seed: int | None
) -> None:
    """Fuzz the targets NAMES, or all of them."""
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    chosen = [target for target in TARGETS if not names or target.name in names]
    if len(chosen) < len(set(names)):
        raise click.UsageError(f"targets are {', '.join(target.name for target in TARGETS)}")
    signal.signal(signal.SIGALRM, _stalled)
    for target in chosen:
        _fuzz(target, count or target.count, seconds or target.seconds, seed)
    click.echo(f"only typed refusals (seed {seed})")


def _fuzz(target: Target, count: int, seconds: float, seed: int) -> None:
    rng = random.Random(f"{seed}/{target.name}")
    tracemalloc.start()
    feed, seeds = target.start()
    for valid in seeds:
        _fed(target, feed, valid)
    done = refused = peak = early = 0
    begun = time.perf_counter()
    while done < count and time.perf_counter() - begun < seconds:
        data = mutate(rng, seeds)
        try:
            refused += not _fed(target, feed, data)
            if done < TRACED_MAX:
                _, peak = tracemalloc.get_traced_memory()
                if peak > PEAK_BYTES_MAX:
                    raise click.ClickException(f"{target.name} took {peak:,} bytes of memory")
        except BaseException:
            click.echo(f"{target.name}: seed {seed}, input {done}: {data.hex()}", err=True)
            raise
        done += 1
        if done == TRACED_MAX:
            tracemalloc.stop()
        if done == count // 10:
            early = _blocks()
    tracemalloc.stop()
    if early and _blocks() > early + GROWTH_BLOCKS_MAX:
        raise click.ClickException(f"{target.name} grew from {early:,} to {_blocks():,} objects")
    click.echo(
        f"{target.name:<10} {done:>9,} inputs, {refused:>7,} refused"
        f" {time.perf_counter() - begun:6.1f} s  peak {peak >> 10:>6,} KiB"
    )


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


def _fed(target: Target, feed: Feed, data: bytes) -> bool:
    """Whether it was taken and not refused."""
    signal.alarm(STALL_S)
    try:
        feed(data)
    except target.refusals:
        return False
    finally:
        signal.alarm(0)
    return True


def _stalled(signum: int, frame: object) -> None:  # noqa: ARG001 - as signals call it
    raise StalledError(f"an input takes more than {STALL_S} s")


if __name__ == "__main__":
    main()
