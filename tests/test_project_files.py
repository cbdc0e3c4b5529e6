"""Files that people and services around the project read agree with the project itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import invrender
from tests.test_packaging import PROJECT, ROOT


def parsed(name: str) -> dict:
    found = yaml.safe_load((ROOT / name).read_text())
    assert isinstance(found, dict)
    return found


def test_the_citation_names_this_version_and_licence() -> None:
    citation = parsed("CITATION.cff")
    assert citation["version"] == invrender.__version__
    assert citation["license"] == PROJECT["project"]["license"]
    assert citation["authors"] == PROJECT["project"]["authors"]
    assert {"cff-version", "message", "title", "type"} <= set(citation)


def test_the_workflow_runs_on_every_python_that_we_claim_and_on_three_systems() -> None:
    matrix = parsed(".github/workflows/ci.yml")["jobs"]["tests"]["strategy"]["matrix"]
    claimed = [line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert matrix["python"] == claimed
    assert PROJECT["project"]["requires-python"] == f">={claimed[0]}"
    systems = [*matrix["system"], *(extra["system"] for extra in matrix["include"])]
    assert {name.split("-")[0] for name in systems} == {"ubuntu", "macos", "windows"}


def test_the_workflow_takes_its_commands_from_this_repository() -> None:
    jobs = parsed(".github/workflows/ci.yml")["jobs"]
    commands = {name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    (script,) = [line for line in commands["everything"].splitlines() if line]
    assert (ROOT / script).is_file()
    pattern = re.search(r'grep "([^"]+)" README.md', commands["tests"]).group(1)
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if re.search(pattern, line)]
    assert len(lines) == 1


@pytest.mark.parametrize("name", ["bug.yml", "feature.yml"])
def test_issue_forms_have_what_a_form_needs(name: str) -> None:
    form = parsed(f".github/ISSUE_TEMPLATE/{name}")
    assert form["name"]
    assert form["description"]
    names = [part["id"] for part in form["body"]]
    assert len(set(names)) == len(names)
    assert all(part["attributes"]["label"] for part in form["body"])


def test_paths_that_the_guides_name_exist() -> None:
    """What they put in code marks and looks like a path here; a NAME in capitals stands for any."""
    tops = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"outputs"}
    named = [
        (guide, code)
        for guide in ("README.md", "CONTRIBUTING.md", "docs/architecture.md")
        for code in re.findall(r"`([\w./-]+)`", (ROOT / guide).read_text())
        if code.split("/")[0] in tops and not re.search("[A-Z]{4}", code)
    ]
    assert len(named) > 40
    assert [(guide, code) for guide, code in named if not (ROOT / code).exists()] == []


def test_links_between_documents_lead_somewhere() -> None:
    for guide in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text()):
            assert (guide.parent / Path(target)).exists(), f"{guide.name}: {target}"
