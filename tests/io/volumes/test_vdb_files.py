"""Reading and writing .vdb by the rules of the format alone: files made by hand, round trips, and damaged files."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

import invrender
from invrender.errors import InputError, InvrenderError, MemoryLimitError, UsageError
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume
from tests.io.volumes import vdb_files as made

BACKGROUND = 3.0


@pytest.fixture
def volume(grid) -> Volume:
    """Numbers up to 119, of which one is 0, in a box that is no cube."""
    return Volume.from_numpy(grid.astype(np.float32), np.array([[-10, -20, 5], [-7, -16, 6.5]]))


def dense(leaves: dict[int, made.Leaf], background: float = BACKGROUND) -> np.ndarray:
    """The values [z,y,x] of leaves in slots of one node, within what is active and one voxel around that."""
    values, active = np.full((18, 34, 66), background), np.zeros((18, 34, 66), bool)
    for slot, leaf in leaves.items():
        x, y, z = (1 + 8 * n for n in np.unravel_index(slot, (16, 16, 16)))
        values[x : x + 8, y : y + 8, z : z + 8] = leaf.values.reshape(8, 8, 8)
        active[x : x + 8, y : y + 8, z : z + 8] = leaf.active.reshape(8, 8, 8)
    box = tuple(slice(where.min() - 1, where.max() + 2) for where in np.nonzero(active))
    return values[box].T


@pytest.mark.parametrize("name", sorted(made.all_cases()))
def test_every_compression_and_way_to_keep_inactive_values(tmp_path, expect, name):
    (tmp_path / "v.vdb").write_bytes(made.all_cases()[name])
    expect(tmp_path / "v.vdb", dense(made.all_leaves(BACKGROUND)), [[-1, -1, -1], [8, 16, 32]])


@pytest.mark.parametrize(
    ("tree_type", "kind"), [("double", "<f8"), ("half", "<f2"), ("int32", "<i4"), ("int64", "<i8"), ("float", "<f4")]
)
def test_every_type_of_number(tmp_path, expect, tree_type, kind):
    leaves = made.all_leaves(BACKGROUND, kind)
    flags = made.ZIP | made.ACTIVE_MASK
    grid = made.grid("density", made.tree(leaves, flags, BACKGROUND, kind), flags, f"Tree_{tree_type}_5_4_3")
    (tmp_path / "v.vdb").write_bytes(made.archive(grid))
    expect(tmp_path / "v.vdb", dense(leaves))


@pytest.mark.parametrize("kind", ["bool", "mask"])
def test_bools_and_masks_become_0_and_1(tmp_path, expect, kind):
    leaf = made.leaf(6, 0, 5)
    values = leaf.active if kind == "mask" else leaf.values > 30
    topology, _ = made.tree({0: leaf}, 0, 0, "?")
    behind = made.mask(leaf.active) + struct.pack("<3i", 0, 0, 0) + (b"" if kind == "mask" else made.mask(values))
    (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("on", (topology, behind), 0, f"Tree_{kind}_5_4_3")))
    expect(tmp_path / "v.vdb", dense({0: made.Leaf(values.astype(float), leaf.active)}, 0))


def test_a_stream_holds_no_places_and_is_walked_through(tmp_path, expect):
    first, second = made.all_leaves(BACKGROUND), {5: made.leaf(1, BACKGROUND, 9)}
    zipped = made.ZIP | made.ACTIVE_MASK
    grids = [
        made.grid("heat", made.tree(first, zipped, BACKGROUND), zipped),
        made.grid("copy", (b"", b""), zipped, parent="heat"),
        made.grid("smoke", made.tree(second, 0, BACKGROUND, half=True), 0, "Tree_float_5_4_3_HalfFloat"),
    ]
    for offsets in (True, False):
        (tmp_path / "v.vdb").write_bytes(made.archive(*grids, offsets=offsets))
        expect(tmp_path / "v.vdb", dense(first), key="heat")
        expect(tmp_path / "v.vdb", dense(first), key="copy")
        found = read_volume(tmp_path / "v.vdb", key="smoke").numpy()[0]
        assert np.array_equal(found[1:-1, 1:-1, 1:-1], second[5].values.reshape(8, 8, 8).T)
        with pytest.raises(InputError, match="heat, copy, smoke"):
            read_volume(tmp_path / "v.vdb")
    points = made.grid("points", (b"", b""), 0, "Tree_ptdataidx32_5_4_3")
    (tmp_path / "v.vdb").write_bytes(made.archive(points, *grids, offsets=False))
    with pytest.raises(InputError, match=r"stream.*points \(ptdataidx32\)"):
        read_volume(tmp_path / "v.vdb", key="heat")


def test_transforms_that_the_library_module_cannot_make(tmp_path, expect):
    content = made.tree({0: made.leaf(6, 0.0)}, 0)
    turn = (0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)  # i along y, j against x
    (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", content, 0, transform=("UnitaryMap", turn))))
    assert np.array_equal(read_volume(tmp_path / "v.vdb").bounds, [[-8, -1, -1], [1, 8, 8]])
    moved = ("TranslationMap", (10.0, 20.0, 30.0))
    (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", content, 0, transform=moved)))
    assert np.array_equal(read_volume(tmp_path / "v.vdb").bounds, [[9, 19, 29], [18, 28, 38]])
    for kind, message in (("NonlinearFrustumMap", "Houdini: VDB Resample"), ("CurvedMap", "CurvedMap.*not known")):
        (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", content, 0, transform=(kind, ()))))
        with pytest.raises(InputError, match=message):
            read_volume(tmp_path / "v.vdb")


def test_what_is_written_is_read_again(tmp_path, expect, grid, volume):
    write_volume(tmp_path / "v.vdb", volume)
    content = (tmp_path / "v.vdb").read_bytes()
    expect(tmp_path / "v.vdb", np.pad(grid, 1), [[-10.6, -21, 4.5], [-6.4, -15, 7]])
    write_volume(tmp_path / "v.vdb", volume)
    assert (tmp_path / "v.vdb").read_bytes() == content
    large = np.zeros((4, 4200, 4), np.float32)  # two nodes of the root
    large[1, [3, 130, 4199], 2] = 1, 2, 3
    write_volume(tmp_path / "large.vdb", Volume.from_numpy(large, np.array([[0, 0, 0], [3, 4199, 3]])))
    expect(
        tmp_path / "large.vdb", np.pad(large[:3, 2:], ((0, 0), (0, 1), (0, 0)))[:, :, 1:4], [[1, 2, 0], [3, 4200, 2]]
    )


def test_what_cannot_be_written_is_said_before(tmp_path, grid):
    with pytest.raises(InputError, match=r"one channel, not 4\nwrite an .npz"):
        write_volume(tmp_path / "v.vdb", Volume.from_numpy(np.stack([grid] * 4).astype(np.float32)))
    with pytest.raises(InputError, match=r"all of this volume is\nwrite an .npz"):
        write_volume(tmp_path / "v.vdb", Volume.from_numpy(np.zeros((3, 3, 3), np.float32)))
    assert not list(tmp_path.iterdir())


def test_a_file_that_ends_anywhere_before_its_end_is_refused(tmp_path, volume):
    write_volume(tmp_path / "v.vdb", volume)
    blosc = made.ACTIVE_MASK | made.BLOSC
    packed = made.archive(made.grid("density", made.tree(made.all_leaves(BACKGROUND), blosc, BACKGROUND), blosc))
    stream = made.archive(made.grid("density", made.tree({0: made.leaf(5, 0.0)}, 0), 0), offsets=False)
    for content in ((tmp_path / "v.vdb").read_bytes(), packed, stream):
        whole = len(content)
        for end in {*range(1, 700, 7), *range(700, whole, whole // 60), whole - 65, whole - 2, whole - 1}:
            (tmp_path / "v.vdb").write_bytes(content[:end])
            with pytest.raises(InputError, match=r"cannot be read as \.vdb: .*byte"):
                read_volume(tmp_path / "v.vdb")


def test_changed_bytes_end_in_a_volume_or_a_named_error(tmp_path, volume):
    write_volume(tmp_path / "v.vdb", volume)
    blosc = made.ACTIVE_MASK | made.BLOSC
    packed = made.archive(made.grid("density", made.tree(made.all_leaves(BACKGROUND), blosc, BACKGROUND), blosc))
    rng, refused = np.random.default_rng(0), 0
    for content in ((tmp_path / "v.vdb").read_bytes(), packed):
        for _ in range(150):
            changed = bytearray(content)
            for place in rng.choice(len(content), 6):
                changed[place if rng.random() < 0.5 else place % 600] ^= 1 << int(rng.integers(8))
            (tmp_path / "v.vdb").write_bytes(changed)
            try:
                read_volume(tmp_path / "v.vdb")
            except InvrenderError:
                refused += 1
    assert refused > 100


def test_versions_and_other_files_are_named(tmp_path):
    grid = made.grid("density", made.tree({0: made.leaf(6, 0.0)}, 0), 0)
    for version, save in ((221, "newer"), (226, "older")):
        (tmp_path / "v.vdb").write_bytes(made.archive(grid, version=version))
        with pytest.raises(InputError, match=rf"version {version}.*222 to 225\nsave it again with an? {save}"):
            read_volume(tmp_path / "v.vdb")
    for version in (222, 225):
        (tmp_path / "v.vdb").write_bytes(made.archive(grid, version=version))
        assert read_volume(tmp_path / "v.vdb").values.shape == (1, 10, 10, 10)
    with pytest.raises(UsageError, match="--frame is 1"):
        read_volume(tmp_path / "v.vdb", frame=1)
    (tmp_path / "v.vdb").write_bytes(b"PK\x03\x04 and more")
    with pytest.raises(InputError, match=r"by its content it is a \.npz"):
        read_volume(tmp_path / "v.vdb")


ROOT = struct.pack("<ifII", 1, 0.0, 0, 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (ROOT, struct.pack("<ifII", 1, 0.0, 2**32 - 1, 1), r"bytes are promised"),
        (ROOT, struct.pack("<ifII", 1, 0.0, 0, 2**32 - 1), r"where none can be, or twice|bytes are promised"),
        (ROOT + bytes(12), ROOT + struct.pack("<3i", 0, 8, 0), r"a node at \(0, 8, 0\), where none can be"),
        (b"-000000000000" + bytes(4), b"-000000000000" + b"\xff" * 4, r"a name of \d+ letters|bytes are promised"),
        (made.text("density"), struct.pack("<I", 2**31) + b"density", r"a name of 2147483648 letters"),
        (struct.pack("<II", 1, 2), struct.pack("<II", 9, 2), r"compression is 0x9"),
    ],
)
def test_counts_and_places_that_lie(tmp_path, old, new, message):
    content = made.archive(made.grid("density", made.tree({0: made.leaf(6, 0.0)}, 1), 1))
    assert content.count(old) >= 1
    (tmp_path / "v.vdb").write_bytes(content.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "v.vdb")


@pytest.mark.parametrize("flags", [made.ZIP, made.BLOSC])
def test_chunks_that_unpack_to_more_or_less_or_nothing(tmp_path, flags):
    right = made.packed(np.zeros(512, "<f4"), flags)
    cut = struct.pack("<q", len(right) - 9) + right[8:-1]
    for chunk in (
        made.packed(np.zeros(10**6, "<f4"), flags),
        made.packed(np.zeros(511, "<f4"), flags),
        struct.pack("<q", -(2**63)),
        struct.pack("<q", 2**62),
        struct.pack("<q", 5) + b"abcde",
        struct.pack("<q", len(right) - 8) + right[8:24] + b"\xff" * (len(right) - 24),
        cut,
    ):
        topology, _ = made.tree({0: made.leaf(6, 0.0)}, flags)
        behind = bytes(64) + bytes([6]) + chunk
        (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", (topology, behind), flags)))
        with pytest.raises(InputError, match=r"cannot be read as \.vdb"):
            read_volume(tmp_path / "v.vdb")


def test_a_box_beyond_all_memory_is_refused_before_it_is_made(tmp_path):
    root = struct.pack("<ifII", 1, 0.0, 1, 0) + struct.pack("<3if?", 0, 4096, 0, 1.0, True)
    (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", (root, b""), 0)))
    with pytest.raises(MemoryLimitError, match=r"GiB in memory"):
        read_volume(tmp_path / "v.vdb")


def test_a_few_voxels_in_a_vast_box_are_refused(tmp_path):
    """Two leaves at opposite corners of a node, and one tile of 128 voxels a side far off."""
    leaves = {slot: made.leaf(6, 0.0) for slot in (0, 4095)}
    content = made.tree(leaves, 0)
    (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", content, 0)))
    assert read_volume(tmp_path / "v.vdb").values.shape == (1, 130, 130, 130)
    far = bytearray(content[0])
    actives = 4 + 4 + 8 + 12 + 32**3 // 8  # where the mask of active tiles begins, behind that of children
    far[actives + (7 * 32**2 + 7 * 32) // 8] = 1 << 7  # the one at (7, 7, 7)
    (tmp_path / "v.vdb").write_bytes(made.archive(made.grid("density", (bytes(far), content[1]), 0)))
    with pytest.raises(InputError, match=r"2097\d+ active voxels lie scattered in a box of 1040 x 1040 x 1040"):
        read_volume(tmp_path / "v.vdb")


def test_commands_and_the_public_reader_take_them(tmp_path, run_cli, volume):
    write_volume(tmp_path / "v.vdb", volume)
    assert invrender.read(tmp_path / "v.vdb").values.shape == (1, 6, 7, 8)
    seen = run_cli("inspect", "v.vdb", "--json")
    assert seen.code == 0, seen.stderr
    assert json.loads(seen.stdout)["greatest"] == 119
