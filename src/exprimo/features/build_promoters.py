"""A dataset of promoters: genome, annotation and targets in, one HDF5 file out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import write_dataset
from exprimo.core.errors import ConfigError, FormatError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import task
from exprimo.core.sequence import Codes
from exprimo.data.annotation import Annotation, read_annotation
from exprimo.data.fasta import Genome
from exprimo.features.build_summary import (
    BuildSummary,
    KindChoice,
    TargetValues,
    check_kind,
    describe_targets,
    settle_targets,
    summarise,
)
from exprimo.features.genome_fit import check_genome_fits
from exprimo.features.halflife import HalflifeChoice, HalflifeInput
from exprimo.features.join_targets import JoinedTargets, join_targets, reader_of
from exprimo.features.kmers import count_kmers, kmer_names
from exprimo.features.promoter_sites import (
    OFF_GENOME,
    TSS_RULES,
    of_biotype,
    reconcile,
    tss_sites,
    with_targets,
)
from exprimo.features.windows import cut_intervals, promoter_table


def dataset_promoters(
    *,
    fasta: str | Path,
    genes: str | Path,
    out: str | Path,
    upstream: int = 500,
    downstream: int = 100,
    targets: str | Path | None = None,
    target: str | Sequence[str] | None = None,
    kind: KindChoice = "auto",
    gene_names: str | Path | None = None,
    chrom_style: str | Path = "auto",
    tss: str | Path = "canonical",
    kmers: int | None = None,
    expression: str | None = None,
    biotype: str | None = None,
    classes: Sequence[str] = (),
    halflife: bool = False,
    halflife_table: str | Path | None = None,
    halflife_columns: Sequence[str] | None = None,
) -> BuildSummary:
    """Build a dataset of the promoter windows of all genes that have a target.

    Windows are in gene orientation with the TSS base at index ``upstream``; where they leave
    the chromosome they are padded with N and flagged. The annotation is checked against the
    genome first (`check_genome_fits`).

    Genes that the table of targets does not list, or lists without any value, are left out and
    counted: a gene that was not measured is missing, never 0. Of several targets one at least
    must be there; the others are NaN. Without ``targets`` all genes are kept.

    Parameters
    ----------
    fasta
        Genome: FASTA, plain, gzip or bgzip.
    genes
        Annotation: GTF, GFF3 or BED.
    out
        A new ``.h5`` file.
    upstream, downstream
        Bases before the TSS, and from the TSS base on.
    targets, target
        A table of numbers per gene, and the column or columns of it to use; ``target`` may be
        left out where there is only one.
    kind
        What the targets are; ``auto`` takes a target that is all 0 or 1 for a class, and never
        one of several classes: say ``multiclass`` for text or small whole numbers.
    gene_names
        A two-column table that joins the names in ``targets`` to those in ``genes``. Without
        one, ids and the annotation's own gene names are tried.
    chrom_style
        ``auto``, or a two-column table: name in ``genes``, name in ``fasta``.
    tss
        ``canonical``, ``most5prime``, or a table with gene_id, chrom, tss (1-based), strand.
    kmers
        Store counts of k-mers of this length as a second input, too.
    expression
        A column of ``targets`` with each gene's mean count, stored as the input
        ``mean_expression``: the rival of labels that come from counts reads it.
    biotype
        Keep only genes of this biotype (``protein_coding``).
    classes
        The names of the classes in order, for ``multiclass``; unset: those that occur, sorted.
    halflife
        Store eight features of each gene's transcript as the input ``halflife``
        (`transcript_features`); the transcript is the one that gave the TSS. Genes without a
        coding sequence are left out and counted.
    halflife_table, halflife_columns
        Instead of these, a table of own numbers per gene (measured half-lives, for one), and which
        of its columns to use; may be left out where there is only one. Genes that it does not
        list, or lists without any value, are left out and counted.

    Returns
    -------
    BuildSummary
        What was written and what was left out.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "genome.fa").write_text(">I\\nACGTACGGTCAATTGCATCG\\n")
    >>> _ = (folder / "genes.bed").write_text("chrI\\t4\\t18\\tYAL1\\t0\\t+\\n")
    >>> made = dataset_promoters(
    ...     fasta=folder / "genome.fa",
    ...     genes=folder / "genes.bed",
    ...     out=folder / "D.h5",
    ...     upstream=4,
    ...     downstream=2,
    ... )
    >>> made.n_examples, dict(made.dropped)
    (1, {})
    """
    target_path = Path(out)
    refuse_existing(target_path)
    known = check_kind(kind, classes)
    columns = _target_columns(targets, target, gene_names, halflife_table)
    lasting = HalflifeChoice.check(halflife, halflife_table, halflife_columns)
    if expression is not None and columns is None:
        raise ConfigError("a column of expression needs targets, and which of their columns to use")
    with Genome.open(fasta) as genome:
        annotation = read_annotation(genes)
        read = reader_of(kind, known)
        joined = join_targets(annotation, targets, columns, gene_names, read) if targets else None
        chrom_map = reconcile(annotation.chromosomes, genome, chrom_style, annotation.source)
        annotation = annotation.with_chromosomes(chrom_map)
        fit = check_genome_fits(annotation, genome)
        sites, dropped = _chosen_sites(annotation, genome, tss, chrom_style, biotype, joined)
        sites, stability = lasting.apply(sites, annotation, genome, gene_names, dropped)
        examples = _examples(sites, genome, upstream=upstream, downstream=downstream)
        means = _levels(annotation, sites, targets, expression, gene_names)
        stored = settle_targets(_values(sites, joined), kind, known)
        settings = {
            "upstream": upstream, "downstream": downstream, "target": list(stored), "kind": kind,
            "classes": known, "chrom_style": str(chrom_style), "tss": str(tss), "kmers": kmers,
            "expression": expression, "biotype": biotype, "halflife": lasting.facts(),
        }  # fmt: skip
        origin = describe_origin(
            _files(fasta, genes, targets, gene_names, chrom_style, tss, lasting.table),
            builder="dataset promoters",
            settings=settings,
            genome_fit=fit.facts(),
            annotation={"format": annotation.format, **annotation.notes},
            chromosomes=chrom_map,
            gene_names=joined.counts if joined else {},
            dropped=dropped,
        )
        _write(target_path, origin, genome, examples, _Further(kmers, means, stability), stored)
    notes = [f"Annotation and genome: {fit}", *_notes(joined, stored, stability, examples)]
    return summarise(target_path, len(examples), upstream + downstream, dropped, notes)


def _chosen_sites(
    annotation: Annotation,
    genome: Genome,
    tss: str | Path,
    chrom_style: str | Path,
    biotype: str | None,
    joined: JoinedTargets | None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Give the TSS of each gene that stays, and how many were left out for which reason."""
    dropped = {OFF_GENOME: annotation.notes["genes_off_genome"]}
    sites = tss_sites(annotation, genome, tss, chrom_style, dropped)
    sites = of_biotype(sites, annotation, biotype, dropped)
    return (with_targets(sites, joined, dropped) if joined else sites), dropped


class _Further(NamedTuple):
    """Inputs beside the sequence: length of k-mers, mean expression, half-life features."""

    kmers: int | None
    means: npt.NDArray[np.float32] | None
    stability: HalflifeInput | None


def _write(
    out: Path,
    origin: dict[str, Any],
    genome: Genome,
    examples: pd.DataFrame,
    further: _Further,
    targets: dict[str, TargetValues],
) -> None:
    kmers, means, stability = further
    with write_dataset(out, origin) as dataset:
        dataset.examples(examples)
        dataset.input("sequence", _codes(genome, examples))
        if kmers is not None:
            counts = (count_kmers(codes, kmers) for codes in _codes(genome, examples))
            dataset.input("kmers", counts, labels=kmer_names(kmers))
        if means is not None:
            dataset.input("mean_expression", [means[:, None]])
        if stability is not None:
            dataset.input("halflife", [stability.values], labels=stability.labels)
        for name, found in targets.items():
            dataset.target(name, found.values, kind=found.kind, classes=found.classes)


def _levels(
    annotation: Annotation,
    sites: pd.DataFrame,
    targets: str | Path | None,
    expression: str | None,
    gene_names: str | Path | None,
) -> npt.NDArray[np.float32] | None:
    """Give log10(mean count + 1) of each gene, (genes,), if a column of it was named."""
    if expression is None or targets is None:
        return None
    joined = join_targets(annotation, targets, [expression], gene_names)
    column = joined.values.iloc[:, 0]
    found = column.reindex(sites["gene_id"]).to_numpy(np.float64)
    bad = np.flatnonzero(~(found >= 0))
    if len(bad):
        raise FormatError(
            "a gene without a mean expression",
            file=targets,
            record=f"column {column.name}, gene {sites['gene_id'].iloc[bad[0]]}",
            found=found[bad[0]],
            expected="a mean count of 0 or more for each gene with a target",
        )
    return np.asarray(np.log10(found + 1), dtype=np.float32)


def _notes(
    joined: JoinedTargets | None,
    targets: dict[str, TargetValues],
    stability: HalflifeInput | None,
    examples: pd.DataFrame,
) -> list[str]:
    notes = [joined.note, *describe_targets(targets)] if joined else []
    notes += stability.notes if stability else []
    if count := int(examples["clipped"].sum()):
        notes.append(f"{count:,} windows leave their chromosome: padded with N and flagged")
    return notes


def _target_columns(
    targets: str | Path | None,
    target: str | Sequence[str] | None,
    gene_names: str | Path | None,
    halflife_table: str | Path | None,
) -> list[str] | None:
    unused = gene_names is not None and halflife_table is None
    if targets is None and (target is not None or unused):
        raise ConfigError(
            "a target or a table of gene names needs a table of targets",
            remedy="Give it with --targets FILE",
        )
    if target is None:
        return None
    return [target] if isinstance(target, str) else list(dict.fromkeys(target))


def _files(*given: str | Path | None) -> list[str | Path]:
    """Keep those arguments that are files and not the name of a choice."""
    return [name for name in given if name is not None and name not in ("auto", *TSS_RULES)]


def _values(sites: pd.DataFrame, joined: JoinedTargets | None) -> dict[str, npt.NDArray[Any]]:
    if joined is None:
        return {}
    rows = joined.values.loc[sites["gene_id"]]
    return {str(name): rows[name].to_numpy() for name in rows.columns}


def _examples(
    sites: pd.DataFrame, genome: Genome, *, upstream: int, downstream: int
) -> pd.DataFrame:
    windows = promoter_table(sites, upstream=upstream, downstream=downstream)
    length = windows["chrom"].map(genome.lengths)
    examples = pd.DataFrame(
        {
            "example_id": sites["gene_id"],
            "gene_id": sites["gene_id"],
            **windows,
            "tss": sites["tss"],
            "clipped": (windows["start"] < 0) | (windows["end"] > length),
        }
    )
    # Names that only repeat the id would cost disk and tell nothing.
    for name in ("gene_name", "target_gene_id"):
        if name in sites and (sites[name] != sites["gene_id"]).any():
            examples[name] = sites[name]
    return examples


def _codes(genome: Genome, examples: pd.DataFrame) -> Iterator[Codes]:
    with task("Cutting windows", len(examples)) as bar:
        for windows in cut_intervals(genome, examples):
            yield windows.codes
            bar.advance(len(windows.codes))
