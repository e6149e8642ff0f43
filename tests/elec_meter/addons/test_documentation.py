from __future__ import annotations

import asyncio
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from elec_meter.addons import mqtt, p1, slot, wan_tcp
from elec_meter.addons.errors import SettingError
from elec_meter.addons.limits import USUAL
from elec_meter.addons.settings import Settings
from elec_meter.config import config_from_toml
from elec_meter.events import EventCode
from tests.elec_meter.addons.reading_out import read_out
from tests.elec_meter.flag.lines import busy_meter

DOCS = Path(__file__).parents[3] / "docs"
ADDONS, HOME = (DOCS / f"{name}.md" for name in ("addons", "home-assistant"))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, without their indentation."""
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL
    )
    return [textwrap.dedent(text) for _, text in found]


@pytest.mark.parametrize("text", [*blocks(ADDONS, "toml"), *blocks(HOME, "toml")])
def test_the_configurations_are_meters(text: str) -> None:
    """Each is taken, and its settings are those of a module."""
    config = config_from_toml(text)
    (addon,) = config.addons
    given = {setting.name: setting.value for setting in addon.settings}
    assert given.keys() <= taken(addon.module)


def taken(module: str) -> set[str]:
    """The settings that a module asks for."""
    run = {"mqtt": mqtt.run, "p1": p1.run, "wan_tcp": wan_tcp.run}[module]
    settings = Settings({"unknown": "", **({"url": "mqtt://host"} if module == "mqtt" else {})})
    with pytest.raises(SettingError, match="there is no setting 'unknown'"):
        asyncio.run(run(None, settings))  # type: ignore[arg-type]  # refused before it is used
    return settings._taken


@pytest.mark.parametrize("module", ["mqtt", "p1", "wan_tcp"])
def test_every_setting_is_on_the_page(module: str) -> None:
    """The module's table has those that it takes, and no others."""
    section = ADDONS.read_text().partition(f"\n## {module}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+` ?)+) \|", section, re.MULTILINE)
    assert taken(module) == {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_the_module_of_the_page_works() -> None:
    """It says what is drawn when that is more than its limit."""
    (text,) = blocks(ADDONS, "python")
    names: dict[str, Any] = {}
    exec(compile(text, "addons.md", "exec"), names)
    said = asyncio.Event()
    words: list[str] = []

    class Line:
        async def readout(self) -> Any:
            return read_out(busy_meter())

        def say(self, sentence: str) -> None:
            words.append(sentence)
            said.set()

    async def talk() -> None:
        task = asyncio.create_task(names["run"](Line(), Settings({"limit_w": "290"})))
        async with asyncio.timeout(10):
            await said.wait()
        task.cancel()

    asyncio.run(talk())
    assert ["291 W are drawn"] == words


def test_the_environment_is_as_shown() -> None:
    """The page names each variable that a module has, and no other."""
    first = ADDONS.read_text().partition("## What is checked")[0]
    assert {*slot._ENVIRONMENT, "PYTHONPATH"} == set(re.findall(r"`([A-Z_]{4,})`", first))


def test_the_limits_are_as_shown() -> None:
    """Seconds, bytes and codes of the page are the program's."""
    text = ADDONS.read_text()
    assert f"on average over {USUAL.window_s:.0f} s" in text
    assert f"{USUAL.rate_bytes_per_s // 1024} KiB a second" in text
    assert f"{USUAL.burst_bytes // 1024} KiB at once" in text
    assert f"{USUAL.silence_s:.0f} s without anything sensible" in text
    for code in (EventCode.ADDON_STOPPED, EventCode.ADDON_CUT, EventCode.ADDON_RECOVERED):
        assert str(int(code)) in text
