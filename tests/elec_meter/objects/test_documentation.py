"""The page on objects is what the directory has."""

from __future__ import annotations

import re
from pathlib import Path

from elec_meter import Storage
from elec_meter.access import Level, may_read
from elec_meter.objects import CosemObject
from elec_meter.objects.catalogue import catalogue, complete_config, directory_of
from shared.obis import Obis
from tests.elec_meter.objects.lived import whole_life

PAGE = Path(__file__).parents[3] / "docs" / "registers.md"
LETTERS = {
    "c": "[12]",
    "k": "[0-5]",
    "q": "[5-8]",
    "s": "[34]",
    "r": r"[1-9]\d?",
    "n": "[1-9]",
    "b": r"1[2-5]\d",
    "w": r"1[23]\d",
    "h": "16[1-3]",
    "l": "[0-5]",
    "e": r"\d+",
    "x": "[01]",
    "p": r"[1-9]\d?",
    "v": "[1-3]",
}


LIST = PAGE.with_name("objects.md")


def documented() -> dict[str, set[int]]:
    """By code, with letters for numbers, the classes that its row names."""
    found = {}
    rows = re.compile(r"^\| (`\d-.*?) \| ([\d, ]+) \|", re.MULTILINE)
    for codes, classes in rows.findall(PAGE.read_text()):
        for code in re.findall(r"`(.*?)`", codes):
            found[code] = {int(number) for number in classes.split(", ")}
    return found


def is_of(pattern: str, each: CosemObject) -> bool:
    """Whether an object is one that a documented code stands for."""
    expression = re.sub(r"[a-z]", lambda letter: LETTERS[letter[0]], re.escape(pattern))
    return re.fullmatch(expression, str(each.obis)) is not None


def test_the_page_has_every_object_and_no_other() -> None:
    """Each with its class, of a meter that has everything; each code of the page is one of its."""
    life = whole_life(Storage.in_memory())
    patterns = documented()
    unseen = set(patterns)
    for each in life.meter.objects:
        fitting = [code for code in patterns if is_of(code, each)]
        assert fitting, f"{each} is not on the page"
        assert any(each.class_id in patterns[code] for code in fitting), each
        unseen -= set(fitting)
    assert set() == unseen


def test_the_page_says_who_may_read() -> None:
    """Billing registers and their blocks are open; demand, cost and rows are personal."""
    public = ("1-0:1.8.0", "1-0:1.8.129", "1-0:5.8.0", "0-0:0.1.0", "1-0:0.1.2", "0-1:24.2.1")
    personal = ("1-0:1.6.0", "1-0:1.4.0", "0-0:128.20.0", "0-0:98.1.0", "1-0:5.29.0", "0-2:128.1.0")
    objects = whole_life(Storage.in_memory()).meter.objects

    def opened(code: str) -> bool:
        return may_read(Level.PUBLIC, Obis.parse(code), objects[code].class_id, 2)

    assert [True] * 6 == [opened(code) for code in public]
    assert [False] * 6 == [opened(code) for code in personal]


def test_the_list_of_every_object_is_current() -> None:
    """`python -m elec_meter.objects` writes it again."""
    assert catalogue(directory_of(complete_config())) == LIST.read_text()


def test_the_list_has_every_kind_of_object() -> None:
    """Each code that the page on objects explains has a line of its class."""
    listed = list(directory_of(complete_config()))
    for code, classes in documented().items():
        found = [each for each in listed if is_of(code, each) and each.class_id in classes]
        assert found, f"{code} is on no line"
