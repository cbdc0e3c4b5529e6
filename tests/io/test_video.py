"""Films as .mp4: what is written can be read back, and without an encoder the error says what to install."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from invrender.errors import UsageError
from invrender.io import video


def _pictures() -> list[np.ndarray]:
    """Five plain greys with odd sides."""
    return [np.full((33, 47, 3), 40 * (i + 1), np.uint8) for i in range(5)]


@pytest.mark.parametrize("speed", [12.0, 12.5])
def test_a_film_is_read_back(tmp_path: Path, speed: float) -> None:
    av = pytest.importorskip("av")
    video.write_mp4(tmp_path / "film.mp4", _pictures(), speed)
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert float(stream.average_rate) == speed
    assert [frame.shape for frame in frames] == [(34, 48, 3)] * 5
    for frame, given in zip(frames, _pictures(), strict=True):
        assert abs(float(frame.mean()) - float(given.mean())) < 4


def test_ffmpeg_gets_all_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyAV the program on the PATH is handed the pictures and writes the file."""
    script = tmp_path / "bin" / "ffmpeg"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    assert video.encoder() == "ffmpeg"
    video.write_mp4(tmp_path / "film.mp4", _pictures(), 10)
    assert (tmp_path / "film.mp4").stat().st_size == 5 * 34 * 48 * 3


def test_without_an_encoder_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert video.encoder() is None
    with pytest.raises(UsageError, match="encoder") as raised:
        video.write_mp4(tmp_path / "film.mp4", _pictures(), 10)
    assert "invrender[video]" in raised.value.remedy
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_no_pictures_and_speeds_that_are_none(tmp_path: Path, speed: float) -> None:
    with pytest.raises(UsageError):
        video.write_mp4(tmp_path / "film.mp4", _pictures(), speed)
    with pytest.raises(UsageError):
        video.write_mp4(tmp_path / "film.mp4", [], 10)
