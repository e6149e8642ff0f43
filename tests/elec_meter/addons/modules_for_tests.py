"""Modules that behave as no module should; each is an entry point of a package made for a test."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from elec_meter.addons import AddonError, MeterLine, Settings

NAMES = ("good", "crashing", "hung", "busy", "flooding", "deaf", "prying", "chatty", "greedy")


def install(directory: Path) -> Path:
    """Write the package's metadata into a directory that is then to be importable."""
    info = directory / "modules_for_tests-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: modules-for-tests\nVersion: 1\n")
    lines = [f"{name} = {__name__}:{name}" for name in NAMES]
    checks = [f"prying = {__name__}:check", f"hung = {__name__}:bad_check"]
    text = ["[elec_meter.addons]", *lines, "[elec_meter.addon_checks]", *checks, ""]
    (info / "entry_points.txt").write_text("\n".join(text))
    return directory


def check(settings: Settings) -> None:
    """Refuse one word."""
    if settings.text("word") == "secret":
        raise AddonError("the setting word is\n a secret")


def bad_check(settings: Settings) -> None:
    """Fail."""
    settings.number("limit", 1, 1, 1 // 0)


async def good(line: MeterLine, settings: Settings) -> None:
    """Say what import is, twenty times a second."""
    while True:
        readings = await line.readout()
        line.say(f"import {readings['1-0:1.8.0'].text}")
        await asyncio.sleep(0.05)


async def crashing(line: MeterLine, settings: Settings) -> None:
    """Work once, and fail."""
    await line.readout()
    raise RuntimeError("a \x1b[31mbug\x07")


async def hung(line: MeterLine, settings: Settings) -> None:
    """Do nothing at all, and take no signal that can be refused."""
    time.sleep(1_000)


async def busy(line: MeterLine, settings: Settings) -> None:
    """Compute for ever, and ask now and then."""
    while True:
        await line.readout()
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass


async def flooding(line: MeterLine, settings: Settings) -> None:
    """Ask as fast as it goes."""
    while True:
        await line.readout()


async def deaf(line: MeterLine, settings: Settings) -> None:
    """Ask for ever and take no answer."""
    while True:
        line.writer.write(b"/?!\r\n\x06060\r\n")
        await line.writer.drain()


async def prying(line: MeterLine, settings: Settings) -> None:
    """Say what it has of the meter: open files, environment, directory."""
    links = [each for each in Path("/proc/self/fd").iterdir() if each.exists()]
    files = [str(each.readlink()) for each in links]
    inherited = sorted(each for each in files if each.endswith((".sqlite", ".sock", ".json")))
    line.say(f"{inherited} {sorted(os.environ)} {Path.cwd()} {settings.text('word')}")
    while True:
        await line.readout()
        await asyncio.sleep(0.2)


async def chatty(line: MeterLine, settings: Settings) -> None:
    """Talk without end."""
    while True:
        line.say("x" * 10_000)
        await asyncio.sleep(0)


async def greedy(line: MeterLine, settings: Settings) -> None:
    """Take memory without end."""
    taken = []
    while True:
        await line.readout()
        taken.append(bytearray(32 * 2**20))
