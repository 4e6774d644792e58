"""Reads the examples out of the documentation's pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))

_FENCE = re.compile(r"^(?P<marks>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=marks)[ \t]*$", re.MULTILINE | re.DOTALL)
_CAPTION = re.compile(r"\A:caption: (?P<caption>[^\n]+)\n\n?")


@dataclass(frozen=True)
class Block:
    """
    One fenced block.

    Parameters
    ----------
    kind
        Its language, "text" where it has none.
    text
        What it holds.
    caption
        The file it shows, or None.
    mark
        The comment (``% …``) on the line above, "" without.
    line
        Where it begins.
    """

    kind: str
    text: str
    caption: str | None
    mark: str
    line: int


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page that are examples, in order."""
    source = page.read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(source):
        info, body = fence["info"].strip(), fence["body"]
        caption = None
        if info.startswith("{code-block}"):
            kind = info.removeprefix("{code-block}").strip()
            if match := _CAPTION.match(body):
                caption, body = match["caption"].strip(), body[match.end() :]
        elif info.startswith("{"):
            continue
        else:
            kind = info or "text"
        before = source[: fence.start()]
        above = before.splitlines()[-1] if before else ""
        mark = above.removeprefix("%").strip() if above.startswith("%") else ""
        found.append(Block(kind, body, caption, mark, before.count("\n") + 1))
    return found


def steps(text: str) -> list[tuple[str, str]]:
    """Commands of a console block, each with the output shown under it."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            assert found, f"a console block begins with a command, not with {line!r}"
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def looks_like(shown: str, output: str) -> bool:
    """Whether output is as a page shows it: ``…`` stands for anything, runs of blanks for one."""

    def squeezed(text: str) -> str:
        return re.sub(r"\s+", " ", text).strip()

    pattern = ".*?".join(re.escape(part.strip()) for part in squeezed(shown).split("…"))
    return re.fullmatch(pattern, squeezed(output)) is not None
