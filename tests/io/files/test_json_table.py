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
    "empty": (b"", "line 1, column 1"),
    "cut": (b'{"frames": [\n{"file_path":', "line 2, column 14"),
    "number": (b"7", "no object"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("read", [read_dataset, read_transmittance])
def test_faults_are_named(tmp_path, fault, read):
    content, words = FAULTS[fault]
    (tmp_path / "transforms.json").write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read(tmp_path)
    assert "transforms.json" in error.value.cause and error.value.remedy
    assert len(str(error.value)) < 500
