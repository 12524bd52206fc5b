"""People matched by name over genotypes, expression and covariates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import InputError
from exprimo.data.fasta.genome import Genome
from exprimo.data.genotypes import Genotypes, open_genotypes
from exprimo.data.genotypes.alleles import OnMismatch
from exprimo.data.names import read_chromosome_names
from exprimo.data.phenotypes import (
    PersonalExpression,
    people_of_covariates,
    read_covariates,
    read_expression_bed,
    read_expression_matrix,
)
from exprimo.genetics.cohort.checks import (
    constant_genes,
    refuse_collinear,
    refuse_few_people,
    refuse_unsorted,
)
from exprimo.genetics.cohort.matching import genotyped_people, match_people


class Cohort(NamedTuple):
    """People matched by name over genotypes, expression and covariates, in one order.

    Attributes
    ----------
    genotypes
        Opened with these people, in this order.
    people
        Their names, in the order of the expression file, or of the names that were asked for.
    expression
        Of these people. Genes are sorted as in the file; ``chrom`` is named as in the genotypes.
    covariates
        (people, covariates), without an intercept.
    covariate_names
        One a column.
    dropped
        Reason -> how many people or genes were left out for it.
    """

    genotypes: Genotypes
    people: tuple[str, ...]
    expression: PersonalExpression
    covariates: npt.NDArray[np.float64]
    covariate_names: tuple[str, ...]
    dropped: Mapping[str, int]


@contextmanager
def open_cohort(
    genotypes: str | Path,
    expression: str | Path | PersonalExpression,
    covariates: str | Path | None = None,
    *,
    genome: Genome | None = None,
    on_ref_mismatch: OnMismatch = "error",
    samples: Sequence[str] | Path | None = None,
    chrom_table: Mapping[str, str] | None = None,
    gene_table: str | Path | None = None,
    constant: Literal["error", "drop"] = "error",
) -> Iterator[Cohort]:
    """Open genotypes, expression and covariates of the people that all of them have.

    Parameters
    ----------
    genotypes
        As `exprimo.data.genotypes.open_genotypes` takes them.
    expression
        A sorted expression BED without missing values, or what was read of one; with a
        ``gene_table`` a matrix of genes by people.
    covariates
        A row or a column for each person; None: none.
    genome
        What REF alleles are checked against and chromosomes are named after.
    on_ref_mismatch
        What to do where REF is not the genome's; see `exprimo.data.genotypes.open_genotypes`.
    samples
        Keep these people only, in this order: names, or a file with one a line. Those whom some
        file lacks are dropped and counted.
    chrom_table
        Names of chromosomes in the genotypes -> in the genome (or in the expression).
    gene_table
        Where the genes of a matrix lie: an annotation, or gene_id, chrom, tss, strand; see
        `exprimo.data.phenotypes.gene_places`.
    constant
        Whether genes of one value in all people are refused, or dropped and counted.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "g.vcf").write_text(
    ...     "##fileformat=VCFv4.2\\n##contig=<ID=1>\\n"
    ...     '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\\n'
    ...     "#CHROM\\tPOS\\tID\\tREF\\tALT\\tQUAL\\tFILTER\\tINFO\\tFORMAT\\tann\\tbob\\tcid\\n"
    ...     "1\\t5\\trs1\\tA\\tC\\t.\\t.\\t.\\tGT\\t0|0\\t1|1\\t0|1\\n")
    >>> _ = (folder / "e.bed").write_text(
    ...     "#chr\\tstart\\tend\\tgene_id\\tdan\\tcid\\tbob\\nchr1\\t9\\t10\\tg1\\t0\\t1\\t2\\n")
    >>> with open_cohort(folder / "g.vcf", folder / "e.bed") as cohort:
    ...     cohort.people, cohort.expression.values.tolist(), dict(cohort.dropped)
    (('cid', 'bob'), [[1.0, 2.0]], {'people without genotypes': 1, 'people without expression': 1})
    """
    measured, unplaced = _measured(expression, gene_table)
    refuse_unsorted(measured)
    genotyped = genotyped_people(genotypes)
    described = None
    if covariates is not None:
        described = people_of_covariates(covariates, (*genotyped, *measured.people))
    people, dropped = match_people(
        genotyped,
        measured.people,
        described,
        asked=samples,
        files=(str(genotypes), str(measured.source), str(covariates)),
    )
    # Of one person everything is constant: that is not what is wrong then.
    refuse_few_people(people, (), measured.source)
    names: tuple[str, ...] = ()
    values = np.empty((len(people), 0))
    if covariates is not None:
        names, values = read_covariates(covariates, people, refuse_constant=True)
    refuse_few_people(people, names, measured.source)
    if covariates is not None:
        refuse_collinear(names, values, covariates)
    opened = open_genotypes(
        genotypes,
        samples=people,
        genome=genome,
        on_ref_mismatch=on_ref_mismatch,
        chrom_table=chrom_table,
    )
    with opened:
        kept, of_genes = _usable_genes(measured.of(people), opened, constant)
        yield Cohort(opened, people, kept, values, names, {**dropped, **unplaced, **of_genes})


@contextmanager
def open_cohort_of(
    genotypes: str | Path,
    expression: str | Path | PersonalExpression,
    covariates: str | Path | None = None,
    *,
    fasta: str | Path | None = None,
    on_ref_mismatch: OnMismatch = "error",
    chrom_style: str | Path = "auto",
    samples: Sequence[str] | Path | None = None,
    constant: Literal["error", "drop"] = "error",
) -> Iterator[Cohort]:
    """Open a cohort as `open_cohort` does, with a genome and names of chromosomes from files.

    Parameters
    ----------
    genotypes, expression, covariates, on_ref_mismatch, samples, constant
        As `open_cohort` takes them.
    fasta
        What REF alleles are checked against.
    chrom_style
        ``"auto"``, or a table of two columns: name in the genotypes, name in the others.
    """
    names = None if chrom_style == "auto" else read_chromosome_names(chrom_style)
    with ExitStack() as stack:
        genome = None if fasta is None else stack.enter_context(Genome.open(fasta))
        cohort = open_cohort(
            genotypes, expression, covariates,
            genome=genome, on_ref_mismatch=on_ref_mismatch, samples=samples, chrom_table=names,
            constant=constant,
        )  # fmt: skip
        yield stack.enter_context(cohort)


def _measured(
    expression: str | Path | PersonalExpression, gene_table: str | Path | None
) -> tuple[PersonalExpression, dict[str, int]]:
    if isinstance(expression, PersonalExpression):
        return expression, {}
    if gene_table is None:
        return read_expression_bed(expression), {}
    return read_expression_matrix(expression, gene_table)


def _usable_genes(
    measured: PersonalExpression, genotypes: Genotypes, constant: Literal["error", "drop"]
) -> tuple[PersonalExpression, dict[str, int]]:
    """Keep genes that vary and whose chromosome has genotypes, under the genotypes' names."""
    ours = reconcile_chromosomes(
        genotypes.chromosomes,
        measured.genes["chrom"],
        our_file=str(genotypes.path),
        their_file=str(measured.source),
    )
    chrom = measured.genes["chrom"].map(ours)
    placed = chrom.notna().to_numpy()
    still = constant_genes(measured, refuse=constant == "error")
    keep = placed & ~still
    if not keep.any():
        raise InputError(
            "no gene varies on a chromosome with genotypes",
            file=measured.source,
            found=f"{len(keep)} genes, {int(still.sum())} of them constant",
        )
    counts = {
        "genes on chromosomes without genotypes": int((~placed).sum()),
        "genes that are constant": int((still & placed).sum()),
    }
    genes = measured.genes.assign(chrom=chrom)[keep].reset_index(drop=True)
    kept = measured._replace(genes=genes, values=measured.values[keep])
    return kept, {reason: count for reason, count in counts.items() if count}
