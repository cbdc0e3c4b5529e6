"""Names in messages: nothing that a terminal obeys, nothing that no stream can write, nothing of endless length."""

from __future__ import annotations

import os

import pytest

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, listing, shown


def test_control_characters_are_escaped_and_letters_are_not():
    assert shown("bílder ✓/v 1.png") == "bílder ✓/v 1.png"
    assert shown("a\x1b[31m\nb\u2028c") == "a\\x1b[31m\\nb\\u2028c"
    assert listing(["a\r", "b"]) == "a\\r, b"
    assert shown(os.fsdecode(b"a\xff.png")).encode("ascii") == b"a\\udcff.png"


def test_long_names_are_cut_in_the_middle():
    assert shown("a" * 5000 + ".png").endswith("aaa.png (5004 characters)")
    assert len(shown("a" * 5000)) < 160


def test_errors_escape_whatever_they_quote():
    error = InputError("there is no file a\x1b]0;b\x07", "did you mean \udcff?")
    assert str(error) == "there is no file a\\x1b]0;b\\x07\ndid you mean \\udcff?"


@pytest.mark.parametrize(
    "name", ["a" * 5000, "a/" * 3000 + "b", "a\0b", "\ud800"], ids=["long", "deep", "nul", "no text"]
)
def test_names_that_no_disk_takes_are_missing_files(tmp_path, name):
    with pytest.raises(InputError, match="there is no file") as error:
        existing_file(tmp_path / name, "image")
    assert len(str(error.value)) < 500


def test_bytes_that_are_no_text_can_be_suggested(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"view\xff.png")).touch()
    except OSError:
        pytest.skip("this disk takes text alone")
    with pytest.raises(InputError, match="did you mean") as error:
        existing_file(tmp_path / "view.png", "image")
    str(error.value).encode()
