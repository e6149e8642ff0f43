"""Who signed on in a browser: sessions that end, and tokens that other sites cannot know."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from elec_meter.access import Level, SignedOn

IDLE_S: Final = 900.0
"""How long a session lasts without a request."""

SESSIONS_MAX: Final = 32
_TOKEN_BYTES: Final = 24


@dataclass(slots=True)
class Session:
    """Somebody who signed on.

    Attributes:
        signed_on: at which level, where.
        token: what their page sends along with every change.
        used_s: when they last asked for anything, on the sessions' own clock.
    """

    signed_on: SignedOn
    token: str
    used_s: float


class Sessions:
    """Sessions by their secret name, which is the browser's cookie.

    Args:
        clock_s: seconds that only rise.
        draw: gives so many bytes that nobody can guess.

    Attributes:
        run: another text after every start, by which a page knows that there was one.
        visitor_token: what pages send along with a change while nobody has signed on there.
    """

    def __init__(self, clock_s: Callable[[], float], draw: Callable[[int], bytes]) -> None:
        self._clock_s = clock_s
        self._draw = draw
        self._sessions: dict[str, Session] = {}
        self.visitor_token = self._secret()
        self.run = self._secret()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sessions)

    def begin(self, signed_on: SignedOn) -> str:
        """A new session's name; the one that was idle longest makes place where there are many."""
        self._forget_idle()
        while len(self._sessions) >= SESSIONS_MAX:
            del self._sessions[min(self._sessions, key=lambda name: self._sessions[name].used_s)]
        name = self._secret()
        self._sessions[name] = Session(signed_on, self._secret(), self._clock_s())
        return name

    def find(self, name: str | None) -> Session | None:
        """The session of a cookie, which goes on with this; None if it has ended."""
        session = self.peek(name)
        if session is not None:
            session.used_s = self._clock_s()
        return session

    def peek(self, name: str | None) -> Session | None:
        """As `find`, for who only goes on listening: the session ends no later for it."""
        self._forget_idle()
        return self._sessions.get(name or "")

    def end(self, name: str | None) -> None:
        """End a session, if there is one."""
        self._sessions.pop(name or "", None)

    def is_genuine(self, session: Session | None, token: str | None) -> bool:
        """Whether a request came from the panel's own page, which alone can read the token."""
        expected = self.visitor_token if session is None else session.token
        return hmac.compare_digest(expected.encode(), (token or "").encode())

    def _forget_idle(self) -> None:
        oldest_s = self._clock_s() - IDLE_S
        for name in [name for name, each in self._sessions.items() if each.used_s < oldest_s]:
            del self._sessions[name]

    def _secret(self) -> str:
        return self._draw(_TOKEN_BYTES).hex()


def reading_level(session: Session | None, *, is_local: bool) -> Level:
    """What somebody may read: on this computer a household's own data without signing on."""
    at_least = Level.READER if is_local else Level.PUBLIC
    return at_least if session is None else max(at_least, session.signed_on.level)
