"""Where the demo's ports are once the supply has been cut and has come back."""

from __future__ import annotations

from elec_meter.demo.run import DemoOptions, with_ports
from elec_meter.runtime import PanelPlace

FREE = ("127.0.0.1", 0)


def test_ports_that_were_free_stay_the_same() -> None:
    """Whoever was connected finds FLAG, DLMS and the panel where they were before the cut."""
    options = DemoOptions(flag=FREE, dlms=FREE, panel=PanelPlace(host="127.0.0.1", port=0))
    listening = {
        "FLAG": "127.0.0.1:40001",
        "DLMS": "127.0.0.1:40002",
        "panel": "http://127.0.0.1:40003",
    }
    after = with_ports(options, listening)
    assert after.panel is not None
    assert [("127.0.0.1", 40001), ("127.0.0.1", 40002), 40003] == [
        after.flag,
        after.dlms,
        after.panel.port,
    ]


def test_ports_that_nobody_asked_for_stay_closed() -> None:
    """A cut opens nothing."""
    assert DemoOptions() == with_ports(DemoOptions(), {})
