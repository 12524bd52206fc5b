"""Pairs of variant and window through a model: shared reference passes, alleles in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.predictor import Floats
from exprimo.core.sequence import Codes
from exprimo.data.fasta import Genome
from exprimo.scoring.sequences import SequenceModel
from exprimo.scoring.variants.alleles import Alleles
from exprimo.scoring.variants.bins import partner_bins
from exprimo.scoring.variants.edits import Ints
from exprimo.scoring.variants.plan import Plan
from exprimo.scoring.variants.scores import ScoreKind, Scores, score
from exprimo.scoring.variants.windows import VariantWindows, unknown_in, variant_windows

# Room for the windows of some pairs, and for what is predicted for them.
_WINDOW_BYTES = 1 << 25
_OUTPUT_BYTES = 1 << 28


class ScoredPairs(NamedTuple):
    """Scores of some pairs, and whether N stands in either of their windows, (pairs,)."""

    scores: Scores
    unknown: npt.NDArray[np.bool_]


class PairScorer:
    """Scores pairs of variant and window; the last reference prediction is kept for the next.

    A window's reference is read once, however many variants are put into it, as long as its
    pairs follow one another. An alternate window that equals its reference is not read at all:
    its difference is exactly 0.

    Attributes
    ----------
    n_read
        Windows that the model has read.
    """

    def __init__(
        self, model: SequenceModel, genome: Genome, plan: Plan, alleles: Alleles, kind: ScoreKind
    ) -> None:
        self._model, self._genome = model, genome
        self._plan, self._alleles, self._kind = plan, alleles, kind
        self._kept: dict[int, Floats] = {}
        self.n_read = 0

    def score(self, first: int, behind: int) -> Iterator[ScoredPairs]:
        """Score the pairs ``first`` to ``behind - 1`` of the plan, some at a time, in order."""
        step = self._pairs_at_once()
        for start in range(first, behind, step):
            yield self._some(slice(start, min(start + step, behind)))

    def forget(self) -> None:
        """Read the next window's reference again."""
        self._kept = {}

    def _pairs_at_once(self) -> int:
        model = self._model
        length = model.upstream + model.downstream
        output = 4 * len(model.tracks) * model.n_bins
        least = model.rows_at_once()
        return max(least, min(_WINDOW_BYTES // length, _OUTPUT_BYTES // output))

    def _some(self, pairs: slice) -> ScoredPairs:
        model, plan = self._model, self._plan
        used, place = np.unique(plan.place[pairs], return_inverse=True)
        windows = variant_windows(
            self._genome,
            plan.places.iloc[used],
            place,
            self._alleles.take(plan.variant[pairs]),
            upstream=model.upstream,
            downstream=model.downstream,
        )
        unknown = unknown_in(windows.reference)[place] | unknown_in(windows.alternate)
        reference, alternate = self._predict(used, place, windows)
        found = score(self._kind, reference, alternate, partner_bins(windows.edits, model))
        return ScoredPairs(found, unknown)

    def _predict(self, used: Ints, place: Ints, windows: VariantWindows) -> tuple[Floats, Floats]:
        """Predict for both alleles of each pair, (pairs, tracks, bins) each."""
        kept = [self._kept.get(number) for number in used.tolist()]
        fresh = np.array([known is None for known in kept])
        changed = _differ(windows.alternate, windows.reference, place)
        # Each reference stands before its alternates: some models compute only what differs
        # from the window before.
        of_row = np.concatenate([np.flatnonzero(fresh), place[changed]])
        order = np.argsort(of_row, kind="stable")
        rows = np.concatenate([windows.reference[fresh], windows.alternate[changed]])[order]
        predicted = np.empty((len(rows), len(self._model.tracks), self._model.n_bins), np.float32)
        predicted[order] = self._model.predict(rows)
        self.n_read += len(rows)
        of_place = np.empty((len(used), *predicted.shape[1:]), dtype=np.float32)
        of_place[fresh] = predicted[: fresh.sum()]
        for at, known in enumerate(kept):
            if known is not None:
                of_place[at] = known
        # Pairs are ordered by window, so only the last can go on.
        self._kept = {int(used[-1]): of_place[-1].copy()}
        reference = of_place[place]
        alternate = reference.copy()
        alternate[changed] = predicted[fresh.sum() :]
        return reference, alternate


def _differ(alternate: Codes, reference: Codes, place: Ints) -> npt.NDArray[np.bool_]:
    return np.asarray((alternate != reference[place]).any(axis=1))
