"""The windows whose bases are changed: of a dataset's examples, or cut around genes' starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.core.predictor import Batch
from exprimo.core.run import Run
from exprimo.data.fasta import Genome
from exprimo.data.tabular import unknown_name
from exprimo.features.haplotypes import gene_sites
from exprimo.features.windows import cut_windows
from exprimo.scoring.inputs import open_inputs
from exprimo.scoring.mutagenesis.config import MutagenesisConfig

COLUMNS = ["example_id", "gene_id", "chrom", "strand", "tss"]
_PLACES = ("chrom", "start", "end", "strand", "tss")


class Windows:
    """Examples, one window each, in gene orientation.

    Attributes
    ----------
    table
        example_id, gene_id, chrom, strand, tss (0-based; -1 where the place is not known).
    upstream, downstream
        Bases before the TSS in every window, and from the TSS base on.
    digests
        What they were read from -> SHA-256.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        upstream: int,
        downstream: int,
        digests: Mapping[str, str],
        source: _Stored | _Cut,
    ) -> None:
        self.table = table
        self.upstream, self.downstream = upstream, downstream
        self.digests = dict(digests)
        self._source = source

    def __len__(self) -> int:
        return len(self.table)

    def batch(self, number: int, inputs: tuple[str, ...]) -> Batch:
        """Give what a model reads of one example, each input (1, ...)."""
        return self._source.batch(number, inputs)

    def place(self, number: int, sites: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give 0-based positions on the chromosome of positions in a window; -1 if not known."""
        row = self.table.iloc[number]
        if row["tss"] < 0:
            return np.full(len(sites), -1)
        along = sites - self.upstream
        return np.asarray(row["tss"] + (along if row["strand"] == "+" else -along))


class _Stored(NamedTuple):
    data: Dataset
    rows: npt.NDArray[np.int64]

    def batch(self, number: int, inputs: tuple[str, ...]) -> Batch:
        return self.data.batch(inputs, self.rows[number : number + 1])


class _Cut(NamedTuple):
    genome: Genome
    sites: pd.DataFrame
    upstream: int
    downstream: int

    def batch(self, number: int, inputs: tuple[str, ...]) -> Batch:
        one = self.sites.iloc[[number]]
        found = cut_windows(self.genome, one, upstream=self.upstream, downstream=self.downstream)
        return {"sequence": next(found).codes}


@contextmanager
def open_dataset(path: str, run: Run | None) -> Iterator[Dataset]:
    """Open a dataset with all that a model reads of it."""
    with open_inputs(path, run) as data:
        if "sequence" not in data.inputs:
            raise InputError(
                "the dataset holds no sequences",
                file=path,
                found=", ".join(data.inputs),
                expected="an input called sequence",
            )
        yield data


def stored_windows(data: Dataset, config: MutagenesisConfig, inputs: tuple[str, ...]) -> Windows:
    """Take a dataset's windows: one example of those that are the same to the model."""
    examples = data.examples()
    missing = [name for name in inputs if name not in data.inputs]
    if missing:
        raise MismatchError(
            f"the dataset has no {missing[0]}, which the model reads",
            file=data.path,
            found=", ".join(data.inputs),
        )
    if "gene_id" not in examples:
        examples["gene_id"] = examples["example_id"]
    same = pd.DataFrame({name: data.index(name) for name in inputs}) if inputs else examples
    rows = np.flatnonzero(~same.assign(gene=examples["gene_id"]).duplicated().to_numpy())
    if config.gene:
        rows = _of_genes(examples, rows, config.gene, data.path)
    chosen = examples.iloc[rows].reset_index(drop=True)
    length = data.inputs["sequence"].shape[0]
    places, upstream = _places(chosen, length, config, data.path)
    digests = {str(data.path): data.sha256}
    return Windows(places[COLUMNS], upstream, length - upstream, digests, _Stored(data, rows))


def _of_genes(
    examples: pd.DataFrame, rows: npt.NDArray[np.intp], wanted: tuple[str, ...], path: Path
) -> npt.NDArray[np.intp]:
    names = [name for name in ("gene_id", "gene_name", "example_id") if name in examples]
    chosen: list[int] = []
    for gene in dict.fromkeys(wanted):
        here = np.logical_or.reduce([examples[name].to_numpy()[rows] == gene for name in names])
        if not here.any():
            ids, known = (list(examples[name].iloc[rows]) for name in ("gene_id", names[-2]))
            raise unknown_name("gene", gene, known, file=path, ids=ids)
        chosen += rows[here].tolist()
    return np.array(chosen, dtype=np.int64)


def _places(
    chosen: pd.DataFrame, length: int, config: MutagenesisConfig, path: Path
) -> tuple[pd.DataFrame, int]:
    """Give where windows lie, and the bases before the TSS in each, which must be one number.

    Where nobody knows the TSS, positions count from the first base of the window.
    """
    known = all(name in chosen for name in _PLACES)
    # A person's window may hold indels: its bases have no place on the reference.
    if known and "individual" in chosen:
        known = not (chosen["individual"].astype(str) != "").any()
    if not known:
        return chosen.assign(chrom="", strand="+", tss=-1), config.upstream or 0
    plus = (chosen["strand"] == "+").to_numpy()
    before = np.where(plus, chosen["tss"] - chosen["start"], chosen["end"] - 1 - chosen["tss"])
    upstream = int(before[0])
    if (before != upstream).any() or ((chosen["end"] - chosen["start"]) != length).any():
        raise MismatchError(
            "windows of one dataset that lie differently about their TSS",
            file=path,
            found=f"{before.min()} to {before.max()} bases before it",
            expected="one number",
        )
    return chosen, upstream


@contextmanager
def cut_around_genes(config: MutagenesisConfig, window: tuple[int, int]) -> Iterator[Windows]:
    """Cut windows around the starts of an annotation's genes."""
    assert config.fasta is not None
    assert config.genes is not None
    with ExitStack() as stack:
        genome = stack.enter_context(Genome.open(config.fasta))
        sites, _ = gene_sites(
            config.genes,
            genome,
            gene=config.gene,
            tss=config.tss,
            chrom_style=config.chrom_style,
        )
        table = sites.assign(example_id=sites["gene_id"])[COLUMNS]
        digests: dict[str, Any] = {path: sha256_file(path) for path in (config.fasta, config.genes)}
        yield Windows(table, *window, digests, _Cut(genome, sites, *window))
