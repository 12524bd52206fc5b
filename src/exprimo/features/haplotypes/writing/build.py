"""Personal sequences of genes, written as a dataset or as FASTA."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pandas as pd

from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import track
from exprimo.data.fasta import Genome
from exprimo.data.genotypes.alleles import OnMismatch
from exprimo.data.genotypes.open import open_genotypes
from exprimo.data.genotypes.plink.trio import find_trio
from exprimo.data.genotypes.view import Genotypes
from exprimo.data.names import read_chromosome_names
from exprimo.data.phenotypes.by_person import read_expression
from exprimo.features.haplotypes.phase import Unphased, check_unphased
from exprimo.features.haplotypes.window import PlannedWindow, plan_window
from exprimo.features.haplotypes.writing.dataset import Per, write_haplotype_dataset
from exprimo.features.haplotypes.writing.fasta import write_haplotype_fasta
from exprimo.features.haplotypes.writing.sites import gene_sites, with_genotypes

WINDOW = 196_608
_FASTA_ENDINGS = (".fa", ".fasta", ".fa.gz", ".fasta.gz", ".fa.bgz", ".fasta.bgz")
_NOT_MEASURED = "not in the table of expression"


@dataclass(frozen=True)
class HaplotypeSummary:
    """What was written, and what was left out.

    Attributes
    ----------
    path
        The new file.
    n_genes, n_people
        Windows and people.
    n_examples
        Examples of the dataset, or records of the FASTA file.
    n_distinct
        Different sequences, counted window by window.
    dropped
        Reason -> genes left out.
    skipped
        Reason -> alleles of people that were not applied, summed over windows.
    n_bytes
        Size of the file.
    lines
        The same in words, one sentence a line, the headline first.
    """

    path: Path
    n_genes: int
    n_people: int
    n_examples: int
    n_distinct: int
    dropped: dict[str, int]
    skipped: dict[str, int]
    n_bytes: int
    lines: tuple[str, ...] = field(default=())


class PlannedGene(NamedTuple):
    """One gene and the haplotypes of its window."""

    gene: Any
    plan: PlannedWindow


class _Tally:
    """What passes by while windows are written."""

    def __init__(self) -> None:
        self.distinct = 0
        self.skipped: Counter[str] = Counter()

    def watch(self, windows: Iterator[PlannedGene], people: Genotypes) -> Iterator[PlannedGene]:
        for planned in windows:
            self.distinct += planned.plan.n_distinct
            self.skipped.update(planned.plan.skipped)
            yield planned
        # Counted by the reader, each allele once, however many windows hold it.
        self.skipped.update(people.skipped)


def haplotypes(
    genotypes: str | Path,
    fasta: str | Path,
    genes: str | Path,
    out: str | Path,
    *,
    window: int = WINDOW,
    upstream: int | None = None,
    downstream: int | None = None,
    gene: Sequence[str] = (),
    samples: Sequence[str] | Path | None = None,
    unphased: Unphased = "error",
    seed: int = 0,
    expression: str | Path | None = None,
    per: Per = "copy",
    each: bool = False,
    tss: str | Path = "canonical",
    chrom_style: str | Path = "auto",
    on_ref_mismatch: OnMismatch = "error",
) -> HaplotypeSummary:
    """Write the two haplotypes of each person around the TSS of each gene.

    `window_haplotypes` says what a haplotype is. Equal sequences are stored once, and only a few
    are in memory at a time.

    Parameters
    ----------
    genotypes
        VCF, BCF, PLINK 1 or PLINK 2, phased.
    fasta
        Genome: FASTA, plain, gzip or bgzip.
    genes
        Annotation (GTF, GFF3, BED), or a table with gene_id, chrom, tss (1-based), strand.
    out
        A new ``.h5``: a dataset of one example per gene, person and haplotype (``per``). Or
        ``.fa``, ``.fa.gz``: one record per distinct sequence, whose header says who carries it.
    window
        Length; the TSS base is at index ``window // 2``.
    upstream, downstream
        Both, instead of ``window``: bases before the TSS, and from the TSS base on.
    gene
        Ids or names of the genes wanted; empty: all.
    samples
        Names of people, or a file with one a line; None: all.
    unphased
        ``"error"``, or a number of random phasings of genotypes whose phase is not known.
    seed
        Of these phasings.
    expression
        A matrix or BED of expression by gene and person, stored as the target ``expression``.
        Genes that it does not list are left out.
    per
        For ``.h5``. ``"copy"``: an example is one copy of a person, its input ``sequence``.
        ``"person"``: an example is a person, whose copies are the inputs ``sequence`` and
        ``sequence_2``; where there is one copy only (X of a man), both hold it, as the mean over
        the copies is what that copy gives. The target belongs to the person either way.
    each
        For FASTA: one record per person and haplotype.
    tss, chrom_style
        As for `dataset_promoters`; a table of chromosome names goes for genotypes, too.
    on_ref_mismatch
        ``"error"``, ``"skip"`` or ``"swap"`` where REF is not what the genome has.

    Returns
    -------
    HaplotypeSummary
        What was written and what was left out.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "g.fa").write_text(">1\\nAACCGGTTAACC\\n")
    >>> _ = (folder / "g.bed").write_text("1\\t6\\t12\\tg1\\t0\\t+\\n")
    >>> _ = (folder / "g.vcf").write_text(
    ...     "##fileformat=VCFv4.2\\n##contig=<ID=1>\\n"
    ...     '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\\n'
    ...     "#CHROM\\tPOS\\tID\\tREF\\tALT\\tQUAL\\tFILTER\\tINFO\\tFORMAT\\tann\\tbob\\n"
    ...     "1\\t4\\trs1\\tCG\\tC\\t.\\t.\\t.\\tGT\\t0|1\\t0|0\\n")
    >>> made = haplotypes(folder / "g.vcf", folder / "g.fa", folder / "g.bed", folder / "H.h5",
    ...                   window=6)
    >>> made.n_examples, made.n_distinct
    (4, 2)
    """
    target = Path(out)
    before, behind = _extent(window, upstream, downstream)
    _check_choices(target, unphased, each, expression, per)
    refuse_existing(target)
    table = None if chrom_style == "auto" else read_chromosome_names(chrom_style)
    tally = _Tally()
    with (
        Genome.open(fasta) as genome,
        _opened(genotypes, genome, samples, table, on_ref_mismatch) as people,
    ):
        sites, dropped = gene_sites(genes, genome, gene=gene, tss=tss, chrom_style=chrom_style)
        sites = with_genotypes(
            sites, genome, people.chromosomes, dropped, upstream=before, downstream=behind
        )
        values = None if expression is None else read_expression(expression, people.samples)
        sites = _measured(sites, values, dropped, expression)
        files = [fasta, genes, *_files(genotypes, chrom_style, tss, expression, samples)]
        origin = describe_origin(
            files,
            builder="haplotypes",
            settings={
                "upstream": before, "downstream": behind, "gene": list(gene), "seed": seed,
                "unphased": unphased, "tss": str(tss), "chrom_style": str(chrom_style),
                "on_ref_mismatch": on_ref_mismatch, "per": per,
            },
            people=len(people.samples),
            dropped=dropped,
        )  # fmt: skip
        windows = tally.watch(
            _planned(genome, people, sites, before, behind, unphased=unphased, seed=seed), people
        )
        if target.suffix == ".h5":
            written = write_haplotype_dataset(
                target, origin, windows, people.samples, values, tally.skipped, per=per
            )
        else:
            written = write_haplotype_fasta(target, windows, people.samples, each=each)
        n_people = len(people.samples)
    return _summary(target, len(sites), n_people, written, before + behind, dropped, tally)


def _planned(
    genome: Genome,
    people: Genotypes,
    sites: pd.DataFrame,
    upstream: int,
    downstream: int,
    *,
    unphased: Unphased,
    seed: int,
) -> Iterator[PlannedGene]:
    rows: list[Any] = list(sites.itertuples(index=False))
    for row in track(rows, "Building haplotypes"):
        plan = plan_window(
            genome,
            people,
            row.chrom,
            int(row.tss),
            row.strand,
            upstream=upstream,
            downstream=downstream,
            unphased=unphased,
            seed=seed,
        )
        yield PlannedGene(row, plan)


@contextmanager
def _opened(
    genotypes: str | Path,
    genome: Genome,
    samples: Sequence[str] | Path | None,
    table: dict[str, str] | None,
    on_ref_mismatch: OnMismatch,
) -> Iterator[Genotypes]:
    # The user's table need not list names that are right already.
    names = None if table is None else {**{name: name for name in genome.names}, **table}
    with open_genotypes(
        genotypes,
        samples=samples,
        genome=genome,
        on_ref_mismatch=on_ref_mismatch,
        chrom_table=names,
    ) as people:
        yield people


def _extent(window: int, upstream: int | None, downstream: int | None) -> tuple[int, int]:
    if upstream is None and downstream is None:
        return window // 2, window - window // 2
    if upstream is None or downstream is None:
        raise ConfigError(
            "upstream and downstream go together",
            found=f"upstream {upstream}, downstream {downstream}",
            remedy="Give both, or a window",
        )
    return upstream, downstream


def _check_choices(
    out: Path, unphased: object, each: bool, expression: str | Path | None, per: str
) -> None:
    dataset = out.suffix == ".h5"
    if not dataset and not out.name.endswith(_FASTA_ENDINGS):
        raise ConfigError(
            "haplotypes are not written as this kind of file",
            file=out,
            expected=", ".join([".h5", *_FASTA_ENDINGS]),
        )
    if check_unphased(unphased) == "mixture":
        raise ConfigError(
            "a mixture weighs predictions and is no sequence",
            record="unphased",
            expected="error, or a number of random phasings",
            remedy="Predict with `exprimo personal`, which takes mixtures",
        )
    if dataset and each:
        raise ConfigError("one record per person is a choice for FASTA", file=out)
    if per not in get_args(Per):
        raise ConfigError(
            "not what an example can be", record="per", found=per, expected="copy or person"
        )
    if not dataset and per == "person":
        raise ConfigError(
            "examples of two copies are a choice for a dataset", file=out, remedy="Write a .h5"
        )
    if not dataset and expression is not None:
        raise ConfigError("a FASTA file holds no expression", file=out, remedy="Write a .h5")


def _measured(
    sites: pd.DataFrame,
    values: pd.DataFrame | None,
    dropped: dict[str, int],
    path: str | Path | None,
) -> pd.DataFrame:
    if values is None:
        return sites
    listed = sites["gene_id"].isin(values.index)
    if not listed.any():
        raise MismatchError(
            "no gene is in the table of expression",
            file=path,
            found=", ".join(values.index[:5]),
            expected=", ".join(sites["gene_id"].head(5)),
        )
    dropped[_NOT_MEASURED] = int((~listed).sum())
    return sites[listed].reset_index(drop=True)


def _files(genotypes: str | Path, *more: object) -> list[Path]:
    """Name the files that were read, for the provenance."""
    trio = find_trio(Path(genotypes))
    first = [trio.genotypes, trio.variants, trio.people] if trio else [Path(genotypes)]
    others = [Path(name) for name in more if isinstance(name, (str, Path))]
    return first + [path for path in others if path.is_file()]


def _summary(
    path: Path,
    n_genes: int,
    n_people: int,
    n_written: int,
    length: int,
    dropped: dict[str, int],
    tally: _Tally,
) -> HaplotypeSummary:
    size = path.stat().st_size
    what = ("example", "examples") if path.suffix == ".h5" else ("record", "records")
    headline = (
        f"{_counted(n_written, *what)} of {length:,} bases ({_counted(n_genes, 'gene', 'genes')}, "
        f"{_counted(n_people, 'person', 'people')}, "
        f"{_counted(tally.distinct, 'distinct sequence', 'distinct sequences')}) "
        f"written to {path} ({size / 1e6:.1f} MB)"
    )
    left_out = {reason: count for reason, count in dropped.items() if count}
    skipped = dict(tally.skipped)
    lines = [headline]
    lines += [
        f"{_counted(count, 'gene', 'genes')} left out: {reason}"
        for reason, count in left_out.items()
    ]
    lines += [
        f"{_counted(count, 'allele', 'alleles')} not applied: {reason}"
        for reason, count in skipped.items()
    ]
    return HaplotypeSummary(
        path, n_genes, n_people, n_written, tally.distinct, left_out, skipped, size, tuple(lines)
    )


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
