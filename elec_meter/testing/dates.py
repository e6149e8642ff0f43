"""Settlement dates as a test writes them."""

from __future__ import annotations

from datetime import date

from .errors import SettlementDayError


def settlement_date(written: str | date) -> date:
    """A date, or the one that an ISO 8601 text is.

    Raises:
        SettlementDayError: the text is no date.
    """
    if not isinstance(written, str):
        return written
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise SettlementDayError(
            f"{written[:40]!r} is no settlement date such as '2025-10-26'"
        ) from None
