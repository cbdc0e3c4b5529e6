"""What looks wrong in posed masks: views that contradict the others, poses or masks read the wrong way, cut-off masks.

`invrender reconstruct` and `invrender inspect` ask the same function. The thresholds were set on twelve meshes (own
views on rings and spheres, 3 to 24 of them, sharp, noisy by two pixels of 128, and cut off), on the lego scene of NeRF
and on photographs of a temple with masks made by a threshold. Agreeing masks leave 0 to 5 % of each other unexplained;
a wrong pose among 24 leaves 1 to 20 %, and nothing once it is left out; wrong conventions and orders 5 to 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.cameras.rigs import evenly
from invrender.evaluate.conventions import TRIED, Reading, best_reading, disagreement
from invrender.findings import Finding
from invrender.geometry.agreement import Silhouettes, Votes, small, votes
from invrender.geometry.carving import known_mask, known_pixels
from invrender.io.files.paths import listing
from invrender.nouns import Views
from invrender.nouns.coverage import coverage, covers

Tensor = torch.Tensor

POOR = 0.93  # a median share of explained pixels below this is worth a warning,
POOR_MEAN = 0.94  # so is such a mean,
OUTLIER = 0.8  # and a single view below this
SUSPICIOUS = 0.02  # unexplained on average: below, nothing else is tried
BETTER = 0.3  # what leaving views out or another reading has to leave of that
GAIN = 0.2  # and, times the share of the views left out, what that has to bring,
CLEAN, FEWEST_RAYS = 0.05, 5  # unless it leaves next to nothing of so many rays for each view left out
ACCEPTED = 0.06  # and the most that another reading may leave
SHARP = 0.5  # what leaving one more out has to leave of what remained: noise fades slowly, wrong poses end at once
FEWEST = 6  # with fewer views one is named only where no other may be the wrong one:
SMALLEST, ALONE = 4, 0.3  # with so many at least, and where leaving out any other leaves so much
SAME, OTHER = 1e-6, 0.1  # poses that are alike, in parts of the greatest number; masks that are not, in their area
WORST = 3  # views named where most of them are bad


@dataclass(frozen=True)
class Agreement:
    """How posed masks agree.

    Attributes:
        names: of the views.
        explained: by view, the share of its mask that the others explain; None: the cameras have nothing in common;
            empty: it was not asked.
        wrong: the numbers of views that contradict the others.
        reading: how the dataset should be read instead, where that explains the masks.
        reading_explained: the mean share that it explains.
        together: the names of views with the pose of another, but not its mask.
    """

    names: tuple[str, ...]
    explained: tuple[float, ...] | None
    wrong: tuple[int, ...] = ()
    reading: Reading | None = None
    reading_explained: float = 0.0
    together: tuple[str, ...] = ()


def agreement(views: Views) -> Agreement:
    """Hold posed masks against each other; where they disagree, look for the views or the convention behind it.

    Views of which no pixel is known take no part, nor do unknown pixels of others.
    """
    if views.confidence is not None:
        views = views[informed(views)]
    if len(views) < 2:
        return Agreement(view_names(views), ())
    return replace(_agreement(views), together=_together(views))


def informed(views: Views) -> list[int]:
    """The numbers of the views that are known to show something of the object."""
    return [view for view in range(len(views)) if bool(covers(known_mask(views, view)).any())]


def _agreement(views: Views) -> Agreement:
    names = view_names(views)
    silhouettes = small(views.masks, views.cameras, names, views.confidence)
    found = votes(silhouettes)
    if found is None:
        return _read_otherwise(Agreement(names, None), silhouettes, 1.0)
    explained = found.explained()
    result = Agreement(names, tuple(explained.tolist()))
    loss = 1 - float(explained.mean())
    wrong = _wrong_views(found, explained)
    if len(wrong) != 1 and loss > SUSPICIOUS:  # an order that is a little off wrongs some views more than others
        result = _read_otherwise(result, silhouettes, loss)
    return replace(result, wrong=wrong) if result.reading is None else result


def view_names(views: Views) -> tuple[str, ...]:
    """The names of the views, or their numbers."""
    return views.names or tuple(f"view {i}" for i in range(len(views.cameras)))


def _together(views: Views) -> tuple[str, ...]:
    """The names of the views that share a pose, where their masks differ: one of them cannot be right."""
    pose = views.cameras.world_to_camera[:, :3].flatten(1)
    near = torch.cdist(pose, pose, p=float("inf")) <= SAME * pose.abs().max()
    first = near.long().argmax(1)  # of the views with this pose, so that each mask is looked at once
    odd = set()
    for view, other in enumerate(first.tolist()):
        if view == other:
            continue
        one, two = coverage(views.masks[view]), coverage(views.masks[other])
        if views.confidence is not None:
            both = known_pixels(views.confidence[view]) & known_pixels(views.confidence[other])
            one, two = one * both, two * both
        if float((one - two).abs().sum()) > OTHER * float(two.sum()):
            odd.add(other)
    return tuple(name for name, other in zip(view_names(views), first.tolist(), strict=True) if other in odd)


def _read_otherwise(given: Agreement, views: Silhouettes, loss: float) -> Agreement:
    if len(views.cameras) > TRIED:  # fewer views contradict each other less: compare like with like
        loss = disagreement(views[evenly(len(views.cameras), TRIED)])
        if loss <= SUSPICIOUS:
            return given
    best = best_reading(views)
    if best is None or best[1] > min(ACCEPTED, BETTER * loss):
        return given
    return Agreement(given.names, given.explained, (), best[0], 1 - best[1])


def _wrong_views(found: Votes, explained: Tensor) -> tuple[int, ...]:
    """The few views without which the others agree; none where there are no such."""
    count = len(explained)
    most = max(1, count // 6)
    if count < FEWEST:
        return _only_one(found) if count >= SMALLEST else ()
    without: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    first = loss = before = _unexplained(found, ())
    rays = found.against.shape[0] * found.against.shape[1]
    while loss * rays >= FEWEST_RAYS and len(without) < most:
        left = [view for view in found.judges if view not in without]
        losses = [_unexplained(found, (*without, view)) for view in left]
        least = min(losses)
        without = (*without, left[losses.index(least)])
        # Noise spreads over all views: each takes its share with it when it is left out.
        clean = least <= CLEAN * first and first * rays >= FEWEST_RAYS * len(without)
        enough = clean or first - least >= GAIN * len(without) / count
        if enough and least <= BETTER * loss and least <= SHARP * before:
            wrong, loss = without, least
        before = least
    rest = found.explained(wrong)
    outliers = tuple(view for view in range(count) if view not in wrong and rest[view] < OUTLIER)
    if len(wrong) + len(outliers) > most or float(rest.median()) < POOR:
        return ()
    return (*wrong, *outliers)


def _only_one(found: Votes) -> tuple[int, ...]:
    """The one of a few views without which alone the others agree; none where it may be another."""
    first = _unexplained(found, ())
    losses = {view: _unexplained(found, (view,)) for view in found.judges}
    least, *others = sorted(losses, key=losses.__getitem__)
    alone = losses[least] <= CLEAN * first and losses[others[0]] >= ALONE * first
    return (least,) if first > 1 - POOR_MEAN and alone else ()


def _unexplained(found: Votes, without: tuple[int, ...]) -> float:
    explained = found.explained(without)
    kept = [view for view in range(len(explained)) if view not in without]
    return 1 - float(explained[kept].mean())


def cut_off(views: Views) -> tuple[str, ...]:
    """The names of the views whose mask touches the border of the image."""
    masks = (known_mask(views, view) for view in range(len(views)))
    border = (torch.cat([mask[0], mask[-1], mask[:, 0], mask[:, -1]]) for mask in masks)
    return tuple(name for name, line in zip(view_names(views), border, strict=True) if bool(covers(line).any()))


def posed_findings(found: Agreement, cut: tuple[str, ...], own: str | None = None) -> list[Finding]:
    """What looks wrong in posed masks, for people.

    Args:
        found: how they agree.
        cut: the views that are cut off.
        own: how to show all of an object whose own views these are; None: they are a dataset.
    """
    disagreeing = _disagreement(found)
    findings = [disagreeing] if disagreeing else []
    if found.together and not found.wrong:  # wrong ones may have been given the pose of another
        findings.insert(0, Finding(
            f"{listing(found.together)} have the same pose, but other masks",
            "give each image its own pose (of an object that turns before a camera at rest: the camera's around it)",
            found.together,
        ))  # fmt: skip
    return findings + ([_cut_finding(cut, len(found.names), own)] if cut else [])


def _cut_finding(cut: tuple[str, ...], count: int, own: str | None) -> Finding:
    masks = "masks touches" if len(cut) == 1 else "masks touch"
    return Finding(
        f"{len(cut)} of {count} {masks} the border of the image, which may cut the object off: {listing(cut)}",
        own or "use images that show all of the object, or expect a guess where none does",
        cut,
    )


def _disagreement(found: Agreement) -> Finding | None:
    if found.explained is None:
        return Finding("the cameras look at nothing in common", _remedy(found))
    if not found.explained:
        return None
    shares = torch.tensor(found.explained, dtype=torch.float64)
    order = shares.argsort().tolist()
    if found.wrong:
        names = tuple(found.names[i] for i in sorted(found.wrong, key=lambda i: found.explained[i]))  # type: ignore[index]
        one = len(names) == 1
        return Finding(
            f"{listing(names)} contradict{'s' if one else ''} the other views, which agree among themselves",
            f"check {'its pose, image and mask' if one else 'their poses, images and masks'}, or leave"
            f" {'it' if one else 'them'} out",
            names,
        )
    poor = float(shares.median()) < POOR or float(shares.mean()) < POOR_MEAN or float(shares.min()) < OUTLIER
    if not poor and found.reading is None:
        return None
    worst = tuple(found.names[i] for i in order[:WORST])
    return Finding(
        f"poses and masks disagree: what all views have in common explains {float(shares.median()):.0%} of a mask"
        f" (median), least in {', '.join(f'{found.names[i]} ({shares[i]:.0%})' for i in order[:WORST])}",
        _remedy(found),
        worst,
    )


def _remedy(found: Agreement) -> str:
    if found.reading is not None:
        return f"read as {found.reading.name} they explain {found.reading_explained:.0%}: {found.reading.remedy}"
    return (
        "likely causes: images and poses in different order, another camera convention, poor or inverted masks, a wrong"
        " angle of view; see `invrender inspect --picture`"
    )
