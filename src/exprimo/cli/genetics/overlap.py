"""The command that compares rankings of variants: eqtl overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exprimo.cli.output import between, counted, number, say, table
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.genetics.overlap import ColumnOverlap, Overlap

Scores = Annotated[
    Path, typer.Option(help="Scores of variants: table of exprimo variants, parquet, TSV or CSV.")
]
Eqtl = Annotated[
    Path, typer.Option(help="Associations: a nominal table (parquet, TSV), or its folder.")
]
ScoreColumn = Annotated[
    list[str], typer.Option(help="Column whose size ranks the variants; repeatable.")
]
Top = Annotated[int, typer.Option(help="Variants of each ranking, in each gene.", min=1)]
Out = Annotated[Path | None, typer.Option("-o", "--out", help="Write JSON here: a new file.")]
Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id; repeatable.")]
Track = Annotated[str | None, typer.Option(help="Of scores of several tracks, this one.")]
Window = Annotated[
    str | None, typer.Option(help="What the model reads around the TSS: UP,DOWN, or one number.")
]
Genes = Annotated[
    Path | None,
    typer.Option(help="GTF, GFF3, BED, or a table gene_id, chrom, tss, strand: for distances."),
]
CredibleSets = Annotated[
    Path | None, typer.Option(help="Table with phenotype_id, variant_id, cs_id.")
]
UsesPvalue = Annotated[
    list[str] | None,
    typer.Option(help="Score column that was made with p-values: refused; repeatable."),
]
Circular = Annotated[
    bool,
    typer.Option("--circular", help="Add -log10 p to the score, as was published; stamped."),
]
ScoreName = Annotated[
    list[str] | None,
    typer.Option(help="ROLE=COLUMN of the scores: variant_id, gene_id, chrom, pos, ref, alt."),
]
EqtlName = Annotated[
    list[str] | None,
    typer.Option(help="ROLE=COLUMN: as of the scores, p, slope, slope_se, af, tss_distance."),
]
Seed = Annotated[int, typer.Option(help="Of ties, and of shifts of several genes.")]


def register(group: typer.Typer) -> None:
    """Add the command to the group eqtl."""
    group.command(
        "overlap",
        epilog="Example: exprimo eqtl overlap --scores SCORES.parquet --eqtl EQTL "
        "--score-column raw_score --window 500,100 --genes genes.gtf -o overlap.json",
    )(_overlap)


def _overlap(
    scores: Scores,
    eqtl: Eqtl,
    score_column: ScoreColumn,
    top: Top = 50,
    out: Out = None,
    gene: Gene = None,
    track: Track = None,
    window: Window = None,
    genes: Genes = None,
    credible_sets: CredibleSets = None,
    uses_pvalue: UsesPvalue = None,
    circular: Circular = False,
    score_name: ScoreName = None,
    eqtl_name: EqtlName = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Compare variants ranked by a model with variants ranked by association."""
    import exprimo

    found = exprimo.eqtl_overlap(
        scores, eqtl, score_column, top=top, out=out, gene=gene or (), track=track, window=window,
        genes=genes, credible_sets=credible_sets, uses_pvalue=uses_pvalue or (),
        circular=circular, score_names=_named(score_name, "--score-name"),
        eqtl_names=_named(eqtl_name, "--eqtl-name"), seed=seed,
    )  # fmt: skip
    say(list(_told(found, out)), found.as_json(), as_json=as_json)


def _named(pairs: Sequence[str] | None, option: str) -> dict[str, str]:
    named = {}
    for pair in pairs or ():
        role, equals, column = pair.partition("=")
        if not (role and equals and column):
            raise ConfigError("not a name", record=option, found=pair, expected="ROLE=COLUMN")
        named[role] = column
    return named


def _told(found: Overlap, out: Path | None) -> Iterator[str]:
    if found.stamp is not None:
        bar = "!" * 78
        yield from (bar, found.stamp, bar)
    if out is not None:
        yield f"Wrote {out}"
    joined = found.joined
    yield (
        f"{counted(joined['by_position'] + joined['by_id'], 'variant')} joined "
        f"({joined['by_position']:,} by position, {joined['by_id']:,} by id; "
        f"{joined['swapped']:,} with alleles swapped, {joined['other_strand']:,} of the other "
        f"strand, {joined['sign_unknown']:,} of unknown sign)"
    )
    for key, what in _LEFT_OUT.items():
        if joined[key]:
            yield f"  {joined[key]:,} {what}"
    if found.window is not None:
        yield f"  {counted(found.n_outside, 'row')} left out: outside of the window {found.window}"
    rows = [_row(name, of) for name, of in found.columns.items()]
    yield from table(rows, _HEAD)
    for name, of in found.columns.items():
        yield from _details(name, of)
    yield found.statement
    yield from (f"  {note}" for note in found.notes)
    if found.stamp is not None:
        yield found.stamp


_LEFT_OUT = {
    "alleles_differ": "associations left out: their place has other alleles in the scores",
    "ambiguous": "associations left out: they fit several scores",
    "repeated_scores": "rows of the scores left out: they repeat another",
    "repeated_eqtl": "rows of the associations left out: they repeat another",
    "only_in_scores": "rows left out: only in the scores",
    "only_in_eqtl": "rows left out: only in the associations",
}
_LEAST_P = 1e-100
_HEAD = (
    "score",
    "n",
    "dropped",
    "top",
    "overlap",
    "expected",
    "p hypergeom.",
    "p shift",
    "matched",
)


def _row(name: str, of: ColumnOverlap) -> list[str]:
    matched = None if of.matched is None else of.matched["p"]
    return [
        name, f"{of.n:,}", f"{of.dropped:,}", f"{of.top:,}", f"{of.overlap:,}",
        f"{of.expected:.2f}", _p(of.p_hypergeometric), _p(of.p_shift), _p(matched),
    ]  # fmt: skip


def _details(name: str, of: ColumnOverlap) -> Iterator[str]:
    if of.without_p is not None:
        yield (
            f"  {name} without the p-value: {of.without_p['overlap']:,} of {of.top:,}, "
            f"{of.expected:.2f} expected"
        )
        if of.shift is not None:
            yield (
                f"  the same construction with {name} shifted along the region: "
                f"{of.shift['mean']:.1f} of {of.top:,} ({of.shift['low']:.0f} to "
                f"{of.shift['high']:.0f})"
            )
        return
    signs = (of.concordance or {}).get("top") or {}
    if signs.get("n"):
        yield (
            f"  {name}: {signs['n_same']:,} of {signs['n']:,} of its top have the sign of the "
            f"slope ({_interval(signs)}; stretches of the genome: {signs['n_blocks']:,})"
        )
    ranks = (of.rank_correlation or {}).get("size") or {}
    if ranks.get("rho") is not None:
        yield (
            f"  {name}: rank correlation of size and -log10 p {number(ranks['rho'])} "
            f"(under shifts {between(ranks['low'], ranks['high'])})"
        )
    sets: dict[str, Any] = of.credible_sets or {}
    if sets:
        yield (
            f"  {name}: {sets['overlap']:,} of {sets['n_variants']:,} variants of credible sets in "
            f"its top, {sets['expected']:.2f} expected; {sets['n_sets_met']:,} of "
            f"{sets['n_sets']:,} sets met"
        )


def _interval(signs: dict[str, Any]) -> str:
    shown = between(signs["low"], signs["high"])
    return "no interval: too few stretches" if shown == "-" else f"95% interval {shown}"


def _p(p: float | None) -> str:
    if p is None:
        return "-"
    return "<1e-100" if p <= _LEAST_P else f"{p:.3g}"
