"""Quantified transcripts of all samples, summed to genes with the lengths that go with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import FormatError, InputError
from exprimo.core.progress import track
from exprimo.data.counts.quantified import (
    Quantified,
    find_quantified,
    in_order_of,
    is_quantified,
    quantified_in,
    read_quantified,
    require_quantified,
    sample_of,
)
from exprimo.data.counts.table import Counts, assemble
from exprimo.data.counts.transcripts import (
    TranscriptGenes,
    TranscriptMatch,
    match_transcripts,
    read_transcript_genes,
)
from exprimo.data.tabular import is_missing

_Matrix = npt.NDArray[np.float64]


def read_quantifications(
    source: str | Path | Mapping[str, str | Path] | pd.Series,
    transcripts: str | Path | Mapping[str, str],
    *,
    ignore_version: bool = False,
) -> Counts:
    """Read what salmon or kallisto estimated per transcript, and sum it to genes.

    Counts and lengths are those of tximport without ``countsFromAbundance`` (Soneson et al. 2015,
    F1000Research 4:1521), and what ``DESeqDataSetFromTximport`` makes of them: counts are rounded
    half to even, lengths become an offset.

    Parameters
    ----------
    source
        A folder with one sub-folder per sample (named after it, with ``quant.sf`` or
        ``abundance.tsv`` in it, plain or gzip) or one file per sample; one such file; or sample
        -> file or folder, such as a column of a sample sheet.
    transcripts
        The gene of each transcript: a table or an annotation as `read_transcript_genes` takes
        it, or a mapping.
    ignore_version
        Compare transcript ids without a trailing ``.NUMBER``.

    Returns
    -------
    Counts
        Genes sorted by id. ``lengths`` holds the average transcript length of each gene and
        sample, weighted by abundance. ``notes`` has ``format``, ``transcripts``,
        ``transcripts_without_gene`` with their first names in ``without_gene`` and their reads in
        ``reads_without_gene``, and ``fractions_rounded``.

    Raises
    ------
    FormatError
        A file is damaged, or the samples do not have the same transcripts.
    MismatchError
        More than half of the transcripts have no gene.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "S1").mkdir()
    >>> _ = (folder / "S1" / "quant.sf").write_text(
    ...     "Name\\tLength\\tEffectiveLength\\tTPM\\tNumReads\\n"
    ...     "T1\\t1000\\t800\\t3\\t30.5\\nT2\\t700\\t500\\t1\\t7\\n")
    >>> counts = read_quantifications(folder, {"T1": "g1", "T2": "g1"})
    >>> counts.matrix.loc["g1", "S1"], counts.lengths.loc["g1", "S1"]
    (np.int64(38), np.float64(725.0))
    """
    files, place = _files(source)
    table = (
        TranscriptGenes(transcripts)
        if isinstance(transcripts, Mapping)
        else read_transcript_genes(transcripts)
    )
    sums = _Sums(place, table, ignore_version)
    for sample, file in track(list(files.items()), "Reading quantifications"):
        sums.add(read_quantified(file, sample), file)
    return sums.counts(list(files))


def holds_quantifications(path: Path) -> bool:
    """Tell a file of quantified transcripts, or a folder with some, from other counts."""
    if not path.is_dir():
        return is_quantified(path)
    return quantified_in(path) is not None or bool(find_quantified(path))


class QuantifiedSamples(NamedTuple):
    """What a file or folder of quantified transcripts holds: ``reads`` by sample."""

    program: str
    transcripts: int
    reads: dict[str, float]


def check_quantified(path: str | Path) -> QuantifiedSamples:
    """Read every sample, without a table of genes, and refuse samples that do not belong together.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "S1_quant.sf"
    >>> _ = file.write_text(
    ...     "Name\\tLength\\tEffectiveLength\\tTPM\\tNumReads\\nT\\t9\\t8\\t3\\t30\\n")
    >>> check_quantified(file)
    QuantifiedSamples(program='salmon', transcripts=1, reads={'S1': 30.0})
    """
    files, _ = _files(path)
    first: tuple[Quantified, Path] | None = None
    reads = {}
    for sample, file in files.items():
        found = read_quantified(file, sample)
        first = first or (found, file)
        found = _as_first(found, file, first)
        reads[sample] = float(found.reads.sum())
    assert first is not None  # there is at least one file
    return QuantifiedSamples(first[0].program, len(first[0].transcripts), reads)


def _as_first(sample: Quantified, file: Path, first: tuple[Quantified, Path]) -> Quantified:
    """Bring a sample into the order of the first; refuse another program or index."""
    if sample.program != first[0].program:
        raise FormatError(
            "files of two programs",
            file=file,
            found=sample.program,
            expected=f"{first[0].program}, as in {first[1]}",
            remedy="Quantify all samples with the same program and index",
        )
    return in_order_of(first[0], sample, file, first[1])


def _files(
    source: str | Path | Mapping[str, str | Path] | pd.Series,
) -> tuple[dict[str, Path], Path]:
    """Give the file of each sample, and the place to name in errors about all of them."""
    if isinstance(source, str | Path):
        place = Path(source)
        if not place.is_dir():
            return {sample_of(place): place}, place
        own = quantified_in(place)
        files = {sample_of(own): own} if own else find_quantified(place)
    else:
        files = {}
        for sample, path in source.items():
            if path is None or is_missing(str(path)):
                raise InputError(
                    "a sample without a file",
                    record=f"sample {sample}",
                    expected="the path of its quant.sf or abundance.tsv, or of their folder",
                )
            files[str(sample)] = require_quantified(path, str(sample))
        folders = [str(file.absolute().parent) for file in files.values()]
        place = Path(os.path.commonpath(folders)) if folders else Path()
    if not files:
        raise FormatError(
            "no quantified transcripts in it",
            file=place,
            expected="sub-folders with quant.sf (salmon) or abundance.tsv (kallisto)",
        )
    return files, place


class _Sums:
    """Sums per gene, taken sample by sample: memory holds genes × samples, not transcripts."""

    def __init__(self, place: Path, table: TranscriptGenes, ignore_version: bool) -> None:
        self.place, self.table, self.ignore_version = place, table, ignore_version
        self.first: tuple[Quantified, Path] | None = None
        self.matched: TranscriptMatch | None = None
        self.length_of_transcript: _Matrix = np.zeros(0)
        self.columns: dict[str, list[_Matrix]] = {"reads": [], "abundance": [], "weighted": []}
        self.reads_without_gene = 0.0

    def add(self, sample: Quantified, file: Path) -> None:
        if self.first is None or self.matched is None:
            self.first = (sample, file)
            self.matched = match_transcripts(
                sample.transcripts, self.table, ignore_version=self.ignore_version, source=file
            )
            self.length_of_transcript = np.zeros(len(sample.transcripts))
        else:
            sample = _as_first(sample, file, self.first)
        gene = self.matched.position
        known = gene >= 0
        self.length_of_transcript += sample.length
        self.reads_without_gene += float(sample.reads[~known].sum())
        for name, values in (
            ("reads", sample.reads),
            ("abundance", sample.abundance),
            ("weighted", sample.abundance * sample.length),
        ):
            self.columns[name].append(_sum_by(gene[known], values[known], len(self.matched.genes)))

    def counts(self, samples: list[str]) -> Counts:
        assert self.first is not None  # there is at least one file
        assert self.matched is not None
        genes, gene = self.matched.genes, self.matched.position
        known = gene >= 0
        per_transcript = self.length_of_transcript[known] / len(samples)
        n_transcripts = np.bincount(gene[known], minlength=len(genes))
        per_gene = _sum_by(gene[known], per_transcript, len(genes)) / n_transcripts
        reads, abundance, weighted = (np.stack(self.columns[n], axis=1) for n in self.columns)
        lengths = average_lengths(abundance, weighted, per_gene)
        if not (lengths > 0).all():
            at, column = np.argwhere(~(lengths > 0))[0]
            raise FormatError(
                "a gene of length 0",
                file=self.place,
                record=f"gene {genes[at]}, sample {samples[column]}",
                expected="effective lengths above 0",
            )
        whole = np.rint(reads)
        notes: dict[str, int | str] = {
            "format": f"{self.first[0].program} quantifications",
            "trailer_rows": 0,
            **self.matched.notes,
            "reads_without_gene": round(self.reads_without_gene),
            "fractions_rounded": int((whole != reads).sum()),
        }
        return assemble(
            genes, samples, whole.astype(np.int64), source=self.place, notes=notes, lengths=lengths
        )


def _sum_by(gene: npt.NDArray[np.int64], values: _Matrix, n_genes: int) -> _Matrix:
    # np.bincount has integers in its type, although weights make it sum floats.
    return np.bincount(gene, values, minlength=n_genes).astype(np.float64)


def average_lengths(abundance: _Matrix, weighted: _Matrix, per_gene: _Matrix) -> _Matrix:
    """Average the transcript lengths of each gene and sample, weighted by abundance.

    Where a gene has no abundance in a sample, the geometric mean of its lengths in the others
    stands; where it has none at all, the plain mean over its transcripts (tximport's rules).

    Parameters
    ----------
    abundance, weighted
        Sums over transcripts of abundance, and of abundance × length; shape (genes, samples).
    per_gene
        Mean length over samples and transcripts, shape (genes,).

    Examples
    --------
    >>> average_lengths(np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]),
    ...                 np.array([[100.0, 800.0, 0.0], [0.0, 0.0, 0.0]]),
    ...                 np.array([50.0, 70.0])).round(6).tolist()
    [[100.0, 400.0, 200.0], [70.0, 70.0, 70.0]]
    """
    present = abundance > 0
    lengths = np.divide(weighted, abundance, out=np.ones_like(weighted), where=present)
    n_present = present.sum(axis=1)
    logs = np.log(lengths, out=np.zeros_like(lengths), where=present & (lengths > 0))
    geometric = np.exp(logs.sum(axis=1) / np.maximum(n_present, 1))
    filler = np.where(n_present > 0, geometric, per_gene)
    return np.where(present, lengths, filler[:, None])
