"""What config.toml says of settings that nobody gave: the value as used, or a comment; a run can be repeated by it."""

from __future__ import annotations

import importlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from invrender.errors import UsageError
from invrender.methods.names import METHODS, presets_of, settings_of
from invrender.run.resolve import parse_toml, resolve, to_toml
from invrender.run.settings import ViewsRunSettings, settled, unset


def resolved(name: str, file: Path | None = None, **flags: Any) -> Any:
    return resolve(settings_of(name), presets=presets_of(name), file=file, flags={"input": "a.glb", **flags})


@pytest.mark.parametrize("preset", ["draft", "standard", "fine"])
@pytest.mark.parametrize("name", METHODS)
def test_what_is_written_repeats_the_run(name: str, preset: str, tmp_path: Path) -> None:
    used = settled(resolved(name, preset=preset), asset=True)
    text = to_toml(used)
    (tmp_path / "config.toml").write_text(text)
    assert resolved(name, tmp_path / "config.toml") == used
    written = parse_toml(text)
    assert {key for key, value in written.items() if value in ("none", "auto")} <= {
        "backend", "mask_refine", "extinction", "start", "split", "solver", "colours", "calibrate",
    }  # fmt: skip
    for field in fields(used):
        if field.name in used.UNUSED:
            continue
        assert field.name in written or f"# {field.name}: {unset(type(used), field.name)}\n" in text


def test_a_value_of_a_preset_that_was_reset_is_written_as_auto(tmp_path: Path) -> None:
    for word in ("auto", "none"):
        used = resolved("silhouette", preset="draft", smoothness=word)
        assert used.smoothness is None and resolved("silhouette", preset="draft").smoothness == 1.0
        (tmp_path / "config.toml").write_text(to_toml(used))
        assert 'smoothness = "auto"' in to_toml(used)
        assert resolved("silhouette", tmp_path / "config.toml") == used
    assert "# smoothness: chosen by leaving views out\n" in to_toml(resolved("silhouette"))


def test_old_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "old.toml").write_text('input = "a.glb"\ndevice = "none"\nviews = "none"\nmasks = "none"\n')
    used = resolved("silhouette", tmp_path / "old.toml")
    assert (used.device, used.views, used.masks) == (None, None, None)


def test_auto_is_a_value_where_it_has_a_meaning_of_its_own() -> None:
    assert str(resolved("silhouette", masks="auto").masks) == "auto"
    assert resolved("transmittance", extinction="auto").extinction == "auto"
    assert resolved("scattering", environment="auto").environment is None
    with pytest.raises(UsageError):
        resolved("silhouette", iterations="auto")


def test_remarks_stand_beside_their_settings() -> None:
    text = to_toml(resolved("silhouette"), "head", {"backend": "here cpu", "device": "here cpu"})
    assert text.startswith("# head\n")
    assert 'backend = "auto"  # here cpu\n' in text
    assert "# device: the backend's own (here cpu)\n" in text


@pytest.mark.parametrize("name", METHODS)
def test_views_and_sizes_are_those_that_the_method_uses(name: str) -> None:
    cls = settings_of(name)
    assert issubclass(cls, ViewsRunSettings)
    task = importlib.import_module(f"{METHODS[name]}.task")
    own = cls.OWN
    assert own.views == getattr(task, "ASSET_VIEWS", None)
    assert own.size == getattr(task, "ASSET_SIZE", None)
    assert own.most == getattr(task, "DATASET_SIZE", None)
    assert own.views is None or unset(cls, "views").startswith(f"{own.views} ")
    assert own.size is None or unset(cls, "size").startswith(f"{own.size} ")
    assert own.most is None or f"{own.most} of a dataset" in unset(cls, "size")


def test_what_was_given_is_left_alone() -> None:
    assert settled(resolved("silhouette", views=5, size=64), True).views == 5
    assert settled(resolved("silhouette", cameras="rig.json"), True).views is None
    dataset = settled(resolved("silhouette"), False)
    assert (dataset.views, dataset.size) == (None, 384)
