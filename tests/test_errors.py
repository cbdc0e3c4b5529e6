"""What errors say."""

from __future__ import annotations

from pathlib import Path

from invrender.cli.app import run
from invrender.errors import InputError

MUG = Path(__file__).parents[1] / "data" / "mug.glb"


def test_names_that_no_screen_holds_are_shortened(tmp_path, capsys):
    (tmp_path / "a.toml").write_text(f"{'x' * 5000}y = 1\n")
    assert run(["reconstruct", str(MUG), "--config", str(tmp_path / "a.toml"), "-o", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert f"{'x' * 90}..." in said
    assert "xxy', which is no setting" in said
    assert len(said) < 2000


def test_long_paths_and_long_sentences_stay_whole():
    path, sentence = "/folder" * 130, "one word more " * 200
    assert InputError(path, sentence).cause == path
    assert InputError(path, sentence).remedy == sentence
