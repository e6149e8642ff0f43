"""Where the demo's ports are once the supply has been cut and has come back."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest
from click.testing import CliRunner

from elec_meter.cli.main import main
from elec_meter.config import AddonConfig, AddonSetting
from elec_meter.demo import run
from elec_meter.demo.run import DemoOptions, run_demo, with_ports
from elec_meter.errors import PortInUseError
from elec_meter.runtime import PanelPlace

FREE = ("127.0.0.1", 0)


def module(name: str, listen: str) -> AddonConfig:
    """A module that listens."""
    settings = AddonSetting(name="listen", value=listen), AddonSetting(name="zone", value="UTC")
    return AddonConfig(name=name, module=name, settings=settings)


def test_ports_that_were_free_stay_the_same() -> None:
    """Whoever was connected finds FLAG, DLMS, panel and P1 where they were before the cut."""
    options = DemoOptions(
        flag=FREE,
        dlms=FREE,
        panel=PanelPlace(host="127.0.0.1", port=0),
        addons=(module("p1", "127.0.0.1:0"), module("mqtt", "127.0.0.1:0")),
    )
    listening = {
        "FLAG": "127.0.0.1:40001",
        "DLMS": "127.0.0.1:40002",
        "panel": "http://127.0.0.1:40003",
        "p1": "127.0.0.1:40004",
    }
    after = with_ports(options, listening)
    assert after.panel is not None
    assert [("127.0.0.1", 40001), ("127.0.0.1", 40002), 40003] == [
        after.flag,
        after.dlms,
        after.panel.port,
    ]
    # One that has not said where it listens is told what it was told before.
    assert (module("p1", "127.0.0.1:40004"), module("mqtt", "127.0.0.1:0")) == after.addons


def test_ports_that_nobody_asked_for_stay_closed() -> None:
    """A cut opens nothing."""
    assert DemoOptions() == with_ports(DemoOptions(), {})


def test_nothing_listens_before_all_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects is answered; where compiling takes long, that is said."""
    said: list[str] = []
    is_told = Event()

    def tell(sentence: str) -> None:
        said.append(sentence)
        is_told.set()

    monkeypatch.setattr(run, "_SLOW_S", 0.0)
    monkeypatch.setattr(run, "warm_cache", lambda: is_told.wait(60))
    second = timedelta(seconds=1)
    run_demo(DemoOptions(flag=FREE, length=second, speed=0, live=False, tell=tell))
    assert "compiling what measures for this computer, which is done once" == said[0]
    assert said[1].startswith("FLAG listens on 127.0.0.1:")


def test_whoever_finds_a_port_taken_is_told_how_to_name_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where two demos run on one computer."""

    def run(_: DemoOptions) -> None:
        raise PortInUseError("127.0.0.1:8063 is in use by another program")

    monkeypatch.setattr("elec_meter.demo.run.run_demo", run)
    result = CliRunner().invoke(main, ["demo", "--json"])
    assert 1 == result.exit_code
    assert "8063 is in use by another program; --panel, --flag, --dlms and --p1" in result.stderr
