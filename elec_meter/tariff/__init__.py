"""Tariff calendars: pure functions of time and configuration."""

from .calendar import FOR_EVER_S, Calendar, Span, Switch, rate_at, span_at

__all__ = ["FOR_EVER_S", "Calendar", "Span", "Switch", "rate_at", "span_at"]
