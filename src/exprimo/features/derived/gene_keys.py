"""Genes as numbers, so that a model that knows genes by name can read them from a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import Dataset, InputInfo
from exprimo.core.dataset.variables import input_spec
from exprimo.core.errors import InputError

INPUT = "gene"
# What stands for a gene that has no name: no model may take it for one that it knows.
NO_GENE = 0


def gene_keys(gene_ids: Iterable[str]) -> npt.NDArray[np.int64]:
    """Hash gene ids to 64 bits each, (genes,); an empty one gets 0.

    The key depends on the id alone, so the same gene has the same key in every dataset.

    Examples
    --------
    >>> keys = gene_keys(["ENSG1", "", "ENSG2", "ENSG1"])
    >>> int(keys[1]), bool(keys[0] == keys[3]), bool(keys[0] == keys[2])
    (0, True, False)
    """
    return np.array([_key(str(name)) for name in gene_ids], dtype=np.int64)


def _key(gene_id: str) -> int:
    if not gene_id:
        return NO_GENE
    digest = hashlib.blake2b(gene_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def attach_gene_keys(dataset: Dataset) -> None:
    """Give a dataset the input ``gene``, (1,) per example, if it names its genes.

    Nothing is stored; a dataset without the column ``gene_id`` stays as it is.

    Raises
    ------
    InputError
        Two of its genes have the same key.
    """
    if "gene_id" not in dataset.columns or INPUT in dataset.inputs:
        return
    names, index = np.unique(dataset.column("gene_id"), return_inverse=True)
    keys = gene_keys(names)
    if len(np.unique(keys)) < len(keys):
        raise InputError(
            "two genes have the same key",
            file=dataset.path,
            found=f"{len(names):,} genes",
            remedy="Rename one of them",
        )

    def take(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return keys[rows][:, None]

    spec = input_spec(INPUT)
    info = InputInfo(INPUT, (1,), np.dtype(spec.dtype), len(keys), spec.axes, spec.units, ())
    dataset.attach(info, index.astype(np.int64), take)
