"""What is written in programming mode, and what becomes of it on a real meter."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from elec_meter import Meter
from elec_meter.access import Level, stored_key
from elec_meter.alarms import Alarm
from elec_meter.config import (
    CalendarConfig,
    DisplayScreen,
    RelayConfig,
    SwitchConfig,
    TerminalConfig,
    config_to_json,
    demo_config,
    encode_change,
    part_names,
)
from elec_meter.events import EventCode
from elec_meter.flag import FlagLine
from elec_meter.flag.texts import binary_text
from tests.elec_meter.config.others import FACTORYS, other_value
from tests.elec_meter.flag.programmer import (
    ACK,
    BREAK,
    NOON,
    SALT,
    Desktop,
    known_key,
    refusal,
)

EXPOSED = FlagLine(is_exposed=True)


@pytest.fixture
def desktop() -> Desktop:
    """The demo's meter with its passwords."""
    return Desktop()


def test_commands_are_scripts(desktop: Desktop) -> None:
    """Demand is reset, and billing ended, by the same orders as anybody's; the log says whose."""
    programmer = desktop.programmer(Level.SUPPLIER)
    assert ACK == programmer.command("W1", "0-0:10.0.1;M1(1)")
    programmer.later(seconds=1)
    assert ACK == programmer.command("W1", "0-0:10.0.1;M1(2)")
    author = "level 3 at FLAG TCP"
    assert [f"maximum demand was reset by {author}"] == desktop.texts(EventCode.DEMAND_RESET)
    assert [f"the billing period was ended by {author}"] == desktop.texts(EventCode.BILLING_ENDED)
    assert "ER08" == refusal(programmer.command("W1", "0-0:10.0.1;M1(1)"))
    assert "ER(maximum demand cannot be reset again for 3600 s)" == programmer.read("ER()")
    assert "ER08" == refusal(programmer.command("W1", "0-0:10.0.1;M1(9)"))
    assert "ER06" == refusal(programmer.command("W1", "0-0:10.0.1;M2(1)"))


def test_the_clock_is_set_adjusted_and_synchronised(desktop: Desktop) -> None:
    """Set at level 3, adjusted from level 1 on; a time far away is refused below level 3."""
    supplier, reader = desktop.programmer(Level.SUPPLIER), desktop.programmer(Level.READER)
    assert ACK == supplier.command("W1", "0-0:1.0.0(26-04-01 13:00:00)")
    assert NOON + timedelta(hours=1) == desktop.meter.clock.read(desktop.now)
    assert ACK == reader.command("W1", "0-0:1.0.0;M6(-4)")
    assert -4 == desktop.meter.clock.outstanding_s(desktop.now)
    assert ACK == reader.command("W1", "0-0:1.0.0;M128(260401130003)")
    assert 3 == desktop.meter.clock.outstanding_s(desktop.now)
    assert "ER08" == refusal(reader.command("W1", "0-0:1.0.0;M128(260401140000)"))
    assert "ER(the time is more than 10 s away; to set it takes level 3)" == reader.read("ER()")
    assert "ER05" == refusal(reader.command("W1", "0-0:1.0.0(260401140000)"))
    assert "ER08" == refusal(supplier.command("W1", "0-0:1.0.0(261301140000)"))
    assert ACK == supplier.command("W1", "0-0:1.0.0;2(2604011400)")


def test_a_list_of_prices_comes_in_blocks(desktop: Desktop) -> None:
    """Forty-eight half-hours of pence."""
    programmer = desktop.programmer(Level.SUPPLIER)
    text = "2604011200;" + ";".join(f"{n}.125" for n in range(48))
    assert ACK == programmer.write_blocks("0-0:128.23.0", text)
    prices = desktop.meter.ledger.prices["import"].prices
    assert [n * 1000 + 125 for n in range(48)] == [each.price_millipence for each in prices]
    assert "0-0:128.23.0(48)" == programmer.read("0-0:128.23.0()")
    assert "ER08" == refusal(programmer.command("W1", "0-0:128.23.0(2604011200;1.2345)"))


def test_a_password_is_changed_without_being_sent(desktop: Desktop) -> None:
    """Salt and SK go over the line; the old password is refused from then on."""
    programmer = desktop.programmer(Level.INSTALLER)
    verifier = (SALT + stored_key(known_key("better", Level.READER))).hex()
    assert ACK == programmer.command("W1", f"0-0:128.52.1({verifier})")
    assert "ER03" == refusal(desktop.programmer().sign_on(Level.READER))
    assert ACK == desktop.programmer().sign_on(Level.READER, "better")
    assert "ER05" == refusal(programmer.command("W1", f"0-0:128.52.3({verifier})"))
    assert "ER08" == refusal(programmer.command("W1", f"0-0:128.52.1({'00' * 48})"))
    assert ["the password of level 1 was changed by level 2 at FLAG TCP"] == desktop.texts(
        EventCode.PASSWORD_CHANGED
    )[3:]


def test_contactor_relays_and_alarms_are_switched(desktop: Desktop) -> None:
    """Opened and armed at level 3, never closed; a relay switched and boosted; alarms cleared."""
    relays = (TerminalConfig(number=1, relay=RelayConfig()),)
    config = replace(desktop.meter.config, terminals=relays)
    desktop.meter.apply_config(config, desktop.now)
    supplier, reader = desktop.programmer(Level.SUPPLIER), desktop.programmer(Level.READER)
    assert "ER08" == refusal(supplier.command("W1", "0-0:96.3.10;M2(0)"))
    assert ACK == supplier.command("W1", "0-0:96.3.10;M1(0)")
    assert "0-0:96.3.10;3(0)" == supplier.read("0-0:96.3.10;3()")
    assert ACK == supplier.command("W1", "0-0:96.3.10;M2(0)")
    assert "0-0:96.3.10;3(2)" == supplier.read("0-0:96.3.10;3()")
    assert ACK == supplier.command("W1", "0-1:96.3.10;M2(0)")
    relay = desktop.meter.switchgear.terminals.relay(1)
    assert relay.is_on
    assert ACK == supplier.command("W1", "0-1:96.3.10;M1(0)")
    assert not relay.is_on
    assert ACK == supplier.command("W1", "0-1:96.3.10;M128(30)")
    assert relay.is_on
    for command in ("0-0:96.3.10;M1(0)", "0-1:96.3.10;M1(0)", "0-0:97.98.20(0)"):
        assert "ER05" == refusal(reader.command("W1", command))
    assert Alarm.ORDER_REFUSED in desktop.meter.alarms.raised
    assert "ER08" == refusal(supplier.command("W1", "0-0:97.98.20(1)"))
    assert ACK == supplier.command("W1", "0-0:97.98.20(0)")
    assert not desktop.meter.alarms.raised
    assert "ER06" == refusal(supplier.command("W1", "0-0:96.3.10;M128(30)"))
    (opened,) = desktop.texts(EventCode.CONTACTOR_OPENED_REMOTELY)
    assert opened.endswith("level 3 at FLAG TCP")


@pytest.mark.parametrize("name", part_names())
def test_everything_configured_is_written_through_the_directory(
    desktop: Desktop, name: str
) -> None:
    """Each part comes as JSON and packed, and goes back; below its level it is refused."""
    number = part_names().index(name) + 1
    identifier = f"0-0:128.50.{number}"
    programmer = desktop.programmer(Level.SUPPLIER)
    text = "".join(joined(programmer.read(f"{identifier}()", "R3")))
    octets = "".join(joined(programmer.read(f"{identifier}()", "R6")))
    assert json.loads(config_to_json(desktop.meter.config))[name] == json.loads(text)
    assert ACK == programmer.write_blocks(identifier, text)
    assert ACK == programmer.write_blocks(identifier, octets, "W6")
    other = other_value(name)
    if name in FACTORYS:
        assert "ER05" == refusal(programmer.write_blocks(identifier, json.dumps(other)))
        return
    assert ACK == programmer.write_blocks(identifier, escaped(json.dumps(other)))
    assert other == json.loads(config_to_json(desktop.meter.config))[name]
    assert (
        f"put in force by level 3 at FLAG TCP: {name}"
        in desktop.texts(EventCode.CONFIGURATION_CHANGED)[-1]
    )
    reader = desktop.programmer(Level.READER)
    assert "ER05" == refusal(reader.write_blocks(identifier, text))


def test_a_display_of_ones_own_is_written_and_seen(desktop: Desktop) -> None:
    """With its mnemonic, on a meter that runs; it is there at once, and after a restart."""
    programmer = desktop.programmer(Level.INSTALLER)
    display = json.loads(config_to_json(desktop.meter.config))["display"]
    mine = {"object": "1-0:1.8.2", "mnemonic": "CHEAP", "format": "000000.0", "unit": "kWh"}
    written = display | {"scroll": [mine], "button": display["scroll"]}
    number = 1 + part_names().index("display")
    assert ACK == programmer.write_blocks(f"0-0:128.50.{number}", escaped(json.dumps(written)))
    later = desktop.now + timedelta(hours=1)
    config = desktop.storage.load_config()
    assert config is not None
    again = Meter(config, desktop.storage, later)
    for meter, now in ((desktop.meter, desktop.now), (again, later)):
        face = meter.display.snapshot(now)
        assert ("CHEAP", " 000000.0", "kWh") == (face.mnemonic, face.text, face.unit)
    hidden = display | {"scroll": [mine], "button": []}
    assert "ER08" == refusal(
        programmer.write_blocks(f"0-0:128.50.{number}", escaped(json.dumps(hidden)))
    )
    assert "1-0:1.8.0" in programmer.read("ER()")


def test_a_relays_calendar_is_written_and_seen(desktop: Desktop) -> None:
    """On a meter that runs: the relay follows it, the display shows it, a restart keeps both."""
    config = desktop.meter.config
    calendar = CalendarConfig(
        rates=2, switches=(SwitchConfig(at="13:00", rate=2), SwitchConfig(at="16:00", rate=1))
    )
    relay = RelayConfig(control="calendar", calendar=calendar)
    screen = DisplayScreen(object="0-1:96.3.10", attribute=3, mnemonic="BOILER", format="0")
    wanted = {
        "terminals": (TerminalConfig(number=1, relay=relay),),
        "display": replace(config.display, scroll=(screen,), button=config.display.scroll),
    }
    programmer = desktop.programmer(Level.INSTALLER)
    document = json.loads(config_to_json(replace(config, **wanted)))
    for part in wanted:
        number = 1 + part_names().index(part)
        text = escaped(json.dumps(document[part]))
        assert ACK == programmer.write_blocks(f"0-0:128.50.{number}", text)

    def shown(meter: Meter, minutes: int) -> tuple[str, str]:
        now = desktop.now + timedelta(minutes=minutes)
        meter.handle_timer(now)
        face = meter.display.snapshot(now)
        return face.mnemonic, face.text.strip()

    assert [("BOILER", "0"), ("BOILER", "1")] == [shown(desktop.meter, at) for at in (0, 90)]
    stored = desktop.storage.load_config()
    assert stored is not None
    again = Meter(stored, desktop.storage, desktop.now + timedelta(minutes=100))
    assert [("BOILER", "1"), ("BOILER", "0")] == [shown(again, at) for at in (101, 300)]


def escaped(text: str) -> str:
    """JSON without the characters that a value may not have."""
    return "".join(f"\\u{ord(each):04x}" if each in "()*/!" else each for each in text)


def joined(answer: str) -> list[str]:
    """The values of an answer, without identifier and parentheses."""
    lines = answer.replace("\r\n", "")
    return lines[lines.index("(") + 1 : -1].split(")(")


def test_a_whole_configuration_is_written_at_once(desktop: Desktop) -> None:
    """In one order, with one number; a document that no meter could work with changes nothing."""
    programmer = desktop.programmer(Level.SUPPLIER)
    config = replace(demo_config(), checkpoint_s=30)
    assert ACK == programmer.write_blocks("0-0:128.50.0", escaped(config_to_json(config).decode()))
    assert (config, 2) == (desktop.meter.config, desktop.meter.config_version)
    hidden = json.loads(config_to_json(config)) | {"display": {"scroll": []}, "checkpoint_s": 7}
    hidden["flag"]["readout"] = ["1-0:1.8.7"]
    assert "ER08" == refusal(programmer.write_blocks("0-0:128.50.0", json.dumps(hidden)))
    assert "1-0:1.8.7" in programmer.read("ER()")
    assert (config, 2) == (desktop.meter.config, desktop.meter.config_version)


def test_of_two_who_program_at_once_the_second_change_finds_the_first(desktop: Desktop) -> None:
    """Commands are served in turn; a change that was made for the document before is refused."""
    one, two = desktop.programmer(Level.SUPPLIER), desktop.programmer(Level.SUPPLIER)
    base = desktop.meter.config
    changes = [encode_change(base, replace(base, checkpoint_s=seconds)) for seconds in (20, 30)]
    assert one.read("C()") == two.read("C()")
    assert ACK == one.command("W5", f"C({binary_text(changes[0])})")
    assert "ER08" == refusal(two.command("W5", f"C({binary_text(changes[1])})"))
    assert "ER(the change was made for another document)" == two.read("ER()")
    assert 20 == desktop.meter.config.checkpoint_s
    assert ACK == two.command("W1", "0-0:128.50.2(40)")
    assert 40 == desktop.meter.config.checkpoint_s


def test_a_document_that_breaks_off_half_way_changes_nothing(desktop: Desktop) -> None:
    """Blocks that are never finished, or are interrupted by another command, are forgotten."""
    programmer = desktop.programmer(Level.SUPPLIER)
    text = config_to_json(replace(demo_config(), checkpoint_s=30)).decode()
    assert ACK == programmer.block("W3", f"0-0:128.50.0({text[:100]})")
    programmer.read("1.8.0()")
    assert "ER08" == refusal(programmer.command("W3", "0-0:128.50.0(})"))
    assert ACK == programmer.block("W3", "0-0:128.50.2(5)")
    assert ACK == programmer.command("W3", "0-0:128.50.3(1000000000)")
    programmer.block("W3", f"0-0:128.50.0({text[:100]})")
    programmer.later(seconds=121)
    assert BREAK == programmer.session.handle_timer(desktop.now)
    assert programmer.session.closed
    assert 1 == desktop.meter.config_version
