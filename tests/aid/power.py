"""
Power loss on SQLite: what the disk may hold when the machine goes dark, from the recorded calls of a real process.

``strace`` records every write, truncation and sync of a process that sends commands, and its answers in between. A disk
keeps what was synced; of what was written to a file since its last sync it keeps anything: nothing, all, some of it, a
part of one write. A new file may not even have its name before its folder was synced. ``states`` makes such disks.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .writers import ROOT_ENV

SECTOR = 512
"""A disk writes no less at once."""

FOLDER = ""
"""What stands for the folder, whose sync keeps the names of new files."""

_LINE = re.compile(r"^(?:\d+ +)?(?P<call>\w+)\((?P<rest>.*)\) += (?P<result>-?\d+)")
_FD = re.compile(r"(?P<fd>\d+)<(?P<path>[^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True)
class Write:
    """Bytes at an offset; None cuts the file there."""

    offset: int
    data: bytes | None


@dataclass(frozen=True)
class Call:
    """One recorded call: ``write`` or ``sync`` of a file or the folder, ``unlink``, or an ``answer`` with its id."""

    what: str
    name: str
    write: Write | None = None


def why_not(folder: Path) -> str | None:
    """Why nothing can be recorded here; None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: apt-get install strace)"
    tried = subprocess.run(["strace", "-o", folder / "try", "true"], capture_output=True, text=True, check=False)
    return f"strace may not be used here: {tried.stderr.strip()}" if tried.returncode else None


def record(place: Path, commands: int, synchronous: str) -> list[Call]:
    """Let a process of its own carry out commands, and give what it asked of the disk."""
    log = place.parent / "calls"
    calls = "pwrite64,write,pwritev,fsync,fdatasync,ftruncate,unlink,unlinkat,rename"
    writer = [sys.executable, "-m", "tests.aid.writers", f"write_{synchronous}", str(place), "power", str(commands)]
    done = subprocess.run(
        ["strace", "-f", "-y", "-xx", "-s", "80000", "-e", f"trace={calls}", "-o", log, *writer],
        input="\n",
        capture_output=True,
        text=True,
        check=False,
        **ROOT_ENV,
    )
    assert done.returncode == 0, done.stderr
    return list(_calls(log, place.resolve()))


def _calls(log: Path, place: Path) -> Iterator[Call]:
    name = place.name
    for line in log.read_text(encoding="ascii", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None or match["result"].startswith("-"):
            continue
        call, rest = match["call"], match["rest"]
        texts = [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(rest)]
        if call in ("unlink", "unlinkat"):
            if (path := texts[0].decode().rpartition("/")[2]).startswith(name):
                yield Call("unlink", path)
            continue
        fd = _FD.match(rest)
        if fd is None:
            continue
        path = fd["path"]
        if "\\x" in path:
            path = bytes.fromhex(path.replace("\\x", "")).decode(errors="replace")
        if path == str(place.parent) and call in ("fsync", "fdatasync"):
            yield Call("sync", FOLDER)
            continue
        path = path.rpartition("/")[2]
        if call == "write" and fd["fd"] == "1":
            for id in texts[0].decode().split():
                if id.startswith("power-"):
                    yield Call("answer", id)
        elif not path.startswith(name) or path.endswith("-shm"):
            continue
        elif call in ("fsync", "fdatasync"):
            yield Call("sync", path)
        elif call == "pwrite64":
            yield Call("write", path, Write(int(rest.rpartition(", ")[2]), texts[0][: int(match["result"])]))
        elif call == "ftruncate":
            yield Call("write", path, Write(int(rest.rpartition(", ")[2]), None))
        else:
            raise AssertionError(f"{call} of {path} is not understood")


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    since: list[Write] = field(default_factory=list)
    named: bool = False


def states(before: Path, calls: list[Call], draws: int, seed: int) -> Iterator[tuple[set[str], dict[str, bytes]]]:
    """
    Disks that a loss of power may leave: just after each answer and just before each sync.

    Yields
    ------
    acknowledged, files
        Ids whose answer had gone out, and what the disk holds.
    """
    draw = random.Random(seed)
    files = {before.name: _File(bytearray(before.read_bytes()), named=True)}
    acknowledged: set[str] = set()
    for call in calls:
        if call.what == "sync":
            yield from _cut(files, acknowledged, draws, draw)
        if call.what == "answer":
            acknowledged.add(call.name)
            yield from _cut(files, acknowledged, draws, draw)
            continue
        if call.what == "unlink":
            files.pop(call.name, None)
            continue
        if call.name == FOLDER:
            for file in files.values():
                file.named = True
            continue
        file = files.setdefault(call.name, _File())
        if call.what == "sync":
            for write in file.since:
                _apply(file.synced, write)
            file.since.clear()
        elif call.write is not None:
            file.since.append(call.write)


def _cut(
    files: dict[str, _File], acknowledged: set[str], draws: int, draw: random.Random
) -> Iterator[tuple[set[str], dict[str, bytes]]]:
    """Nothing, all, and random parts of what was not synced."""
    waiting = sum(len(file.since) + (not file.named) for file in files.values())
    for number in range(1 + (1 + draws if waiting else 0)):
        share = (0.0, 1.0)[number] if number < 2 else draw.choice((0.2, 0.5, 0.8, 0.95))
        held: dict[str, bytes] = {}
        for name, file in files.items():
            if not file.named and draw.random() >= share:
                continue
            content = bytearray(file.synced)
            for write in file.since:
                if draw.random() < share:
                    _apply(content, write)
                elif number >= 2 and write.data is not None and draw.random() < 0.3:  # torn in the middle
                    part = draw.randrange(0, len(write.data), SECTOR)
                    _apply(content, Write(write.offset, write.data[:part]))
            held[name] = bytes(content)
        yield set(acknowledged), held


def _apply(content: bytearray, write: Write) -> None:
    if write.data is None:
        del content[write.offset :]
        content.extend(bytes(write.offset - len(content)))
        return
    content.extend(bytes(max(0, write.offset + len(write.data) - len(content))))
    content[write.offset : write.offset + len(write.data)] = write.data
