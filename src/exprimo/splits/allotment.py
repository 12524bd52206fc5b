"""Deal whole groups out to train, val and test, as near to the wanted fractions as they allow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError
from exprimo.core.split import PARTS, Split

# Below this many groups (chromosomes, cell types, people) one deal can miss the fractions by
# far, and the best of many deals costs milliseconds.
_FEW_GROUPS = 200
_DEALS = 256
_LARGE = 0.05
_UNEVEN = 0.2
_GIANT = 0.2
# Groups that are found. Values of a column are known to the user, who may have only four cells.
_UNNAMED = ("homology", "gene", "random")

Fractions = tuple[float, float, float]


def check_fractions(fractions: Fractions) -> None:
    """Refuse fractions that are not three positive numbers with sum 1."""
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ConfigError(
            "not fractions of train, val and test",
            found=", ".join(f"{value:g}" for value in fractions),
            expected="three numbers above 0 with sum 1, such as 0.8, 0.1, 0.1",
        )


def allot(
    sizes: npt.NDArray[np.int64],
    keys: npt.NDArray[np.uint64],
    fractions: npt.ArrayLike,
    *,
    seed: int,
) -> npt.NDArray[np.int64]:
    """Deal groups out to parts; the same for a seed whatever the order of the groups.

    Parameters
    ----------
    sizes
        Examples per group, shape (groups,).
    keys
        A number per group that does not depend on order; it gives the order of the deal.
    fractions
        Wanted share of the examples per part, shape (parts,).
    seed
        Seed of the deal.

    Returns
    -------
    array
        Part per group, shape (groups,).

    Examples
    --------
    >>> sizes, keys = np.full(10, 5), np.arange(10, dtype=np.uint64)
    >>> np.bincount(allot(sizes, keys, (0.8, 0.1, 0.1), seed=0)).tolist()
    [8, 1, 1]
    """
    targets = np.asarray(fractions, dtype=float) * sizes.sum()
    canonical = np.argsort(keys, kind="stable")
    ordered = sizes[canonical]
    rng = np.random.default_rng(seed)
    if len(sizes) <= _FEW_GROUPS:
        deals = [_deal(ordered, rng.permutation(len(sizes)), targets, rng) for _ in range(_DEALS)]
        dealt = min(deals, key=lambda deal: _miss(deal, ordered, targets))
    else:
        shuffled = rng.permutation(len(sizes))
        large = ordered[shuffled] > _LARGE * targets.min()
        order = np.concatenate([shuffled[large], shuffled[~large]])
        dealt = _deal(ordered, order, targets, rng, whole=True)
    parts = np.empty(len(sizes), np.int64)
    parts[canonical] = dealt
    return parts


def _deal(
    sizes: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    targets: npt.NDArray[np.float64],
    rng: np.random.Generator,
    *,
    whole: bool = False,
) -> npt.NDArray[np.int64]:
    # Each group draws one of the places that are still free, so large groups are as likely in
    # test as their share, and the last small ones fill what is left.
    free = targets.tolist()
    parts = np.empty(len(sizes), np.int64)
    for group, size, draw in zip(
        order.tolist(), sizes[order].tolist(), rng.random(len(order)).tolist(), strict=True
    ):
        places = [max(0.0, left) if not whole or left >= size else 0.0 for left in free]
        if sum(places) == 0:
            part = max(range(len(free)), key=free.__getitem__)
        else:
            part = 0
            mark = draw * sum(places) - places[0]
            while mark >= 0 and part + 1 < len(places):
                part += 1
                mark -= places[part]
        parts[group] = part
        free[part] -= size
    return parts


def _miss(
    parts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    targets: npt.NDArray[np.float64],
) -> tuple[int, float]:
    held = np.bincount(parts, weights=sizes, minlength=len(targets))
    return int((held == 0).sum()), float(np.abs(held - targets).sum())


def note_uneven(
    parts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    wanted: Fractions,
    kind: str,
    overlap: str = "",
) -> dict[str, int | str]:
    """Give notes where one group is giant, or a part misses its share by more than a fifth.

    Parameters
    ----------
    parts
        0, 1 or 2 (train, val, test) of each example that was dealt.
    sizes
        Examples per group.
    overlap
        What is known of windows that overlap, as the cause of a giant group.

    Examples
    --------
    >>> parts = np.repeat([0, 1, 2], [96, 2, 2])
    >>> note_uneven(parts, np.array([96, 2, 2]), (0.8, 0.1, 0.1), "gene")["giant_gene"]
    'one of 3 whole groups holds 96.0% of the examples'
    """
    notes: dict[str, int | str] = {}
    got = np.bincount(parts, minlength=3) / len(parts)
    share = sizes.max() / len(parts)
    if (np.abs(got - wanted) > _UNEVEN * np.asarray(wanted)).any():
        shares = ", ".join(
            f"{PARTS[part]} {got[part]:.1%} of {wanted[part]:.1%}" for part in range(3)
        )
        notes[f"uneven_{kind}"] = (
            f"{shares} wanted: the largest of {len(sizes)} whole groups holds {share:.1%} of the "
            "examples"
        )
    if share > _GIANT and kind in _UNNAMED:
        notes[f"giant_{kind}"] = f"one of {len(sizes)} whole groups holds {share:.1%} of the " + (
            f"examples: {overlap}" if overlap else "examples"
        )
    return notes


def uneven_notes(split: Split) -> list[str]:
    """List what a reader must know of uneven parts and giant groups, a sentence each.

    Examples
    --------
    >>> notes = {"giant_homology": "one of 3 whole groups holds 96.0% of the examples"}
    >>> split = Split(np.array(["a"]), np.array(["train"]), "homology", 0, "ab", (), notes)
    >>> uneven_notes(split)
    ['One of 3 whole groups holds 96.0% of the examples.']
    """
    told = [
        str(text)
        for mark in ("giant_", "uneven_")
        for name, text in split.notes.items()
        if name.startswith(mark)
    ]
    return [f"{text[0].upper()}{text[1:]}." for text in told]
