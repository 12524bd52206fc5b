"""Colocalise the expression of genes with a trait, from tables of associations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import InputError, MismatchError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.progress import track
from exprimo.core.run import write_json
from exprimo.genetics.coloc.bayes_factors import Colocalisation, colocalise_factors
from exprimo.genetics.coloc.gwas_table import (
    Associations,
    Places,
    Region,
    association_files,
    read_associations,
)
from exprimo.genetics.coloc.matching import Matched, match_variants
from exprimo.genetics.coloc.traits import Floats, Trait, factors_of_trait
from exprimo.genetics.eqtl.tables import write_table

COLOC_FORMAT = 1
# Variants that are less probably shared are not written.
_LEAST_SHARED = 1e-3


class Colocalised(NamedTuple):
    """What was colocalised.

    Attributes
    ----------
    path
        The folder: ``genes.parquet``, ``variants.parquet``, ``summary.json``.
    n_genes
        Genes with variants in both tables.
    n_shared
        Genes whose expression and the trait share a variant with probability 0.8 or more.
    n_distinct
        Genes with two variants (H3) with that probability.
    best
        ``phenotype_id, pp_h4`` of the most probable ones, at most ten.
    counts
        How variants were matched, over all genes, and rows and genes left out.
    """

    path: Path
    n_genes: int
    n_shared: int
    n_distinct: int
    best: tuple[tuple[str, float], ...]
    counts: dict[str, int]


def colocalise(
    eqtl: str | Path,
    gwas: str | Path,
    out: str | Path,
    *,
    gene: Sequence[str] = (),
    region: str | None = None,
    eqtl_trait: Trait | None = None,
    gwas_trait: Trait | None = None,
    p1: float = 1e-4,
    p2: float = 1e-4,
    p12: float = 1e-5,
    eqtl_columns: Mapping[str, str] | None = None,
    gwas_columns: Mapping[str, str] | None = None,
) -> Colocalised:
    """Ask of each gene whether its eQTL and a trait share a causal variant.

    Approximate Bayes factors with at most one causal variant a trait (Giambartolomei et al.
    2014). Both tables must be of one genome build. Sign and strand do not matter here, so A/T and
    C/G are kept.

    Parameters
    ----------
    eqtl
        All variants near each gene, significant or not: a table, or the folder of an eQTL mapping.
    gwas
        The trait's table.
    out
        A new folder.
    gene, region
        These genes, and variants of ``chrom:first-last`` only.
    eqtl_trait, gwas_trait
        What kind each trait is; see `Trait`. People of an eQTL mapping are known from its folder.
    p1, p2, p12
        Prior probabilities that a variant is causal for expression alone, the trait alone, both.
    eqtl_columns, gwas_columns
        Meaning -> column, where the guess would fail; see `read_associations`.

    Examples
    --------
    >>> import exprimo
    >>> exprimo.colocalise("EQTL", "alzheimer.tsv.gz", "COLOC",
    ...                    gwas_trait=Trait("case-control"))      # doctest: +SKIP
    """
    refuse_existing(out)
    stretch = None if region is None else Region.parse(region)
    expression, trait = eqtl_trait or Trait(), gwas_trait or Trait()
    if expression.n is None and expression.sd is None:
        expression = expression._replace(n=_people_of(Path(eqtl)))
    files = association_files(Path(eqtl))
    rows: list[dict[str, Any]] = []
    shared: list[pd.DataFrame] = []
    counts: dict[str, int] = {}
    # A mapping has a file for each chromosome: one at a time is in memory, with the trait's part.
    for file in track(files, "Colocalising", total=len(files)):
        first = read_associations(
            file, columns=eqtl_columns, region=stretch, genes=gene or None,
            required=len(files) == 1,
        )  # fmt: skip
        if first.rows.empty:
            continue
        second = read_associations(
            gwas, columns=gwas_columns, region=stretch, places=places_of(first.rows),
            required=len(files) == 1,
        )  # fmt: skip
        for name, ours, theirs, matched in _genes(first, second, counts):
            _add(counts, matched.counts)
            one, known_one = factors_of_trait(ours, expression, eqtl)
            two, known_two = factors_of_trait(theirs, trait, gwas)
            known = known_one & known_two
            if not known.any():
                _add(counts, {"genes without a variant that both tables tell enough of": 1})
                continue
            found = colocalise_factors(one[known], two[known], p1=p1, p2=p2, p12=p12)
            sign = matched.sign[known]
            rows.append(_gene_row(name, ours[known], theirs[known], sign, found))
            shared.append(_shared_rows(name, ours[known], found, one[known], two[known]))
    if not rows:
        raise MismatchError(
            "no gene has a variant in both tables", file=gwas, found=str(counts),
            expected=f"variants of {eqtl}", remedy="Check that both are of one genome build",
        )  # fmt: skip
    table = pd.DataFrame(rows).sort_values("pp_h4", ascending=False, kind="stable")
    settings = {"p1": p1, "p2": p2, "p12": p12, "region": region}
    return _write(Path(out), table, pd.concat(shared), counts, settings, [eqtl, gwas])


def places_of(rows: pd.DataFrame) -> Places | None:
    """Give the positions of associations by chromosome; None where some have none."""
    if not (rows["pos"] > 0).all():
        return None
    return {
        str(chrom): np.unique(part.to_numpy(np.int64))
        for chrom, part in rows.groupby("chrom")["pos"]
    }


def _people_of(eqtl: Path) -> float | None:
    """Give how many people an eQTL mapping had; None where that is not told."""
    summary = eqtl / "summary.json"
    if not (eqtl.is_dir() and summary.is_file()):
        return None
    facts = json.loads(summary.read_text(encoding="utf-8"))
    return facts.get("n_people") if isinstance(facts, dict) else None


def _genes(
    first: Associations, second: Associations, counts: dict[str, int]
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame, Matched]]:
    """Give each gene's rows and the trait's, of the variants that both have, in one order."""
    files = (str(first.path), str(second.path))
    groups = first.rows.groupby("gene_id", sort=False)
    if second.rows.empty:
        _add(counts, {"genes without a variant in both tables": groups.ngroups})
        return
    by_place = places_of(first.rows) is not None and places_of(second.rows) is not None
    if by_place:
        reconcile_chromosomes(
            first.rows["chrom"].unique(), second.rows["chrom"].unique(),
            our_file=files[0], their_file=files[1],
        )  # fmt: skip
    theirs = second.rows.sort_values("pos", kind="stable").reset_index(drop=True)
    pos = theirs["pos"].to_numpy()
    for gene, ours in groups:
        near = theirs
        if by_place:
            low = int(np.searchsorted(pos, ours["pos"].min()))
            high = int(np.searchsorted(pos, ours["pos"].max(), side="right"))
            near = theirs.iloc[low:high]
            near = near[near["chrom"].isin(ours["chrom"].unique())]
        try:
            # An eQTL's sign and the trait's do not enter, so unclear strands do no harm.
            matched = match_variants(ours, near, ambiguous="keep", files=files)
        except MismatchError:
            _add(counts, {"genes without a variant in both tables": 1})
            continue
        yield (
            str(gene),
            ours.iloc[matched.ours].reset_index(drop=True),
            near.iloc[matched.theirs].reset_index(drop=True),
            matched,
        )


def _gene_row(
    gene: str, ours: pd.DataFrame, theirs: pd.DataFrame, sign: Floats, found: Colocalisation
) -> dict[str, Any]:
    top = int(found.shared.argmax())
    best = ours.iloc[top]
    # +1: the allele that raises expression raises the trait.
    direction = np.sign(best["beta"] * theirs["beta"].iloc[top] * sign[top])
    return {
        "phenotype_id": gene,
        "num_var": len(ours),
        "pp_h0": found.h0,
        "pp_h1": found.h1,
        "pp_h2": found.h2,
        "pp_h3": found.h3,
        "pp_h4": found.h4,
        "top_variant": best["variant_id"],
        "top_shared": float(found.shared[top]),
        "top_direction": float(direction),
        "chrom": best["chrom"],
        "pos": int(best["pos"]),
        "min_p_expression": float(ours["p"].min()),
        "min_p_trait": float(theirs["p"].min()),
    }


def _shared_rows(
    gene: str, ours: pd.DataFrame, found: Colocalisation, one: Floats, two: Floats
) -> pd.DataFrame:
    kept = found.shared >= _LEAST_SHARED
    table = ours.loc[kept, ["variant_id", "chrom", "pos", "ref", "alt"]]
    return table.assign(
        phenotype_id=gene,
        shared=found.shared[kept],
        log_bf_expression=one[kept],
        log_bf_trait=two[kept],
    )


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for reason, count in more.items():
        if count:
            counts[reason] = counts.get(reason, 0) + count


def _write(
    out: Path,
    table: pd.DataFrame,
    shared: pd.DataFrame,
    counts: dict[str, int],
    settings: dict[str, Any],
    sources: Sequence[str | Path],
) -> Colocalised:
    if not table["pp_h4"].notna().all():
        raise InputError("posterior probabilities that are no numbers", found="NaN in pp_h4")
    done = Colocalised(
        out,
        len(table),
        int((table["pp_h4"] >= 0.8).sum()),
        int((table["pp_h3"] >= 0.8).sum()),
        tuple(zip(table["phenotype_id"].head(10), table["pp_h4"].head(10), strict=True)),
        counts,
    )
    origin = describe_origin(
        [one for one in sources if Path(one).is_file()],
        kind="coloc",
        format_version=COLOC_FORMAT,
        settings=settings,
        counts=counts,
    )
    with atomic_directory(out) as folder:
        write_table(folder / "genes.parquet", table, origin)
        write_table(folder / "variants.parquet", shared, origin)
        facts = {name: value for name, value in done._asdict().items() if name != "path"}
        write_json(folder / "summary.json", {**facts, "origin": origin})
    return done
