"""The program of the page sends an export to what speaks as Home Assistant does."""

from __future__ import annotations

import getpass
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.elec_meter.addons.test_documentation import HOME, blocks

TOKEN: Final = "a-long-lived-token"
IMPORT: Final = "halfhourly:meter_00000001_import"


def messages(readings: list[float], first: int = 0) -> list[dict[str, Any]]:
    """What an export has: the registers at the ends of hours, the first of which begins so."""
    return [
        {
            "type": "recorder/import_statistics",
            "metadata": {
                "name": f"Meter 00000001 {channel}",
                "statistic_id": f"halfhourly:meter_00000001_{channel}",
            },
            "stats": [
                {"start": f"2025-10-26T{hour + 1:02}:00:00Z", "state": reading, "sum": reading}
                for hour, reading in enumerate(readings, start=first)
            ],
        }
        for channel in ("import", "gas")
    ]


class HomeAssistant:
    """What signs on an administrator and takes statistics.

    Attributes:
        taken: the messages that were sent, with their numbers.
        refusal: why it takes none; "" if it does.
        hours: by statistic and hour, what it was told last.
    """

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refusal = ""
        self.hours: dict[str, dict[str, dict[str, float]]] = {}

    def speak(self, line: ServerConnection) -> None:
        """One connection, from its beginning to its end."""
        line.send(json.dumps({"type": "auth_required", "ha_version": "2026.11.0"}))
        if {"type": "auth", "access_token": TOKEN} != json.loads(line.recv()):
            line.send(json.dumps({"type": "auth_invalid", "message": "Invalid access token"}))
            return
        line.send(json.dumps({"type": "auth_ok", "ha_version": "2026.11.0"}))
        for text in line:
            message = json.loads(text)
            self.taken.append(message)
            answer = {"id": message["id"], "type": "result", "success": not self.refusal}
            if self.refusal:
                told: dict[str, Any] = {"error": {"code": "refused", "message": self.refusal}}
            else:
                told = {"result": self.result(message)}
            line.send(json.dumps({**answer, **told}))

    def result(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Take statistics, or give those of the one month that these tests have."""
        if message["type"] == "recorder/import_statistics":
            known = self.hours.setdefault(message["metadata"]["statistic_id"], {})
            known.update((each["start"], each) for each in message["stats"])
            return None
        assert "recorder/statistics_during_period" == message["type"]
        asked = [each for each in message["statistic_ids"] if each in self.hours]
        newest = {each: self.hours[each][max(self.hours[each])] for each in asked}
        return {
            each: [{key: hour[key] for key in message["types"]}] for each, hour in newest.items()
        }

    def used(self, statistic: str) -> list[float]:
        """What it shows for each hour: by how much the sum grew, from 0 on."""
        sums = [self.hours[statistic][start]["sum"] for start in sorted(self.hours[statistic])]
        return [round(after - before, 6) for before, after in zip([0.0, *sums], sums, strict=False)]

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Its address, for as long as the context lasts."""
        with serve(self.speak, "127.0.0.1", 0) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            host, port = server.socket.getsockname()
            try:
                yield f"ws://{host}:{port}/api/websocket"
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture
def home_assistant() -> HomeAssistant:
    """One that has taken nothing yet."""
    return HomeAssistant()


def send(
    home: HomeAssistant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    token: str = TOKEN,
    listed: list[dict[str, Any]] | None = None,
) -> None:
    """Run the program of the page on a file of two messages."""
    file = tmp_path / "statistics.json"
    file.write_text(json.dumps(listed or messages([5.5, 7.0])), encoding="utf-8")
    (program,) = blocks(HOME, "python")
    monkeypatch.setattr(getpass, "getpass", lambda _: token)
    with home.listening() as url:
        monkeypatch.setattr(sys, "argv", ["send_statistics.py", url, str(file)])
        exec(compile(program, "home-assistant.md", "exec"), {})


def test_every_message_is_sent_and_told(
    home_assistant: HomeAssistant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With numbers that rise, and the registers as they stand; what was used begins at 0."""
    send(home_assistant, tmp_path, monkeypatch)
    assert list(range(1, 5)) == [each["id"] for each in home_assistant.taken]
    assert [5.5, 7.0] == [hour["state"] for hour in home_assistant.hours[IMPORT].values()]
    assert [0.0, 1.5] == home_assistant.used(IMPORT)
    said = "Meter 00000001 import - 1 hours\nMeter 00000001 gas - 1 hours\n"
    assert said == capsys.readouterr().out


@pytest.mark.parametrize(
    ("listed", "used"),
    [
        (messages([5.5, 7.0]), [0.0, 1.5]),
        (messages([5.5, 7.0, 7.25]), [0.0, 1.5, 0.25]),
        (messages([7.0, 7.25], first=1), [0.0, 1.5, 0.25]),
        (messages([4.0, 5.5, 7.0], first=-1), [0.0, 1.5, 1.5]),
    ],
    ids=["the same", "longer", "later", "earlier"],
)
def test_sending_again_changes_no_hour(
    listed: list[dict[str, Any]],
    used: list[float],
    home_assistant: HomeAssistant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether the list begins where the first one did or not."""
    send(home_assistant, tmp_path, monkeypatch)
    send(home_assistant, tmp_path, monkeypatch, listed=listed)
    assert used == home_assistant.used(IMPORT)


def test_a_wrong_token_sends_nothing(
    home_assistant: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program ends with Home Assistant's sentence."""
    with pytest.raises(SystemExit, match=r"^Invalid access token$"):
        send(home_assistant, tmp_path, monkeypatch, token="another")
    assert [] == home_assistant.taken


def test_a_refusal_ends_the_program(
    home_assistant: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is no administrator is told, and nothing more is sent."""
    home_assistant.refusal = "Unauthorized"
    with pytest.raises(SystemExit, match=r"^Unauthorized$"):
        send(home_assistant, tmp_path, monkeypatch)
    assert 1 == len(home_assistant.taken)
