"""Who is let in, as far as the document says so; passwords are not in it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .base import Document, refuse_repeated


class AccessConfig(Document, frozen=True):
    """Who is let in, beside those who prove to know a password.

    Attributes:
        clear_levels: levels of which the password may come in clear, from a hand-held that knows
            nothing else; whoever listens then knows it too.
    """

    clear_levels: Annotated[tuple[Annotated[int, Meta(ge=1, le=3)], ...], Meta(max_length=3)] = ()

    def __post_init__(self) -> None:
        refuse_repeated("level", [str(level) for level in self.clear_levels])
