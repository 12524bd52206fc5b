"""The stages, each through the function that a user calls; one that stands whole is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from exprimo.core.files.atomic import atomic_file
from exprimo.core.run import write_json
from exprimo.genetics.eqtl import map_eqtl
from exprimo.genetics.finemap import finemap_eqtl
from exprimo.genetics.overlap import column_sources, overlap, with_column_sources
from exprimo.genetics.scores.fitting import fit_scores
from exprimo.genetics.stacking import stack
from exprimo.studies.individual.agreement import read_predicted
from exprimo.studies.individual.association.given import Given
from exprimo.studies.individual.tables import read_scores

EQTL, FINEMAP, SCORES, STACK = "eqtl", "finemap", "scores", "stack"
FEATURES, MODEL_SCORES, OVERLAP = "features.parquet", "model_scores.parquet", "overlap.json"
SCORE = "score:"
_VARIANT = ["gene_id", "variant_id", "chrom", "pos", "ref", "alt"]
_EXPRIMO = b"exprimo"
_MOST_TOP = 50


def map_stage(given: Given) -> None:
    """Map cis-eQTLs of the study's genes in all people."""
    place, settings = given.folder / EQTL, given.settings
    if place.exists():
        return
    map_eqtl(
        given.genotypes,
        given.expression,
        place,
        gene=given.genes,
        **_common(given),
        permutations=settings.permutations,
        fdr=settings.fdr,
        seed=given.seed,
        threads=given.threads,
    )


def finemap_stage(given: Given) -> None:
    """Fine-map the eGenes; where there is none, nothing is written."""
    place = given.folder / FINEMAP
    if place.exists() or not n_egenes(given):
        return
    finemap_eqtl(
        given.genotypes,
        given.expression,
        place,
        egenes=given.folder / EQTL,
        fdr=given.settings.fdr,
        **_common(given),
        threads=given.threads,
    )


def scores_stage(given: Given) -> None:
    """Fit baseline score, P+T and elastic net on the drawn genes, with their heritability."""
    place = given.folder / SCORES
    if not place.exists():
        fit_scores(
            given.genotypes,
            given.expression,
            place,
            gene=given.drawn,
            **_common(given),
            folds_file=given.folds_file,
            inner_folds=given.inner_folds,
            seed=given.seed,
        )


def stack_stage(
    given: Given, models: Mapping[str, str], folders: Mapping[str, Path], ledgers: Sequence[Path]
) -> None:
    """Stack the models' personal predictions with scores on cis-genotypes.

    Parameters
    ----------
    models
        Name -> MODEL.
    folders
        Name -> where its predictions stand.
    ledgers
        Of models that are runs: what they learned from.
    """
    place, settings = given.folder / STACK, given.settings
    if place.exists():
        return
    features = given.folder / FEATURES
    _write_features(features, given, {name: folders[name] for name in models})
    cis: dict[str, Any] = {}
    if settings.cis_features:
        reach = {name: getattr(settings, name) for name in ("upstream", "downstream", "maf")}
        cis = {
            "genotypes": given.genotypes,
            "chrom_style": given.chrom_style,
            "cis_features": settings.cis_features,
            # All scores stand in a stage of their own already.
            "rivals": {
                **reach,
                "models": settings.cis_features[:1],
                "inner_folds": given.inner_folds,
            },
        }
    stack(
        given.expression,
        [features],
        place,
        **cis,
        gene=given.drawn,
        covariates=given.covariates,
        design=settings.design,
        folds_file=given.folds_file,
        ledgers=ledgers,
        seed=given.seed,
        members=settings.members,
        metas=settings.metas,
    )


def overlap_stage(given: Given, sites: pd.DataFrame, folders: Mapping[str, Path]) -> None:
    """Count what each model's ranking of variants shares with that by p, within its window."""
    path = given.folder / OVERLAP
    if path.exists():
        return
    scores = given.folder / MODEL_SCORES
    _write_model_scores(scores, folders)
    places = given.folder / "sites.tsv"
    table = sites[["gene_id", "chrom", "tss", "strand"]]
    with atomic_file(places) as partial:
        table.assign(tss=table["tss"] + 1).to_csv(
            partial, sep="\t", index=False, lineterminator="\n"
        )
    columns, rest = {}, {}
    for name, place in folders.items():
        up, down = reach_of(place)
        asked = given.settings.top
        found = overlap(
            scores,
            given.folder / EQTL,
            SCORE + name,
            top=top_for(_variants_of_genes(given, SCORE + name)) if asked == "auto" else asked,
            window=f"{up},{down}",
            genes=places,
            credible_sets=given.folder / FINEMAP if (given.folder / FINEMAP).exists() else None,
            seed=given.seed,
        ).as_json()
        columns[name] = found.pop("columns")[SCORE + name]
        rest[name] = found
    write_json(path, {"columns": columns, "models": rest})


def top_for(variants: npt.NDArray[np.int64]) -> int:
    """Choose how many variants of a gene are compared: less than half of what a gene has.

    Tops that hold more than half of the variants overlap whatever the scores are.

    Parameters
    ----------
    variants
        Variants of each gene that have both a score and a p, (genes,).

    Examples
    --------
    >>> [top_for(np.array(n)) for n in ([2, 3, 3], [4, 5, 5, 9], [6], [400], [])]
    [1, 2, 2, 50, 1]
    """
    if not len(variants):
        return 1
    below_half = int(np.ceil(np.median(variants) / 2)) - 1
    return min(max(below_half, 1), _MOST_TOP)


def _variants_of_genes(given: Given, column: str) -> npt.NDArray[np.int64]:
    """Count the variants with a score and a p of each gene that has any."""
    place = ["gene_id", "pos", "ref", "alt"]
    scores = pq.read_table(
        (given.folder / MODEL_SCORES).absolute(), columns=[*place, column]
    ).to_pandas()
    scores = scores.dropna(subset=[column]).drop_duplicates(place)[place]
    counts = []
    for file in sorted((given.folder / EQTL / "nominal").glob("*.parquet")):
        columns = ["phenotype_id", *place[1:], "pval_nominal"]
        pairs = pq.read_table(file.absolute(), columns=columns).to_pandas()
        pairs = pairs.dropna(subset=["pval_nominal"]).rename(columns={"phenotype_id": "gene_id"})
        counts.append(scores.merge(pairs, on=place).groupby("gene_id").size().to_numpy(np.int64))
    return np.concatenate(counts) if counts else np.empty(0, np.int64)


def n_egenes(given: Given) -> int:
    """Count the eGenes that were called."""
    return int(summary_of(given, EQTL)["n_egenes"] or 0)


def summary_of(given: Given, stage: str) -> dict[str, Any]:
    """Read what a stage says of itself; empty where it did not run."""
    path = given.folder / stage / "summary.json"
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def reach_of(place: Path) -> tuple[int, int]:
    """Read the bases before the TSS, and from the TSS on, that a model was given."""
    told = (pq.read_schema((place / "people.parquet").absolute()).metadata or {})[_EXPRIMO]
    window = json.loads(told)["window"]
    return int(window["upstream"]), int(window["downstream"])


def _common(given: Given) -> dict[str, Any]:
    settings = given.settings
    return {
        "covariates": given.covariates,
        "samples": list(given.people),
        "chrom_style": given.chrom_style,
        "upstream": settings.upstream,
        "downstream": settings.downstream,
        "maf": settings.maf,
    }


def _write_features(path: Path, given: Given, folders: Mapping[str, Path]) -> None:
    """Write a row for each drawn gene and person, and a column for each model."""
    columns = {
        name: read_predicted(place / "people.parquet")
        .loc[list(given.drawn), list(given.people)]
        .stack(future_stack=True)
        for name, place in folders.items()
    }
    table = pd.DataFrame(columns)
    table.index.names = ["gene_id", "individual"]
    with atomic_file(path) as partial:
        table.add_prefix("model ").reset_index().to_parquet(partial.absolute(), index=False)


def _write_model_scores(path: Path, folders: Mapping[str, Path]) -> None:
    """Write the scores of all models side by side, with what they were made from."""
    wide: pd.DataFrame | None = None
    sources = {}
    for name, place in folders.items():
        file = place / "variants.parquet"
        mine = read_scores(file)[[*_VARIANT, "raw_score"]].drop_duplicates(_VARIANT)
        mine = mine.rename(columns={"raw_score": SCORE + name})
        wide = mine if wide is None else wide.merge(mine, on=_VARIANT, how="outer", sort=False)
        sources[SCORE + name] = column_sources(file).get("raw_score", ["model"])
    made = pa.Table.from_pandas(wide, preserve_index=False)
    note = json.dumps(with_column_sources({"kind": "scores of all models"}, sources))
    with atomic_file(path) as partial, partial.open("wb") as handle:
        pq.write_table(made.replace_schema_metadata({_EXPRIMO: note}), handle)
