"""What a motif does where it is inserted into sequences that hold nothing else.

The mean change of the prediction over many shuffled backgrounds is the motif's marginal effect
there. It is that of the model: whether the cell would follow is another question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.progress import task
from exprimo.core.sequence import Codes
from exprimo.data.motifs import MotifMatrix
from exprimo.interpret.motifs.backgrounds import Form, inserted, words_of

Values = npt.NDArray[np.float64]
Predict = Callable[[Codes], Values]

EFFECT_COLUMNS = ("motif", "name", "strand", "position", "effect", "low", "high", "n")
SPACING_COLUMNS = (
    "motif_a", "motif_b", "strands", "between", "distance", "together", "alone_a", "alone_b",
    "interaction", "low", "high", "n",
)  # fmt: skip
_SIGNS = {"+": 1, "-": -1}
_RESAMPLES = 1000


class Backgrounds(NamedTuple):
    """Shuffled sequences and how they are read.

    Attributes
    ----------
    codes
        (n, length), in gene orientation.
    predicted
        Of each as it is, (n,).
    tss_index
        Column of the TSS base.
    predict
        Gives (n,) for (n, length).
    """

    codes: Codes
    predicted: Values
    tss_index: int
    predict: Predict


class Resampled:
    """Means over backgrounds with percentile intervals, all from the same resamples."""

    def __init__(self, n: int, level: float, seed: int) -> None:
        drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), _RESAMPLES)
        self.weights = drawn / n
        self.tails = ((1 - level) / 2, (1 + level) / 2)

    def __call__(self, changes: Values) -> Values:
        """Give mean, low and high of (places, backgrounds), as (places, 3)."""
        means = changes @ self.weights.T
        low, high = np.quantile(means, self.tails, axis=1)
        return np.stack([changes.mean(axis=1), low, high], axis=1)


def effects(
    motifs: Sequence[MotifMatrix],
    grounds: Backgrounds,
    starts: npt.NDArray[np.int64],
    form: Form,
    level: float,
    seed: int,
) -> pd.DataFrame:
    """Insert each motif on both strands at each start, one row per place.

    Parameters
    ----------
    starts
        First bases, in the window; those at which a motif would leave it are passed over.

    Examples
    --------
    >>> count_g = lambda codes: (codes == 2).sum(axis=1).astype(float)
    >>> ground = np.zeros((20, 6), np.uint8)
    >>> made = Backgrounds(ground, count_g(ground), 3, count_g)
    >>> g = MotifMatrix("g", "", np.eye(4)[[2, 2]], np.full(4, 0.25))
    >>> effects([g], made, np.array([0, 5]), "consensus", 0.95, 0).iloc[:, 2:5].values.tolist()
    [['+', -3, 2.0], ['-', -3, 0.0]]
    """
    n, length = grounds.codes.shape
    mean = Resampled(n, level, seed)
    rows = []
    with task("Inserting motifs", 2 * len(motifs)) as bar:
        for number, motif in enumerate(motifs):
            words = words_of(motif, n, form, seed + number)
            places = starts[starts + motif.width <= length]
            for strand, sign in _SIGNS.items():
                changes = np.array(
                    [
                        grounds.predict(inserted(grounds.codes, words, int(start), sign))
                        - grounds.predicted
                        for start in places
                    ]
                ).reshape(len(places), n)
                middle = places + (motif.width - 1) // 2 - grounds.tss_index
                for place, row in zip(middle, mean(changes), strict=True):
                    rows.append(
                        (motif.name, motif.alt_name or motif.name, strand, int(place), *row, n)
                    )
                bar.advance(1)
    return pd.DataFrame(rows, columns=list(EFFECT_COLUMNS))


def interactions(
    pair: tuple[MotifMatrix, MotifMatrix],
    grounds: Backgrounds,
    start: int,
    reach: int,
    form: Form,
    level: float,
    seed: int,
) -> pd.DataFrame:
    """Insert a pair at many distances: what it does beyond the sum of its single motifs.

    The first motif stays at ``start``. Interaction is f(both) - f(first) - f(second) + f(none),
    with the second alone at the same place as in the pair.

    Parameters
    ----------
    reach
        Most bases between the two.
    """
    first, second = pair
    n, length = grounds.codes.shape
    mean = Resampled(n, level, seed)
    words = [words_of(motif, n, form, seed + k) for k, motif in enumerate(pair)]
    places = [at for at in range(start - reach - second.width, start + first.width + reach + 1)
              if (at + second.width <= start or at >= start + first.width)
              and 0 <= at <= length - second.width]  # fmt: skip
    rows = []
    with task("Inserting pairs", 4) as bar:
        for sides in ("++", "+-", "-+", "--"):
            with_first = inserted(grounds.codes, words[0], start, _SIGNS[sides[0]])
            alone_first = grounds.predict(with_first) - grounds.predicted
            for at in places:
                side = _SIGNS[sides[1]]
                both = grounds.predict(inserted(with_first, words[1], at, side))
                alone = grounds.predict(inserted(grounds.codes, words[1], at, side))
                together = both - grounds.predicted
                alone = alone - grounds.predicted
                beyond = mean((together - alone_first - alone)[None])[0]
                between = max(at - start - first.width, start - at - second.width)
                middle = at + second.width / 2 - start - first.width / 2
                rows.append(
                    (first.name, second.name, sides, between, middle, together.mean(),
                     alone_first.mean(), alone.mean(), *beyond, n)
                )  # fmt: skip
            bar.advance(1)
    return pd.DataFrame(rows, columns=list(SPACING_COLUMNS))
