"""
The chain's head, exported and signed, so that a cut tail or a wholly rewritten chain can be found.

A head kept elsewhere (mailed to a partner, printed, in another office's safe) says what the ledger was at a moment; a
ledger that no longer has that hash at that number is another one. Signatures are Ed25519 (RFC 8032).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from nearer.aid.canonical import canonical, sha256_hex
from nearer.aid.clock import Clock, moment_text, now
from nearer.aid.store import Store
from nearer.errors import Fault, InputError, UsageError
from nearer.files import written_whole

_KEYS = {"ledger", "seq", "hash", "at", "public_key", "signature"}


def make_key(file: Path) -> str:
    """
    Make a private key that only its owner can read, and return the public one.

    Raises
    ------
    UsageError
        There is a file already: a key is never overwritten.
    """
    if file.exists():
        raise UsageError(f"{file} is there already; a key is never overwritten.")
    key = Ed25519PrivateKey.generate()
    with written_whole(file, secret=True) as beside:
        beside.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return _public(key)


def export_head(store: Store, key_file: Path, clock: Clock = now) -> dict[str, Any]:
    """The ledger's present head, signed."""
    key = _load_key(key_file)
    with store.reading() as connection:
        row = connection.exec_driver_sql("SELECT seq, hash FROM head").one()
        head = {
            "ledger": store.ledger(connection),
            "seq": int(row[0]),
            "hash": str(row[1]),
            "at": moment_text(clock()),
            "public_key": _public(key),
        }
    return head | {"signature": base64.b64encode(key.sign(canonical(head))).decode("ascii")}


def write_head(head: dict[str, Any], file: Path) -> None:
    """Write an exported head."""
    with written_whole(file) as beside:
        beside.write_text(json.dumps(head, indent=2) + "\n", encoding="utf-8")


def read_head(file: Path, trusted: str | None = None) -> dict[str, Any]:
    """
    An exported head whose signature holds.

    Parameters
    ----------
    file
        As ``write_head`` wrote it.
    trusted
        Public key that must have signed it; the one that it names itself without.

    Raises
    ------
    InputError
        It cannot be read, was changed, or was signed by another key.
    """
    try:
        head = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", str(file))]) from error
    except ValueError as error:
        raise InputError(
            [Fault("is no exported head", str(file), remedy="export one with `nearer aid head`")]
        ) from error
    return checked_head(head, str(file), trusted)


def checked_head(head: Any, source: str, trusted: str | None = None) -> dict[str, Any]:
    """
    An exported head whose signature holds; ``source`` is what it is called.

    Raises
    ------
    InputError
        It is none, was changed, or was signed by another key.
    """
    if not isinstance(head, dict) or set(head) != _KEYS or not isinstance(head["seq"], int):
        raise InputError([Fault("is no exported head", source, remedy="export one with `nearer aid head`")])
    if trusted is not None and head["public_key"] != trusted:
        raise InputError([Fault("was signed by another key", source, remedy="ask whose key it is")])
    signed = {name: value for name, value in head.items() if name != "signature"}
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(head["public_key"], validate=True))
        public.verify(base64.b64decode(head["signature"], validate=True), canonical(signed))
    except (InvalidSignature, ValueError, TypeError) as error:
        raise InputError([Fault("its signature does not hold: it was changed", source)]) from error
    found: dict[str, Any] = head
    return found


def fingerprint(public_key: str) -> str:
    """A short name of a public key, to compare by eye."""
    return sha256_hex(public_key.encode("ascii"))[:16]


def _public(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode("ascii")


def _load_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise InputError([Fault(f"cannot be read: {error.strerror}", str(file))]) from error
    except (ValueError, TypeError) as error:
        raise InputError([Fault("is no private key", str(file), remedy="make one with `nearer aid key`")]) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError([Fault("is no Ed25519 key", str(file), remedy="make one with `nearer aid key`")])
    return key
