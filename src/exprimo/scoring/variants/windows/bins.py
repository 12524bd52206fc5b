"""Which bin of the alternate window shows the DNA of a bin of the reference window."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.scoring.sequences import SequenceModel
from exprimo.scoring.variants.windows.edits import Edits

Partners = npt.NDArray[np.int64]


def partner_bins(edits: Edits, model: SequenceModel) -> Partners | None:
    """Pair each bin of the reference window with one of the alternate window, (variants, bins).

    The base in the middle of a bin decides. Before and behind the variant it is looked up where
    the indel has moved it; inside the replaced bases, where the variant begins. The bin that
    holds it there is compared. So an indel shorter than half a bin compares equal bins, and only
    on the side that moves (away from the anchor) does a longer one compare others. A bin whose
    partner lies outside of what is predicted has -1 and is left out on both sides.

    Returns
    -------
    array or None
        None where every bin is its own partner: no length changes, or the model has one bin.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = SimpleNamespace(bin_size=4, first_bin=0, n_bins=4)
    >>> at, none, five, plus = np.array([9]), np.array([0]), np.array([5]), np.array([False])
    >>> longer = Edits.of(at, none, five, plus, anchor=8)
    >>> partner_bins(longer, model)      # five bases come in before base 9; the anchor is base 8
    array([[ 0,  1,  3, -1]])
    """
    if model.n_bins == 1 or not (edits.left.any() or edits.right.any()):
        return None
    own = np.arange(model.n_bins)
    middle = model.first_bin + own * model.bin_size + model.bin_size // 2
    first, behind = edits.first[:, None], (edits.first + edits.n_ref)[:, None]
    moved = np.where(
        middle < first,
        middle + edits.left[:, None],
        np.where(middle < behind, edits.alt_first[:, None], middle + edits.right[:, None]),
    )
    # Where bases are exchanged one for one, none of them has moved.
    same = (edits.left == 0) & (edits.right == 0)
    moved[same] = middle
    found = (moved - model.first_bin) // model.bin_size
    return np.where((found >= 0) & (found < model.n_bins), found, -1)
