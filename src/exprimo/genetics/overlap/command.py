"""Compare variants ranked by a model with variants ranked by association."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.atomic import refuse_existing
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.data.annotation.identifiers import strip_version
from exprimo.genetics.overlap.agreement import BLOCK, CONVENTION
from exprimo.genetics.overlap.field import (
    Window,
    in_window,
    parse_window,
    read_sites_of_genes,
    with_distances,
)
from exprimo.genetics.overlap.joining import Joined, join, with_credible_sets
from exprimo.genetics.overlap.measure import CIRCULAR, ColumnOverlap, measure, measure_circular
from exprimo.genetics.overlap.power import Power, power_of, power_statement
from exprimo.genetics.overlap.ranking import TIES
from exprimo.genetics.overlap.sources import refuse_p_values
from exprimo.genetics.overlap.tables import SCORE, read_eqtl, read_scores

OVERLAP_FORMAT = 1
# Between ranks by size and by p. Not even true effects reach it: p has the noise of its people.
_SUSPICIOUS = 0.9


class Overlap(NamedTuple):
    """What two rankings of variants share.

    Attributes
    ----------
    columns
        Name of the score -> its overlap.
    top
        Variants of each ranking that are compared, in each gene.
    joined
        How rows were joined and how many were not -> rows; see `Joined`.
    window
        ``upstream,downstream`` that the variants were restricted to; None without.
    n_outside
        Joined rows outside of the window.
    power, power_in_window
        What is significant among all associations, and among the joined ones in the window.
    statement
        What the latter means, in one sentence.
    circular, stamp
        The rankings were made with the p-value, and the warning that goes with it.
    notes
        What a reader of the numbers should know besides.
    """

    columns: dict[str, ColumnOverlap]
    top: int
    joined: dict[str, int]
    window: str | None
    n_outside: int
    power: Power
    power_in_window: Power
    statement: str
    circular: bool
    stamp: str | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON; the stamp, where there is one, stands first."""
        plain = {
            **self._asdict(),
            "columns": {name: of._asdict() for name, of in self.columns.items()},
            "power": self.power._asdict(),
            "power_in_window": self.power_in_window._asdict(),
            "notes": list(self.notes),
            "rules": {"ties": TIES, "alleles": CONVENTION, "concordance_block": BLOCK},
        }
        return {"stamp": plain.pop("stamp"), "circular": plain.pop("circular"), **plain}


def overlap(
    scores: str | Path,
    eqtl: str | Path,
    score_columns: str | Sequence[str] = "raw_score",
    *,
    top: int = 50,
    out: str | Path | None = None,
    gene: str | Sequence[str] = (),
    track: str | None = None,
    window: str | None = None,
    genes: str | Path | None = None,
    credible_sets: str | Path | None = None,
    uses_pvalue: Collection[str] = (),
    circular: bool = False,
    score_names: Mapping[str, str] | None = None,
    eqtl_names: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Overlap:
    """Compare how a model and associations with expression rank variants.

    Parameters
    ----------
    scores
        Table of `exprimo variants`, or another with variants and scores (ALT - REF).
    eqtl
        Associations: tensorQTL's nominal parquet, ours, or a TSV.
    score_columns
        Columns whose size ranks the variants, each by itself.
    top
        How many of each ranking are compared, in each gene.
    out
        A new JSON file.
    gene
        Ids of genes; others are left out.
    track
        Of scores of several tracks, the one that is meant.
    window
        The model's receptive field, ``UP,DOWN`` or one number: variants outside are left out.
    genes
        GTF, GFF3, BED or table of TSSs, for distances and strands; else the associations tell.
    credible_sets
        Table with variant_id, cs_id and phenotype_id.
    uses_pvalue
        Score columns of a foreign table that were made with the p-value; they are refused.
    circular
        Add min-max -log10 p to min-max |score| before ranking, as was published. The result is
        stamped.
    score_names, eqtl_names
        Role -> column where a table has its own heads; roles are those of `reading`.
    seed
        Of ties, and of shifts of several genes.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> rows = [f"1:{i}:A:G\\t{i / 10}\\t{1 / i}" for i in range(1, 11)]
    >>> _ = (folder / "t.tsv").write_text("\\n".join(["variant_id\\tscore\\tp", *rows]))
    >>> found = overlap(folder / "t.tsv", folder / "t.tsv", "score", top=3)
    >>> found.columns["score"].overlap, round(found.columns["score"].p_hypergeometric, 4)
    (3, 0.0083)
    """
    asked = (
        [score_columns] if isinstance(score_columns, str) else list(dict.fromkeys(score_columns))
    )
    reach = _check_settings(asked, top, window, out)
    declared = refuse_p_values(scores, asked, uses_pvalue)
    wanted = {strip_version(one) for one in ([gene] if isinstance(gene, str) else gene)}
    read = read_scores(scores, asked, named=score_names, track=track)
    mine = _of_genes(read.rows, wanted, scores)
    only = wanted or set(mine["gene_id"]) - {""}
    known = read_eqtl(eqtl, named=eqtl_names, genes=only)
    theirs = _of_genes(known.rows, wanted, eqtl)
    joined = join(mine, theirs, (str(scores), str(eqtl)))
    tested = theirs[theirs["gene_id"].isin(joined.rows["gene_id"]) | (theirs["gene_id"] == "")]
    rows = with_credible_sets(joined.rows, credible_sets) if credible_sets else joined.rows
    rows = _within(rows, reach, genes)
    _refuse_unscored(rows, asked, scores)
    columns = {
        name: (measure_circular if circular else measure)(rows, name, top, seed=seed)
        for name in asked
    }
    inside = power_of(rows["p"].to_numpy(np.float64))
    found = Overlap(
        columns=columns,
        top=top,
        joined={
            **joined.facts,
            "repeated_scores": read.repeated,
            "repeated_eqtl": known.repeated,
        },
        window=None if reach is None else f"{reach.upstream},{reach.downstream}",
        n_outside=len(joined.rows) - len(rows),
        power=power_of(tested["p"].to_numpy(np.float64)),
        power_in_window=inside,
        statement=power_statement(inside),
        circular=circular,
        stamp=CIRCULAR if circular else None,
        notes=tuple(_notes(columns, joined, top, window, set(asked) - set(declared))),
    )
    if out is not None:
        _write(out, found, (scores, eqtl, credible_sets, genes))
    return found


def _check_settings(
    asked: Sequence[str], top: int, window: str | None, out: str | Path | None
) -> Window | None:
    """Refuse what cannot be done before anything is read; give the window."""
    if top < 1 or not asked:
        raise ConfigError("nothing to compare", found=f"top {top}, columns {asked}")
    if out is not None:
        refuse_existing(out)
    return None if window is None else parse_window(window)


def _within(rows: pd.DataFrame, reach: Window | None, genes: str | Path | None) -> pd.DataFrame:
    """Keep rows within the window, numbered anew."""
    if genes is not None:
        rows = with_distances(rows, read_sites_of_genes(genes), genes)
    if reach is not None:
        inside = in_window(rows, reach)
        if not inside.any():
            distance = rows["tss_distance"].abs().min()
            raise InputError(
                "no joined variant lies within the window",
                found=f"the nearest is {distance:,.0f} bases from the TSS",
                expected=f"{reach.upstream},{reach.downstream}",
            )
        rows = rows[inside]
    return rows.reset_index(drop=True)


def _refuse_unscored(rows: pd.DataFrame, asked: Sequence[str], file: str | Path) -> None:
    """Refuse a score that no joined variant has: there is nothing to rank."""
    for name in asked:
        if rows[SCORE + name].isna().all():
            raise InputError(
                "no joined variant has a score",
                file=file,
                record=f"column {name!r}",
                found=f"{len(rows):,} joined rows, all without a score",
                expected="numbers",
            )


def _of_genes(frame: pd.DataFrame, wanted: set[str], file: str | Path) -> pd.DataFrame:
    """Keep rows of some genes; a table that names no gene is kept whole."""
    if not wanted or not (frame["gene_id"] != "").any():
        return frame
    missing = sorted(wanted - set(frame["gene_id"]))
    if missing:
        raise InputError(
            "no such gene in the table",
            file=file,
            found=missing[0],
            expected=", ".join(frame["gene_id"].unique()[:6]),
        )
    return frame[frame["gene_id"].isin(wanted)].reset_index(drop=True)


def _notes(
    columns: Mapping[str, ColumnOverlap],
    joined: Joined,
    top: int,
    window: str | None,
    undeclared: set[str],
) -> list[str]:
    notes = [
        "p_hypergeometric takes variants as independent and is too small under LD; p_shift keeps LD"
    ]
    if window is None:
        notes.append("variants were not restricted to what the model reads (--window)")
    short = sorted(name for name, of in columns.items() if of.n < 2 * top * max(1, of.n_genes))
    if short:
        notes.append(
            f"the top is more than half of all variants of {', '.join(short)}: an overlap is forced"
        )
    if joined.facts["alleles_not_told"]:
        notes.append(
            f"{joined.facts['alleles_not_told']:,} rows were joined by id with alleles not told in "
            "one table: ALT was taken to be the same"
        )
    alike = [name for name, of in columns.items() if _rho(of) > _SUSPICIOUS]
    if alike:
        notes.append(
            f"{', '.join(alike)} ranks variants almost as p does: make sure that it was not made "
            "with p-values"
        )
    if undeclared:
        notes.append(
            f"the table does not say what {', '.join(sorted(undeclared))} was made from; "
            "--uses-pvalue names a column made with p-values"
        )
    tied = [name for name, of in columns.items() if any(of.ties.values())]
    if tied:
        notes.append(f"ties at the end of the top of {', '.join(tied)} were broken at random")
    return notes


def _rho(of: ColumnOverlap) -> float:
    """Give the correlation of ranks by size; 0 where there is none."""
    size = (of.rank_correlation or {}).get("size") or {}
    return float(size.get("rho") or 0.0)


def _write(out: str | Path, found: Overlap, given: Sequence[str | Path | None]) -> None:
    """Write the JSON, with the files that were read; of a folder, what it tells of itself."""
    paths = [Path(one) for one in given if one is not None]
    told = [path / "provenance.json" if path.is_dir() else path for path in paths]
    origin = describe_origin([path for path in told if path.is_file()])
    write_json(out, {**found.as_json(), "format_version": OVERLAP_FORMAT, "origin": origin})
