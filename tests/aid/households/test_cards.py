"""A card's check finds a wrong sign and two that changed places; nothing that is stored or said repeats the token."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearer.aid.households.cards import SIGNS, card_hash, leased_hash, new_number, new_token, number_of
from nearer.aid.refusals import RefusedError

places = st.integers(0, 26)


def plain(token: str) -> str:
    return token.replace("-", "")


def test_a_card_is_128_random_bits_and_its_hash_is_sha_256_of_them() -> None:
    token = new_token()
    value = 0
    for sign in plain(token)[:-1]:
        value = value * 32 + SIGNS.index(sign)
    assert card_hash(token) == hashlib.sha256(value.to_bytes(16, "big")).hexdigest()
    assert len({new_token() for _ in range(1000)}) == 1000


@given(places, st.sampled_from(SIGNS))
def test_one_wrong_sign_is_found(place: int, sign: str) -> None:
    token = plain(new_token())
    wrong = token[:place] + sign + token[place + 1 :]
    if wrong == token:
        return
    with pytest.raises(RefusedError) as refused:
        card_hash(wrong)
    assert wrong not in str(refused.value)


@given(places, places)
def test_two_signs_that_changed_places_are_found(one: int, other: int) -> None:
    signs = list(plain(new_token()))
    if signs[one] == signs[other]:
        return
    signs[one], signs[other] = signs[other], signs[one]
    with pytest.raises(RefusedError):
        card_hash("".join(signs))


def test_a_card_is_read_however_it_is_typed() -> None:
    token = new_token()
    wanted = card_hash(token)
    for typed in (token.lower(), plain(token), token.replace("-", " "), token.replace("0", "O").replace("1", "l")):
        assert card_hash(typed) == wanted


@pytest.mark.parametrize("text", ["", "Maria", "1234-5678", "Z" * 27, "é" * 27, "0" * 28])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="This is no card"):
        card_hash(text)


def test_a_number_is_no_card_and_a_card_no_number() -> None:
    number, token = new_number(), new_token()
    assert number_of(number.lower()) == number
    assert number_of(token) is None
    with pytest.raises(RefusedError):
        card_hash(number)


def test_two_leases_call_a_card_by_different_names() -> None:
    card = card_hash(new_token())
    assert leased_hash(b"one", card) != leased_hash(b"other", card)
    assert leased_hash(b"one", card) == hmac.new(b"one", bytes.fromhex(card), hashlib.sha256).hexdigest()
