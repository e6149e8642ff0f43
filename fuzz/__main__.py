"""`make fuzz`: feed every target damaged input; a surprise prints the seed that repeats it."""

from __future__ import annotations

import random
import sys
import time
import tracemalloc

import click

from fuzz.mutate import mutate
from fuzz.targets import TARGETS


@click.command()
@click.argument("names", nargs=-1)
@click.option("--count", default=20_000, show_default=True, help="Inputs for each target.")
@click.option("--seconds", default=60.0, show_default=True, help="Longest time for each target.")
@click.option("--seed", type=int, help="Repeat the run that printed this seed.")
def main(names: tuple[str, ...], count: int, seconds: float, seed: int | None) -> None:
    """Fuzz the targets NAMES, or all of them."""
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    chosen = [t for t in TARGETS if not names or t.name in names]
    if len(chosen) < len(names):
        raise click.UsageError(f"targets are {', '.join(t.name for t in TARGETS)}")
    for target in chosen:
        rng = random.Random(f"{seed}/{target.name}")
        feed, seeds = target.start()
        begun = time.perf_counter()
        tracemalloc.start()
        done = 0
        while done < count and time.perf_counter() - begun < seconds:
            data = mutate(rng, seeds)
            try:
                feed(data)
            except target.refusals:
                pass
            except Exception:
                click.echo(f"{target.name}: seed {seed}, input {done}: {data.hex()}", err=True)
                raise
            done += 1
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        took_s = time.perf_counter() - begun
        click.echo(f"{target.name:<16} {done:>9,} inputs  {took_s:6.1f} s  peak {peak >> 10:,} KiB")
    click.echo(f"only typed refusals (seed {seed})")
    sys.exit(0)


if __name__ == "__main__":
    main()
