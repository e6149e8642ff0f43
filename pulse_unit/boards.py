"""What each board takes from its battery. Where every figure is from: `pulse_unit.cli.sources`.

All of them are derived from data sheets and from the work that the code does; none is measured.
"""

from pulse_unit.battery import SELF_DISCHARGE_PERMILLE, USABLE_PERCENT, BatteryFigures

AA_MAH = 2_600
D_MAH = 17_000


def stm32wb(
    capacity_mah: int = AA_MAH,
    usable_percent: int = USABLE_PERCENT,
    self_discharge_permille: int = SELF_DISCHARGE_PERMILLE,
) -> BatteryFigures:
    """Return the figures of the battery target: STM32WB55, and an S2-LP if it sends telegrams."""
    return BatteryFigures(
        capacity_mah=capacity_mah,
        usable_percent=usable_percent,
        self_discharge_permille=self_discharge_permille,
        sleep_na=2_100,
        supply_na=300,
        line_na=330,
        wake_nc=6_000,
        pulse_nc=15_000,
        write_nc=300,
        erase_nc=75_000,
        pull_up_na=82_000,
        sample_nc=5_000,
        advert_nc=55_000,
        window_nc=2_600_000,
        telegram_nc=450_000,
        listen_na=350_000,
    )


def esp32(
    capacity_mah: int = D_MAH,
    usable_percent: int = USABLE_PERCENT,
    self_discharge_permille: int = SELF_DISCHARGE_PERMILLE,
) -> BatteryFigures:
    """Return the figures of the DIY board: a bare ESP32-C3 module in light sleep."""
    return BatteryFigures(
        capacity_mah=capacity_mah,
        usable_percent=usable_percent,
        self_discharge_permille=self_discharge_permille,
        sleep_na=130_000,
        supply_na=1_000,
        line_na=330,
        wake_nc=42_000,
        pulse_nc=60_000,
        write_nc=5_000,
        erase_nc=1_200_000,
        pull_up_na=73_000,
        sample_nc=40_000,
        advert_nc=3_000_000,
        window_nc=600_000_000,
        telegram_nc=800_000,
        listen_na=350_000,
    )


def mains() -> BatteryFigures:
    """Return the figures of a board on the mains: its days left are always the greatest number."""
    return BatteryFigures(capacity_mah=1_000_000, self_discharge_permille=0, sleep_na=1)
