"""Running a study of individuals, stage by stage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.errors import ExprimoError, MismatchError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.data.annotation import read_annotation
from exprimo.data.genotypes import open_genotypes
from exprimo.data.phenotypes import PersonalExpression, read_covariates, read_expression_bed
from exprimo.data.textfile import open_text
from exprimo.report import build_report
from exprimo.scoring.personal import personal
from exprimo.scoring.sequences import open_sequence_model
from exprimo.scoring.variants import variants
from exprimo.studies.individual.agreement import (
    Matrix,
    agreement,
    gene_table,
    judge,
    people_table,
    read_predicted,
)
from exprimo.studies.individual.checks import (
    ANSWER,
    check_study,
    judged_genes,
    located,
)
from exprimo.studies.individual.config import IndividualStudy
from exprimo.studies.individual.tables import folder_of, read_scores, top_variants
from exprimo.studies.individual.truth import ceiling, judge_effects, true_effects
from exprimo.studies.individual.verdict import verdict
from exprimo.studies.resuming import SETTINGS, begun_study, check_settings_kept, study_folder

STUDY_FORMAT = 1
_WRITTEN = ("models", "genes.tsv", "people.tsv", "top.tsv", "effects.tsv", "study.json")


class IndividualResult(NamedTuple):
    """What a study wrote; ``facts`` are those of its ``study.json``."""

    path: Path
    report: Path
    facts: dict[str, Any]


class _Measured(NamedTuple):
    """Expression of the study's people, if it was given, and what is taken off it."""

    people: list[str]
    expression: PersonalExpression | None
    covariates: Matrix | None


def run_individual_study(
    study: IndividualStudy, home: Path, *, out: str | Path | None = None, resume: bool = False
) -> IndividualResult:
    """Predict every person's expression, score the variants, judge both, and report.

    Parameters
    ----------
    home
        The folder that paths in the study are relative to.
    out
        Overrides ``study.out``.
    resume
        Keep what an interrupted run has finished.
    """
    with study_folder(study, home, out, resume=resume) as folder:
        check_study(study, home)
        settings = folder / SETTINGS
        check_settings_kept(study, settings)
        with begun_study(study, settings, _WRITTEN):
            measured = _measured(study, home)
            models = located(study, home)
            table = read_annotation(home / study.genes.genes).genes
            names = dict(zip(table["gene_name"], table["gene_id"], strict=True))
            known = table["gene_id"].tolist()
            genes = judged_genes(study, next(iter(models.values())), known, names)
            _check_models(study, models)
        with _nothing_left_of_nothing(folder):
            facts = _look(study, home, folder, models, genes, measured)
        write_json(folder / "study.json", facts)
        return IndividualResult(folder, build_report(folder), facts)


@contextmanager
def _nothing_left_of_nothing(folder: Path) -> Iterator[None]:
    """Take back a study that is refused before any of its work is done, so that it may change."""
    try:
        yield
    except ExprimoError:
        if not any(path.is_file() for path in (folder / "models").rglob("*")):
            shutil.rmtree(folder / "models")
            (folder / SETTINGS).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _check_models(study: IndividualStudy, models: dict[str, str]) -> None:
    """Open every model once, so that one that cannot be used is refused before any work."""
    for at, (name, model) in enumerate(models.items()):
        open_sequence_model(model, tracks=_tracks(study, at, name), threads=study.threads)


def _tracks(study: IndividualStudy, at: int, name: str) -> tuple[str, ...]:
    return study.models.tracks.get(ANSWER if at == 0 else name, ())


def _measured(study: IndividualStudy, home: Path) -> _Measured:
    """Match people over genotypes, expression and covariates by name."""
    with open_genotypes(home / study.people.genotypes) as genotypes:
        typed = genotypes.samples
    wanted = list(typed)
    if study.people.samples is not None:
        with open_text(home / study.people.samples, "a file with a name a line") as lines:
            wanted = [line.split()[0] for line in lines if line.strip()]
        unknown = [name for name in wanted if name not in set(typed)]
        if unknown:
            raise _no_overlap(study.people.samples, unknown, list(typed))
    if study.people.expression is None:
        return _Measured(wanted, None, None)
    expression = read_expression_bed(home / study.people.expression)
    people = [name for name in wanted if name in set(expression.people)]
    if not people:
        raise _no_overlap(study.people.expression, list(expression.people), wanted)
    covariates = None
    if study.people.covariates is not None:
        covariates = read_covariates(home / study.people.covariates, people).values
    return _Measured(people, expression.of(people), covariates)


def _no_overlap(file: str, found: list[str], expected: list[str]) -> MismatchError:
    return MismatchError(
        "people who have no genotype",
        file=file,
        found=", ".join(found[:5]),
        expected=", ".join(expected[:5]),
        remedy="Use the same names in all files",
    )


def _look(
    study: IndividualStudy,
    home: Path,
    folder: Path,
    models: dict[str, str],
    genes: list[str],
    measured: _Measured,
) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    tables: dict[str, list[pd.DataFrame]] = {"genes": [], "people": [], "top": [], "effects": []}
    for at, (name, model) in enumerate(models.items()):
        place = folder / "models" / folder_of(name)
        _predict(study, home, place, model, _tracks(study, at, name), genes, measured)
        found[name] = _judge(study, home, place, name, measured, tables)
    for table, parts in tables.items():
        if parts:
            _write(folder / f"{table}.tsv", pd.concat(parts, ignore_index=True))
    answer = next(iter(models))
    return {
        **describe_origin([], format_version=STUDY_FORMAT),
        "kind": study.kind,
        "question": study.question or _question(measured),
        "models": found,
        "folders": {name: f"models/{folder_of(name)}" for name in models},
        "answer": answer,
        "n_genes": len(genes),
        "n_people": len(measured.people),
        "genes": study.genes.which if not study.genes.only else "named",
        "verdict": verdict(found, answer),
        "config": study.model_dump(mode="json"),
    }


def _question(measured: _Measured) -> str:
    if measured.expression is None:
        return "What does the model say that these genotypes do to expression?"
    return "Does personal sequence tell how expression differs between people?"


def _predict(
    study: IndividualStudy,
    home: Path,
    place: Path,
    model: str,
    tracks: tuple[str, ...],
    genes: list[str],
    measured: _Measured,
) -> None:
    """Write personal predictions and variant scores of one model, where they do not stand yet."""
    place.mkdir(parents=True, exist_ok=True)
    chrom_style = study.genes.chrom_style
    common: dict[str, Any] = {
        "fasta": home / study.genes.fasta,
        "genes": home / study.genes.genes,
        "gene": genes,
        "tss": study.genes.tss,
        "tracks": tracks,
        "chrom_style": chrom_style if chrom_style == "auto" else home / chrom_style,
        "threads": study.threads,
        **study.reading.model_dump(),
    }
    people, scores = place / "people.parquet", place / "variants.parquet"
    if not people.exists():
        personal(
            model,
            people,
            genotypes=home / study.people.genotypes,
            samples=measured.people,
            haplotypes="mean",
            unphased=study.people.unphased,
            seed=study.seed,
            **common,
        )
    if not scores.exists():
        file = study.variants.file or study.people.genotypes
        variants(model, scores, variants=home / file, center="tss", **common)


def _judge(
    study: IndividualStudy,
    home: Path,
    place: Path,
    name: str,
    measured: _Measured,
    tables: dict[str, list[pd.DataFrame]],
) -> dict[str, Any]:
    """Judge one model's predictions and scores, and add to the tables of the study."""
    scores = read_scores(place / "variants.parquet")
    facts: dict[str, Any] = {"variants": {"n": len(scores)}}
    tables["top"].append(top_variants(scores, study.variants.top).assign(model=name))
    truth = home / study.truth if study.truth else None
    if measured.expression is not None:
        predicted = read_predicted(place / "people.parquet")
        judged = judge(predicted, measured.expression, measured.covariates)
        people, per_gene = agreement(judged, None, seed=study.seed)
        tables["genes"].append(gene_table(judged, per_gene).assign(model=name))
        tables["people"].append(people_table(judged).assign(model=name))
        if truth is not None:
            people["ceiling"] = ceiling(
                truth, measured.expression, measured.covariates, judged, seed=study.seed
            )
        facts["people"] = people
    if truth is not None:
        joined = true_effects(truth, scores)
        tables["effects"].append(joined.assign(model=name))
        facts["effects"] = judge_effects(joined, seed=study.seed)
    return facts


def _write(path: Path, table: pd.DataFrame) -> None:
    first = ["model", *(name for name in table.columns if name != "model")]
    with atomic_file(path) as partial:
        table[first].to_csv(partial, sep="\t", index=False, na_rep="", float_format="%.6g")
