"""How much memory this process may still take."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path


def free_bytes() -> int | None:
    """Memory free for this process, by the tightest of the limits known; None where the system does not tell."""
    known = [found for found in (_system(), _container(), _address_space()) if found is not None]
    return max(0, min(known)) if known else None


def held_bytes() -> int | None:
    """Memory this process holds now; None where the system does not tell."""
    status = _text("/proc/self/status")
    return _kb(status, "VmRSS:") if status else None


def peak_bytes() -> int | None:
    """Most memory this process has held at once; None where the system does not tell."""
    status = _text("/proc/self/status")
    return _kb(status, "VmHWM:") if status else None


def _system() -> int | None:
    if sys.platform == "win32":
        return _windows()
    listed = _text("/proc/meminfo")
    return _kb(listed, "MemAvailable:") if listed else None


def _container() -> int | None:
    """What a container (control group, version 2) leaves."""
    most, held = _text("/sys/fs/cgroup/memory.max"), _text("/sys/fs/cgroup/memory.current")
    if not most or not held or most.strip() == "max":
        return None
    return int(most) - int(held)


def _address_space() -> int | None:
    """What ``ulimit -v`` leaves."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    status = _text("/proc/self/status")
    if most == resource.RLIM_INFINITY or not status:
        return None
    return most - (_kb(status, "VmSize:") or 0)


def _windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "p", "p_free", "v", "v_free", "more")),
        )

    status = Status(length=ctypes.sizeof(Status))
    windll = getattr(ctypes, "windll", None)
    return int(status.free) if windll and windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _kb(listed: str, name: str) -> int | None:
    for line in listed.splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return None


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return None
