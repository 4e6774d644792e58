"""Pages say what is so: every example runs, every key, command and option is there, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from nearer.cli import app
from nearer.planning.document import PlanDocument
from nearer.study.load import check_settings
from nearer.study.settings import Study

from ..aid.postgres import cluster, why_not
from .pages import DOCS, PAGES, Block, blocks, looks_like, steps

ROOT = DOCS.parent
LOOSE_PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "README.md"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as HTML, built in a fresh folder with warnings as errors."""
    out = tmp_path_factory.mktemp("docs")
    # A process of its own: Sphinx and docutils keep what directives register for as long as Python runs.
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "-d", str(out / "trees"), str(DOCS)]
    done = subprocess.run([*command, str(out / "html")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "html"


class _Page(HTMLParser):
    """Link targets, anchors, and the text of inline code of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.code: set[str] = set()
        self._depth, self._text = 0, ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("id"):
            self.anchors.add(str(named["id"]))
        for key in ("href", "src"):
            if named.get(key):
                self.links.append(str(named[key]))
        if tag == "code":
            self._depth, self._text = self._depth + 1, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "code":
            self._depth -= 1
            self.code.add(self._text)

    def handle_data(self, data: str) -> None:
        if self._depth:
            self._text += data


def test_every_link_inside_the_documentation_leads_somewhere(site: Path) -> None:
    parsed = {path: _Page(path) for path in site.glob("*.html")}
    assert len(parsed) > len(PAGES)
    for path, page in parsed.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), f"{path.name} links to {link}"
            if parts.fragment and target in parsed and not target.name.startswith(("genindex", "search")):
                assert unquote(parts.fragment) in parsed[target].anchors, f"{path.name} links to {link}"


def test_no_page_asks_for_anything_from_a_network(site: Path) -> None:
    for path in site.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|img|iframe)[^>]+src=\"(https?:[^\"]+)|<link[^>]+href=\"(https?:[^\"]+)", text)
        assert not fetched, f"{path.name} fetches {fetched}"


@pytest.mark.parametrize("page", LOOSE_PAGES, ids=lambda page: page.name)
def test_links_between_files_of_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        parts = urlsplit(target)
        if not parts.scheme and parts.path:
            assert (page.parent / unquote(parts.path)).exists(), f"{page.name} links to {target}"


def _keys(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Heading of the table each key stands in, and the key."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        from reference import model_in, tables_of
    finally:
        sys.path.remove(str(DOCS / "_ext"))
    for path, inner in (("", model), *tables_of(model)):
        for name, field in inner.model_fields.items():
            if not model_in(field.annotation):
                yield path, name


def test_every_key_of_the_study_file_is_documented(site: Path) -> None:
    text = (site / "study-file.html").read_text(encoding="utf-8")
    code = _Page(site / "study-file.html").code
    for path, key in _keys(Study):
        assert key in code, f"{path}.{key} is not in study-file.md"
    for model in {name for name, _ in _keys(Study) if name}:
        assert model.replace(".", "-") in text or f"[{model}]" in text, f"[{model}] has no section"


def test_every_key_of_a_plan_is_documented(site: Path) -> None:
    code = _Page(site / "files.html").code
    schema = PlanDocument.model_json_schema(by_alias=True)
    models = [schema, *schema["$defs"].values()]
    missing = {key for model in models for key in model.get("properties", {}) if key not in code}
    assert not missing


def test_every_command_and_option_is_documented(site: Path) -> None:
    sections = re.split(r"<h2>", (site / "commands.html").read_text(encoding="utf-8"))[1:]
    said = {}
    for section in sections:
        code = re.findall(r"<code[^>]*>(.*?)</code>", re.sub(r"</?span[^>]*>", "", section), re.DOTALL)
        cells = re.findall(r"<td><p><code[^>]*>(.*?)</code>", re.sub(r"</?span[^>]*>", "", section), re.DOTALL)
        said[code[0]] = {spelling for cell in cells for spelling in cell.split(", ")}
    assert said.keys() == {f"nearer {command.name}" for command in app.registered_commands}
    for command in app.registered_commands:
        told = CliRunner().invoke(app, [command.name or "", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
        rows = re.findall(r"^│[ *]*(?:(--[a-z][a-z-]*) )?[ ]*(?:(-[a-z]) )?", re.sub(r"\x1b\[[0-9;]*m", "", told), re.M)
        options = {option for row in rows for option in row if option} - {"--help", "-h"}
        spelled = said[f"nearer {command.name}"]
        assert options == {spelling for spelling in spelled if spelling.startswith("-")}, command.name


def test_every_command_and_option_of_the_desk_is_documented(site: Path) -> None:
    sections = re.split(r"<h3>", (site / "aid-commands.html").read_text(encoding="utf-8"))[1:]
    said = {}
    for section in sections:
        plain = re.sub(r"</?span[^>]*>", "", section)
        name = re.search(r"<code[^>]*>(.*?)</code>", plain, re.DOTALL)
        assert name is not None
        cells = re.findall(r"<td><p><code[^>]*>(.*?)</code>", plain, re.DOTALL)
        said[name[1]] = {spelling for cell in cells for spelling in cell.split(", ")}
    (desk,) = (group.typer_instance for group in app.registered_groups if group.name == "aid")
    assert desk is not None
    inner = [(f"{group.name} ", group.typer_instance) for group in desk.registered_groups]
    groups = [("", desk), *((name or "", group) for name, group in inner if group is not None)]
    commands = [f"{name}{command.name}" for name, group in groups for command in group.registered_commands]
    assert said.keys() == {f"nearer aid {command}" for command in commands}
    for command in commands:
        told = (
            CliRunner().invoke(app, ["aid", *command.split(), "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).output
        )
        options = set(re.findall(r"^│[ *]*(--[a-z][a-z-]*)", re.sub(r"\x1b\[[0-9;]*m", "", told), re.M)) - {"--help"}
        spelled = said[f"nearer aid {command}"]
        assert options == {spelling for spelling in spelled if spelling.startswith("--")}, command


def test_tests_that_pages_name_exist() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    known = set(re.findall(r"def (test_\w+)", sources))
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
        assert named <= known, f"{page.name}: {sorted(named - known)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_settings_shown_are_understood(page: Path) -> None:
    whole = {
        "streets": {"file": "streets.osm.pbf"},
        "people": {"file": "people.csv", "groups": {"children": "c", "older": "o"}},
        "sites": [{"file": "sites.csv"}],
        "plan": {"open": 1},
    }
    for block in blocks(page):
        if block.kind == "toml":
            shown = tomllib.loads(block.text)
            # Groups stay known where a snippet of [people] names none.
            people = {"people": {**whole["people"], **shown["people"]}} if "people" in shown else {}
            check_settings({**whole, **shown, **people}, f"{page.name}, line {block.line}")


def _run_command(command: str, block: Block, place: str) -> str:
    program, *arguments = shlex.split(command)
    if program == "cp":
        shutil.copyfile(*arguments)
        return ""
    assert program == "nearer", f"{place}: `{command}` would not be run; show it in a block of another kind"
    wanted = int(block.mark.removeprefix("exit ")) if block.mark.startswith("exit ") else 0
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100"})
    assert result.exit_code == wanted, f"{place}: {command}\n{result.output}"
    return result.output


def _live_through(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page's examples in a folder, as they are shown."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    thanks = ""
    for block in blocks(page):
        place = f"{page.name}, line {block.line}"
        if block.mark.startswith("not run"):
            continue
        if block.caption is not None:
            file = folder / block.caption
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        elif block.kind == "python":
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
        elif block.kind == "console":
            for command, shown in steps(block.text):
                if command.startswith("export "):
                    name, _, value = command.removeprefix("export ").partition("=")
                    monkeypatch.setenv(name, value)
                    continue
                # A thank-you number is another one each time; T… is the first that the page showed.
                output = _run_command(command.replace("T…", thanks), block, place)
                assert looks_like(shown, output), f"{place}: {command}\nshown:\n{shown}\ngot:\n{output}"
                told = re.search(r"\bT[0-9A-F]{12,}\b", output)
                thanks = thanks or (told[0] if told else "")


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda page: page.stem)
def test_examples_run_as_they_are_shown(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _live_through(page, tmp_path, monkeypatch)


def test_the_week_runs_on_postgres_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger and the household database are PostgreSQL's; the page stays as it is."""
    if reason := why_not():
        pytest.skip(reason)
    with cluster() as address:
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            for name in ("week", "week_households"):
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        monkeypatch.setenv("NEARER_AID_LEDGER", address.format("week"))
        monkeypatch.setenv("NEARER_AID_KEYS", str(tmp_path / "aid-keys"))
        _live_through(DOCS / "aid-week.md", tmp_path, monkeypatch)
