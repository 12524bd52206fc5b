"""The summary of a cohort in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exprimo.data.check.genotypes.site_facts import STRETCH, SiteScan
from exprimo.data.genotypes.cohort import CohortSummary, summarise_cohort
from exprimo.data.genotypes.cohort.kinship import DUPLICATES
from exprimo.data.genotypes.view import Genotypes

# A check may take a minute, so it looks at this many genotypes.
MOST_GENOTYPES = 300_000_000
_MOST_VARIANTS = 20_000
_COMPONENTS = 5
_SHOWN = 5
_RARE = 0.01
# Relatives share stretches of tens of Mb, so of a smaller part of a genome all or nothing, and
# strangers may share one such stretch: a degree cannot be told there, but duplicates can.
_TELLING_SPAN = 500_000_000


def cohort_facts(genotypes: Genotypes, scan: SiteScan, *, indexed: bool) -> dict[str, str]:
    """Summarise genotypes, of one person or of many, within a bound on the work.

    Parameters
    ----------
    scan
        What was seen of the records. Of a longer file, stretches of it are read.
    indexed
        Whether they can be: else the beginning of the file must do.
    """
    n_samples = len(genotypes.samples)
    most = max(MOST_GENOTYPES // n_samples, _MOST_VARIANTS)
    stretches = scan.stretches(most // STRETCH) if indexed and scan.n_records > most else []
    summary = summarise_cohort(
        genotypes,
        n_components=_COMPONENTS,
        most_variants=_MOST_VARIANTS,
        stop_after=None if stretches else most,
        stretches=stretches,
    )
    facts = {"phased": _phased(summary), "missing genotypes": _missing(summary)}
    if n_samples > 1:
        facts |= {
            "allele frequencies": _frequencies(summary),
            "heterozygosity": _heterozygosity(summary),
            "Hardy-Weinberg": _hardy(summary),
        }
        if summary.related is not None:
            facts["relatives"] = relatives(summary.related, summary.span)
        if summary.components is not None:
            facts["principal components"] = _components(summary)
    if len(summary.ploidy):
        facts["numbers of copies"] = _ploidy(summary)
    if summary.counts["listed twice"]:
        facts["alleles listed twice"] = f"{summary.counts['listed twice']:,}"
    notes = list(summary.notes)
    if stretches:
        notes.insert(0, f"{summary.counts['variants']:,} variants in {len(stretches):,} stretches "
                     "were looked at, evenly spread over the file")  # fmt: skip
    if notes:
        facts["bounds"] = "; ".join(notes)
    return facts


def _phased(summary: CohortSummary) -> str:
    het = summary.counts["heterozygous genotypes"]
    phased = summary.counts["phased heterozygous genotypes"]
    return f"{phased / het:.1%} of {het:,} heterozygous genotypes" if het else "none heterozygous"


def _missing(summary: CohortSummary) -> str:
    table = summary.samples
    missing, called = int(table["n_missing"].sum()), int(table["n_called"].sum())
    if not missing:
        return "none"
    worst = table.iloc[int(table["missing_share"].to_numpy().argmax())]
    told = f"{missing / max(missing + called, 1):.2%}"
    if len(table) > 1:
        told += f"; most in sample {worst['sample']}, {worst['missing_share']:.2%}"
    never = summary.counts["without any genotype"]
    return told + (f"; {never:,} variants without any genotype" if never else "")


def _frequencies(summary: CohortSummary) -> str:
    spectrum, counts = summary.maf_spectrum, summary.counts
    total = int(spectrum["n_variants"].sum())
    rare = int(spectrum.loc[spectrum["up_to"] <= _RARE, "n_variants"].sum())
    flat = counts["without variation"]
    return (
        f"{total - rare:,} variants above {_RARE:.0%}, {rare - flat:,} below "
        f"({counts['singletons']:,} seen once), {flat:,} without variation"
    )


def _heterozygosity(summary: CohortSummary) -> str:
    share, f = summary.samples["het_share"], summary.samples["f"]
    if share.isna().all():
        return "no autosomal genotype"
    told = f"{share.median():.3f} of a sample's genotypes ({share.min():.3f} to {share.max():.3f})"
    return told + (f"; F {f.min():.2f} to {f.max():.2f}" if f.notna().any() else "")


def _hardy(summary: CohortSummary) -> str:
    row = summary.hardy.iloc[2]
    expected = row["expected"]
    return (
        f"{int(row['n_variants']):,} variants with p < {row['p_below']:g}, "
        f"{expected:.1g} expected at most"
    )


def relatives(related: pd.DataFrame, span: int) -> str:
    """Name the closest pairs of `CohortSummary.related`, found over ``span`` bases of a genome."""
    if related.empty:
        return "none"
    unsure = (related["relation"] != DUPLICATES) & (span < _TELLING_SPAN)
    told = related["relation"].mask(unsure, "as " + related["relation"])
    shown = [
        f"{row.sample_1} and {row.sample_2} ({relation}, kinship {row.kinship:.2f})"
        for row, relation in zip(related.head(_SHOWN).itertuples(), told, strict=False)
    ]
    more = len(related) - len(shown)
    pairs = "1 pair" if len(related) == 1 else f"{len(related):,} pairs"
    if unsure.any():
        pairs += (
            f" alike in the {span / 1e6:,.3g} Mb seen, too little of a genome to tell "
            "relatives from strangers who share a stretch"
        )
    return f"{pairs}: " + "; ".join(shown) + (f"; {more:,} more" if more else "")


def _components(summary: CohortSummary) -> str:
    found = summary.components
    if found is None or not len(found.shares):
        return "none"
    shares = ", ".join(f"{share:.1%}" for share in np.asarray(found.shares))
    return f"{shares} of the variance, from {summary.n_unlinked:,} unlinked variants"


def _ploidy(summary: CohortSummary) -> str:
    odd = summary.ploidy
    shown = [f"{row.sample}, {row.chromosome}: {row.oddity}" for row in odd.head(3).itertuples()]
    more = len(odd) - len(shown)
    return "; ".join(shown) + (f"; {more:,} more" if more else "")
