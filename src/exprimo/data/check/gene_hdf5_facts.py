"""What an HDF5 file of genes holds: ids, promoters, half-life features, labels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from exprimo.core.errors import ExprimoError
from exprimo.core.sequence import N_CODE
from exprimo.data.check.findings import Findings
from exprimo.data.foreign import (
    ChannelEvidence,
    GeneHdf5,
    PairCounts,
    read_gene_table,
    settle_labels,
)
from exprimo.data.foreign.one_hot import BASES

_SHOWN = 3


def gene_hdf5_facts(path: Path) -> Findings:
    """Look at every array, and at every base; one broken part does not hide another."""
    facts: dict[str, str] = {}
    problems: list[str] = []

    def attempt(look: Callable[[], dict[str, str]]) -> None:
        try:
            facts.update(look())
        except ExprimoError as error:
            if str(error) not in problems:
                problems.append(str(error))

    with GeneHdf5.open(path) as file:
        genes = file.gene_ids()
        facts["genes"] = f"{len(genes):,} ({', '.join(genes[:_SHOWN])}, ...)"
        keys: list[str | None] = [*file.label_keys()]
        for key in keys or [None]:
            attempt(partial(_table_facts, path, key))
        attempt(partial(_promoter_facts, file, genes, problems))
    return Findings(facts, problems)


def _table_facts(path: Path, key: str | None) -> dict[str, str]:
    table = read_gene_table([path], target=key)
    kind = settle_labels(table, "auto", [path])
    present = table.labels[~np.isnan(table.labels)]
    if kind == "classification":
        told = f"{int(present.sum()):,} of {present.size:,} are 1"
    else:
        told = f"{present.size:,} values, {present.min():.4g} to {present.max():.4g}"
    missing = len(table.labels) - len(present)
    return {
        "half-life features": f"{table.halflife.shape[1]}",
        f"target {table.label_key}": f"{kind}, {told}"
        + (f"; {missing:,} missing" if missing else ""),
    }


def _promoter_facts(file: GeneHdf5, genes: list[str], problems: list[str]) -> dict[str, str]:
    pairs = PairCounts()
    bases = np.zeros(5, dtype=np.int64)
    for block in file.promoters(BASES, genes):
        pairs.add(block)
        bases += np.bincount(block.reshape(-1), minlength=5)
    known = int(bases.sum() - bases[N_CODE])
    if not known:
        problems.append(f"{file.path}, promoter: no base is known, all are N.")
    facts = {
        "promoters": f"{file.length:,} bases each, {bases[N_CODE] / bases.sum():.1%} N, "
        + (f"GC {(bases[1] + bases[2]) / known:.1%}" if known else "GC -")
    }
    evidence = ChannelEvidence.weigh(pairs, BASES)
    if evidence.verdict == "contradicts":
        problems.append(f"{file.path}, promoter: {evidence.sentence(BASES)}")
    elif evidence.verdict == "fits":
        facts["order of channels"] = evidence.sentence(BASES)
    else:
        facts["order of channels"] = f"taken for {BASES}; neighbouring bases do not tell"
    return facts
