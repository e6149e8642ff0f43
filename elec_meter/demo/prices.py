"""What energy costs in the demo's house."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from elec_meter.config import MeterConfig, PricesConfig

IMPORT: Final = PricesConfig(
    rate_p_kwh=(Decimal("31.5"), Decimal("14.8")), standing_p_day=Decimal("53.8")
)
"""By day, and by night."""

EXPORT: Final = PricesConfig(rate_p_kwh=(Decimal(15),))


def with_prices(config: MeterConfig) -> MeterConfig:
    """The demo's meter, and what a household could pay and be paid."""
    tariff = config.tariff
    priced = replace(
        tariff,
        import_=replace(tariff.import_, prices=IMPORT),
        export=replace(tariff.export, prices=EXPORT),
    )
    return replace(config, tariff=priced)
