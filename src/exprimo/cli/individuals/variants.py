"""The command that scores variants: variants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.scoring.variants import ScoredVariants

_Score = Literal["difference", "absolute", "tss", "lfc", "published", "matrix"]
_Mismatch = Literal["error", "skip", "swap"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "variants",
        epilog="Example: exprimo variants RUN --variants V.vcf.gz --fasta g.fa --genes g.gtf "
        "-o SCORES.parquet",
    )(_variants)


def _variants(
    model: Annotated[str, typer.Argument(help="A run's folder, or NAME or NAME:FILE.")],
    variants: Annotated[
        Path, typer.Option(help="VCF, BCF, .pvar, .bim, a table, or ids chrom:pos:ref:alt.")
    ],
    fasta: Annotated[Path, typer.Option(help="The genome.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Output: .parquet, .tsv, .tsv.gz or .vcf.gz.")
    ],
    genes: Annotated[Path | None, typer.Option(help="Annotation: GTF, GFF3 or BED.")] = None,
    gene: Annotated[
        list[str] | None, typer.Option(help="Only this gene, id or name; repeatable.")
    ] = None,
    center: Annotated[
        Literal["variant", "tss"] | None,
        typer.Option(help="Middle of the windows; default: tss where genes are given."),
    ] = None,
    score: Annotated[
        _Score,
        typer.Option(
            help="difference, absolute, tss and lfc: per track; published (REF - ALT) and "
            "matrix: one sum over bins and tracks."
        ),
    ] = "difference",
    tracks: Annotated[str, typer.Option(help="Tracks with commas: names, numbers, words.")] = "",
    track_table: Annotated[Path | None, typer.Option(help="Table that describes them.")] = None,
    bins: Annotated[str, typer.Option(help="Bins around the middle, or all.")] = "",
    background: Annotated[
        Path | None, typer.Option(help="Scores of common variants, .parquet: adds quantiles.")
    ] = None,
    as_background: Annotated[
        bool, typer.Option("--as-background", help="Store the table with the run for quantiles.")
    ] = False,
    on_ref_mismatch: Annotated[
        _Mismatch, typer.Option(help="Where REF is not what the genome has.")
    ] = "error",
    tss: Annotated[str, typer.Option(help="canonical, most5prime, or a table.")] = "canonical",
    chrom_style: Annotated[str, typer.Option(help="auto, or a table: theirs, genome's.")] = "auto",
    upstream: Annotated[
        int | None, typer.Option(help="Bases before the TSS, if the model does not say.", min=0)
    ] = None,
    strands: Annotated[bool, typer.Option("--strands", help="Average both strands.")] = False,
    shifts: Annotated[int, typer.Option(help="Average shifts of so many bases.", min=0)] = 0,
    precision: Annotated[
        Literal["auto", "fp32", "bf16"], typer.Option(help="Of the arithmetic.")
    ] = "fp32",
    way: Annotated[
        Literal["auto", "whole"], typer.Option(help="whole: read every window whole.")
    ] = "auto",
    shard_size: Annotated[
        int | None, typer.Option(help="Pairs of variant and window in a shard.", min=1)
    ] = None,
    executor: Annotated[Literal["local", "ray"], typer.Option(help="Where it runs.")] = "local",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Score what variants do to what a model predicts: ALT minus REF."""
    from exprimo.scoring.variants import variants as score_variants

    with bars():
        done = score_variants(
            model,
            out,
            variants=variants,
            fasta=fasta,
            genes=genes,
            gene=gene or (),
            center=center,
            score=score,
            tracks=listed(tracks),
            track_table=track_table,
            bins=_bins(bins),
            background=background,
            as_background=as_background,
            on_ref_mismatch=on_ref_mismatch,
            tss=tss,
            chrom_style=chrom_style,
            upstream=upstream,
            strands=strands,
            shifts=shifts,
            precision=precision,
            way=way,
            shard_size=shard_size,
            executor=executor,
            address=address,
            device=device,
            threads=threads,
        )
    say(list(_told(done)), done._asdict(), as_json=as_json)


def _bins(text: str) -> int | Literal["all"] | None:
    if text == "all":
        return "all"
    if text and not (text.isdecimal() and int(text) > 0):
        raise ConfigError("not a number of bins", record="--bins", found=text, expected="3 or all")
    return int(text) if text else None


def _told(done: ScoredVariants) -> Iterator[str]:
    yield (
        f"Wrote {done.n_rows:,} rows to {done.path}: {done.n_pairs:,} pairs of "
        f"{done.n_variants - done.n_outside:,} variants and {done.n_windows:,} windows"
    )
    if done.n_outside:
        yield f"  {done.n_outside:,} of {done.n_variants:,} variants lie in no window"
    for reason, count in done.skipped.items():
        yield f"  left out: {count:,} ({reason})"
    for what, count in done.decided.items():
        yield f"  {count:,}: {what}"
    if done.background is not None:
        yield f"  quantiles against {done.background}"
    if done.n_known_shards:
        yield f"  {done.n_known_shards:,} of {done.n_shards:,} shards stood from an earlier call"
    yield from (f"  {note}" for note in done.notes)
