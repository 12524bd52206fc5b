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
from exprimo.scoring.variants.local import local_reader
from exprimo.scoring.variants.plan import Plan
from exprimo.scoring.variants.scores import ScoreKind, Scores, score
from exprimo.scoring.variants.windows.alleles import Alleles
from exprimo.scoring.variants.windows.bins import partner_bins
from exprimo.scoring.variants.windows.cutting import VariantWindows, unknown_in, variant_windows
from exprimo.scoring.variants.windows.edits import Ints

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
        self,
        model: SequenceModel,
        genome: Genome,
        plan: Plan,
        alleles: Alleles,
        kind: ScoreKind,
        *,
        whole: bool = False,
    ) -> None:
        self._local = None if whole else local_reader(model)
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
        model, edits = self._model, windows.edits
        shape = len(model.tracks), model.n_bins
        of_place = np.empty((len(used), *shape), dtype=np.float32)
        of_pair = np.empty((len(place), *shape), dtype=np.float32)
        fresh = np.ones(len(used), dtype=np.bool_)
        for at, number in enumerate(used.tolist()):
            if number in self._kept:
                of_place[at], fresh[at] = self._kept[number], False
        changed = _differ(windows.alternate, windows.reference, place)
        left = changed.copy()
        if self._local is not None:
            single = np.flatnonzero(changed & (edits.n_ref == 1) & (edits.n_alt == 1))
            rows, inner = np.unique(place[single], return_inverse=True)
            of_place[rows], of_pair[single] = self._local.predict(
                windows.reference[rows], windows.alternate[single], inner, edits.first[single]
            )
            self.n_read += int(fresh[rows].sum()) + len(single)
            fresh[rows], left[single] = False, False
        # Each reference stands before its alternates: some models compute only what differs
        # from the window before.
        of_row = np.concatenate([np.flatnonzero(fresh), place[left]])
        order = np.argsort(of_row, kind="stable")
        codes = np.concatenate([windows.reference[fresh], windows.alternate[left]])[order]
        predicted = np.empty((len(codes), *shape), dtype=np.float32)
        predicted[order] = model.predict(codes)
        self.n_read += len(codes)
        of_place[fresh] = predicted[: fresh.sum()]
        of_pair[left] = predicted[fresh.sum() :]
        # Pairs are ordered by window, so only the last can go on.
        self._kept = {int(used[-1]): of_place[-1].copy()}
        reference = of_place[place]
        of_pair[~changed] = reference[~changed]
        return reference, of_pair


def _differ(alternate: Codes, reference: Codes, place: Ints) -> npt.NDArray[np.bool_]:
    return np.asarray((alternate != reference[place]).any(axis=1))
