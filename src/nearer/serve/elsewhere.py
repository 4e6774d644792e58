"""What the desk knows of signing in elsewhere, also where the extra for it is not installed."""

from __future__ import annotations

WAITS_S = 600
"""How long somebody may take to sign in on the other side."""


class NotIn(Exception):  # noqa: N818 - becomes a sentence on the page
    """Nobody is signed in; ``why`` is one of "expired", "refused", "failed", "no-role" and "no-code"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
