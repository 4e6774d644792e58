"""Days as each language writes them; Persian days are those of the Solar Hijri calendar."""

from __future__ import annotations

from datetime import date

from nearer.language import figures, spoken

_SPANISH = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_PERSIAN = (
    *("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور"),
    *("مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"),
)

_BEFORE = 356_032  # days from the start of the cycle of year −1595 to day 0 of the Gregorian calendar


def day(text: str) -> str:
    """A day given as 2026-03-21 in the language spoken; what is no day stays as it is."""
    try:
        given = date.fromisoformat(text)
    except ValueError:
        return text
    if spoken() == "es":
        return f"{given.day} de {_SPANISH[given.month - 1]} de {given.year}"
    if spoken() == "fa":
        year, month, of_month = solar_hijri(given)
        return figures(f"{of_month} {_PERSIAN[month - 1]} {year}")
    return text


def solar_hijri(given: date) -> tuple[int, int, int]:
    """
    Year, month and day of the Solar Hijri calendar, with leap years in cycles of 33 years.

    That agrees with the observed calendar from 1799 to 2256 (K. M. Borkowski, The Persian calendar for 3000 years,
    1996).
    """
    days = given.toordinal() + _BEFORE
    cycles, days = divmod(days, 12_053)
    fours, days = divmod(days, 1_461)
    year = 33 * cycles + 4 * fours - 1_595
    if days > 365:
        more, days = divmod(days - 1, 365)
        year += more
    if days < 186:
        return year, 1 + days // 31, 1 + days % 31
    return year, 7 + (days - 186) // 30, 1 + (days - 186) % 30
