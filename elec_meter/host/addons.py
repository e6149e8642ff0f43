"""The edge of the add-on modules that this computer brings beside those of the document."""

from __future__ import annotations

from typing import Any

from .base import Edge


class AddonsEdge(Edge):
    """Modules whose settings are this computer's: its devices, addresses and files of secrets."""

    def arguments(self) -> dict[str, Any]:
        """See `Edge.arguments`."""
        return {"addons": self.host.config.addons, "say": self._say}

    def _say(self, name: str, sentence: str) -> None:
        self.host.tell(f"{name} {sentence}")
