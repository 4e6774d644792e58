"""``nearer stress`` and ``nearer verify`` on its folder, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nearer.cli import app


def nearer(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stress") / "town"
    assert nearer("new", folder).exit_code == 0
    assert nearer("plan", folder).exit_code == 0
    return folder / "plan"


def test_an_outage_is_told_in_sentences_and_verified(plan: Path, tmp_path: Path) -> None:
    ids = [site["id"] for site in json.loads((plan / "plan.json").read_text(encoding="utf-8"))["sites"]]
    out = tmp_path / "crisis"
    done = nearer("stress", plan, "--out-of-service", f"{ids[0]}, {ids[0]}", "--worst", 1, "--out", out)
    assert done.exit_code == 0, done.output
    assert "1 centre out of service" in done.output
    assert "proven" in done.output
    page = (out / "stress.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert 'src="http' not in page
    assert 'href="http' not in page
    checked = nearer("verify", out)
    assert checked.exit_code == 0, checked.output
    assert checked.output.startswith("The answer holds")
    as_json = json.loads(nearer("stress", plan / "plan.json", "--out", out, "--random", 1, "--json").output)
    assert as_json["random"]["exact"] is True
    assert as_json["files"]["stress.json"] == str(out / "stress.json")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out-of-service", "nowhere"], 'no site "nowhere"'),
        (["--surge", "area=Atlantis:2"], "no area"),
        (["--harden", "1"], "--harden needs --worst"),
        (["--stock", "1"], "--stock needs scenarios"),
        (["--hazard", "no.geojson"], "no such file"),
    ],
)
def test_what_cannot_be_answered_ends_with_a_sentence_and_exit_code_2(
    plan: Path, options: list[str], said: str
) -> None:
    done = nearer("stress", plan, *options)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_study_without_a_plan_and_a_folder_of_others_are_refused(plan: Path, tmp_path: Path) -> None:
    assert nearer("stress", tmp_path).exit_code == 2
    assert "is a file" in nearer("stress", plan, "--out", plan / "plan.json").output
    assert "holds plan.json" in nearer("stress", plan, "--out", plan).output
    (tmp_path / "stress.html").write_text("mine", encoding="utf-8")
    done = nearer("stress", plan, "--out", tmp_path)
    assert done.exit_code == 2
    assert (tmp_path / "stress.html").read_text(encoding="utf-8") == "mine"
