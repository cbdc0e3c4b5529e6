import numpy as np
import pytest

from invrender.geometry.connectivity import components, genus, is_closed_manifold, signed_volume, split_fans
from invrender.geometry.intersections import self_intersections
from invrender.geometry.regrid import regrid, winding_numbers
from invrender.geometry.remesh import remesh
from invrender.geometry.repair import Attempt, repair, untangle


def bump(v, centre, width):
    return np.exp(-((v[:, :2] - centre) ** 2).sum(1) / width)


@pytest.fixture
def slab(shapes):
    """A plate 0.12 thick."""
    return shapes["slab"]()


def test_a_clean_mesh_comes_back_unchanged(shapes):
    v, f = shapes["torus"]()
    v2, f2, left = untangle(v, f)
    assert left == 0
    assert np.array_equal(v2, v)
    assert np.array_equal(f2, f)


def test_a_thin_sheet_that_crossed_itself_is_parted(slab):
    v, f = slab
    crossed = v.copy()
    crossed[:, 2] -= np.sign(v[:, 2]) * 0.12 * bump(v, [0.2, 0.0], 0.06)
    assert len(self_intersections(crossed, f)) > 20
    v2, f2, left = untangle(crossed, f)
    assert left == len(self_intersections(v2, f2)) == 0
    assert np.array_equal(f2, f)
    assert signed_volume(v2, f2) == pytest.approx(signed_volume(v, f), rel=0.15)
    far = bump(v, [0.2, 0.0], 0.06) < 1e-6
    assert far.any()
    assert np.array_equal(v2[far], crossed[far])


def test_an_attempt_that_makes_it_worse_is_dropped(slab):
    v, f = slab
    crossed = v.copy()
    crossed[:, 2] -= np.sign(v[:, 2]) * 0.12 * bump(v, [0.2, 0.0], 0.06)
    before = len(self_intersections(crossed, f))
    for attempt in (Attempt(1, 1.0, push=-1), Attempt(6, 1.0, push=-1)):
        v2, _, left = untangle(crossed, f, (attempt,))
        assert left == len(self_intersections(v2, f)) <= before


def test_spikes_are_folded_back_and_the_rest_stays(shapes):
    v, f = shapes["sphere"]()
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(v), 12, replace=False)
    spiked = v.copy()
    spiked[chosen] += rng.normal(size=(12, 3)) * 0.3
    assert len(self_intersections(spiked, f)) > 0
    v2, _, left = untangle(spiked, f)
    assert left == 0
    assert (v2 == spiked).all(1).mean() > 0.8


@pytest.mark.parametrize("noise", [0.03, 0.08])
def test_a_crumpled_surface_becomes_clean(shapes, noise):
    v, f = shapes["sphere"]()
    crumpled = v + np.random.default_rng(2).normal(size=v.shape) * noise
    v2, f2, left = untangle(crumpled, f)
    assert left == len(self_intersections(v2, f2)) == 0
    assert signed_volume(v2, f2) == pytest.approx(signed_volume(v, f), rel=0.1)


def test_remeshing_a_crossed_sheet_ends_clean(slab):
    v, f = slab
    v = v.copy()
    v[:, 2] -= (v[:, 2] > 0) * 0.3 * bump(v, [0.0, 0.1], 0.05)
    assert len(self_intersections(v, f)) > 0
    v2, f2 = remesh(v, f, 0.07)
    assert len(self_intersections(v2, f2)) == 0
    assert is_closed_manifold(f2)
    assert genus(f2) == 0


def test_repair_says_what_it_did(shapes):
    v, f = shapes["sphere"]()
    assert repair(v, f).method == "clean"
    spiked = v.copy()
    spiked[7] *= -1.5
    result = repair(spiked, f)
    assert (result.method, result.n_left) == ("local", 0)


def test_repair_falls_back_to_a_grid(shapes):
    v, f = shapes["sphere"]()
    twice = np.concatenate([v, v * 0.97 + [0.9, 0.01, 0.02]]), np.concatenate([f, f + len(v)])
    result = repair(*twice, resolution=40, attempts=())
    assert (result.method, result.n_left) == ("grid", 0)
    assert components(result.faces).max() == 0
    assert is_closed_manifold(result.faces)
    radius, other, d = 1.0, 0.97, np.hypot(0.9, np.hypot(0.01, 0.02))
    lens = np.pi * (radius + other - d) ** 2 / (12 * d)
    lens *= d * d + 2 * d * (radius + other) - 3 * (radius - other) ** 2
    union = 4 / 3 * np.pi * (radius**3 + other**3) - lens
    assert signed_volume(result.vertices, result.faces) == pytest.approx(union, rel=0.02)


def test_winding_numbers_of_nested_and_reversed_spheres(shapes):
    v, f = shapes["sphere"]()
    nested = np.concatenate([v, v * 0.5]), np.concatenate([f, f + len(v)])
    shell = nested[0], np.concatenate([f, f[:, ::-1] + len(v)])
    g = np.linspace(-1.2, 1.2, 25)
    r = np.sqrt(sum(x * x for x in np.meshgrid(g, g, g, indexing="ij")))
    sure = (np.abs(r - 1) > 0.05) & (np.abs(r - 0.5) > 0.05)
    for mesh, inner in ((nested, 2), (shell, 0)):
        w = winding_numbers(*mesh, np.full(3, -1.2), 0.1, (25, 25, 25))
        expected = np.where(r < 0.5, inner, np.where(r < 1, 1, 0))
        assert np.array_equal(w[sure], expected[sure])


def test_regrid_keeps_a_handle(shapes):
    v, f = regrid(*shapes["torus"](), resolution=48)
    assert is_closed_manifold(f)
    assert genus(f) == 1
    tube = np.hypot(np.hypot(v[:, 0], v[:, 1]) - 0.9, v[:, 2])
    assert np.abs(tube - 0.25).max() < 0.03


def test_split_fans_parts_two_tetrahedra_that_touch(shapes):
    v = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], float)
    one = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    two = np.array([[0, 4, 5], [0, 6, 4], [0, 5, 6], [4, 6, 5]])
    f = np.concatenate([one, two])
    assert not is_closed_manifold(f)
    v2, f2 = split_fans(v, f)
    assert is_closed_manifold(f2)
    assert len(v2) == 8
    assert components(f2).max() == 1
    assert np.array_equal(v2[f2], v[f])
