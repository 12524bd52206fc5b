"""One table of scores and associations, joined by position and alleles, or by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.coordinates import reconcile_chromosomes
from exprimo.core.errors import InputError, MismatchError
from exprimo.genetics.alleles import allele_key, nothing_matched, one_to_one, pair_rows
from exprimo.genetics.overlap.ranking import Bools
from exprimo.genetics.overlap.tables import SCORE, read_credible_sets

_TAKEN = ["p", "slope", "slope_se", "af", "tss_distance"]


class Joined(NamedTuple):
    """Variants that both tables have.

    Attributes
    ----------
    rows
        ``gene_id, chrom, pos`` (from 1; -1), ``ref, alt, variant_id``, ``p, slope, slope_se, af,
        tss_distance``, ``score:NAME``, and ``signed``: False where the direction of the slope is
        not known. Slopes are those of the score's ALT. One row per variant and gene, along the
        chromosome within each gene. The index is that of the associations.
    facts
        How rows were joined, and how many were not -> rows.
    """

    rows: pd.DataFrame
    facts: dict[str, int]


def join(scores: pd.DataFrame, eqtl: pd.DataFrame, files: tuple[str, str]) -> Joined:
    """Join scores with associations.

    A row is joined by chromosome, position and alleles where both tables tell them; what is left,
    by id. Swapped alleles turn the sign of the slope. Of single bases, complements are the same
    variant. A/T and C/G that are swapped, or that stand in tables with other complements, may be
    of either strand: they are joined, and their sign counts as unknown.

    Parameters
    ----------
    scores, eqtl
        From `read_scores` and `read_eqtl`.
    files
        Their names, for messages.

    Examples
    --------
    >>> scores = pd.DataFrame({"variant_id": ["v"], "gene_id": [""], "chrom": ["1"], "pos": [7],
    ...                        "ref": ["A"], "alt": ["G"], "score:s": [0.5]})
    >>> eqtl = scores.drop(columns="score:s").assign(ref="G", alt="A", chrom="chr1", p=0.1,
    ...     slope=0.3, slope_se=0.2, af=0.1, tss_distance=4.0)
    >>> join(scores, eqtl, ("S", "E")).rows["slope"].tolist()
    [-0.3]
    """
    _check_genes(scores, eqtl, files)
    on = ["gene_id"] if (scores["gene_id"] != "").any() and (eqtl["gene_id"] != "").any() else []
    by_place, n_differ = _by_place(scores, eqtl, on, files)
    left_scores = scores[~scores.index.isin(by_place["mine"])]
    left_eqtl = eqtl[~eqtl.index.isin(by_place["theirs"])]
    # Scores that are of no gene belong to the associations of every gene.
    once = bool(on) or eqtl["gene_id"].nunique() < 2
    by_id = _by_id(left_scores if once else scores, left_eqtl, on)
    pairs = pd.concat([by_place, by_id], ignore_index=True)
    pairs, n_ambiguous = one_to_one(pairs, unique_mine=once)
    if pairs.empty:
        raise nothing_matched(scores, eqtl, files)
    strands_mixed = bool(pairs["other_strand"].any())
    unknown = pairs["palindromic"] & ((pairs["sign"] < 0) | strands_mixed)
    facts = {
        "by_position": int((~pairs["by_id"]).sum()),
        "by_id": int(pairs["by_id"].sum()),
        "swapped": int((pairs["sign"] < 0).sum()),
        "other_strand": int(pairs["other_strand"].sum()),
        "sign_unknown": int(unknown.sum()),
        "alleles_differ": n_differ,
        "ambiguous": n_ambiguous,
        "alleles_not_told": int(pairs["untold"].sum()),
        "only_in_scores": len(scores) - pairs["mine"].nunique(),
        "only_in_eqtl": len(eqtl) - pairs["theirs"].nunique(),
    }
    return Joined(_rows(scores, eqtl, pairs, ~unknown.to_numpy()), facts)


def _check_genes(scores: pd.DataFrame, eqtl: pd.DataFrame, files: tuple[str, str]) -> None:
    """Refuse tables whose genes do not fit together."""
    mine, theirs = set(scores["gene_id"]) - {""}, set(eqtl["gene_id"]) - {""}
    if mine and theirs and not mine & theirs:
        raise MismatchError(
            "the two tables have no gene in common",
            file=files[1],
            found=", ".join(sorted(theirs)[:5]),
            expected=f"genes of {files[0]}, such as " + ", ".join(sorted(mine)[:5]),
            remedy="Give both tables the same kind of gene id",
        )
    if len(mine) > 1 and not theirs:
        raise MismatchError(
            "the scores are of several genes, and the associations do not say of which gene",
            file=files[1],
            found=", ".join(sorted(mine)[:5]),
            remedy="Choose one with --gene, or name the column: gene_id=COLUMN",
        )


def _by_place(
    scores: pd.DataFrame, eqtl: pd.DataFrame, on: list[str], files: tuple[str, str]
) -> tuple[pd.DataFrame, int]:
    """Pair rows of one place whose alleles fit; count rows whose place fits and alleles do not."""
    keys = [*on, "chrom", "pos"]
    mine, theirs = (
        frame.loc[
            (frame["pos"] > 0) & (frame["chrom"] != "") & (frame["ref"] != "")
            & (frame["alt"] != ""),
            [*keys, "ref", "alt"],
        ]
        for frame in (scores, eqtl)
    )  # fmt: skip
    names = _chromosomes(mine, theirs, files)
    theirs = theirs[theirs["chrom"].isin(list(names))]
    theirs = theirs.assign(chrom=theirs["chrom"].map(names).astype(object))
    pairs = pair_rows(mine, theirs, keys).assign(by_id=False)
    fits = pairs["sign"] != 0
    differ = set(pairs.loc[~fits, "theirs"]) - set(pairs.loc[fits, "theirs"])
    return pairs[fits], len(differ)


def _by_id(scores: pd.DataFrame, eqtl: pd.DataFrame, on: list[str]) -> pd.DataFrame:
    """Pair rows of one id; alleles that one table does not tell are taken to be the same."""
    keys = [*on, "variant_id"]
    mine, theirs = (
        frame.loc[frame["variant_id"] != "", [*keys, "ref", "alt"]] for frame in (scores, eqtl)
    )
    pairs = pair_rows(mine, theirs, keys).assign(by_id=True)
    return pairs[pairs["sign"] != 0]


def _chromosomes(
    mine: pd.DataFrame, theirs: pd.DataFrame, files: tuple[str, str]
) -> dict[str, str]:
    """Map their chromosomes to ours; none where no name is shared, for ids may still join."""
    try:
        return reconcile_chromosomes(
            mine["chrom"].unique(), theirs["chrom"].unique(), our_file=files[0], their_file=files[1]
        )
    except MismatchError:
        return {}


def _rows(
    scores: pd.DataFrame, eqtl: pd.DataFrame, pairs: pd.DataFrame, signed: Bools
) -> pd.DataFrame:
    mine = scores.loc[pairs["mine"]].reset_index(drop=True)
    theirs = eqtl.loc[pairs["theirs"]].reset_index(drop=True)
    both: dict[str, Any] = {
        name: mine[name].where(mine[name] != missing, theirs[name])
        for name, missing in (("chrom", ""), ("pos", -1), ("ref", ""), ("alt", ""))
    }
    rows = pd.DataFrame(
        {
            "gene_id": theirs["gene_id"].where(theirs["gene_id"] != "", mine["gene_id"]),
            **both,
            "variant_id": theirs["variant_id"].where(
                theirs["variant_id"] != "", mine["variant_id"]
            ),
            **{name: theirs[name] for name in _TAKEN},
            **{name: mine[name] for name in mine.columns if str(name).startswith(SCORE)},
            "signed": signed,
        }
    )
    rows["slope"] = rows["slope"] * pairs["sign"].to_numpy()
    rows.index = pd.Index(pairs["theirs"].to_numpy())
    return rows.sort_values(["gene_id", "chrom", "pos", "ref", "alt"], kind="stable")


def with_credible_sets(rows: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Add the credible set of each joined row, found by id, or by place and alleles.

    Returns
    -------
    DataFrame
        With ``in_set``: gene and name of the set, None where a variant is in none.
    """
    sets = read_credible_sets(path)
    by_gene = bool((sets["gene_id"] != "").any() and (rows["gene_id"] != "").any())
    known = {}
    for gene, number, names in zip(
        sets["gene_id"], sets["cs_id"], _set_names(sets, by_gene), strict=True
    ):
        known.update(dict.fromkeys(names, (str(gene), str(number))))
    found = [
        next((known[name] for name in names if name in known), None)
        for names in _set_names(rows, by_gene)
    ]
    if not any(found):
        raise InputError(
            "no variant of the credible sets is among the joined ones",
            file=path,
            found=", ".join(sets["variant_id"].head(3)) or "no set",
            expected="variants such as " + ", ".join(rows["variant_id"].head(3)),
        )
    return rows.assign(in_set=pd.Series(found, index=rows.index, dtype=object))


def _set_names(frame: pd.DataFrame, by_gene: bool) -> Iterator[list[tuple[str, ...]]]:
    """Give, row by row, what a variant may be found by: its id, its place with both alleles."""
    columns = ("gene_id", "variant_id", "pos", "ref", "alt")
    for gene, name, pos, ref, alt in zip(*(frame[one].tolist() for one in columns), strict=True):
        own = gene if by_gene else ""
        by_id = [(own, name)] if name else []
        by_place = [(own, str(pos), *allele_key(ref, alt))] if pos > 0 and alt else []
        yield [*by_id, *by_place]
