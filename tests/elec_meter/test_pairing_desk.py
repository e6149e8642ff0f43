"""The pairing desk of a meter."""

from __future__ import annotations

import pytest

from elec_meter.demo.spare import LABEL
from elec_meter.errors import ControlError
from tests.elec_meter.panel.test_pairing import METER, Installing

KEY = LABEL.key.hex().upper()
GROUPS = " ".join(KEY[at : at + 4] for at in range(0, 32, 4))


@pytest.fixture
def desk() -> Installing:
    """An installer at a meter."""
    return Installing()


@pytest.mark.parametrize("typed", [KEY, KEY.lower(), GROUPS, LABEL.qr_text])
def test_no_refusal_shows_a_key(desk: Installing, typed: str) -> None:
    """Whichever field it was typed into by mistake, it is not in the sentence."""
    sentences = []
    for step in (
        {"request": "unpair", "serial": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "channel": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "exchanges": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "medium": typed},
        {"request": "pair.begin", "label": LABEL.qr_text, "record": typed},
        {**METER, "dial": typed},
        {**METER, "dial_unit": typed},
        {**METER, "weight": typed},
        {**METER, "mprn": typed},
    ):
        with pytest.raises(ControlError) as refused:
            desk.pair(**step)
        sentences.append("".join(str(refused.value).split()).upper())
    assert [] == [each for each in sentences if KEY[:8] in each]
