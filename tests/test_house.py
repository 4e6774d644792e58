"""The house holds: rooms import one way, and the repository carries nothing it should not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from nearer.cli import app

ROOT = Path(__file__).resolve().parents[1]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_rooms_import_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_constraints_pin_every_dependency_and_name_no_host() -> None:
    import tomllib

    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line) for line in lines)
    pinned = {re.sub(r"[._-]+", "-", line.split("==")[0]).lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.sub(r"[._-]+", "-", re.match(r"[A-Za-z0-9._-]+", d).group()).lower() for d in wanted}
    assert names <= pinned, f"not pinned: {sorted(names - pinned)}"


def test_no_large_file_and_no_path_of_one_machine_is_committed() -> None:
    machine = re.compile(r"(?<![\w.])/(work|root|home/\w+)/")
    for path in tracked():
        assert path.stat().st_size < 1_000_000, path
        if path.suffix in {".py", ".md", ".toml", ".txt", ".html", ".css", ".j2", ".csv"} and path != Path(__file__):
            assert not machine.search(path.read_text(encoding="utf-8")), path


def test_the_optional_data_folder_is_named_in_one_place() -> None:
    sources = [p for p in tracked() if p.suffix == ".py" and p != Path(__file__)]
    naming = [p.relative_to(ROOT).as_posix() for p in sources if re.search(r"\bshared\b.*\bdata\b", p.read_text())]
    assert naming == ["tests/conftest.py"]


def test_every_command_that_a_sentence_names_is_there() -> None:
    nearer = get_command(app)
    aid = nearer.commands["aid"]  # type: ignore[attr-defined]
    known = {"-", "--help", *nearer.commands}  # type: ignore[attr-defined]
    files = [
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "src").rglob("*.po"),
        *(ROOT / "docs").glob("*.md"),
        ROOT / "README.md",
    ]
    wrong = []
    for file in files:
        for one, two in re.findall(r"`nearer ([a-z-]+)(?: ([a-z-]+))?[ `]", file.read_text(encoding="utf-8")):
            if one not in known or (one == "aid" and two and two not in aid.commands):
                wrong.append(f"{file.relative_to(ROOT)}: nearer {one} {two}")
    assert not wrong
