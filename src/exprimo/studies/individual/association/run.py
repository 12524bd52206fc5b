"""The association, stage by stage, with its tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.files.atomic import atomic_file
from exprimo.core.ledger import Ledger
from exprimo.studies.individual.association import facts as told
from exprimo.studies.individual.association.candidates import (
    SequenceFiles,
    candidate_table,
    first_by_pip,
)
from exprimo.studies.individual.association.egenes import egene_table, read_table
from exprimo.studies.individual.association.given import Given, write_folds
from exprimo.studies.individual.association.loci import (
    gene_model_table,
    locus_table,
    predicted_table,
    read_pairs,
    strongest_genes,
)
from exprimo.studies.individual.association.predictors import (
    CALIBRATED,
    CIS_PREFIX,
    Predictors,
    compare,
    judge_all,
    pairs,
    read_predictors,
)
from exprimo.studies.individual.association.stages import (
    FINEMAP,
    finemap_stage,
    map_stage,
    overlap_stage,
    scores_stage,
    stack_stage,
)
from exprimo.studies.individual.association.truth import (
    Truth,
    judge_candidates,
    judge_egenes,
    judge_probabilities,
    reached,
    read_truth,
)
from exprimo.studies.individual.config import IndividualStudy
from exprimo.studies.individual.material import Material
from exprimo.studies.individual.tables import folder_of

TABLES = (
    "egenes.tsv", "predictors.tsv", "predicted.tsv", "loci.tsv", "gene_models.tsv",
    "candidates.tsv",
)  # fmt: skip
_ELASTIC_NET = f"{CIS_PREFIX}elastic_net"


def associate(
    study: IndividualStudy, home: Path, given: Given, material: Material
) -> dict[str, Any]:
    """Run what does not stand yet, write the tables, and say what was found.

    Parameters
    ----------
    given
        Of `open_given`.
    material
        Of the study; predictions and scores of its models must stand.
    """
    out = given.folder.parent
    folders = {name: out / "models" / folder_of(name) for name in material.models}
    answer = next(iter(folders))
    truth = None if study.truth is None else read_truth(home / study.truth)
    write_folds(given)
    map_stage(given)
    finemap_stage(given)
    scores_stage(given)
    stack_stage(given, material.models, folders, _ledgers(material.models))
    overlap_stage(given, material.sites, folders)

    egenes = egene_table(given, truth)
    write_tsv(out / "egenes.tsv", egenes)
    found = read_predictors(given, folders, *_measured(given, material))
    per_gene, judged = judge_all(found, seed=given.seed)
    shown = strongest_genes(egenes, given.genes, given.settings.loci)
    # Only genes that were drawn have predictors; others would not be a sample of all.
    followed = strongest_genes(egenes, given.drawn, given.settings.loci)
    write_tsv(out / "predicted.tsv", predicted_table(found, followed))
    loci = locus_table(given, shown, list(folders), truth)
    write_tsv(out / "loci.tsv", loci)
    write_tsv(out / "gene_models.tsv", gene_model_table(home / study.genes.genes, loci))
    candidates = candidate_table(given, egenes, answer, _sequence(study, home, material), truth)
    write_tsv(out / "candidates.tsv", candidates)
    names = dict(zip(material.sites["gene_id"], material.sites["gene_name"], strict=True))
    facts = {
        "eqtl": told.eqtl_facts(given),
        "finemap": told.finemap_facts(given),
        "heritability": told.heritability_facts(egenes, seed=given.seed),
        "predictors": judged,
        "best": compare(per_gene, judged, seed=given.seed),
        "pairs": pairs(per_gene, _asked(given, answer), seed=given.seed),
        "overlap": told.overlap_facts(given, answer),
        "shown": shown,
        "followed": {gene: names.get(gene) or gene for gene in followed},
        "candidates": told.candidate_facts(candidates),
        "truth": None,
    }
    if truth is not None:
        per_gene = per_gene.assign(true_h2=per_gene["gene_id"].map(truth.h2))
        facts["truth"] = _true(given, truth, egenes, found, per_gene) | {
            "candidates": judge_candidates(candidates),
            "first_by_pip": judge_candidates(first_by_pip(given, egenes, answer, truth)),
        }
    write_tsv(out / "predictors.tsv", per_gene)
    return facts


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a table; what is missing is empty."""
    with atomic_file(path) as partial:
        table.to_csv(
            partial, sep="\t", index=False, na_rep="", float_format="%.6g", lineterminator="\n"
        )


def _asked(given: Given, answer: str) -> list[tuple[str, str]]:
    """Name the comparisons that the study is about, whatever comes out."""
    model, metas = answer + CALIBRATED, given.settings.metas
    return [
        (model, _ELASTIC_NET),
        *((meta, _ELASTIC_NET) for meta in metas),
        *((meta, model) for meta in metas),
    ]


def _ledgers(models: Mapping[str, str]) -> list[Path]:
    """Find what models that are runs learned from, where that may be people."""
    files = (Path(model) / "ledger.parquet" for model in models.values())
    return [
        file
        for file in files
        if file.is_file()
        and any("individual" in units for units in Ledger.load(file).learned.values())
    ]


def _measured(
    given: Given, material: Material
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Give expression of the drawn genes, and covariates, of the people as ``given`` has them."""
    expression = material.expression
    assert expression is not None
    row_of = {gene: at for at, gene in enumerate(expression.genes["gene_id"])}
    place = {name: at for at, name in enumerate(expression.people)}
    columns = [place[name] for name in given.people]
    values = expression.values[[row_of[gene] for gene in given.drawn]][:, columns]
    return values, None if material.covariates is None else material.covariates[columns]


def _sequence(study: IndividualStudy, home: Path, material: Material) -> SequenceFiles:
    asked = study.association
    chrom_of = dict(zip(material.sites["gene_id"], material.sites["chrom"], strict=True))
    return SequenceFiles(
        home / study.genes.fasta,
        chrom_of,
        None if asked.motifs is None else home / asked.motifs,
        asked.motif_p,
    )


def _true(
    given: Given, truth: Truth, egenes: pd.DataFrame, found: Predictors, per_gene: pd.DataFrame
) -> dict[str, Any]:
    """Judge what was found by what is true."""
    h2 = np.array([truth.h2.get(gene, np.nan) for gene in found.genes])
    wide = per_gene.pivot(index="gene_id", columns="predictor", values="r2").loc[list(found.genes)]
    r2 = {str(name): wide[name].to_numpy() for name in wide if wide[name].notna().any()}
    facts = judge_egenes(egenes) | {
        "pip": None,
        "h2": {"mean": float(np.nanmean(h2)), "n": len(h2)},
        "r2_of_h2": reached(r2, h2, seed=given.seed),
    }
    if (given.folder / FINEMAP).exists():
        facts["pip"] = _probabilities(given, truth)
    return facts


def _probabilities(given: Given, truth: Truth) -> dict[str, Any]:
    mapped = read_table(given.folder / FINEMAP / "genes.parquet")["phenotype_id"].tolist()
    acting = truth.acting.assign(acts=True)[["gene_id", "variant_id", "acts"]]
    pips = read_pairs(given, mapped).merge(acting, on=["gene_id", "variant_id"], how="left")
    pips = pips.assign(acts=pips["acts"].notna())
    sets = pips.dropna(subset=["credible_set"])
    holds = sets.groupby(["gene_id", "credible_set"])["acts"].any().reset_index()
    return judge_probabilities(pips, holds.rename(columns={"acts": "has_acting"}), seed=given.seed)
