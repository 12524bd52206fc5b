"""What a study of individuals works on: people, genes and models, matched over all files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from exprimo.core.errors import MismatchError
from exprimo.data.fasta import Genome
from exprimo.data.genotypes import open_genotypes
from exprimo.data.genotypes.plink.trio import find_trio
from exprimo.data.phenotypes import PersonalExpression, read_covariates, read_expression_bed
from exprimo.data.textfile import open_text
from exprimo.features.haplotypes import gene_sites
from exprimo.features.promoter_sites import reconcile
from exprimo.scoring.sequences import open_sequence_model
from exprimo.studies.individual.agreement import Matrix
from exprimo.studies.individual.checks import ANSWER, judged_genes, learned_genes, located
from exprimo.studies.individual.config import IndividualStudy

NO_GENOTYPES = "on a chromosome without genotypes"


class Material(NamedTuple):
    """What is judged, and by what.

    Attributes
    ----------
    models
        MODEL by its name in tables, the answering one first; ``digests`` are of their weights.
    genes
        Ids of the genes to judge; ``left_out`` says why others are not, ``learned`` how many of
        them each model learned from.
    sites
        ``gene_id, gene_name, chrom, tss`` (0-based), ``strand`` of these genes, named as in the
        genome.
    people
        Who has genotypes and, where it was given, expression.
    expression, covariates
        Of these people; None where none was given.
    """

    models: dict[str, str]
    digests: dict[str, str]
    genes: list[str]
    left_out: dict[str, int]
    learned: dict[str, int]
    sites: pd.DataFrame
    people: list[str]
    expression: PersonalExpression | None
    covariates: Matrix | None


def read_material(study: IndividualStudy, home: Path) -> Material:
    """Match people and genes over all files, and open every model once.

    What cannot be used is refused here, before any work.
    """
    models = located(study, home)
    typed, sites, left_out = _genes_with_genotypes(study, home)
    people, expression = _people(study, home, typed)
    covariates = None
    if study.people.covariates is not None:
        covariates = read_covariates(home / study.people.covariates, people).values
    answer = next(iter(models.values()))
    names = dict(zip(sites["gene_name"], sites["gene_id"], strict=True))
    genes = judged_genes(study, answer, sites["gene_id"].tolist(), names)
    learned = {name: len(learned_genes(model) & set(genes)) for name, model in models.items()}
    digests = {
        name: open_sequence_model(
            model, tracks=tracks_of(study, at, name), threads=study.threads
        ).digest
        for at, (name, model) in enumerate(models.items())
    }
    judged = sites[sites["gene_id"].isin(genes)]
    return Material(
        models, digests, genes, left_out, learned, judged, people, expression, covariates
    )


def tracks_of(study: IndividualStudy, at: int, name: str) -> tuple[str, ...]:
    """Give the tracks that are asked of a model; the answering one is the first."""
    return study.models.tracks.get(ANSWER if at == 0 else name, ())


def source_files(study: IndividualStudy, home: Path) -> list[Path]:
    """List every file that the study reads, besides its models."""
    genotypes = home / study.people.genotypes
    trio = find_trio(genotypes)
    typed = [genotypes] if trio is None else list(trio[2:])
    given = (
        study.genes.fasta, study.genes.genes, study.people.samples, study.people.expression,
        study.people.covariates, study.variants.file, study.association.motifs,
    )  # fmt: skip
    return [*typed, *(home / name for name in given if name is not None)]


def _genes_with_genotypes(
    study: IndividualStudy, home: Path
) -> tuple[tuple[str, ...], pd.DataFrame, dict[str, int]]:
    """Give the people of the genotypes, and the genes on chromosomes that they cover."""
    style = study.genes.chrom_style
    chrom_style = style if style == "auto" else home / style
    tss = study.genes.tss if not (home / study.genes.tss).is_file() else home / study.genes.tss
    with (
        Genome.open(home / study.genes.fasta) as genome,
        open_genotypes(home / study.people.genotypes) as genotypes,
    ):
        sites, dropped = gene_sites(
            home / study.genes.genes, genome, gene=study.genes.only, tss=tss,
            chrom_style=chrom_style,
        )  # fmt: skip
        names = reconcile(genotypes.chromosomes, genome, chrom_style, genotypes.path)
        there = sites["chrom"].isin(list(names.values()))
        if not there.any():
            raise MismatchError(
                "no gene lies on a chromosome that has genotypes",
                file=genotypes.path,
                found=", ".join(genotypes.chromosomes[:5]),
                expected=", ".join(pd.unique(sites["chrom"])[:5]),
            )
        left_out = {reason: n for reason, n in dropped.items() if n}
        if not there.all():
            left_out[NO_GENOTYPES] = int((~there).sum())
        return genotypes.samples, sites[there], left_out


def _people(
    study: IndividualStudy, home: Path, typed: tuple[str, ...]
) -> tuple[list[str], PersonalExpression | None]:
    """Choose the people by name, and their expression."""
    wanted = list(typed)
    if study.people.samples is not None:
        with open_text(home / study.people.samples, "a file with a name a line") as lines:
            wanted = list(dict.fromkeys(line.split()[0] for line in lines if line.strip()))
        unknown = [name for name in wanted if name not in set(typed)]
        if unknown:
            raise _no_overlap(study.people.samples, unknown, typed)
    if study.people.expression is None:
        return wanted, None
    expression = read_expression_bed(home / study.people.expression)
    measured = set(expression.people)
    people = [name for name in wanted if name in measured]
    if not people:
        raise _no_overlap(study.people.expression, expression.people, wanted)
    return people, expression.of(people)


def _no_overlap(
    file: str, found: list[str] | tuple[str, ...], expected: list[str] | tuple[str, ...]
) -> MismatchError:
    return MismatchError(
        "people who have no genotype",
        file=file,
        found=", ".join(found[:5]),
        expected=", ".join(expected[:5]),
        remedy="Use the same names in all files",
    )
