"""From files of people to tables of eQTLs: all people, or the training people of each fold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from threadpoolctl import threadpool_limits

from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.data.genotypes.alleles import OnMismatch
from exprimo.data.genotypes.plink.trio import find_trio
from exprimo.data.phenotypes import PersonalExpression, read_expression_bed
from exprimo.genetics.cohort import Cohort, folds_of, open_cohort_of, read_strands
from exprimo.genetics.eqtl.config import EqtlConfig
from exprimo.genetics.eqtl.mapping import MappedPeople, map_cohort


class EqtlMap(NamedTuple):
    """What was mapped.

    Attributes
    ----------
    path
        The folder.
    parts
        One for all people; with folds one a fold, of the people outside of it.
    """

    path: Path
    parts: tuple[MappedPeople, ...]


def map_eqtl(
    genotypes: str | Path,
    expression: str | Path,
    out: str | Path,
    *,
    covariates: str | Path | None = None,
    fasta: str | Path | None = None,
    on_ref_mismatch: OnMismatch = "error",
    genes: str | Path | None = None,
    gene: Sequence[str] = (),
    samples: Sequence[str] | Path | None = None,
    chrom_style: str | Path = "auto",
    folds: int | None = None,
    folds_file: str | Path | None = None,
    threads: int | None = None,
    **settings: Any,
) -> EqtlMap:
    """Map cis-eQTLs: each gene's expression against the variants near it.

    Covariates are taken out of both sides. Each gene's strongest variant is judged against
    permutations of the people, through a beta distribution; genes by q-values; eGenes are
    searched for further signals.

    Parameters
    ----------
    genotypes
        VCF, BCF, PLINK 1 or PLINK 2 (prefix or any file).
    expression
        A sorted expression BED: ``#chr start end gene_id`` and a column a person.
    out
        A new folder: ``nominal/CHROM.parquet`` (pairs), ``genes.parquet`` (strongest variants,
        ``pval_beta``, ``qval``, ``pval_nominal_threshold``), ``independent.parquet`` (signals),
        ``summary.json``, ``ledger.parquet``. With folds the same in ``fold0``, ``fold1``, ...
    covariates
        A row or a column for each person, without an intercept.
    fasta
        What REF alleles are checked against.
    on_ref_mismatch
        Where REF is not what the genome has: ``"error"``, ``"skip"`` the variant, or ``"swap"``
        REF with the ALT that is.
    genes
        GTF, GFF3 or BED that tells strands, for windows that are not symmetric.
    gene
        Only these genes; q-values are then across them alone.
    samples
        These people only.
    chrom_style
        ``"auto"``, or a table: name in the genotypes, name in the other files.
    folds, folds_file
        Map within the training people of each of so many folds, or of a table sample, fold.
    threads
        Genes at once; None: as many as this process may use. Numbers do not depend on it.
    settings
        Fields of `EqtlConfig`: ``upstream``, ``downstream``, ``maf``, ``permutations``,
        ``transforms``, ``hidden``, ...

    Examples
    --------
    >>> done = map_eqtl("g.vcf.gz", "e.bed.gz", "EQTL", covariates="c.tsv")  # doctest: +SKIP
    >>> done.parts[0].n_egenes  # doctest: +SKIP
    """
    config = EqtlConfig.checked(settings)
    if folds is not None and folds_file is not None:
        raise ConfigError("folds are given twice", found="--folds and --folds-file")
    measured = read_expression_bed(expression)
    given = _Files(Path(genotypes), measured, covariates, fasta, on_ref_mismatch, chrom_style)
    options: dict[str, Any] = {
        "strands": None if genes is None else read_strands(genes, measured),
        "genes": tuple(dict.fromkeys(gene)) or None,
        "threads": threads or len(os.sched_getaffinity(0)),
    }
    # Genes side by side are quicker than each product on several threads.
    with atomic_directory(out) as folder, threadpool_limits(1, user_api="blas"):
        # Files are described after they were read: reading tells what is wrong with them.
        more = (genes, samples, folds_file, None if chrom_style == "auto" else chrom_style)
        with given.cohort(samples) as cohort:
            if folds is None and folds_file is None:
                options["origin"] = _origin(given, more, config)
                parts = [map_cohort(cohort, folder, config, **options)]
            else:
                fold = folds_of(cohort.people, folds or 0, config.seed, folds_file)
                options["origin"] = _origin(given, more, config)
                table = pd.DataFrame({"sample": cohort.people, "fold": fold})
                parts = _by_fold(given, table, cohort.dropped, folder, config, options)
        write_json(folder / "provenance.json", options["origin"])
        config.save(folder / "config.toml")
    path = Path(out)
    moved = (part._replace(path=path / part.path.relative_to(folder)) for part in parts)
    return EqtlMap(path, tuple(moved))


class _Files(NamedTuple):
    """What a cohort is opened from."""

    genotypes: Path
    expression: PersonalExpression
    covariates: str | Path | None
    fasta: str | Path | None
    on_ref_mismatch: OnMismatch
    chrom_style: str | Path

    def cohort(
        self, samples: Sequence[str] | Path | None, **more: Any
    ) -> AbstractContextManager[Cohort]:
        """Open the cohort of some people."""
        return open_cohort_of(
            self.genotypes,
            self.expression,
            self.covariates,
            fasta=self.fasta,
            on_ref_mismatch=self.on_ref_mismatch,
            chrom_style=self.chrom_style,
            samples=samples,
            **more,
        )


def _by_fold(
    given: _Files,
    folds: pd.DataFrame,
    dropped: Mapping[str, int],
    folder: Path,
    config: EqtlConfig,
    options: Mapping[str, Any],
) -> list[MappedPeople]:
    """Map within the training people of each fold, each into a folder of its own."""
    folds.to_csv(folder / "folds.tsv", sep="\t", index=False, lineterminator="\n")
    parts = []
    for number in sorted(set(folds["fold"].tolist())):
        train = folds.loc[folds["fold"] != number, "sample"].tolist()
        # A gene may be of one value among the training people alone.
        with given.cohort(train, constant="drop") as cohort:
            inner = folder / f"fold{number}"
            inner.mkdir()
            asked = options["genes"]
            there = set(cohort.expression.genes["gene_id"])
            genes = None if asked is None else [one for one in asked if one in there]
            left_out = {**dropped, **cohort.dropped, "people held out": len(folds) - len(train)}
            left_out["people not asked for"] = dropped.get("people not asked for", 0)
            part = cohort._replace(dropped={why: n for why, n in left_out.items() if n})
            parts.append(map_cohort(part, inner, config, **{**options, "genes": genes}))
    return parts


def _origin(given: _Files, more: Sequence[object], config: EqtlConfig) -> dict[str, Any]:
    trio = find_trio(given.genotypes)
    files = [given.genotypes] if trio is None else list(trio[2:])
    named = [given.expression.source, given.covariates, given.fasta, *more]
    files += [Path(path) for path in named if isinstance(path, (str, Path))]
    settings = config.model_dump()
    if given.fasta is not None:
        settings["on_ref_mismatch"] = given.on_ref_mismatch
    return describe_origin(files, builder="eqtl", settings=settings)
