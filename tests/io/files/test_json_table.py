"""JSON files with every fault that a pose file can have, through the reader of datasets."""

from __future__ import annotations

import json

import pytest

from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset
from invrender.io.datasets.transmittance import read_transmittance

FAULTS = {
    "nested": (b"[" * 100_000, "nested too deeply"),
    "nested frames": (b'{"frames": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "5000 digits": (b'{"frames": [' + b"1" * 5000 + b"]}", "4300 digits"),
    "twice": (b'{"frames": [], "frames": [1]}', "'frames' is there twice"),
    "utf-16": (json.dumps({"frames": []}).encode("utf-16"), "UTF-16 text"),
    "bytes": (b"\xfa\xfb\xfc", "not text in UTF-8"),
    "empty": (b" \n", "is empty"),
    "cut": (b'{"frames": [\n{"file_path":', "line 2, column 14"),
    "number": (b"7", "no object"),
}


REMEDIES = {
    "comment": (b'{"w": 4, // pixels\n"h": 3}', "line 1, column 10", "delete the comment"),
    "comment before": (b'# poses\n{"w": 4}', "line 1, column 1", "delete the comment"),
    "comma": (b'{"w": 4,\n}', "line 2, column 1", "delete the comma"),
    "comma in a list": (b'{"frames": [1, ]}', "line 1", "delete the comma"),
    "quotes": (b"{'w': 4}", "line 1, column 2", "double quotes"),
    "zeros behind": (b'{"w": 4}\0\0', "line 1, column 9", "other bytes"),
}


@pytest.mark.parametrize("fault", REMEDIES)
def test_what_other_languages_allow_is_said(tmp_path, fault):
    content, place, remedy = REMEDIES[fault]
    (tmp_path / "transforms.json").write_bytes(content)
    with pytest.raises(InputError, match=place) as error:
        read_dataset(tmp_path)
    assert remedy in error.value.remedy


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("read", [read_dataset, read_transmittance])
def test_faults_are_named(tmp_path, fault, read):
    content, words = FAULTS[fault]
    (tmp_path / "transforms.json").write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read(tmp_path)
    assert "transforms.json" in error.value.cause and error.value.remedy
    assert len(str(error.value)) < 500
