"""What intervals are resampled over, for data that no split was made for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset
from exprimo.splits.strategies import make_kin


def resampling_groups(dataset: Dataset, *, threads: int = 2) -> tuple[npt.NDArray[np.str_], str]:
    """Label the examples that are not independent of one another, and name the unit.

    Homology groups (joined with genes and overlapping places) where there is sequence, else
    genes, else each example for itself.
    """
    kin = make_kin(dataset, None, threads)
    return kin.family.astype(str), kin.unit
