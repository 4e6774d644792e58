"""
Cards: what is printed, and what is stored of it.

A card is a token of 128 random bits. It is written in 27 signs: 26 of the 32 of Crockford's alphabet (no I, L, O, U)
and one that checks the others. The check is a sum in the field of 32 elements with a different weight at each place,
so any one wrong sign and any two that changed places are found. Only a hash of the token is stored: 128 random bits
cannot be tried out, so the hash need not be slow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from nearer.aid.refusals import RefusedError

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_TOKEN_BITS, _TOKEN_SIGNS = 128, 26
_NUMBER_BITS, _NUMBER_SIGNS = 75, 15

_READ = {sign: value for value, sign in enumerate(SIGNS)} | {"O": 0, "I": 1, "L": 1}
_BLANKS = re.compile(r"[\s-]")


def new_token() -> str:
    """A new card, as it is printed: ``4J7K-…``."""
    return _written(secrets.randbits(_TOKEN_BITS), _TOKEN_SIGNS)


def new_number() -> str:
    """A new household's number, random too: 15 signs and a check, for the slip that stays at home."""
    return _written(secrets.randbits(_NUMBER_BITS), _NUMBER_SIGNS)


def told_again(secret: bytes, key: str) -> tuple[str, str]:
    """A card and a household's number for whoever asks with a key: the same for the same, random for all others."""
    told = hmac.new(secret, key.encode(), hashlib.sha256).digest()
    token, number = int.from_bytes(told[:16], "big"), int.from_bytes(told[16:], "big") % 2**_NUMBER_BITS
    return _written(token, _TOKEN_SIGNS), _written(number, _NUMBER_SIGNS)


def card_hash(token: str) -> str:
    """
    What is stored of a card: SHA-256 of its 16 bytes, in hexadecimal.

    Raises
    ------
    RefusedError
        It is no card, or a sign is wrong. The token is not repeated.
    """
    value = _read(token, _TOKEN_SIGNS)
    if value is None or value >= 2**_TOKEN_BITS:
        raise RefusedError("This is no card, or a sign of it is wrong; scan it again.")
    return hashlib.sha256(value.to_bytes(_TOKEN_BITS // 8, "big")).hexdigest()


def leased_hash(salt: bytes, card: str) -> str:
    """What a lease calls a card (given by its hash), so that lists of two leases cannot be laid side by side."""
    return hmac.new(salt, bytes.fromhex(card), hashlib.sha256).hexdigest()


def number_of(text: str) -> str | None:
    """A household's number as it is stored; None where the text is none."""
    value = _read(text, _NUMBER_SIGNS)
    return None if value is None else _written(value, _NUMBER_SIGNS)


def _written(value: int, length: int) -> str:
    digits = [value >> 5 * place & 31 for place in reversed(range(length))]
    signs = "".join(SIGNS[digit] for digit in (*digits, _check(digits)))
    return "-".join(signs[start : start + 4] for start in range(0, len(signs), 4))


def _read(text: str, length: int) -> int | None:
    signs = _BLANKS.sub("", text).upper()
    if len(signs) != length + 1 or any(sign not in _READ for sign in signs):
        return None
    *digits, check = (_READ[sign] for sign in signs)
    if _check(digits) != check:
        return None
    value = 0
    for digit in digits:
        value = value << 5 | digit
    return value


def _doubled(element: int) -> int:
    """An element of the field of 32 times the root of x⁵ + x² + 1, whose powers go through all the others."""
    element <<= 1
    return element ^ 0b100101 if element & 32 else element


def _check(digits: list[int]) -> int:
    total = 0
    for digit in digits:  # Horner's rule: the weights are powers of the root, all different up to 31 places
        total = _doubled(total ^ digit)
    return total
