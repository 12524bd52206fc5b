"""Running a study of individuals, stage by stage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.errors import ExprimoError, InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.report import build_report
from exprimo.report.individual.association.answer import sentences
from exprimo.report.individual.reading import read_individual_study
from exprimo.scoring.personal import personal
from exprimo.scoring.variants import variants
from exprimo.studies.individual.agreement import (
    agreement,
    gene_table,
    judge,
    people_table,
    read_predicted,
)
from exprimo.studies.individual.association.given import Given, open_given
from exprimo.studies.individual.association.run import TABLES, associate
from exprimo.studies.individual.checks import check_study
from exprimo.studies.individual.config import IndividualStudy
from exprimo.studies.individual.material import (
    Material,
    read_material,
    source_files,
    tracks_of,
)
from exprimo.studies.individual.tables import folder_of, read_scores, top_variants
from exprimo.studies.individual.truth import ceiling, judge_effects, true_effects
from exprimo.studies.individual.verdict import verdict
from exprimo.studies.resuming import (
    SETTINGS,
    begun_study,
    check_settings_kept,
    check_sources_kept,
    study_folder,
)

STUDY_FORMAT = 1
SOURCES = "sources.json"
_WRITTEN = (
    SOURCES, "models", "genes.tsv", "people.tsv", "top.tsv", "effects.tsv", "association", *TABLES,
    "study.json",
)  # fmt: skip


class IndividualResult(NamedTuple):
    """What a study wrote.

    ``facts`` are those of its ``study.json``; ``told`` is what the page says of eQTLs, predictors
    and overlap, nothing without expression.
    """

    path: Path
    report: Path
    facts: dict[str, Any]
    told: tuple[str, ...] = ()


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
            material = read_material(study, home)
            given = open_given(study, home, folder, material.people, material.genes)
            _keep_sources(folder / SOURCES, source_files(study, home), material)
        with _nothing_left_of_nothing(folder):
            facts = _look(study, home, folder, material, given)
        write_json(folder / "study.json", facts)
        found = read_individual_study(folder).association
        told = () if found is None else sentences(found)
        return IndividualResult(folder, build_report(folder), facts, told)


@contextmanager
def _nothing_left_of_nothing(folder: Path) -> Iterator[None]:
    """Take back a study that is refused before any of its work is done, so that it may change."""
    try:
        yield
    except ExprimoError:
        if not any(path.is_file() for path in (folder / "models").rglob("*")):
            shutil.rmtree(folder / "models")
            for name in (SETTINGS, SOURCES):
                (folder / name).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _keep_sources(path: Path, files: list[Path], material: Material) -> None:
    """Write what the study is made from; refuse to go on with other files or weights."""
    if not path.exists():
        write_json(path, describe_origin(files, models=material.digests))
        return
    begun = json.loads(path.read_text(encoding="utf-8"))
    check_sources_kept(begun, path.parent)
    changed = [name for name, digest in material.digests.items() if begun["models"][name] != digest]
    if changed:
        raise InputError(
            "a model has changed since this study was started",
            file=path.parent,
            found=", ".join(changed),
            remedy="Choose another out for the new one, or bring the old one back",
        )


def _look(
    study: IndividualStudy, home: Path, folder: Path, material: Material, given: Given | None
) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    tables: dict[str, list[pd.DataFrame]] = {"genes": [], "people": [], "top": [], "effects": []}
    for at, (name, model) in enumerate(material.models.items()):
        place = folder / "models" / folder_of(name)
        _predict(study, home, place, model, tracks_of(study, at, name), material)
        found[name] = _judge(study, home, place, name, material, tables)
        found[name]["n_learned"] = material.learned[name]
    for table, parts in tables.items():
        if parts:
            _write(folder / f"{table}.tsv", pd.concat(parts, ignore_index=True))
    answer = next(iter(material.models))
    return {
        **describe_origin([], format_version=STUDY_FORMAT),
        "kind": study.kind,
        "question": study.question or _question(material),
        "models": found,
        "folders": {name: f"models/{folder_of(name)}" for name in material.models},
        "answer": answer,
        "n_genes": len(material.genes),
        "n_people": len(material.people),
        "genes": study.genes.which if not study.genes.only else "named",
        "left_out": material.left_out,
        "verdict": verdict(found, answer),
        "association": None if given is None else associate(study, home, given, material),
        "config": study.model_dump(mode="json"),
    }


def _question(material: Material) -> str:
    if material.expression is None:
        return "What does the model say that these genotypes do to expression?"
    return "Does personal sequence tell how expression differs between people?"


def _predict(
    study: IndividualStudy,
    home: Path,
    place: Path,
    model: str,
    tracks: tuple[str, ...],
    material: Material,
) -> None:
    """Write personal predictions and variant scores of one model, where they do not stand yet."""
    place.mkdir(parents=True, exist_ok=True)
    chrom_style = study.genes.chrom_style
    common: dict[str, Any] = {
        "fasta": home / study.genes.fasta,
        "genes": home / study.genes.genes,
        "gene": material.genes,
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
            samples=material.people,
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
    material: Material,
    tables: dict[str, list[pd.DataFrame]],
) -> dict[str, Any]:
    """Judge one model's predictions and scores, and add to the tables of the study."""
    scores = read_scores(place / "variants.parquet")
    facts: dict[str, Any] = {"variants": {"n": len(scores)}}
    tables["top"].append(top_variants(scores, study.variants.top).assign(model=name))
    truth = home / study.truth if study.truth else None
    if material.expression is not None:
        predicted = read_predicted(place / "people.parquet")
        judged = judge(predicted, material.expression, material.covariates)
        people, per_gene = agreement(judged, None, seed=study.seed)
        tables["genes"].append(gene_table(judged, per_gene).assign(model=name))
        tables["people"].append(people_table(judged).assign(model=name))
        if truth is not None:
            people["ceiling"] = ceiling(
                truth, material.expression, material.covariates, judged, seed=study.seed
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
