"""Reading table files: what is accepted, and one clear sentence for what is not."""

from __future__ import annotations

import builtins
import json
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon

from nearer.errors import Faults, InputError
from nearer.inputs.columns import Frame, nearest, read_ids, read_numbers, texts
from nearer.inputs.frames import find_file, frame_of, read_frame


def read_fault(path: Path, **options: str) -> str:
    with pytest.raises(InputError) as caught:
        read_frame(path, **options)
    return str(caught.value)


def text_file(folder: Path, text: str | bytes, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_an_outline_that_is_not_closed_is_named_by_its_row(tmp_path: Path) -> None:
    good = [[9.5, 47.1], [9.6, 47.1], [9.6, 47.2], [9.5, 47.1]]
    shapes = [{"type": "Polygon", "coordinates": [ring]} for ring in (good, good[:3])]
    features = [{"type": "Feature", "geometry": shape, "properties": {"population": 5}} for shape in shapes]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    told = read_fault(text_file(tmp_path, text, "people.geojson"))
    assert told == (
        "people.geojson, row 3, column geometry: the outline is no shape: it is not closed, or has too few corners; "
        "draw it anew."
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_the_header_holds(tmp_path: Path, delimiter: str) -> None:
    lines = [("id", "name", "lon"), ("a", "Hall", "9.5")]
    frame = read_frame(text_file(tmp_path, "\n".join(map(delimiter.join, lines))))
    assert frame.table.to_dict("list") == {"id": ["a"], "name": ["Hall"], "lon": ["9.5"]}


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    frame = read_frame(text_file(tmp_path, b"\xef\xbb\xbfid,lon\na,1\n"))
    assert list(frame.table.columns) == ["id", "lon"]


def test_text_keeps_leading_zeros_and_long_digits(tmp_path: Path) -> None:
    frame = read_frame(text_file(tmp_path, "id\n007\n12345678901234567890\n"))
    assert frame.table["id"].tolist() == ["007", "12345678901234567890"]


def test_rows_are_counted_as_a_spreadsheet_does_past_blank_rows_and_quoted_line_breaks(tmp_path: Path) -> None:
    frame = read_frame(text_file(tmp_path, 'id,name\na,"two\nlines"\n\n,,\nb,x\n'))
    assert frame.table["id"].tolist() == ["a", "b"]
    assert frame.rows.tolist() == [2, 5]


def test_trailing_delimiters_add_no_column(tmp_path: Path) -> None:
    frame = read_frame(text_file(tmp_path, "id,lon,\na,1,\nb,2,,\n"))
    assert list(frame.table.columns) == ["id", "lon"]
    assert frame.n == 2


def test_rows_of_another_length_are_all_listed(tmp_path: Path) -> None:
    message = read_fault(text_file(tmp_path, "id,lon,lat\na,1,2\nb,47,14,9,5\nc,1\n"))
    assert "people.csv, row 3: the row has 5 values, the header 3; put text that holds" in message
    assert "row 4: the row has 2 values" in message
    assert "decimal commas" in message


def test_an_open_quotation_mark_is_named_by_its_row(tmp_path: Path) -> None:
    assert "row 3: the text cannot be split" in read_fault(text_file(tmp_path, 'id,name\na,x\nb,"open\nc,y\n'))


def test_repeated_and_missing_column_names_are_named(tmp_path: Path) -> None:
    message = read_fault(text_file(tmp_path, "id,id,\na,b,c\n"))
    assert "people.csv, row 1, column id: two columns have this name" in message
    assert "column 3 has no name" in message


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_called_empty(tmp_path: Path, text: str) -> None:
    path = text_file(tmp_path, text)
    with pytest.raises(InputError, match=r"people\.csv: the file is empty"):
        read_frame(find_file(tmp_path, path.name))


def test_a_header_alone_is_no_table(tmp_path: Path) -> None:
    assert "there is a header but no row of data" in read_fault(text_file(tmp_path, "id,lon,lat\n"))


def test_text_that_is_not_utf8_is_shown_and_the_encoding_to_save_in_named(tmp_path: Path) -> None:
    message = read_fault(text_file(tmp_path, "id,name\na,ok\nb,Café\n".encode("cp1252")))
    assert message == (
        'people.csv, row 3: the text is not UTF-8; read as Windows-1252 it says "b,Café"; save the file as "CSV UTF-8".'
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        ("id,lon\na,1\n".encode("utf-16"), "saved as UTF-16"),
        (b"id,lon\n\0\0\0", "not text"),
    ],
)
def test_files_that_are_no_text_say_what_they_are(tmp_path: Path, data: bytes, said: str) -> None:
    message = read_fault(text_file(tmp_path, data))
    assert said in message
    assert "CSV" in message


@pytest.mark.parametrize("name", ["people.xlsx", "people.xls", "people.ods"])
def test_workbooks_are_to_be_saved_as_csv(tmp_path: Path, name: str) -> None:
    assert "save it as CSV UTF-8" in read_fault(text_file(tmp_path, b"PK", name))


def test_an_unknown_kind_of_file_names_the_known_ones(tmp_path: Path) -> None:
    assert 'files ending in ".docx" cannot be read' in read_fault(text_file(tmp_path, "x", "people.docx"))


def test_a_missing_file_suggests_the_nearest_name(tmp_path: Path) -> None:
    text_file(tmp_path, "x", "people_2020.csv")
    with pytest.raises(InputError) as caught:
        find_file(tmp_path, "people_2002.csv")
    assert str(caught.value) == ('people_2002.csv: there is no such file; the nearest name there is "people_2020.csv".')


def test_a_missing_file_in_a_missing_folder_and_a_folder_are_named_as_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^data/people.csv: there is no such file"):
        find_file(tmp_path, "data/people.csv")
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match=r"^data: this is a folder"):
        find_file(tmp_path, "data")


def test_a_file_that_may_not_be_opened_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    text_file(tmp_path, "id\na\n")
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match=r"people\.csv: the file cannot be opened \(Permission denied\)"):
        find_file(tmp_path, "people.csv")


SQUARE = Polygon([(9.5, 47.1), (9.51, 47.1), (9.51, 47.11), (9.5, 47.11)])


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "parquet", "fgb"])
def test_every_vector_format_gives_the_same_frame_in_wgs84(tmp_path: Path, suffix: str) -> None:
    data = gpd.GeoDataFrame({"id": ["007", "b"], "n": [1, 2]}, geometry=[Point(9.5, 47.1), SQUARE], crs=4326)
    path = tmp_path / f"sites.{suffix}"
    if suffix == "parquet":
        data.to_crs(2056).to_parquet(path)
    elif suffix == "fgb":
        data.to_crs(2056).to_file(path, SPATIAL_INDEX="NO")
    else:
        data.to_crs(4326 if suffix == "geojson" else 2056).to_file(path)
    frame = read_frame(path)
    assert texts(frame.table["id"]).tolist() == ["007", "b"]
    assert frame.rows.tolist() == [2, 3]
    assert frame.geometry is not None
    assert frame.geometry[0].distance(Point(9.5, 47.1)) < 1e-7
    assert frame.geometry[1].symmetric_difference(SQUARE).area < 1e-9


def test_a_stated_system_replaces_that_of_the_file(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"id": [1]}, geometry=[Point(2_760_000, 1_220_000)], crs=4326).to_file(tmp_path / "a.gpkg")
    frame = read_frame(tmp_path / "a.gpkg", crs="EPSG:2056")
    assert frame.geometry is not None
    assert frame.geometry[0].x == pytest.approx(9.55, abs=0.05)


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    gpd.GeoDataFrame({"id": [1]}, geometry=[Point(9, 47)], crs=4326).to_file(tmp_path / "a.gpkg")
    message = read_fault(tmp_path / "a.gpkg", crs="EPSG:999999", section="[people]")
    assert message.startswith('a.gpkg: "EPSG:999999" is not a known coordinate system; set [people] crs to a code')


def test_geometries_without_a_system_ask_for_one(tmp_path: Path) -> None:
    data = gpd.GeoDataFrame({"id": [1]}, geometry=[Point(9, 47)])
    data.to_parquet(tmp_path / "a.parquet")
    assert "state it with [people] crs" in read_fault(tmp_path / "a.parquet", section="[people]")
    with pytest.raises(InputError, match=r"people: the geometries have no coordinate system; state it with set_crs"):
        frame_of(data, "people")


def test_of_several_layers_one_must_be_named(tmp_path: Path) -> None:
    data = gpd.GeoDataFrame({"id": [1]}, geometry=[Point(9, 47)], crs=4326)
    path = tmp_path / "a.gpkg"
    data.to_file(path, layer="homes")
    data.to_file(path, layer="schools")
    assert "several layers: homes, schools; set [people] layer" in read_fault(path, section="[people]")
    assert 'there is no layer "school"; the nearest is "schools"' in read_fault(path, layer="school")
    assert read_frame(path, layer="homes").n == 1


def test_a_truncated_geopackage_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "whole.gpkg"
    gpd.GeoDataFrame({"id": range(500)}, geometry=[Point(9, 47)] * 500, crs=4326).to_file(path)
    for share in (0.001, 0.3, 0.9):
        cut = tmp_path / f"cut{share}.gpkg"
        cut.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
        assert "damaged" in read_fault(cut)


def test_broken_geojson_and_parquet_are_called_damaged(tmp_path: Path) -> None:
    assert "damaged" in read_fault(text_file(tmp_path, '{"type": "FeatureColl', "a.geojson"))
    assert "damaged" in read_fault(text_file(tmp_path, "PAR1 nothing", "a.parquet"))


def test_a_file_without_features_holds_no_rows(tmp_path: Path) -> None:
    assert "holds no rows" in read_fault(text_file(tmp_path, '{"type": "FeatureCollection", "features": []}', "a.json"))


def test_a_geopackage_table_without_geometry_is_a_plain_table(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"id": [1]}, geometry=[Point(9, 47)], crs=4326).to_file(path, layer="x")
    with sqlite3.connect(path) as db:
        db.execute("create table plain (id text, lon real, lat real)")
        db.execute("insert into plain values ('a', 9.5, 47.1)")
        db.execute("insert into gpkg_contents (table_name, data_type, identifier) values ('plain', 'attributes', 'p')")
    db.close()
    frame = read_frame(path, layer="plain")
    assert frame.geometry is None
    assert frame.table["lon"].tolist() == [9.5]


def test_whole_numbers_with_gaps_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    data = gpd.GeoDataFrame({"id": [1, None]}, geometry=[Point(9, 47)] * 2, crs=4326).astype({"id": "Int64"})
    data.to_file(path)
    assert texts(read_frame(path).table["id"]).tolist() == ["1", ""]


def test_dates_in_geojson_stay_text(tmp_path: Path) -> None:
    text = (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"since": "2020-01-02"}, '
        '"geometry": {"type": "Point", "coordinates": [9, 47]}}]}'
    )
    assert read_frame(text_file(tmp_path, text, "a.geojson")).table["since"].tolist() == ["2020-01-02"]


def test_empty_geometries_are_none_and_heights_are_dropped(tmp_path: Path) -> None:
    data = gpd.GeoDataFrame({"id": [1, 2, 3]}, geometry=[Point(9, 47, 400), None, LineString()], crs=4326)
    geometry = frame_of(data, "x").geometry
    assert geometry is not None
    assert not geometry[0].has_z
    assert geometry[1] is None
    assert geometry[2] is None


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: object, **options: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **options)  # type: ignore[arg-type]

    pd.DataFrame({"id": [1]}).to_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr(builtins, "__import__", without)
    message = read_fault(tmp_path / "a.parquet")
    assert message == 'a.parquet: reading Parquet needs pyarrow; install it with: pip install "nearer[scale]".'


def numbers(*values: object, coordinate: bool = False, empty: str | None = "give a number") -> tuple[list[float], str]:
    faults = Faults("people.csv")
    frame = Frame("people.csv", pd.DataFrame({"n": list(values)}), np.arange(2, len(values) + 2))
    found = read_numbers(frame, frame.table["n"], faults, "n", coordinate=coordinate, empty=empty)
    return found.tolist(), "\n".join(map(str, faults.found))


def test_plain_numbers_are_read_in_all_their_spellings() -> None:
    found, said = numbers("1", "-2.5", "+3", ".5", "6.", "1e3", " 7 ")
    assert found == [1, -2.5, 3, 0.5, 6, 1000, 7]
    assert not said


@pytest.mark.parametrize(
    ("text", "coordinate", "said"),
    [
        ("47,14", True, '"47,14" has a decimal comma; write a decimal point: 47.14.'),
        ("9,523", True, '"9,523" has a decimal comma; write a decimal point: 9.523.'),
        ("1,5", False, '"1,5" has a decimal comma; write a decimal point: 1.5.'),
        ("1,234", False, '"1,234" has thousands separators; write it without them: 1234.'),
        ("1 234", False, '"1 234" has thousands separators; write it without them: 1234.'),
        ("1’234", False, '"1’234" has thousands separators; write it without them: 1234.'),
        ("1.234.567", False, '"1.234.567" has thousands separators; write it without them: 1234567.'),
        ("1.234,5", False, '"1.234,5" has thousands separators; write it without them: 1234.5.'),
        ("1,234.567", False, '"1,234.567" has thousands separators; write it without them: 1234.567.'),
        ("many", False, '"many" is not a number; give a plain number such as 1234.5.'),
        ("nan", False, '"nan" is not a number'),
        ("1_000", False, '"1_000" is not a number'),
        ("inf", False, '"inf" is not a number'),
        ("1e999", False, "the number is not finite"),
        ("", False, "the cell is empty; give a number."),
    ],
)
def test_what_is_no_plain_number_is_told_how_to_become_one(text: str, coordinate: bool, said: str) -> None:
    found, message = numbers("1", text, coordinate=coordinate)
    assert np.isnan(found[1])
    assert f"people.csv, row 3, column n: {said}" in message


def test_typed_columns_tell_empty_and_infinite_cells() -> None:
    found, said = numbers(1.0, None, float("inf"))
    assert found[0] == 1
    assert "row 3, column n: the cell is empty" in said
    assert "row 4, column n: the number is not finite" in said
    assert '"True" is not a number' in numbers(True)[1]


def test_many_faults_of_one_kind_are_counted() -> None:
    _, said = numbers(*["x"] * 401)
    lines = said.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "people.csv, column n: and 381 more rows with the same fault."


def test_ids_are_unique_and_never_empty() -> None:
    faults = Faults("a.csv")
    frame = Frame("a.csv", pd.DataFrame({"id": ["a", "", "a"]}), np.array([2, 3, 7]))
    read_ids(frame, frame.table["id"], faults, "id")
    assert [str(fault) for fault in faults.found] == [
        "a.csv, row 3, column id: the id is empty; give each row an id.",
        'a.csv, row 7, column id: id "a" stands already in row 2; give each row an id of its own.',
    ]


def test_texts_of_numbers_are_what_people_write() -> None:
    assert texts(pd.Series([1.0, 2.5, np.nan, 9007199254740991.0])).tolist() == ["1", "2.5", "", "9007199254740991"]
    assert texts(pd.Series([2**62], dtype="int64")).tolist() == [str(2**62)]


@pytest.mark.parametrize(
    ("wanted", "there", "meant"),
    [
        ("population", ["id", "Population"], "Population"),
        ("population", ["id", "populaton"], "populaton"),
        ("pop", ["pop_2020"], "pop_2020"),
        ("lon", ["longitude", "lat"], "longitude"),
        ("lat", ["x", "y"], "y"),
        ("population", ["id", "lon"], None),
    ],
)
def test_the_nearest_name_is_the_one_meant(wanted: str, there: list[str], meant: str | None) -> None:
    assert nearest(wanted, there) == meant


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_written_by_python_come_back_the_same(values: list[float]) -> None:
    assert numbers(*map(repr, values))[0] == values


cell = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8).map(str.strip)


@settings(deadline=None)
@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
def test_text_written_by_pandas_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    kept = [("row", *row) for row in rows]
    pd.DataFrame(kept, columns=["k", "a", "b"]).to_csv(path, index=False)
    assert read_frame(path).table.to_numpy().tolist() == [list(row) for row in kept]
