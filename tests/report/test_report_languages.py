"""The report in every language: nothing left in English, and the figures those of the English one."""

from __future__ import annotations

import importlib.util
import re
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from nearer.language import LANGUAGES, catalogue, direction, figures, language, spoken, t, tn
from nearer.report import words

TOOLS = Path(__file__).resolve().parents[2] / "tools"
OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("report_words", TOOLS / "report_words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["report_words"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_of_a_report_is_left_untranslated(tool: ModuleType, code: str) -> None:
    wanted, found = dict(tool.texts()), catalogue(code, "report")
    assert len(wanted) > 60
    assert [text for text in wanted if text not in found] == [], "run tools/report_words.py, and translate"
    assert [text for text in found if text not in wanted] == [], "run tools/report_words.py"
    assert all(isinstance(found[text], list) == (many is not None) for text, many in wanted.items())


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_the_values_of_a_report(tool: ModuleType, code: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    found = catalogue(code, "report")
    for one, many in tool.texts():
        said = found[one]
        if many is None:
            assert names(str(said)) == names(one), one
        else:
            assert isinstance(said, list)
            assert names(said[1]) == names(many), one
            assert names(said[0]) <= names(many), one


@pytest.mark.parametrize(
    ("code", "number", "written"),
    [("en", "12,345.6", "12,345.6"), ("es", "12,345.6", "12.345,6"), ("es", "1,234.5", "1234,5"),
     ("es", "-1,234,567", "-1.234.567"), ("fa", "12,345.6", "۱۲٬۳۴۵٫۶"), ("fa", "63\u202f%", "۶۳\u200f٪"),
     ("fa", "-5", "\u200e−۵")],
)  # fmt: skip
def test_numbers_are_written_as_the_language_writes_them(code: str, number: str, written: str) -> None:
    with language(code):
        assert figures(number) == written


def test_a_language_holds_in_its_block_and_its_thread_only() -> None:
    heard: list[str] = []
    with language("fa"):
        assert (spoken(), direction()) == ("fa", "rtl")
        other = threading.Thread(target=lambda: heard.append(spoken()))
        other.start()
        other.join()
        with language("es"):
            assert words.people(2.0) == "2 personas"
        assert words.people(2.0) == "۲ نفر"
    assert heard == ["en"]
    assert (spoken(), direction()) == ("en", "ltr")
    with pytest.raises(KeyError), language("xx"):
        pass


def test_a_text_that_nobody_translated_is_said_in_english() -> None:
    with language("es"):
        assert t("no such text, {name}", name="x") == "no such text, x"
        assert tn(3, "one thing", "{n} things") == "3 things"
