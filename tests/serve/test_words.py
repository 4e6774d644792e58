"""Every text of the pages is in every language."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from nearer.language import LANGUAGES, catalogue, read_po

ROOT = Path(__file__).resolve().parents[2]
OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return loaded("web_words")


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_is_left_untranslated(tool: ModuleType, language: str) -> None:
    wanted, found = dict(tool.texts()), catalogue(language, "pages")
    assert len(wanted) > 150
    assert [text for text in wanted if text not in found] == []
    assert [text for text in found if text not in wanted] == [], "run tools/web_words.py"
    assert all(isinstance(found[text], list) == (many is not None) for text, many in wanted.items())


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_places_of_values(language: str) -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    for text, translated in catalogue(language, "pages").items():
        if isinstance(translated, list):
            assert names(translated[1]) == names(text) | {"n"}, text
        else:
            assert names(str(translated)) == names(text), text


@pytest.mark.parametrize("language", OTHERS)
def test_no_fault_or_refusal_of_the_planning_map_is_left_untranslated(language: str) -> None:
    wanted, found = list(loaded("fault_words").forms()), catalogue(language, "faults")
    assert len(wanted) > 150
    assert [form for form in wanted if form not in found] == [], "run tools/fault_words.py, and translate"
    for form, said in found.items():
        assert form.count("{}") == str(said).count("{}"), form


def test_every_refusal_of_the_desk_has_its_values_apart(tool: ModuleType) -> None:
    found = list(tool.refusals())
    assert len(found) > 90
    for text in found:
        assert text.endswith("."), text
        assert "{{" not in text
        assert len(set(re.findall(r"\{(\w+)\}", text))) == text.count("{"), text


def test_every_text_is_written_where_the_tool_finds_it() -> None:
    for path in (ROOT / "web" / "src").rglob("*.ts"):
        if path.name == "words.ts":
            continue
        source = path.read_text(encoding="utf-8")
        assert re.findall(r"\bt\(\s*[^\"\s)][^)]*\)", source) == [], path.name
        # text between tags or in attributes that no t( stands before
        assert re.findall(r"(?:aria-label|placeholder|title)\"?: \"[A-Z]", source) == [], path.name


def test_a_catalogue_is_read_as_gettext_writes_it() -> None:
    text = 'msgid ""\nmsgstr "Language: x\\n"\n\n# a note\nmsgid "one"\nmsgstr "eins "\n"und \\"eins\\""\n\n'
    text += '#, fuzzy\nmsgid "old"\nmsgstr "alt"\n\nmsgid "none"\nmsgstr ""\n\n'
    text += 'msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] "d"\n'
    assert read_po(text) == {"one": 'eins und "eins"', "a": ["c", "d"]}
