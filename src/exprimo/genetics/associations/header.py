"""What the columns of a table of associations mean, by the names that they go by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from exprimo.core.errors import ConfigError, FormatError
from exprimo.data.tabular import unknown_name

# GWAS Catalog (harmonised columns first), METAL, PLINK, REGENIE, BOLT-LMM, GCTA, GEMMA, SAIGE,
# LDSC, and tensorQTL and its kin; the first name found counts.
ROLES: Mapping[str, tuple[str, ...]] = {
    "variant_id": (
        "hm_rsid", "variant_id", "rsid", "rs_id", "snp", "snpid", "snp_id", "markername", "marker",
        "marker_name", "id", "variant", "rs",
    ),
    "gene_id": ("phenotype_id", "gene_id", "molecular_trait_id", "gene"),
    "chrom": ("hm_chrom", "chrom", "chr", "chromosome", "seqnames"),
    "pos": (
        "hm_pos", "pos", "position", "bp", "base_pair_location", "genpos", "ps",
        "base_pair_position", "pos_b37", "pos_b38",
    ),
    "effect_allele": (
        "hm_effect_allele", "effect_allele", "ea", "tested_allele", "coded_allele", "a1",
        "allele1", "alt", "alternate", "alt_allele",
    ),
    "other_allele": (
        "hm_other_allele", "other_allele", "oa", "nea", "non_effect_allele", "noneffect_allele",
        "reference_allele", "a2", "allele0", "allele2", "ref", "reference", "ref_allele",
    ),
    "beta": (
        "hm_beta", "beta", "b", "effect", "effect_size", "slope", "estimate", "coefficient",
        "log_odds", "log_or", "logor",
    ),
    "odds_ratio": ("hm_odds_ratio", "odds_ratio", "or"),
    "se": (
        "standard_error", "se", "stderr", "std_err", "slope_se", "sebeta", "beta_se", "log_or_se",
        "logor_se",
    ),
    "z": ("z", "zscore", "z_score", "z_stat", "stat"),
    "p": (
        "p_value", "p", "pval", "pvalue", "p_val", "pval_nominal", "p_bolt_lmm", "p_bolt_lmm_inf",
        "p_wald", "p_lrt", "p_nominal", "nominal_p",
    ),
    "minus_log10_p": (
        "neg_log_10_p_value", "neg_log10_p_value", "neglog10_p", "minus_log10_p", "log10p",
        "log10_p", "mlogp", "mlog10p", "nlog10p",
    ),
    "n": (
        "n", "n_total", "samplesize", "sample_size", "totalsamplesize", "total_sample_size",
        "n_samples", "obs_ct", "n_obs", "nobs", "neff", "n_eff",
    ),
    "tss_distance": ("tss_distance", "start_distance"),
    "frequency": (
        "hm_effect_allele_frequency", "effect_allele_frequency", "effect_allele_freq", "eaf",
        "a1_freq", "a1freq", "freq1", "freq", "frq", "af", "alt_freq", "af_alt", "a1frq",
        "af_allele2", "maf", "minor_allele_frequency",
    ),
}  # fmt: skip
"""What a column means -> names that it goes by, in small letters with ``_`` between words."""

TEXT_ROLES = ("variant_id", "gene_id", "chrom", "effect_allele", "other_allele")

SYNONYMS: Mapping[str, str] = {
    "ref": "other_allele",
    "alt": "effect_allele",
    "slope": "beta",
    "slope_se": "se",
    "af": "frequency",
}
"""What eQTL mapping calls these meanings."""

Roles = Mapping[str, tuple[str, ...]]


def plain_name(name: str) -> str:
    """Give a heading in small letters with ``_`` between words.

    Examples
    --------
    >>> plain_name("P-value"), plain_name("#CHROM"), plain_name("log(OR)_SE")
    ('p_value', 'chrom', 'log_or_se')
    """
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def find_columns(
    header: Sequence[str],
    named: Mapping[str, str] | None = None,
    *,
    file: str | Path,
    roles: Roles = ROLES,
) -> dict[str, str]:
    """Tell which column has which meaning.

    Parameters
    ----------
    header
        Names of the columns.
    named
        Meaning -> name, in place of the guess: what the roles have no name for, or a wrong one.
    file
        For messages.
    roles
        Meaning -> names that it goes by, the first found counts.

    Returns
    -------
    Meaning -> name of the column, of those that are there. In a table of SAIGE, which counts
    Allele2 and has ``AF_Allele2``, Allele2 is the effect allele.

    Examples
    --------
    >>> find_columns(["CHR", "BP", "A1", "A2", "OR", "SE", "P"], file="t.tsv")["odds_ratio"]
    'OR'
    """
    by_plain: dict[str, str] = {}
    for name in header:
        by_plain.setdefault(plain_name(name), name)
    found = {
        role: by_plain[next(alias for alias in aliases if alias in by_plain)]
        for role, aliases in roles.items()
        if any(alias in by_plain for alias in aliases)
    }
    if roles is ROLES and "af_allele2" in by_plain and {"allele1", "allele2"} <= set(by_plain):
        found["effect_allele"], found["other_allele"] = by_plain["allele2"], by_plain["allele1"]
    for given, name in (named or {}).items():
        role = given if given in roles else SYNONYMS.get(given, given)
        if role not in roles:
            raise ConfigError("not a meaning of a column", found=given, expected=", ".join(roles))
        if name not in header:
            raise unknown_name("column", name, header, file=file)
        found[role] = name
    return found


def refuse_lacking(found: Mapping[str, str], header: Sequence[str], file: str | Path) -> None:
    """Refuse a table that tells neither where variants are, nor how strong they are."""
    placed = {"chrom", "pos"} <= set(found) or "variant_id" in found
    strong = bool({"z", "p", "minus_log10_p"} & set(found)) or (
        "se" in found and bool({"beta", "odds_ratio"} & set(found))
    )
    if not placed or not strong:
        raise FormatError(
            "not a table of associations",
            file=file,
            record="header",
            found=", ".join(header[:12]),
            expected="chromosome and position, or ids; and an effect with its standard error, a "
            "z-score or a p-value",
            remedy="Say which column is which, as beta=LOGODDS",
        )
