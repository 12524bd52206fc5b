"""Associate predicted expression of genes with a trait: weights, a table of a GWAS, a panel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import InputError, MismatchError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.origin import P_VALUE, with_column_sources, write_table
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import track
from exprimo.core.run import write_json
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.genotypes import Genotypes, open_genotypes
from exprimo.genetics.alleles import Ambiguous, match_variants
from exprimo.genetics.associations import bare_chrom, of_one_trait, places_of, read_associations
from exprimo.genetics.associations.panel import Panel, read_panel
from exprimo.genetics.coloc.predicted import predicted_association
from exprimo.genetics.scores.weights.read import read_weights

TWAS_FORMAT = 1

COLUMNS = (
    "gene_id",
    "model",
    "twas_z",
    "twas_p",
    "n_weights",
    "n_used",
    "n_missing_panel",
    "variance_used",
    "top_variant",
    "top_gwas_z",
    "top_gwas_p",
    "chrom",
    "first",
    "last",
)
"""Of the table of genes. ``variance_used``: variance of what the weights used predict, over that
of all weights in the panel, A/T and C/G by their letters; ``n_missing_panel`` are not in it."""


class Twas(NamedTuple):
    """What was associated.

    Attributes
    ----------
    path
        The folder: ``genes.parquet``, ``summary.json``.
    n_genes
        Scores of genes that were tested.
    n_significant
        Those below 0.05 / ``n_genes``.
    best
        ``gene_id, model, twas_z, twas_p`` of the strongest, at most ten.
    counts
        How variants were matched, and genes left out, by reason.
    """

    path: Path
    n_genes: int
    n_significant: int
    best: tuple[tuple[str, str, float, float], ...]
    counts: dict[str, int]


def twas(
    weights: str | Path,
    gwas: str | Path,
    panel: str | Path,
    out: str | Path,
    *,
    model: str | None = None,
    gene: Sequence[str] = (),
    samples: Sequence[str] | Path | None = None,
    gwas_columns: Mapping[str, str] | None = None,
    ambiguous: Ambiguous = "drop",
) -> Twas:
    """Associate predicted expression with a trait from its summary statistics.

    Z = w'z / sqrt(w'Rw) (Gusev et al. 2016), with LD of a panel. Positive: more expression goes
    with more of the trait.

    Parameters
    ----------
    weights
        A folder of `exprimo prs fit`, or weights of PredictDB or FUSION. Of our own, those that
        were fitted on everybody count, not those of folds.
    gwas
        The trait's table.
    panel
        Genotypes of people like those of the GWAS; ``samples`` of them.
    out
        A new folder.
    model
        Of a gene's several models, this one; None: each.
    gene
        These genes only.
    gwas_columns
        Meaning -> column, where the guess would fail; see `read_associations`.
    ambiguous
        What to do with A/T and C/G, whose letters do not tell the strand: ``"drop"``, or
        ``"keep"`` where all files are of the forward strand.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.twas("SCORES", "alzheimer.tsv.gz", "1000G.vcf.gz", "TWAS")  # doctest: +SKIP
    """
    refuse_existing(out)
    read = read_weights(weights)
    table = _of_everybody(read.table, model, gene, Path(weights))
    if read.kind == "FUSION":
        table = _strongest_of_top1(table)
    trait = read_associations(gwas, columns=gwas_columns, places=places_of(table))
    of_trait = of_one_trait(trait.rows, trait.path, gene)
    known = np.isfinite(of_trait["z"].to_numpy(np.float64))
    trait_rows = of_trait[known].reset_index(drop=True)
    counts = dict(trait.dropped)
    _count(counts, "associations without a z-score", int((~known).sum()))
    rows: list[dict[str, Any]] = []
    files = {"weights": str(weights), "gwas": str(gwas), "panel": str(panel)}
    with open_genotypes(panel, samples=samples) as genotypes:
        for score, chosen in track(_scores(table), "Associating genes"):
            place = _panel_of(genotypes, chosen, counts)
            if place is None:
                continue
            row = _associated(
                chosen, trait_rows, place, files, counts,
                standardised=read.kind == "FUSION", ambiguous=ambiguous,
            )  # fmt: skip
            if row is not None:
                rows.append({"gene_id": score[0], "model": score[1], **row})
    if not rows:
        raise MismatchError(
            "no gene could be associated", file=gwas, found=str(counts),
            expected="variants that weights, the trait's table and the panel have",
            remedy="Check that all three are of one genome build",
        )  # fmt: skip
    return _write(Path(out), rows, counts, files)


def _of_everybody(
    table: pd.DataFrame, model: str | None, genes: Sequence[str], source: Path
) -> pd.DataFrame:
    """Keep weights that were fitted on everybody, of these genes, named as associations are."""
    kept = table[(table["fold"] == -1) & (table["weight"] != 0)]
    if model is not None:
        kept = kept[kept["model"] == model]
    if genes:
        wanted = {*map(strip_version, genes)}
        kept = kept[kept["gene_id"].map(strip_version).isin(wanted)]
    if kept.empty:
        raise InputError(
            "no weights are left",
            file=source,
            found=f"models {', '.join(sorted(table['model'].unique())[:6])}; "
            f"{table['gene_id'].nunique():,} genes; "
            f"{int((table['fold'] == -1).sum()):,} weights fitted on everybody",
            expected="weights that are not 0, of the genes and the model asked for",
        )
    if (kept["pos"] <= 0).any():
        raise InputError(
            "weights without positions",
            file=source,
            found=kept.loc[kept["pos"] <= 0, "variant_id"].iloc[0],
            remedy="Give weights with chromosome and position: LD is read by position",
        )
    kept = kept.rename(columns={"effect_allele": "alt", "other_allele": "ref"})
    names = {name: bare_chrom(name) for name in kept["chrom"].unique()}
    return kept.assign(chrom=kept["chrom"].map(names)).reset_index(drop=True)


def _strongest_of_top1(table: pd.DataFrame) -> pd.DataFrame:
    """Keep one weight of FUSION's model top1, which lists marginal effects of all variants."""
    size = table["weight"].abs()
    largest = size.groupby([table["gene_id"], table["model"]]).transform("max")
    kept: pd.DataFrame = table[(table["model"] != "top1") | (size == largest)]
    return kept.reset_index(drop=True)


def _scores(table: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    for (gene, model), chosen in table.groupby(["gene_id", "model"], sort=False):
        yield (str(gene), str(model)), chosen.reset_index(drop=True)


def _panel_of(genotypes: Genotypes, chosen: pd.DataFrame, counts: dict[str, int]) -> Panel | None:
    """Read LD from the first to the last of a gene's variants; None where none varies."""
    chroms = chosen["chrom"].unique()
    if len(chroms) > 1:
        raise InputError(
            "weights of one gene on several chromosomes",
            record=str(chosen["gene_id"].iloc[0]),
            found=", ".join(chroms[:5]),
            expected="a score of one region; LD between chromosomes is not read",
        )
    first, last = int(chosen["pos"].min()) - 1, int(chosen["pos"].max())
    try:
        return read_panel(genotypes, str(chroms[0]), first, last)
    except InputError:
        _count(counts, "genes whose variants do not vary in the panel", 1)
        return None


def _associated(
    chosen: pd.DataFrame,
    trait: pd.DataFrame,
    panel: Panel,
    files: Mapping[str, str],
    counts: dict[str, int],
    *,
    standardised: bool,
    ambiguous: Ambiguous,
) -> dict[str, Any] | None:
    """Associate one score; None where too little of it is known, which is counted."""
    near = trait[trait["pos"].between(chosen["pos"].min(), chosen["pos"].max())]
    try:
        of_panel = (files["panel"], files["weights"])
        every = match_variants(panel.variants, chosen, ambiguous="keep", files=of_panel)
        certain = match_variants(panel.variants, chosen, ambiguous=ambiguous, files=of_panel)
        with_trait = match_variants(
            panel.variants, near, ambiguous=ambiguous, files=(files["panel"], files["gwas"])
        )
    except MismatchError:
        _count(counts, "genes without a variant that weights, trait and panel have", 1)
        return None
    missing = len(chosen) - len(every.ours)
    _count(counts, "weights without a variant in the panel", missing)
    weight = np.zeros(len(panel.variants))
    weight[every.ours] = every.sign * chosen["weight"].to_numpy()[every.theirs]
    if not standardised:
        weight *= panel.sd
    z = np.full(len(panel.variants), np.nan)
    z[with_trait.ours] = with_trait.sign * near["z"].to_numpy()[with_trait.theirs]
    weighted = np.flatnonzero(weight)
    told = np.intersect1d(weighted, certain.ours)
    used = told[np.isfinite(z[told])]
    _count(counts, "weights of A/T and C/G variants", len(weighted) - len(told))
    _count(counts, "weights without an association", len(told) - len(used))
    if not len(used):
        _count(counts, "genes without a variant that weights, trait and panel have", 1)
        return None
    try:
        found = predicted_association(weight[used], z[used], panel.ld(used))
    except InputError:
        _count(counts, "genes whose predicted expression does not vary in the panel", 1)
        return None
    whole = float(weight[weighted] @ panel.ld(weighted) @ weight[weighted])
    top = used[int(np.abs(z[used]).argmax())]
    best = panel.variants.iloc[top]
    return {
        "twas_z": found.z,
        "twas_p": found.p,
        "n_weights": len(chosen),
        "n_used": len(used),
        "n_missing_panel": missing,
        "variance_used": found.variance / whole if whole > 0 else float("nan"),
        "top_variant": best["variant_id"],
        "top_gwas_z": float(z[top]),
        "top_gwas_p": float(near["p"].to_numpy()[with_trait.theirs[with_trait.ours == top]][0]),
        "chrom": best["chrom"],
        "first": int(chosen["pos"].min()),
        "last": int(chosen["pos"].max()),
    }


def _count(counts: dict[str, int], reason: str, n: int) -> None:
    if n:
        counts[reason] = counts.get(reason, 0) + n


def _write(
    out: Path, rows: list[dict[str, Any]], counts: dict[str, int], files: Mapping[str, str]
) -> Twas:
    table = pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("twas_p", kind="stable")
    best = table[["gene_id", "model", "twas_z", "twas_p"]].head(10)
    done = Twas(
        out,
        len(table),
        int((table["twas_p"] < 0.05 / len(table)).sum()),
        tuple(best.itertuples(index=False, name=None)),
        counts,
    )
    origin = describe_origin(
        [one for one in files.values() if Path(one).is_file()],
        kind="twas",
        format_version=TWAS_FORMAT,
        counts=counts,
    )
    origin = with_column_sources(origin, {name: [P_VALUE] for name in ("twas_z", "twas_p")})
    with atomic_directory(out) as folder:
        write_table(folder / "genes.parquet", table, origin)
        facts = {name: value for name, value in done._asdict().items() if name != "path"}
        write_json(folder / "summary.json", {**facts, "origin": origin})
    return done
