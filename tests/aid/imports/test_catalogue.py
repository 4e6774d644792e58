"""A catalogue becomes items."""

from __future__ import annotations

from pathlib import Path

import pytest

from nearer.aid.imports import items_from, post, read_spellings
from nearer.aid.views import listed
from nearer.errors import InputError

from ..town import Desk, store_size

# Written for this test, in the columns of the IFRC's emergency items catalogue.
CATALOGUE = """\
item code,item description,length cm,height cm,width cm,volume litre,weight kg,in EIC
HSHEBLANCLT2,"BLANKET, woven, light",0,0,0,1.53,0.68,yes
CCNTUHF-8DFB,"CONNECTOR, UHF",0,0,0,0,0,yes
KRELSHEK01,"SHELTER KIT",0,0,0,45,16.5,yes
"""

SPELLINGS = read_spellings(None)


def test_items_of_a_catalogue_are_added_once(town: Desk, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text(CATALOGUE, encoding="utf-8")
    post(town.store, items_from(town.store, file, SPELLINGS, codes=["kreLshek01"]), actor="staff-1")
    found = items_from(town.store, file, SPELLINGS)
    assert [(one.command.kind, one.done) for one in found.planned] == [
        ("add-item", False),
        ("measure-item", False),
        ("add-item", False),  # its weight is 0: not known
        ("add-item", True),
        ("measure-item", True),
    ]
    post(town.store, found, actor="staff-1")
    size = store_size(town.store)
    again = items_from(town.store, file, SPELLINGS)
    assert all(one.done for one in again.planned)
    post(town.store, again, actor="staff-1")
    assert store_size(town.store) == size
    rows = {row["item"]: row for row in listed(town.store, "items")}
    assert rows["ccntuhf-8dfb"]["ifrc_code"] == "CCNTUHF-8DFB"
    with town.store.reading() as connection:
        weight = connection.exec_driver_sql(
            "SELECT milligrams, cubic_mm FROM measures WHERE item = 'hsheblanclt2'"
        ).one()
    assert tuple(weight) == (680_000, 1_530_000)
    assert (rows["hsheblanclt2"]["name"], rows["hsheblanclt2"]["unit"]) == ("BLANKET, woven, light", "piece")


def test_another_file_with_the_same_items_adds_none(town: Desk, tmp_path: Path) -> None:
    for name, text in (("a.csv", CATALOGUE), ("b.csv", CATALOGUE + "\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    post(town.store, items_from(town.store, tmp_path / "a.csv", SPELLINGS), actor="staff-1")
    found = items_from(town.store, tmp_path / "b.csv", SPELLINGS)
    assert found.planned == []
    assert any("3 items are in the ledger already" in note for note in found.notes)


def test_faults_of_a_catalogue_are_told_together(town: Desk, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text(
        "Item Code,Item Name,Unit of Measure,Pack size\n"
        "AB,too short,pcs,\nABCD,,pcs,\nABCE,odd unit,quintal,\nABCF,pack,pcs,2.5\nABCF,again,pcs,\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        items_from(town.store, file, SPELLINGS)
    assert [fault.row for fault in caught.value.faults] == [2, 3, 4, 5, 6]
    file.write_text(CATALOGUE, encoding="utf-8")
    with pytest.raises(InputError, match="there is no item NONE1"):
        items_from(town.store, file, SPELLINGS, codes=["NONE1"])


def test_a_pack_s_size_becomes_a_unit(town: Desk, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.csv"
    file.write_text("Item Code,Item Name,Unit of Measure,Pack size\nABCD,Soap,pcs,48\n", encoding="utf-8")
    post(town.store, items_from(town.store, file, SPELLINGS), actor="staff-1")
    assert {"item": "abcd", "unit": "pack", "base_units": 48} in listed(town.store, "item_units")


@pytest.mark.data
def test_the_whole_catalogue_of_emergency_items_is_read(data_dir: Path, town: Desk) -> None:
    file = data_dir / "aid" / "ifrc_items" / "ifrc_emergency_items_catalogue.csv"
    if not file.is_file():
        pytest.skip("the catalogue is not there")
    planned = items_from(town.store, file, SPELLINGS).planned
    assert sum(one.command.kind == "add-item" for one in planned) == 2467
    assert sum(one.command.kind == "measure-item" for one in planned) > 1000
    some = items_from(town.store, file, SPELLINGS, codes=["AFODMREA0101", "APACBAGP100"])
    post(town.store, some, actor="staff-1")
    assert {"afodmrea0101", "apacbagp100"} <= {row["item"] for row in listed(town.store, "items")}
