"""Command mutagenesis: the effect of every single-base change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "mutagenesis",
        epilog="Example: exprimo mutagenesis RUN --fasta G.fa --genes G.gtf --gene JAM2 "
        "--around 200 -o M.parquet",
    )(_mutagenesis)


def _mutagenesis(
    model: Annotated[str, typer.Argument(help="RUN, NAME or NAME:FILE.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="A table: .parquet, .tsv, .bed; arrays: .h5.")
    ],
    dataset: Annotated[
        Path | None, typer.Argument(help="Windows that are stored already, an .h5 file.")
    ] = None,
    fasta: Annotated[Path | None, typer.Option(help="Or a genome from which they are cut.")] = None,
    genes: Annotated[Path | None, typer.Option(help="The annotation: GTF, GFF3 or BED.")] = None,
    gene: Annotated[
        list[str] | None, typer.Option(help="Only this gene, by id or name; repeatable.")
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option(help="FIRST:END relative to the TSS, such as -200:100; default: all."),
    ] = None,
    around: Annotated[
        int | None, typer.Option(help="Only so many bases to either side of the TSS.", min=0)
    ] = None,
    tracks: Annotated[str, typer.Option(help="Tracks with commas: names, numbers, words.")] = "",
    track_table: Annotated[Path | None, typer.Option(help="Table that describes them.")] = None,
    bins: Annotated[
        str, typer.Option(help="Bins around the TSS that are averaged, of a backbone; or all.")
    ] = "3",
    strands: Annotated[bool, typer.Option("--strands", help="Average both strands.")] = False,
    shifts: Annotated[int, typer.Option(help="Average shifts of so many bases.", min=0)] = 0,
    upstream: Annotated[
        int | None, typer.Option(help="Bases before the TSS, if the model does not say.", min=0)
    ] = None,
    tss: Annotated[str, typer.Option(help="canonical, most5prime, or a table.")] = "canonical",
    chrom_style: Annotated[str, typer.Option(help="auto, or a table of names.")] = "auto",
    way: Annotated[
        Literal["auto", "local", "whole"],
        typer.Option(help="Recompute what a change can reach, or predict every mutant whole."),
    ] = "auto",
    memory: Annotated[int, typer.Option(help="MiB beside the network.", min=64)] = 1024,
    executor: Annotated[
        Literal["local", "ray"], typer.Option(help="Where the shards are computed.")
    ] = "local",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Predict what every single-base change in the windows of genes does."""
    from exprimo.scoring.mutagenesis import mutagenesis

    with bars():
        done = mutagenesis(
            model,
            out,
            dataset=dataset,
            fasta=fasta,
            genes=genes,
            gene=gene or (),
            tss=tss,
            chrom_style=chrom_style,
            positions=None if positions is None else parse_positions(positions),
            around=around,
            way=way,
            memory=memory,
            tracks=listed(tracks),
            track_table=track_table,
            bins="all" if bins == "all" else _whole(bins, "bins"),
            upstream=upstream,
            strands=strands,
            shifts=shifts,
            executor=executor,
            address=address,
            device=device,
            threads=threads,
        )
    first, end = done.positions
    windows = f"{done.n_examples:,} window" + ("" if done.n_examples == 1 else "s")
    lines = [
        f"Wrote the single-base changes of {windows} to {done.path}",
        f"  positions {first} to {end - 1} relative to the TSS; tracks: {_some(done.tracks)}",
        f"  mutants computed: {done.way}",
    ]
    if done.n_known:
        lines.append(f"  {done.n_known:,} of {done.n_shards:,} shards were there already")
    say(lines, done._asdict(), as_json=as_json)


def parse_positions(text: str) -> tuple[int, int]:
    """Read ``FIRST:END``.

    Examples
    --------
    >>> parse_positions("-200:100")
    (-200, 100)
    """
    first, colon, end = text.partition(":")
    if not colon:
        raise ConfigError(
            "not a range of positions",
            record="positions",
            found=text,
            expected="FIRST:END relative to the TSS, such as -200:100",
        )
    return _whole(first, "positions"), _whole(end, "positions")


def _whole(text: str, record: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ConfigError("not a whole number", record=record, found=text) from None


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
