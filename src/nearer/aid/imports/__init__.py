"""
Spreadsheets become commands: gifts, opening stock and catalogues of items.

::

    sheet (rows of text, from CSV or XLSX) → headings and units (what people call things) → commands → the ledger

All faults of a file are told at once, with row, column and remedy. The commands' ids follow from the file's bytes and
the row, so that a file that is taken in twice counts once.
"""

from nearer.aid.imports.catalogue import items_from
from nearer.aid.imports.epcis import receipts_from
from nearer.aid.imports.goods import gifts_from, stock_from
from nearer.aid.imports.post import Planned, Reading, post
from nearer.aid.imports.units import read_spellings

__all__ = ["Planned", "Reading", "gifts_from", "items_from", "post", "read_spellings", "receipts_from", "stock_from"]
