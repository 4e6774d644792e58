"""Every text of the pages is in every language."""

from __future__ import annotations

import ast
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


@pytest.fixture(scope="module")
def faults() -> ModuleType:
    return loaded("fault_words")


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
def test_no_fault_or_refusal_that_a_page_can_meet_is_left_untranslated(faults: ModuleType, language: str) -> None:
    wanted, found = list(faults.forms()), catalogue(language, "faults")
    assert len(wanted) > 800
    assert [form for form in wanted if form not in found] == [], "run tools/fault_words.py, and translate"
    assert [form for form in found if form not in wanted] == [], "run tools/fault_words.py"
    for form, said in found.items():
        assert form.count("{}") == str(said).count("{}"), form


SAID_ELSEWHERE = {
    "nearer.aid.allocation.allocate: line(case, journeys, packed, shares, g, held[g], lowest)": "read where it is made",
    "nearer.aid.api.sessions: str(error)": "a refusal, in the pages' catalogue",
    "nearer.aid.api.sessions: str(waits)": "a refusal, in the pages' catalogue",
    "nearer.aid.audit_approvals: (row['site'], row['reason'])": "a set, no collection of faults",
    "nearer.aid.desk.sharing: share.because": "kept from a proposal; read where that is made",
    "nearer.aid.publishing.giver: tag": "a set, no collection of faults",
    "nearer.planning.curvefiles: fault['msg']": "what pydantic finds in a file of ours that was edited by hand",
    "nearer.planning.curvefiles: remedy": "given by the command line",
    "nearer.planning.files: fault['msg']": "what pydantic finds in a file of ours that was edited by hand",
    "nearer.planning.gapfiles: fault['msg']": "what pydantic finds in a file of ours that was edited by hand",
    "nearer.planning.stress_files: fault['msg']": "what pydantic finds in a file of ours that was edited by hand",
    "nearer.serve.app: str(error)": "hands on what was raised",
    "nearer.serve.worker: str(error)": "hands on what was raised",
    "nearer.study.parts: str(error)": "of nearer.demand, whose texts are read",
}


def test_behind_everything_that_is_said_its_text_is_found(faults: ModuleType) -> None:
    assert [one for one in faults.untold() if one not in SAID_ELSEWHERE] == []


def test_a_text_is_followed_through_names_choices_calls_and_tuples(tmp_path: Path) -> None:
    (tmp_path / "nearer").mkdir()
    (tmp_path / "nearer" / "one.py").write_text(
        "from nearer.two import WORDS, pairs\n"
        "def why(few, name):\n"
        "    message = f'{name} is missing' if few else 'there are too many'\n"
        "    raise UsageError(message + ' here')\n"
        "def all_of(say, kind):\n"
        "    for what, remedy in pairs():\n"
        "        say(what)\n"
        "    say(WORDS.get(kind))\n"
        "def say(text):\n"
        "    raise UsageError(text)\n"
        'say(f\'{2} of {3} are left{"" if why else " over"}\')\n',
        encoding="utf-8",
    )
    (tmp_path / "nearer" / "two.py").write_text(
        "WORDS = {'a': 'is no word', 'b': 'is no name'}\n"
        "def pairs():\n    yield 'the file is empty', 'fill it'\n    yield 'the file is gone', None\n",
        encoding="utf-8",
    )
    said = loaded("said")
    modules = said.reached(tmp_path / "nearer", ("nearer.one",))
    assert sorted(modules) == ["nearer.one", "nearer.two"]
    texts, one = said.Texts(modules), modules["nearer.one"]
    raised = [node.exc.args[0] for node in ast.walk(one.tree) if isinstance(node, ast.Raise)]
    assert texts.of(raised[0], one) == ["{} is missing here", "there are too many here"]
    assert set(texts.of(raised[1], one)) == {
        "the file is empty", "the file is gone", "is no word", "is no name",
        "{} of {} are left", "{} of {} are left over",
    }  # fmt: skip


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


def test_every_module_of_the_desk_is_kept_on_the_device() -> None:
    kept = (ROOT / "web" / "page" / "aid-worker.js").read_text(encoding="utf-8")
    names = {path.stem for path in (ROOT / "web" / "src" / "aid").glob("*.ts")} - {"trust"}  # a page of its own
    assert [name for name in sorted(names) if f'"{name}"' not in kept] == []
