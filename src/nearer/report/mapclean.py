"""Text as documents may carry it."""

from __future__ import annotations

import re

from markupsafe import escape

_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: object) -> str:
    """A name as XML may carry it: escaped, without signs that no document may hold."""
    return str(escape(_CONTROL.sub("", str(text))))
