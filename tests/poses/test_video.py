"""Frames of videos."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from invrender.errors import BackendError, InputError
from invrender.poses.find import find_poses
from invrender.poses.photographs import is_bare_photographs
from invrender.poses.video import sharpness, write_frames

SIZE = (96, 128)


def _write_video(path, frames):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, SIZE[::-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()


def _moving(count, blurred):
    """A texture that moves on by three pixels a frame; the frames in `blurred` are out of focus."""
    texture = np.random.default_rng(0).integers(0, 256, (SIZE[0], SIZE[1] + 3 * count, 3), np.uint8)
    texture = cv2.GaussianBlur(texture, (0, 0), 0.7)
    frames = [np.ascontiguousarray(texture[:, 3 * i : 3 * i + SIZE[1]]) for i in range(count)]
    return [cv2.GaussianBlur(f, (0, 0), 3) if i in blurred else f for i, f in enumerate(frames)]


def test_the_sharpest_frame_of_each_interval_is_taken(tmp_path):
    video = tmp_path / "walk.avi"
    _write_video(video, _moving(20, blurred=set(range(20)) - {2, 6, 11, 19}))
    assert is_bare_photographs(video)
    files = write_frames(video, tmp_path, 4)
    assert [file.name for file in files] == [f"frame_{i:06d}.png" for i in (2, 6, 11, 19)]
    assert cv2.imread(str(files[0])).shape == (*SIZE, 3)


def test_more_frames_than_there_are_is_all_of_them(tmp_path):
    _write_video(tmp_path / "short.avi", _moving(5, set()))
    assert len(write_frames(tmp_path / "short.avi", tmp_path, 80)) == 5


def test_a_camera_that_stands_still_gives_one_picture(tmp_path):
    video = tmp_path / "still.avi"
    _write_video(video, _moving(1, set()) * 12)
    assert len(write_frames(video, tmp_path, 6)) == 1
    with pytest.raises(InputError, match="fewer than 3 different pictures"):
        find_poses(video, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_video_is_refused_with_a_way_out(tmp_path, capfd):
    (tmp_path / "clip.mp4").write_bytes(b"\0" * 200)
    with pytest.raises(InputError, match="ffmpeg"):
        write_frames(tmp_path / "clip.mp4", tmp_path, 10)
    with pytest.raises(InputError, match="there is no file"):
        write_frames(tmp_path / "clap.mp4", tmp_path, 10)
    capfd.readouterr()


def test_without_opencv_the_way_to_get_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(BackendError, match=r"invrender\[photos\]"):
        write_frames(tmp_path / "clip.mp4", tmp_path, 10)


def test_sharpness_is_the_variance_of_the_laplacian():
    checks = np.indices((10, 10)).sum(0) % 2  # each Laplacian is +4 or -4
    assert sharpness(checks) == pytest.approx(16)
    assert sharpness(np.outer(np.arange(9), np.arange(9))) == 0
