"""Settings: the order of the layers, types from the annotations, errors that name the way out, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from invrender.errors import InputError, UsageError
from invrender.run.resolve import resolve, to_toml


@dataclass(frozen=True)
class Settings:
    preset: str = "standard"
    size: int = 256
    rate: float = 0.1
    smooth: bool = True
    start: Literal["hull", "sphere"] = "hull"
    weights: tuple[float, ...] = (6.0, 1.5)
    masks: Path | None = None
    limit: float | None = 2.0
    name: str = ""


PRESETS: dict[str, dict[str, object]] = {"standard": {}, "draft": {"size": 64, "limit": None}}


def test_each_layer_wins_over_the_ones_below(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("size = 2\n")
    layers = {
        "presets": PRESETS,
        "file": file,
        "environment": {"INVRENDER_SIZE": "3", "INVRENDER_PRESET": "draft", "HOME": "elsewhere"},
        "flags": {"size": 4},
        "assignments": ["size=5"],
    }
    sizes = []
    while layers:
        sizes.append(resolve(Settings, **layers).size)  # type: ignore[arg-type]
        layers.popitem()
    assert sizes == [5, 4, 3, 2, 256]


def test_a_preset_named_by_a_higher_layer_fills_in_below_the_others() -> None:
    settings = resolve(Settings, presets=PRESETS, flags={"preset": "draft", "rate": 3})
    assert (settings.size, settings.rate, settings.limit) == (64, 3.0, None)


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    assert resolve(Settings, flags={"size": None, "name": None}) == Settings()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("size=12", 12),
        ("rate=1e-3", 1e-3),
        ("rate=2", 2.0),
        ("smooth=no", False),
        ("smooth=TRUE", True),
        ("start=sphere", "sphere"),
        ("weights=3,2,1", (3.0, 2.0, 1.0)),
        ("masks=some/where", Path("some/where")),
        ("limit=none", None),
        ("name=12", "12"),
        ("name=a=b", "a=b"),
    ],
)
def test_texts_become_the_type_of_the_field(text: str, value: object) -> None:
    found = getattr(resolve(Settings, assignments=[text]), text.split("=", maxsplit=1)[0])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["size=1.5", "size=big", "size=inf", "size=yes", "smooth=maybe", "start=cube", "weights=1,x", "rate=none"]
)
def test_a_value_of_the_wrong_type_is_refused_with_key_and_value(text: str) -> None:
    key, value = text.split("=")
    with pytest.raises(UsageError) as caught:
        resolve(Settings, assignments=[text])
    assert key in caught.value.cause
    assert value.split(",")[-1] in caught.value.cause
    assert key in caught.value.remedy


def test_unknown_names_are_refused_with_the_nearest_one(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("sise = 2\n")
    for layer in ({"file": file}, {"flags": {"sise": 2}}, {"assignments": ["sise=2"]}):
        with pytest.raises(UsageError) as caught:
            resolve(Settings, **layer)  # type: ignore[arg-type]
        assert "did you mean size?" in caught.value.remedy
    with pytest.raises(UsageError) as caught:
        resolve(Settings, environment={"INVRENDER_SISE": "2"})
    assert "INVRENDER_SIZE" in caught.value.remedy
    with pytest.raises(UsageError) as caught:
        resolve(Settings, presets=PRESETS, flags={"preset": "draught"})
    assert "draft" in caught.value.remedy


def test_variables_that_belong_to_something_else_are_left_alone() -> None:
    assert resolve(Settings, environment={"INVRENDER_OTHER": "1"}, other_variables=["INVRENDER_OTHER"]) == Settings()


def test_a_field_without_any_value_is_refused() -> None:
    @dataclass(frozen=True)
    class Needy:
        source: str

    with pytest.raises(UsageError, match="source"):
        resolve(Needy)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("size = ", "not TOML"),
        ("size = true", "whole number"),
        pytest.param("size = " + "9" * 5000, "not TOML", id="endless"),
        pytest.param("size = " + "[" * 5000, "not TOML", id="nested"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, part: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(content)
    with pytest.raises((InputError, UsageError)) as caught:
        resolve(Settings, file=file)
    assert part in caught.value.cause
    assert "broken.toml" in caught.value.cause


def test_a_file_from_an_editor_on_windows_is_read_or_its_encoding_named(tmp_path: Path) -> None:
    file = tmp_path / "notepad.toml"
    file.write_bytes("\ufeffsize = 7\r\n".encode())
    assert resolve(Settings, file=file).size == 7
    file.write_bytes("\ufeffsize = 7\r\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="not UTF-8") as caught:
        resolve(Settings, file=file)
    assert "save it as UTF-8" in caught.value.remedy


def test_a_missing_file_is_named_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(InputError) as caught:
        resolve(Settings, file=tmp_path / "confg.toml")
    assert "config.toml" in caught.value.remedy


def test_a_bare_equals_sign_is_missing() -> None:
    with pytest.raises(UsageError, match="key=value"):
        resolve(Settings, assignments=["size"])


@tried(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    settings=st.builds(
        Settings,
        preset=st.just("standard"),
        size=st.integers(),
        rate=st.floats(allow_nan=False),
        smooth=st.booleans(),
        start=st.sampled_from(["hull", "sphere"]),
        weights=st.lists(st.floats(allow_nan=False), max_size=3).map(tuple),
        masks=st.none() | st.just(Path("a b/ä")),
        limit=st.none() | st.floats(allow_nan=False),
        name=st.text(),
    )
)
def test_what_is_written_reads_back_equal(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "round.toml"
    file.write_text(to_toml(settings, "two\nlines"), encoding="utf-8", newline="")
    assert resolve(Settings, presets=PRESETS, file=file) == settings
