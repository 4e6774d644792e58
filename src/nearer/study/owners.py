"""``[[owners]]``: whose a place is and who pays for it, said in the study instead of in the table of places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np
from pydantic import Field

from nearer.errors import Faults
from nearer.inputs.columns import texts
from nearer.inputs.sources import Settings
from nearer.inputs.tables import Tables


class OwnerSettings(Settings):
    """``[[owners]]``: whose a place is, in place of ``agency`` and ``shares`` in the table of places."""

    site: str = Field(min_length=1, description="id of the place")
    agency: str = Field("", description="who owns it; default nobody of the agencies")
    shares: dict[str, float] = Field(
        {}, description="who pays which part, as in { city = 0.6, church = 0.4 }; default the owner pays all"
    )

    @property
    def shares_text(self) -> str:
        """The shares as a table of places writes them."""
        return "; ".join(f"{name}:{part!r}" for name, part in self.shares.items())


def owner_contradictions(owners: Sequence[OwnerSettings], agencies: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """What ``[[owners]]`` cannot say one by one: key, message, remedy; ``agencies`` are the study's, by name."""
    known = f"the agencies are {', '.join(agencies)}" if agencies else "add [[agencies]]"
    for number, one in enumerate(owners, start=1):
        key = f"owners[{number}]"
        if one.site in [other.site for other in owners[: number - 1]]:
            yield (f"{key}.site", f"site {one.site!r} is named twice", "leave one of them out")
        if agencies and one.agency and one.agency not in agencies:
            yield (f"{key}.agency", f'"{one.agency}" is none of the agencies', known)
        for name in one.shares:
            if name not in agencies:
                yield (f"{key}.shares", f'"{name}" is none of the agencies', known)
        parts = list(one.shares.values())
        if parts and (min(parts) < 0 or abs(sum(parts) - 1.0) > 1e-6):
            yield (f"{key}.shares", f"the parts come to {sum(parts):g}", "give parts of 0 or more that add up to 1")


def owned(tables: Tables, owners: Sequence[OwnerSettings], file: str) -> Tables:
    """
    Tables with what ``[[owners]]`` says in place of what the places' own say.

    Raises
    ------
    InputError
        A site is not there.
    """
    if not owners:
        return tables
    table = tables.sites.table.copy()
    place = {str(ident): at for at, ident in enumerate(table["id"])}
    faults = Faults(file)
    columns = {
        name: np.asarray(texts(table[name]) if name in table else np.full(len(table), "", dtype=object), dtype=object)
        for name in ("agency", "shares")
    }
    for number, one in enumerate(owners, start=1):
        if one.site not in place:
            near = get_close_matches(one.site, list(place), n=1)
            remedy = f"did you mean {near[0]!r}" if near else "give the id of a place, or take this out"
            faults.add(f"there is no site {one.site!r}", column=f"owners[{number}].site", remedy=remedy)
            continue
        columns["agency"][place[one.site]] = one.agency
        columns["shares"][place[one.site]] = one.shares_text
    faults.raise_if_any()
    for name, values in columns.items():
        if values.any():
            table[name] = values
        elif name in table:
            table[name] = ""
    return replace(tables, sites=replace(tables.sites, table=table))
