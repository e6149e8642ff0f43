from __future__ import annotations

import pytest

from tests.contracts import wording
from tests.contracts.source import PACKAGES, ROOT, Source, demand_none, listed, sources

EVERY = sources(*PACKAGES, "tests", "benchmarks", "fuzz")


def test_every_silenced_rule_has_its_reason() -> None:
    """Whoever silences a tool names the rule and says why, on the same line."""
    demand_none(wording.silence_without_reason, EVERY)


def test_names_say_something() -> None:
    """No module or class is called after nothing in particular."""
    demand_none(wording.vague_names, EVERY)


def test_nothing_published_names_a_path_of_one_machine() -> None:
    """Packages, tests, docs and build files work on any machine."""
    findings = [
        str(finding)
        for path, text in wording.published_texts(ROOT)
        for finding in wording.machine_paths(path, text)
    ]
    assert [] == findings


@pytest.mark.parametrize(
    "comment",
    [
        "# no" + "qa",
        "# no" + "qa: BLE001",
        "# no" + "qa: BLE001, S110 -",
        "# type" + ": ignore",
        "# type" + ": ignore[arg-type]",
        "# type" + ": ignore  # because it is so",
        "# ruff: no" + "qa",
        "# prag" + "ma: no cover",
    ],
)
def test_silence_without_reason_is_caught(comment: str) -> None:
    """A bare or blanket silencing comment is caught."""
    assert [] != listed(wording.silence_without_reason(Source("a.py", f"a = 1  {comment}\n")))


@pytest.mark.parametrize(
    "comment",
    [
        "# no" + "qa: BLE001 - a plug-in may raise anything",
        "# no" + "qa: BLE001, S110  a plug-in may raise anything",
        "# type" + ": ignore[arg-type]  # the stub lacks a case",
        "# prag" + "ma: no cover - runs on a board only",
        "# a comment about type" + " ignorance",
    ],
)
def test_reasoned_silence_passes(comment: str) -> None:
    """A rule that is named and explained may be silenced."""
    assert [] == listed(wording.silence_without_reason(Source("a.py", f"a = 1  {comment}\n")))


def test_silence_inside_a_string_is_none() -> None:
    """Text that merely looks like a comment is left alone."""
    text = 'a = "# no' + 'qa"\n'
    assert [] == listed(wording.silence_without_reason(Source("a.py", text)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("collector/utils.py", ""),
        ("collector/frame_helpers.py", ""),
        ("elec_meter/processor/__init__.py", ""),
        ("collector/a.py", "class FrameHandler: ..."),
        ("collector/a.py", "class PacketIn: ..."),
        ("collector/a.py", "class HTTPManager: ..."),
    ],
)
def test_vague_names_are_caught(path: str, text: str) -> None:
    """A vague word anywhere in a module's or class's name is caught."""
    assert 1 == len(listed(wording.vague_names(Source(path, text))))


def test_telling_names_pass() -> None:
    """Words that merely contain a vague one, and functions, are left alone."""
    text = "class Packetiser: ...\ndef handle_timer(): ...\ndef handler(): ..."
    assert [] == listed(wording.vague_names(Source("collector/handlebar.py", text)))


@pytest.mark.parametrize("folder", ["work", "tmp", "home", "root"])
def test_machine_paths_are_caught(folder: str) -> None:
    """An absolute path into a workplace is caught; a relative one and a URL are not."""
    assert 1 == len(list(wording.machine_paths("README.md", f"see `/{folder}/x`")))
    assert [] == list(wording.machine_paths("README.md", f"see a/{folder}/x and .{'/'}{folder}/x"))
    assert [] == list(wording.machine_paths("README.md", f"see https://a.example/{folder}/x"))


def test_nothing_published_cites_a_page_that_is_not() -> None:
    """What a comment or a page sends its reader to is in the repository."""
    texts = dict(wording.published_texts(ROOT))
    pages = [path for path in texts if path.endswith(".md")]
    findings = [
        str(finding)
        for path, text in texts.items()
        for finding in wording.missing_pages(path, text, pages)
    ]
    assert [] == findings


def test_missing_pages_are_caught() -> None:
    """A page of another name or place is missing; the end of a path, and a URL, will do."""
    here, missing = ["docs/flag.md"], "flags" + ".md"
    for cited in (f"({missing})", f"see docs/{missing}", "docs/x/" + "flag.md", "ag" + ".md"):
        assert 1 == len(list(wording.missing_pages("a.py", cited, here)))
    for cited in ("flag.md", "[it](../docs/flag.md)", f"https://a.example/{missing}"):
        assert [] == list(wording.missing_pages("a.py", cited, here))


def test_published_texts_are_found() -> None:
    """The packages' own files are among what is published."""
    paths = {path for path, _ in wording.published_texts(ROOT)}
    assert {"pyproject.toml", "shared/timegrid.py", "tests/contracts/wording.py"} <= paths
