from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_unit.config import WEIGHT_1_FT3_NL, WEIGHT_1_L_NL, WEIGHT_10_L_NL, UnitConfig
from pulse_unit.entries import Entries
from pulse_unit.errors import ConfigError, StoreError
from pulse_unit.hal.simulated_reed import pulse_edges
from pulse_unit.hal.virtual import VirtualUnit
from pulse_unit.main import run
from pulse_unit.schedule import interval_ms
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import seal_phase
from shared.wire.debounce import debounce_times, period_min_ms
from shared.wire.telegram import FLAG_NVM, FLAG_TAMPER, decode_records
from tests.pulse_unit.listening import KEY, SERIAL, board_of, told

BOOT_UTC_MS = 1_350_000_000_000
HALF_HOUR_MS = 1_800_000
DAY_MS = 86_400_000


def unit_of(config: UnitConfig | None = None, **given_: object) -> VirtualUnit:
    """A new unit, booted on 12 October 2012."""
    settings_: dict[str, object] = {"boot_utc_ms": BOOT_UTC_MS, **given_}
    return VirtualUnit(SERIAL, KEY, config or UnitConfig(), **settings_)  # type: ignore[arg-type]  # as given


def burn(unit: VirtualUnit, closings_utc_ms: list[int], seed: int = 0) -> None:
    """Let the meter turn."""
    for closing_utc_ms in closings_utc_ms:
        unit.pulse(closing_utc_ms, seed)


@settings(max_examples=60)
@given(
    meter=st.sampled_from(
        [(WEIGHT_10_L_NL, 6_000), (WEIGHT_1_L_NL, 6_000), (WEIGHT_1_FT3_NL, 6_000)]
    ),
    spacings=st.lists(st.integers(0, 3) | st.integers(0, 4_000_000), min_size=1, max_size=60),
    drift_ppm=st.integers(-100, 100),
    seed=st.integers(0, 2**32),
)
def test_bouncing_reed_gives_the_exact_count(
    meter: tuple[int, int], spacings: list[int], drift_ppm: int, seed: int
) -> None:
    """Pulses down to the shortest period, with bounce and noise, are counted to the last one."""
    config = UnitConfig(pulse_weight_nl=meter[0], flow_max_l_per_h=meter[1])
    unit = unit_of(config, drift_ppm=drift_ppm)
    period_ms = period_min_ms(*meter)
    gaps = (period_ms + spacing_ms for spacing_ms in spacings)
    closings = list(itertools.accumulate(gaps, initial=BOOT_UTC_MS + 1))
    burn(unit, closings, seed)
    sent = unit.advance(closings[-1] + 3_600_000)
    assert len(closings) == unit.count == told(sent[-1][1]).count
    assert 0 == told(sent[-1][1]).error_flags


@given(st.integers(600, 20_000), st.integers(0, 2**40), st.integers(0, 2**32))
def test_simulated_pulse_is_legal(period_ms: int, closing_ms: int, seed: int) -> None:
    """A pulse's edges alternate, fit the period, and leave rest for the debouncer at its end."""
    times = debounce_times(period_ms * 1_000_000, 3_600)
    edges = pulse_edges(closing_ms, *times, period_ms, seed)
    assert edges == pulse_edges(closing_ms, *times, period_ms, seed)
    assert closing_ms == edges[0][0]
    assert closing_ms + period_ms > edges[-1][0]
    assert [index % 2 == 0 for index in range(len(edges))] == [closed for _, closed in edges]
    assert all(earlier < later for (earlier, _), (later, _) in itertools.pairwise(edges))


@pytest.mark.parametrize("drift_ppm", [-100, 0, 37, 100])
def test_frames_leave_at_the_units_own_time(drift_ppm: int) -> None:
    """A fast or slow clock shows in the instants of the frames and in the uptime they tell."""
    unit = unit_of(drift_ppm=drift_ppm)
    sent = unit.advance(BOOT_UTC_MS + 86_400_000)
    assert sent == sorted(sent)
    for utc_ms, frame in sent:
        uptime_ms = (utc_ms - BOOT_UTC_MS) * (1_000_000 + drift_ppm) // 1_000_000
        assert uptime_ms // 1000 == told(frame).uptime_s
    assert unit.next_timer_utc_ms() > BOOT_UTC_MS + 86_400_000


def test_cuts_of_time_make_no_difference() -> None:
    """A day in one step or in many gives the same frames at the same instants."""
    whole, cut = unit_of(drift_ppm=21), unit_of(drift_ppm=21)
    rng = random.Random(3)
    closings = sorted(rng.sample(range(BOOT_UTC_MS, BOOT_UTC_MS + 86_400_000, 7_000), 200))
    burn(whole, closings)
    frames = whole.advance(BOOT_UTC_MS + 86_400_000)
    cut_frames = []
    for closing_utc_ms in closings:
        cut_frames += cut.advance(closing_utc_ms - rng.randrange(500))
        burn(cut, [closing_utc_ms])
    cut_frames += cut.advance(BOOT_UTC_MS + 86_400_000)
    assert frames == cut_frames
    assert whole.nvm == cut.nvm


def test_phased_unit_tells_counts_at_utc_half_hours() -> None:
    """After a phase in a reply window the grid's ticks are UTC half-hours within two seconds."""
    unit = unit_of(drift_ppm=15)
    sent_utc_ms, _ = unit.advance(BOOT_UTC_MS + 10_000)[0]
    at_utc_ms = sent_utc_ms + 300
    assert unit.receive(seal_phase(AesBlock, KEY, 1, at_utc_ms % HALF_HOUR_MS), at_utc_ms)
    for utc_ms, frame in unit.advance(BOOT_UTC_MS + 86_400_000)[4:]:
        telegram = told(frame)
        tick_utc_ms = utc_ms - (telegram.grid_age_s or 0) * 1000
        off_ms = (tick_utc_ms + HALF_HOUR_MS // 2) % HALF_HOUR_MS - HALF_HOUR_MS // 2
        assert abs(off_ms) <= 2_000 + 86_400 * 15 // 1000


def test_restart_is_a_reset_that_keeps_everything() -> None:
    """Booting from the image counts a reset and goes on counting; a closed reed counts once."""
    unit = unit_of(closed=False)
    burn(unit, [BOOT_UTC_MS + 10_000, BOOT_UTC_MS + 20_000])
    unit.edge(BOOT_UTC_MS + 30_000, True)
    unit.see_tamper(FLAG_TAMPER, BOOT_UTC_MS + 31_000)
    last = told(unit.advance(BOOT_UTC_MS + 1_000_000)[-1][1])
    assert (3, 1, FLAG_TAMPER) == (last.count, last.reset_counter, last.error_flags)
    again = unit_of(nvm=unit.nvm, boot_utc_ms=BOOT_UTC_MS + 2_000_000, closed=True)
    again.edge(BOOT_UTC_MS + 2_100_000, False)
    burn(again, [BOOT_UTC_MS + 2_200_000])
    last = told(again.advance(BOOT_UTC_MS + 9_000_000)[-1][1])
    assert (4, 2, FLAG_TAMPER) == (last.count, last.reset_counter, last.error_flags)
    assert 2 == again.boot


def test_image_is_small_and_tells_when_it_changed() -> None:
    """A new unit's image is some hundred bytes, and its revision rises with each write."""
    unit = unit_of()
    assert len(unit.nvm) < 300
    before, image = unit.nvm_revision, unit.nvm
    unit.advance(BOOT_UTC_MS + 4_000)
    assert (before, image) == (unit.nvm_revision, unit.nvm)
    burn(unit, [BOOT_UTC_MS + 4_500])
    assert BOOT_UTC_MS + 4_500 == unit.next_timer_utc_ms()
    unit.advance(BOOT_UTC_MS + 4_900)
    assert before < unit.nvm_revision


@pytest.mark.parametrize("image", [b"", b"\x00", b"\xff" * 100, b"\x00" * 81])
def test_what_is_no_image_is_refused(image: bytes) -> None:
    """Bytes that no unit made do not boot."""
    with pytest.raises(ValueError, match="no image"):
        unit_of(nvm=image)


def test_unit_that_lost_its_counters_counts_on_in_silence() -> None:
    """A unit that could repeat a nonce says nothing enciphered, and counts on from its log."""
    unit = unit_of()
    burn(unit, [BOOT_UTC_MS + 7_000 * number for number in range(1, 40)])
    unit.advance(BOOT_UTC_MS + 3 * HALF_HOUR_MS)
    image = bytearray(unit.nvm)
    for place in range(4, 4 + int.from_bytes(image[:4], "little"), 8):
        image[place] ^= 0xFF
    memory = bytes(image)
    for boot in (2, 3):
        boot_ms = BOOT_UTC_MS + boot * DAY_MS
        unit = unit_of(nvm=memory, boot_utc_ms=boot_ms, address=bytes(6))
        assert (39 + 3 * (boot - 2), boot) == (unit.count, unit.boot)
        burn(unit, [boot_ms + 7_000 * number for number in range(1, 4)])
        assert [] == unit.advance(boot_ms + DAY_MS - 1)
        assert [] == unit.take_adverts()
        assert FLAG_NVM == unit.unit.error_flags
        with pytest.raises(StoreError):
            unit.unit.seal(DAY_MS)
        told = decode_records(unit.unit.records(DAY_MS))
        assert (unit.count, FLAG_NVM, boot) == (told.count, told.error_flags, told.reset_counter)
        memory = unit.nvm


@pytest.mark.parametrize(("serial", "key"), [("1", KEY), ("0000000a", KEY), (SERIAL, KEY[1:])])
def test_wrong_identities_are_refused(serial: str, key: bytes) -> None:
    """A serial has eight digits and a key 16 bytes."""
    with pytest.raises(ConfigError):
        VirtualUnit(serial, key, UnitConfig(), boot_utc_ms=0)


def test_board_runs_the_unit() -> None:
    """The board's own loop counts, sends and obeys as long as there is power."""
    board = board_of()
    board.coming = [(10_000, True), (11_000, False), (500_000, True), (503_000, False)]
    board.power_off_ms = 3_600_000
    board.hear(seal_phase(AesBlock, KEY, 1, 0))
    unit = run(board, UnitConfig())
    assert (2, 4) == (unit.count, len(board.sent))
    # The command waits for the first telegram's window, five seconds after the boot.
    assert [(1, 0, 0), (1, 1805, 2), (1, 3605, 2)] == list(Entries(unit.history))
    assert 3_605_000 == board.uptime_ms()


def test_telegrams_are_spread_as_the_standard_says() -> None:
    """The interval varies by 3.1 % with the access number (EN 13757-4)."""
    assert [928_125, 900_000, 871_875, 900_000, 927_685] == [
        interval_ms(900_000, number) for number in (0, 64, 128, 192, 255)
    ]
