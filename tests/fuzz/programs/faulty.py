"""Programs that fail in every way that the fuzzer has to see, to be called in place of the real one."""

from __future__ import annotations

import faulthandler
import json
import signal
import struct
import sys
import time
from pathlib import Path

import numpy as np


def silent() -> None:
    """Succeed without a word and without a file."""


def refuses() -> None:
    """Refuse the input as it should be done."""
    print("error: box.obj has no faces\ntry: export it again", file=sys.stderr)
    sys.exit(3)


def traceback() -> None:
    """End in an exception."""
    raise KeyError("faces")


def hang() -> None:
    """Never end."""
    time.sleep(3600)


def crash() -> None:
    """End by a signal, as C code does."""
    signal.raise_signal(signal.SIGSEGV)  # in this thread, at once: a signal to the process may come later


def late_crash() -> None:
    """Take too long, and then end by a signal."""
    faulthandler.dump_traceback_later(0.01)
    time.sleep(0.5)
    crash()


def wordy() -> None:
    """Fail with many lines and without a remedy."""
    print("error: wrong\n" + "more\n" * 7, file=sys.stderr)
    sys.exit(3)


def raw_name() -> None:
    """Fail with a control character from a file in the message."""
    print("error: there is no material \x1b[31mred\ntry: another one", file=sys.stderr)
    sys.exit(3)


def greedy() -> None:
    """Take 300 MiB for a moment."""
    np.ones(300 << 20, np.uint8).sum()


def printed_nan() -> None:
    """Print a number that is none."""
    print("volume  nan")


def lost_nan() -> None:
    """Put NaN into a picture, where it becomes some colour."""
    np.full(3, np.nan).astype(np.uint8)


def nan_array() -> None:
    """Write NaN into an .npz."""
    np.savez("volume.npz", density=np.full(3, np.nan))


def nan_mesh() -> None:
    """Write a .glb whose positions are infinite."""
    accessor = {"bufferView": 0, "componentType": 5126, "count": 1, "type": "VEC3"}
    text = json.dumps({"accessors": [accessor], "bufferViews": [{"buffer": 0, "byteLength": 12}]}).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II3f", 12, 0x004E4942, 0, 1, float("inf"))
    Path("mesh.glb").write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def nan_metrics() -> None:
    """Write NaN into a .json, which is not even JSON."""
    Path("metrics.json").write_text('{"psnr": NaN}')


def nan_losses() -> None:
    """Write NaN into a .csv."""
    Path("losses.csv").write_text("step,loss\n1,nan\n")


def torn_picture() -> None:
    """Write half a picture under its final name."""
    Path("progress.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")


def temporary_file() -> None:
    """Leave a temporary file behind."""
    Path(".mesh.0123abcd.tmp.glb").write_bytes(b"")
