"""The command that scores variants: variants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exprimo.cli.individuals.personal import (
    Address,
    ChromStyle,
    Executor,
    Fasta,
    Gene,
    OnRefMismatch,
    Precision,
    Shifts,
    Strands,
    Tracks,
    TrackTable,
    Tss,
    Upstream,
    require_files,
)
from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import counted, say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.scoring.variants import ScoredVariants

Variants = Annotated[
    Path, typer.Option(help="VCF, BCF, .pvar, .bim, a table, or ids chrom:pos:ref:alt.")
]
Out = Annotated[
    Path, typer.Option("-o", "--out", help="A new file: .parquet, .tsv, .tsv.gz or .vcf.gz.")
]
Genes = Annotated[
    Path | None, typer.Option(help="GTF, GFF3 or BED, or a table gene_id, chrom, tss, strand.")
]
Center = Annotated[
    Literal["variant", "tss"] | None,
    typer.Option(help="Middle of the windows; default: tss where genes are given."),
]
Score = Annotated[
    Literal["difference", "absolute", "tss", "lfc", "published", "matrix"],
    typer.Option(
        help="difference, absolute, tss and lfc: per track; published (REF - ALT) and "
        "matrix: one sum over bins and tracks."
    ),
]
Bins = Annotated[str, typer.Option(help="Bins around the middle, or all.")]
Background = Annotated[
    Path | None, typer.Option(help="Scores of common variants, .parquet: adds quantiles.")
]
AsBackground = Annotated[
    bool, typer.Option("--as-background", help="Store the table with the run for quantiles.")
]
Way = Annotated[Literal["auto", "whole"], typer.Option(help="whole: read every window whole.")]
ShardSize = Annotated[
    int | None, typer.Option(help="Pairs of variant and window in a shard.", min=1)
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "variants",
        epilog="Example: exprimo variants RUN --variants V.vcf.gz --fasta g.fa --genes g.gtf "
        "-o SCORES.parquet",
    )(_variants)


def _variants(
    model: Annotated[str, typer.Argument(help="RUN, NAME or NAME:FILE.")],
    variants: Variants,
    fasta: Fasta,
    out: Out,
    genes: Genes = None,
    gene: Gene = None,
    center: Center = None,
    score: Score = "difference",
    tracks: Tracks = "",
    track_table: TrackTable = None,
    bins: Bins = "",
    background: Background = None,
    as_background: AsBackground = False,
    on_ref_mismatch: OnRefMismatch = "error",
    tss: Tss = "canonical",
    chrom_style: ChromStyle = "auto",
    upstream: Upstream = None,
    strands: Strands = False,
    shifts: Shifts = 0,
    precision: Precision = "fp32",
    way: Way = "auto",
    shard_size: ShardSize = None,
    executor: Executor = "local",
    address: Address = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Score what variants do to what a model predicts: ALT minus REF."""
    require_files(None, fasta, genes)
    import exprimo

    settings: dict[str, Any] = {
        "variants": variants, "fasta": fasta, "genes": genes, "gene": gene or (),
        "center": center, "score": score, "tracks": listed(tracks), "track_table": track_table,
        "bins": _bins(bins), "background": background, "as_background": as_background,
        "on_ref_mismatch": on_ref_mismatch, "tss": tss, "chrom_style": chrom_style,
        "upstream": upstream, "strands": strands, "shifts": shifts, "precision": precision,
        "way": way, "shard_size": shard_size, "executor": executor, "address": address,
        "device": device, "threads": threads,
    }  # fmt: skip
    with bars():
        done = exprimo.variants(model, out, **settings)
    say(list(_told(done)), done._asdict(), as_json=as_json)


def _bins(text: str) -> int | Literal["all"] | None:
    if text == "all":
        return "all"
    if text and not (text.isdecimal() and int(text) > 0):
        raise ConfigError("not a number of bins", record="--bins", found=text, expected="3 or all")
    return int(text) if text else None


def _told(done: ScoredVariants) -> Iterator[str]:
    yield (
        f"Wrote {counted(done.n_rows, 'row')} to {done.path}: {counted(done.n_pairs, 'pair')} of "
        f"{counted(done.n_variants - done.n_outside, 'variant')} and "
        f"{counted(done.n_windows, 'window')}"
    )
    if done.n_outside:
        yield f"  {done.n_outside:,} of {counted(done.n_variants, 'variant')} lie in no window"
    for reason, count in done.skipped.items():
        yield f"  left out: {count:,} ({reason})"
    for what, count in done.decided.items():
        yield f"  {count:,}: {what}"
    if done.background is not None:
        yield f"  quantiles against {done.background}"
    if done.n_known_shards:
        yield f"  {done.n_known_shards:,} of {counted(done.n_shards, 'shard')} were there already"
    yield from (f"  {note}" for note in done.notes)
