"""A list of variants as arrays: what each replaces on the chromosome, and by what."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.sequence import Codes
from exprimo.features.haplotypes.edits import prepare_variants
from exprimo.scoring.variants.windows.edits import Ints


class Alleles(NamedTuple):
    """Replacements on the forward strand, without the bases that both alleles share.

    Attributes
    ----------
    start, n_ref
        First replaced base, 0-based, and how many are replaced; of an insertion the base before
        which it comes, and 0.
    n_alt
        Number of new bases.
    offset
        Where those begin in ``codes``.
    codes
        The new bases of all variants, one behind the other.
    """

    start: Ints
    n_ref: Ints
    n_alt: Ints
    offset: Ints
    codes: Codes

    @classmethod
    def of(cls, sites: pd.DataFrame) -> Self:
        """Read them from columns start (0-based), ref and alt.

        What is shared, and so no part of the change, is what it is in haplotypes.

        Examples
        --------
        >>> sites = pd.DataFrame({"start": [5, 9], "ref": ["A", "CA"], "alt": ["G", "C"]})
        >>> alleles = Alleles.of(sites)
        >>> alleles.start, alleles.n_ref, alleles.n_alt
        (array([ 5, 10]), array([1, 1]), array([1, 0]))
        """
        start = sites["start"].to_numpy(np.int64)
        order = np.argsort(start, kind="stable")
        refs, alts = sites["ref"].to_numpy()[order], sites["alt"].to_numpy()[order]
        edits = prepare_variants(start[order], list(refs), list(alts)).edits
        back = np.argsort(order, kind="stable")
        return cls(
            edits.first[back],
            (edits.last - edits.first)[back],
            np.diff(edits.alt_at)[back].astype(np.int64),
            edits.alt_at[:-1][back],
            edits.alt,
        )

    def take(self, rows: npt.NDArray[np.intp]) -> Self:
        """Give some of the variants, as often as they are named."""
        return self._replace(
            start=self.start[rows],
            n_ref=self.n_ref[rows],
            n_alt=self.n_alt[rows],
            offset=self.offset[rows],
        )
