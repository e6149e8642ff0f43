from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.bearers.device import DeviceBearer
from collector.stick_setup import KINDS

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "bearers.md").read_text()
TABLE = PAGE.partition("## What is reported")[2].partition("## In Python")[0]
SENTENCES = re.findall(r"^\| `(.+?)` \|", TABLE, re.MULTILINE)
SOURCES = [*(REPOSITORY / "collector").glob("**/*.py")]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_message_on_the_page_is_one_of_ours(sentence: str) -> None:
    """Its words, but for what stands in the place of names, are in the collector's source."""
    source = "".join(path.read_text() for path in SOURCES)
    joined = re.sub(r'"\s+f?"', "", source).replace('\\"', '"')
    for words in sentence.split("…"):
        assert words.strip() in joined


def test_every_kind_of_stick_is_on_the_page() -> None:
    """With the modes that it has."""
    for kind, each in KINDS.items():
        (row,) = re.findall(rf"^\| `{kind}` .*", PAGE, re.MULTILINE)
        if kind != "hex":
            assert list(each.modes) == re.findall(r"`([CST]1(?:\+T1)?)`", row)


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands, but that no device is looked for."""
    monkeypatch.setattr(DeviceBearer, "_start", lambda bearer: bearer._loop.close())
    monkeypatch.setattr(DeviceBearer, "close", lambda bearer: None)
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(example, "bearers.md", "exec"), {})
