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
MESSAGES: Final = [
    {
        "type": "recorder/import_statistics",
        "metadata": {"name": f"Meter 00000001 {channel}"},
        "stats": [{"start": "2025-10-26T00:00:00Z", "state": 1.5, "sum": 1.5}],
    }
    for channel in ("import", "gas")
]


class HomeAssistant:
    """What signs on an administrator and takes statistics.

    Attributes:
        taken: the messages that were sent, with their numbers.
        refusal: why it takes none; "" if it does.
    """

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refusal = ""

    def speak(self, line: ServerConnection) -> None:
        """One connection, from its beginning to its end."""
        line.send(json.dumps({"type": "auth_required", "ha_version": "2026.1.0"}))
        if {"type": "auth", "access_token": TOKEN} != json.loads(line.recv()):
            line.send(json.dumps({"type": "auth_invalid", "message": "Invalid access token"}))
            return
        line.send(json.dumps({"type": "auth_ok", "ha_version": "2026.1.0"}))
        for text in line:
            message = json.loads(text)
            self.taken.append(message)
            answer = {"id": message["id"], "type": "result", "success": not self.refusal}
            error = {"code": "unauthorized", "message": self.refusal}
            line.send(json.dumps({**answer, **({"error": error} if self.refusal else {})}))

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
    home: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str = TOKEN
) -> None:
    """Run the program of the page on a file of two messages."""
    file = tmp_path / "statistics.json"
    file.write_text(json.dumps(MESSAGES), encoding="utf-8")
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
    """As it stands, with a number of its own that rises."""
    send(home_assistant, tmp_path, monkeypatch)
    assert [{"id": n, **each} for n, each in enumerate(MESSAGES, 1)] == home_assistant.taken
    said = "Meter 00000001 import - 1 hours\nMeter 00000001 gas - 1 hours\n"
    assert said == capsys.readouterr().out


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
