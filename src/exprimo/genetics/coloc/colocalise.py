"""Colocalise the expression of genes with a trait, from tables of associations."""

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
from exprimo.core.run import write_json
from exprimo.genetics.associations import Region, people_of_mapping
from exprimo.genetics.coloc.bayes_factors import Colocalisation, colocalise_factors
from exprimo.genetics.coloc.regions import Asked, Shared, add_counts, shared_regions
from exprimo.genetics.coloc.signals import LEAST_COVERED
from exprimo.genetics.coloc.traits import Floats, Trait

COLOC_FORMAT = 1
# Variants that are less probably shared are not written.
_LEAST_SHARED = 1e-3
# A ranking by these is one by association.
_FROM_P = (
    *(f"pp_h{number}" for number in range(5)), "top_shared", "top_direction", "shared",
    "log_bf_expression", "log_bf_trait", "min_p_expression", "min_p_trait",
)  # fmt: skip


class Colocalised(NamedTuple):
    """What was colocalised.

    Attributes
    ----------
    path
        The folder: ``genes.parquet`` (of each gene the pair of signals with the largest H4),
        ``pairs.parquet``, ``variants.parquet``, ``summary.json``.
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
    n_pairs
        Pairs of signals; where nothing was fine-mapped, one a gene.
    """

    path: Path
    n_genes: int
    n_shared: int
    n_distinct: int
    best: tuple[tuple[str, float], ...]
    counts: dict[str, int]
    n_pairs: int = 0


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
    2014). Where expression, the trait or both were fine-mapped, each pair of signals is asked by
    itself, so that several causal variants are allowed (Wallace 2021). Both must be of one genome
    build. Sign and strand do not matter here, so A/T and C/G are kept.

    Parameters
    ----------
    eqtl
        All variants near each gene, significant or not: a table, or the folder of an eQTL mapping.
        Or a folder of `finemap_eqtl`: its credible sets are the signals.
    gwas
        The trait's table. Or a folder of `finemap_summary` (of `finemap_eqtl`, another tissue:
        then the signals of the same gene).
    out
        A new folder.
    gene, region
        These genes, and variants of ``chrom:first-last`` only.
    eqtl_trait, gwas_trait
        What kind each trait is; see `Trait`. People of an eQTL mapping, less its covariates, are
        known from its folder.
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
    asked = Asked(
        Path(eqtl), Path(gwas), tuple(gene), None if region is None else Region.parse(region),
        eqtl_columns, gwas_columns,
    )  # fmt: skip
    traits = (
        (eqtl_trait or Trait()).checked("expression"), (gwas_trait or Trait()).checked("trait")
    )  # fmt: skip
    if traits[0].n is None and traits[0].sd is None:
        traits = traits[0]._replace(n=people_of_mapping(eqtl)), traits[1]
    priors = {"p1": p1, "p2": p2, "p12": p12}
    rows: list[dict[str, Any]] = []
    shared: list[pd.DataFrame] = []
    counts: dict[str, int] = {}
    for here in shared_regions(asked, counts):
        add_counts(counts, here.counts)
        for row, variants in _pairs(here, asked, traits, priors, counts):
            rows.append(row)
            shared.append(variants)
    if not rows:
        raise MismatchError(
            "no gene has a variant in both tables", file=gwas, found=str(counts),
            expected=f"variants of {eqtl}", remedy="Check that both are of one genome build",
        )  # fmt: skip
    table = pd.DataFrame(rows).sort_values("pp_h4", ascending=False, kind="stable")
    settings = {**priors, "region": region}
    return _write(Path(out), table, pd.concat(shared), counts, settings, [eqtl, gwas])


def _pairs(
    here: Shared,
    asked: Asked,
    traits: tuple[Trait, Trait],
    priors: Mapping[str, float],
    counts: dict[str, int],
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Weigh each pair of signals of a region; give its row, and its shared variants."""
    one, known_one = here.ours.factors(traits[0], asked.eqtl)
    two, known_two = here.theirs.factors(traits[1], asked.gwas)
    known = np.flatnonzero(known_one & known_two)
    add_counts(counts, {"associations whose strength is not told": len(known_one) - len(known)})
    if not len(known):
        add_counts(counts, {"genes without a variant that both tables tell enough of": 1})
        return
    ours, theirs = here.ours.of(known), here.theirs.of(known)
    for i, j in np.ndindex(len(one), len(two)):
        if min(here.covered[0][i], here.covered[1][j]) < LEAST_COVERED:
            add_counts(counts, {"pairs of signals, one mostly of variants that the other lacks": 1})
            continue
        factors = one[i, known], two[j, known]
        found = colocalise_factors(*factors, **priors)
        # +1: the allele that raises expression raises the trait.
        directions = ours.direction[i] * theirs.direction[j] * here.sign[known]
        numbers = {"signal": ours.numbers[i], "trait_signal": theirs.numbers[j]}
        row = _pair_row(here.gene, ours.rows, theirs.rows, directions, found)
        yield (
            {**row, **numbers},
            _shared_rows(ours.rows, found, factors).assign(phenotype_id=here.gene, **numbers),
        )


def _pair_row(
    gene: str, ours: pd.DataFrame, theirs: pd.DataFrame, directions: Floats, found: Colocalisation
) -> dict[str, Any]:
    top = int(found.shared.argmax())
    best = ours.iloc[top]
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
        "top_direction": float(directions[top]),
        "chrom": best["chrom"],
        "pos": int(best["pos"]),
        "min_p_expression": float(ours["p"].min()) if "p" in ours else float("nan"),
        "min_p_trait": float(theirs["p"].min()) if "p" in theirs else float("nan"),
    }


def _shared_rows(
    ours: pd.DataFrame, found: Colocalisation, factors: tuple[Floats, Floats]
) -> pd.DataFrame:
    kept = found.shared >= _LEAST_SHARED
    table = ours.loc[kept, ["variant_id", "chrom", "pos", "ref", "alt"]]
    return table.assign(
        shared=found.shared[kept],
        log_bf_expression=factors[0][kept],
        log_bf_trait=factors[1][kept],
    )


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
    # Pairs are in order of H4: the first of a gene is its most probable one.
    genes = table.drop_duplicates("phenotype_id")
    done = Colocalised(
        out,
        len(genes),
        int((genes["pp_h4"] >= 0.8).sum()),
        int((genes["pp_h3"] >= 0.8).sum()),
        tuple(zip(genes["phenotype_id"].head(10), genes["pp_h4"].head(10), strict=True)),
        counts,
        len(table),
    )
    origin = describe_origin(
        [one for one in sources if Path(one).is_file()],
        kind="coloc",
        format_version=COLOC_FORMAT,
        settings=settings,
        counts=counts,
    )
    origin = with_column_sources(origin, {name: [P_VALUE] for name in _FROM_P})
    with atomic_directory(out) as folder:
        write_table(folder / "genes.parquet", genes, origin)
        write_table(folder / "pairs.parquet", table, origin)
        write_table(folder / "variants.parquet", shared, origin)
        facts = {name: value for name, value in done._asdict().items() if name != "path"}
        write_json(folder / "summary.json", {**facts, "origin": origin})
    return done
