"""What columns mean, by the names that they go by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.tabular import unknown_name

Roles = Mapping[str, tuple[str, ...]]

_VARIANT: Roles = {
    "variant_id": (
        "variant_id", "variant", "id", "rsid", "rs_id", "snp", "snp_id", "snpid", "marker",
        "markername",
    ),
    "gene_id": ("phenotype_id", "gene_id", "gene", "molecular_trait_id"),
    "chrom": ("chrom", "chr", "chromosome"),
    "pos": ("pos", "position", "bp"),
    "ref": ("ref", "reference", "ref_allele", "other_allele"),
    "alt": ("alt", "alternate", "alt_allele", "effect_allele"),
}  # fmt: skip
SCORE_ROLES: Roles = {**_VARIANT, "track": ("track",)}
"""Of a table of scores: what a column means -> names that it goes by, the first found counts."""
EQTL_ROLES: Roles = {
    **_VARIANT,
    "p": (
        "pval_nominal", "pvalue", "p_value", "pval", "p_val", "p.value", "p-value", "p_nominal",
        "nominal_p", "p",
    ),
    "slope": ("slope", "beta", "effect", "effect_size", "coefficient", "estimate"),
    "slope_se": ("slope_se", "se", "standard_error", "beta_se", "stderr", "std_err"),
    "af": ("af", "maf", "eaf", "effect_allele_frequency"),
    "tss_distance": ("tss_distance", "start_distance"),
}  # fmt: skip
"""Of a table of associations."""
CREDIBLE_ROLES: Roles = {**_VARIANT, "cs_id": ("cs_id", "cs", "credible_set"), "pip": ("pip",)}
"""Of a table of credible sets."""

TEXT = {"variant_id", "gene_id", "chrom", "ref", "alt", "track", "cs_id"}
"""Roles whose cells are text; the others hold numbers."""
SCORE = "score:"
"""Stands before the name of a column of scores, which may be that of a role."""


def find_columns(
    header: Sequence[str], roles: Roles, named: Mapping[str, str], file: str | Path
) -> dict[str, str]:
    """Say which column has which role: as named, else by the first name that is there.

    Examples
    --------
    >>> find_columns(["#SNP", "P"], EQTL_ROLES, {}, "t.tsv")
    {'variant_id': '#SNP', 'p': 'P'}
    """
    strange = [role for role in named if role not in roles]
    if strange:
        raise ConfigError("no such role of a column", found=strange[0], expected=", ".join(roles))
    found = {}
    folded = {name.lower().lstrip("#"): name for name in reversed(header)}
    for role, names in roles.items():
        if role in named:
            if named[role] not in header:
                raise unknown_name("column", named[role], list(header), file=file)
            found[role] = named[role]
        elif column := next((folded[name] for name in names if name in folded), None):
            found[role] = column
    return found


def check_needed(
    found: Mapping[str, str],
    roles: Roles,
    needed: Collection[str],
    header: Sequence[str],
    path: Path,
) -> None:
    """Refuse a table that lacks a column; places and alleles stand in for ids of variants."""
    for role in needed:
        by_place = role == "variant_id" and {"chrom", "pos", "ref", "alt"} <= set(found)
        if role not in found and not by_place:
            raise FormatError(
                f"no column for {role}",
                file=path,
                record="header",
                found=", ".join(header[:10]),
                expected=", ".join(roles[role]),
                remedy=f"Name the column: {role}=COLUMN",
            )
