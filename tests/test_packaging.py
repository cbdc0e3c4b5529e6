"""The distribution holds all of the code and nothing but `invrender/`, and editable installs resolve the same names."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import setuptools  # noqa: F401 - the build below runs without isolation, so it must be there

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
MAPPED = {"invrender.cli": "cli", "invrender.backends": "backends"}


def packages_on_disk() -> set[str]:
    """Every folder with Python files, by its import name."""
    found = set()
    for name, folder in {"invrender": "invrender", **MAPPED}.items():
        for init in (ROOT / folder).rglob("*.py"):  # does not follow the symlinks
            parts = init.parent.relative_to(ROOT / folder).parts
            found.add(".".join((name, *parts)))
    return found


def test_pyproject_lists_every_package() -> None:
    assert sorted(SETUPTOOLS["packages"]) == sorted(packages_on_disk())


def test_shaders_are_part_of_the_distribution() -> None:
    shaders = {path.relative_to(ROOT / "backends" / "vulkan") for path in (ROOT / "backends").rglob("*.slang")}
    listed = SETUPTOOLS["package-data"]["invrender.backends.vulkan"]
    assert len(shaders) > 5
    assert all(any(shader.match(pattern) for pattern in listed) for shader in shaders)


def test_every_package_has_an_init() -> None:
    folders = {"invrender": "invrender", **MAPPED}
    for package in SETUPTOOLS["packages"]:
        name = max((name for name in folders if f"{package}.".startswith(f"{name}.")), key=len)
        inside = package[len(name) :].strip(".").replace(".", "/")
        assert (ROOT / folders[name] / inside / "__init__.py").is_file(), package


def test_symlinks_show_the_mapped_packages_and_are_committed_as_links() -> None:
    for package, folder in MAPPED.items():
        link = ROOT / package.replace(".", "/")
        assert link.is_symlink()
        assert link.resolve() == (ROOT / folder).resolve()
        assert SETUPTOOLS["package-dir"][package] == folder


def test_constraints_pin_every_dependency_by_exact_version() -> None:
    pins = {
        line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"
    }
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["test"]]
    names = {text.split(">=")[0].partition("[")[0].strip() for text in wanted}
    assert names <= pins


def test_ci_finds_both_readme_lines() -> None:
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("python3 -m venv ")]
    assert [sum(word in line for line in lines) for word in ("pytest", "reconstruct")] == [1, 1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build needs: building in place would leave files in the tree."""
    copy = tmp_path_factory.mktemp("checkout")
    junk = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("invrender", "cli", "backends"):
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=junk)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def pip(*arguments: object) -> None:
    """Pip without the network: no isolation, no dependencies."""
    command = [sys.executable, "-m", "pip", *map(str, arguments), "--no-build-isolation", "--no-deps", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_wheel_holds_only_invrender(checkout: Path, tmp_path: Path) -> None:
    pip("wheel", checkout, "-w", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0].split("-")[0] for name in names} == {"invrender"}
    python = {f"{name}/" for name in SETUPTOOLS["packages"]}
    assert {str(Path(name).parent).replace("/", ".") + "/" for name in names if name.endswith(".py")} == python
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.parametrize("mode", ["lenient", "strict"])
def test_editable_install_resolves_the_mapped_packages(checkout: Path, tmp_path: Path, mode: str) -> None:
    pip(
        "install",
        "-e",
        checkout,
        "--config-settings",
        f"editable_mode={mode}",
        "--ignore-installed",
        "--prefix",
        tmp_path,
    )
    (target,) = tmp_path.rglob("site-packages")
    code = (
        "import importlib.util, site, sys; site.addsitedir(sys.argv[1]); import invrender;"
        "print(*[importlib.util.find_spec(name).origin for name in sys.argv[2:]], sep='\\n')"
    )
    modules = ["invrender.errors", "invrender.cli.app", "invrender.backends"]
    command = [sys.executable, "-I", "-S", "-c", code, target, *modules]  # -S: only this install, not our own
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    origins = [Path(line).resolve() for line in done.stdout.splitlines()]
    assert origins[1] == checkout / "cli" / "app.py"
    assert origins[0] == checkout / "invrender" / "errors.py"
