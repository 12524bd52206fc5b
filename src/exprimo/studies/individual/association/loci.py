"""Genes that are drawn: their variants with p, PIP, linkage and scores, and what lies near."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from exprimo.data.annotation import read_annotation
from exprimo.genetics.cohort import cis_windows
from exprimo.studies.individual.association.egenes import r2_with, read_table, yes_no
from exprimo.studies.individual.association.given import Given
from exprimo.studies.individual.association.predictors import CALIBRATED, Predictors
from exprimo.studies.individual.association.stages import EQTL, FINEMAP, MODEL_SCORES, SCORE
from exprimo.studies.individual.association.truth import Truth

# Alleles and place tell a variant of a gene, whatever its chromosome is called.
PLACE = ["gene_id", "pos", "ref", "alt"]
_FROM_PAIRS = [
    "gene_id", "variant_id", "chrom", "pos", "ref", "alt", "tss_distance", "af", "pval_nominal",
    "slope",
]  # fmt: skip
_GENE_MODELS = ["locus", "gene_id", "gene_name", "chrom", "strand", "start", "end", "exons"]


def strongest_genes(egenes: pd.DataFrame, among: Sequence[str], n: int) -> list[str]:
    """Choose the genes with the smallest p of the whole gene.

    eGenes come first, so that the others fill up only where there are too few.
    """
    known = egenes[egenes["gene_id"].isin(list(among))]
    order = known.assign(other=known["egene"] != "yes").sort_values(
        ["other", "pval_beta", "pval_nominal"], kind="stable"
    )
    return [str(gene) for gene in order["gene_id"].head(n)]


def read_pairs(given: Given, genes: Sequence[str]) -> pd.DataFrame:
    """Read the pairs of variant and gene of some genes: `PLACE`, p, slope, PIP, credible set.

    ``pip`` is missing where a gene was not fine-mapped, and 0 where a variant of a gene that was
    is not listed; ``credible_set`` is missing outside of sets.
    """
    files = sorted((given.folder / EQTL / "nominal").glob("*.parquet"))
    # Typed: of no gene, pyarrow could not tell that names are meant.
    chosen = pc.field("phenotype_id").isin(pa.array(list(genes), pa.string()))
    parts = [pq.read_table(file.absolute(), filters=chosen) for file in files]
    table: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    pairs = table.rename(columns={"phenotype_id": "gene_id"})[_FROM_PAIRS]
    if not (given.folder / FINEMAP).exists():
        return pairs.assign(pip=np.nan, credible_set=pd.array([None] * len(pairs), "Int64"))
    mapped = set(read_table(given.folder / FINEMAP / "genes.parquet")["phenotype_id"])
    listed = read_table(given.folder / FINEMAP / "variants.parquet")
    found = listed.rename(columns={"phenotype_id": "gene_id"})[[*PLACE, "pip", "cs_id"]]
    joined = pairs.merge(found.drop_duplicates(PLACE), on=PLACE, how="left")
    known = joined["gene_id"].isin(mapped)
    pip = joined["pip"].fillna(0.0).where(known)
    number = joined["cs_id"].astype("Int64")
    sets = number.where(number > 0)
    whole: pd.DataFrame = joined.assign(pip=pip, credible_set=sets).drop(columns="cs_id")
    return whole


def locus_table(
    given: Given, shown: Sequence[str], models: Sequence[str], truth: Truth | None
) -> pd.DataFrame:
    """Give every tested variant of the genes that are drawn, gene by gene."""
    pairs = read_pairs(given, shown)
    linked = _r2_with_lead(given, shown, pairs)
    table = pairs.merge(linked, on=["gene_id", "variant_id"], how="left")
    scores = read_table(given.folder / MODEL_SCORES)
    columns = [SCORE + name for name in models]
    table = table.merge(scores[[*PLACE, *columns]].drop_duplicates(PLACE), on=PLACE, how="left")
    order = {gene: at for at, gene in enumerate(shown)}
    table = table.assign(at=table["gene_id"].map(order))
    table = table.sort_values(["at", "pos"], kind="stable", ignore_index=True)
    if truth is not None:
        table = table.merge(truth.effects, on=["gene_id", "variant_id"], how="left")
        effect = table["effect"].fillna(0.0)
        table = table.assign(acts=yes_no((effect != 0).to_numpy()), effect=effect)
    told = ["acts", "effect"] if truth is not None else []
    return table[[*_FROM_PAIRS, "pip", "credible_set", "r2_lead", *columns, *told]]


def _r2_with_lead(given: Given, shown: Sequence[str], pairs: pd.DataFrame) -> pd.DataFrame:
    """Give ``gene_id, variant_id, r2_lead``: linkage with the variant of the smallest p."""
    rows = []
    settings = given.settings
    with given.cohort() as cohort:
        for window in cis_windows(
            cohort,
            upstream=settings.upstream,
            downstream=settings.downstream,
            maf=settings.maf,
            genes=list(shown),
        ):
            mine = pairs[pairs["gene_id"] == window.gene_id]
            names = window.variants["variant_id"].to_numpy()
            if mine.empty:
                continue
            strongest = int(mine["pval_nominal"].to_numpy().argmin())
            lead = mine["variant_id"].to_numpy()[strongest]
            at = int(np.flatnonzero(names == lead)[0])
            r2 = r2_with(window.dosage, window.dosage[at])
            rows.append(
                pd.DataFrame({"gene_id": window.gene_id, "variant_id": names, "r2_lead": r2})
            )
    if not rows:
        return pd.DataFrame(columns=["gene_id", "variant_id", "r2_lead"])
    return pd.concat(rows, ignore_index=True).drop_duplicates(["gene_id", "variant_id"])


def gene_model_table(annotation: Path, loci: pd.DataFrame) -> pd.DataFrame:
    """Give the genes that lie within each locus, with the exons of their canonical transcript.

    Parameters
    ----------
    annotation
        GTF, GFF3 or BED; a table of TSSs tells no gene's extent, and gives no row.
    loci
        Of `locus_table`.
    """
    if str(annotation).removesuffix(".gz").rpartition(".")[2] not in ("gtf", "gff", "gff3", "bed"):
        return pd.DataFrame(columns=_GENE_MODELS)
    known = read_annotation(annotation)
    rows = []
    for locus, variants in loci.groupby("gene_id", sort=False):
        first, last = int(variants["pos"].min()) - 1, int(variants["pos"].max())
        genes = known.genes
        own = genes["gene_id"] == str(locus)
        near = genes[
            genes["chrom"].isin(genes["chrom"][own])
            & (((genes["start"] < last) & (genes["end"] > first)) | own)
        ]
        rows.append(near.assign(locus=locus))
    table = pd.concat(rows, ignore_index=True) if rows else known.genes.head(0).assign(locus="")
    canonical = known.transcripts[known.transcripts["canonical"]]
    gene_of = dict(zip(canonical["transcript_id"], canonical["gene_id"], strict=True))
    exons = known.exons[known.exons["transcript_id"].isin(list(gene_of))]
    exons = exons.assign(gene_id=exons["transcript_id"].map(gene_of))
    exons = exons[exons["gene_id"].isin(table["gene_id"])]
    words = {
        gene: ",".join(
            f"{start + 1}-{end}" for start, end in zip(part["start"], part["end"], strict=True)
        )
        for gene, part in exons.groupby("gene_id")
    }
    table = table.assign(start=table["start"] + 1, exons=table["gene_id"].map(words).fillna(""))
    return table[_GENE_MODELS]


def predicted_table(found: Predictors, followed: Sequence[str]) -> pd.DataFrame:
    """Give observed and predicted of some genes, by every predictor with a scale."""
    names = [name for name in found.kinds if name + CALIBRATED not in found.kinds]
    n = len(found.people)
    parts = [
        pd.DataFrame(
            {
                "gene_id": gene,
                "individual": found.people,
                "fold": found.folds,
                "predictor": name,
                "observed": found.observed[row],
                "predicted": found.predicted[name][row],
            },
            index=range(n),
        )
        for gene in followed
        for row in (found.genes.index(gene),)
        for name in names
    ]
    columns = ["gene_id", "individual", "fold", "predictor", "observed", "predicted"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
