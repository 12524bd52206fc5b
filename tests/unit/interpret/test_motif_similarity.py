"""p-values of likeness against brute force, another program, and numbers that MEME publishes."""

from itertools import product

import numpy as np
import pytest

from exprimo.data.motifs import MotifMatrix
from exprimo.interpret.motifs import similarity
from exprimo.interpret.motifs.libraries import jaspar_library
from exprimo.interpret.motifs.similarity import compare

# The example of MEME Suite's documentation (4.12.0): tomtom -min-overlap 5 -dist pearson of
# STRGGTCAN, the first nine columns of MA0066.1, against JASPAR CORE 2014. Target, offset, p.
PUBLISHED = (
    ("MA0066.1", 0, 1.23179e-11),
    ("MA0072.1", 5, 0.000227628),
    ("MA0160.1", -1, 0.000387209),
    ("MA0592.1", 1, 0.000556165),
    ("MA0071.1", 2, 0.00248655),
    ("MA0451.1", 3, 0.00284845),
    ("MA0258.2", -2, 0.00351198),
    ("MA0112.2", 3, 0.00483913),
    ("MA0016.1", -1, 0.00687354),
    ("MA0589.1", 2, 0.0106133),
    ("MA0093.2", -3, 0.012561),
)


def clear_motifs(n: int, seed: int, narrow: int = 6, wide: int = 14) -> list[np.ndarray]:
    """Draw motifs whose columns all tell a lot: vague ones would not count."""
    rng = np.random.default_rng(seed)
    columns = rng.dirichlet(np.full(4, 0.3), size=60 * n)
    shares = np.clip(columns, 1e-9, 1)
    columns = columns[2 + (shares * np.log2(shares)).sum(axis=1) > 0.8]
    edges = np.cumsum(rng.integers(narrow, wide, n))
    return np.split(columns[: edges[-1]], edges[:-1])


def beside(query: np.ndarray, columns: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Score a query's columns beside others, (width, n), with no steps."""
    away = [np.sqrt(((one[:, None] - query[None]) ** 2).sum(2)).T for one in (columns, library)]
    return np.median(away[1], axis=1, keepdims=True) - away[0]


def columns_of(targets: list[np.ndarray]) -> np.ndarray:
    """Give all columns, then each as the other strand has it, in the same order."""
    forward = np.concatenate(targets)
    return np.concatenate([forward, forward[:, ::-1]])


def test_the_p_value_of_one_place_is_that_of_all_motifs_that_there_are() -> None:
    # Four columns beside four columns stand at one place on each strand. All motifs of four of
    # the library's columns are counted, in two halves.
    targets = clear_motifs(60, seed=1, narrow=4, wide=5)
    queries = [*(0.9 * target + 0.025 for target in targets[:12]), *clear_motifs(8, 2, 4, 5)]
    found = compare(queries, targets).pvalue
    library = columns_of(targets)
    for row, query in zip(found, queries, strict=True):
        scores = beside(query, library, library)
        first, second = (np.add.outer(scores[k], scores[k + 1]).ravel() for k in (0, 2))
        second.sort()
        for j in np.argsort(row)[:3]:
            both = [targets[j], targets[j][::-1, ::-1]]
            best = max(np.trace(beside(query, one, library)) for one in both)
            above = len(second) - np.searchsorted(second, best - 1e-9 - first)
            exact = 1 - (1 - above.sum() / len(first) ** 2) ** 2
            # Scores are rounded to a hundredth of their range, which weighs among the best.
            near = 1.35 if exact > 1e-4 else 2.5 if exact > 1e-7 else 10
            assert exact / near < row[j] < exact * near


@pytest.mark.parametrize("seed", [3, 4])
def test_as_many_random_motifs_are_as_alike_as_the_p_value_says(seed: int) -> None:
    targets = clear_motifs(60, seed, narrow=9, wide=10)
    query, n, width = 0.7 * targets[0][1:8] + 0.075, 200_000, 9
    library = columns_of(targets)
    scores = beside(query, library, library)
    drawn = np.random.default_rng(seed).integers(0, len(library), (n, width))
    back = (drawn + len(library) // 2) % len(library)
    best = np.full(n, -np.inf)
    for one, offset in product((drawn, back[:, ::-1]), range(5 - width, len(query) - 4)):
        covered = range(max(0, offset), min(len(query), offset + width))
        best = np.maximum(best, sum(scores[k, one[:, k - offset]] for k in covered))
    found = compare([query], targets).pvalue[0]
    known = np.array([similarity_of(query, target, library) for target in targets])
    checked = 0
    for p, score in zip(found, known, strict=True):
        share = (best >= score - 1e-9).mean()
        if share * n > 200:
            # Places that overlap are not independent, as the p-value takes them to be.
            assert 0.65 * p < share < 1.35 * p
            checked += 1
    assert checked > 20
    assert found[0] < 1e-4


def similarity_of(query: np.ndarray, target: np.ndarray, library: np.ndarray) -> float:
    sums = []
    for one in (target, target[::-1, ::-1]):
        scores = beside(query, one, library)
        for offset in range(5 - len(one), len(query) - 4):
            covered = range(max(0, offset), min(len(query), offset + len(one)))
            sums.append(sum(scores[k, k - offset] for k in covered))
    return max(sums)


def test_p_values_are_those_of_memelite() -> None:
    tomtom = pytest.importorskip("memelite", reason="memelite is not installed").tomtom
    targets = clear_motifs(80, seed=5)
    queries = [*clear_motifs(10, seed=6), *(0.8 * target[1:] + 0.05 for target in targets[:10])]
    theirs = tomtom([q.T for q in queries], [t.T for t in targets], n_jobs=1)[0]
    ours = compare(queries, targets).pvalue
    assert (ours[10:].argmin(1) == np.arange(10)).all()
    # They count overlaps of less than five columns too, which weighs among what is not alike.
    far = np.abs(np.log(ours / theirs))[(theirs < 0.05) & (theirs > 1e-12)]
    assert len(far) > 60
    assert np.quantile(far, 0.9) < np.log(1.5)
    assert far.max() < np.log(4)


def published_setting() -> tuple[list[MotifMatrix], np.ndarray]:
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    motifs = list(jaspar_library(None, "JASPAR2014").motifs)
    whole = next(motif for motif in motifs if motif.name == "MA0066.1")
    return motifs, whole.probabilities[:9]


def test_p_values_are_those_that_meme_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    def correlation(query: np.ndarray, columns: np.ndarray) -> np.ndarray:
        one, other = (m - m.mean(axis=1, keepdims=True) for m in (query, columns))
        sizes = np.outer(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1))
        return -one @ other.T / np.maximum(sizes, 1e-12)

    motifs, query = published_setting()
    assert len(motifs) == 593
    # The published example compares columns by correlation; all else is the same.
    monkeypatch.setattr(similarity, "_distances", correlation)
    found = compare([query], [motif.probabilities for motif in motifs])
    at = {motif.name: number for number, motif in enumerate(motifs)}
    for name, offset, p in PUBLISHED[1:]:
        assert found.pvalue[0, at[name]] == pytest.approx(p, rel=0.2), name
        assert found.offset[0, at[name]] == -offset, name
    # A word that is equal lies at the end of the steps.
    assert found.pvalue[0].argmin() == at["MA0066.1"]
    assert 0.2 < found.pvalue[0, at["MA0066.1"]] / PUBLISHED[0][2] < 5
