"""Command mutagenesis: the effect of every single-base change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from exprimo.cli.individuals.personal import require_files
from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import counted, say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json
from exprimo.core.errors import ConfigError

if TYPE_CHECKING:
    from exprimo.scoring.mutagenesis import Mutated

_Model = Annotated[str, typer.Argument(help="RUN, NAME or NAME:FILE.")]
_Out = Annotated[
    Path,
    typer.Option("-o", "--out", help="New table: .parquet, .tsv, .bed; arrays: .h5."),
]
_Dataset = Annotated[
    Path | None, typer.Argument(help="Windows that are stored already, an .h5 file.")
]
_Fasta = Annotated[Path | None, typer.Option(help="Or a genome from which they are cut.")]
_Genes = Annotated[Path | None, typer.Option(help="The annotation: GTF, GFF3 or BED.")]
_Gene = Annotated[list[str] | None, typer.Option(help="Only this gene, by id or name; repeatable.")]
_Positions = Annotated[
    str, typer.Option(help="FIRST:END relative to the TSS, such as -200:100; default: all.")
]
_Around = Annotated[
    int | None,
    typer.Option(help="At most so many bases to either side of the TSS.", min=0),
]
_Tracks = Annotated[str, typer.Option(help="Tracks with commas: names, numbers, words.")]
_TrackTable = Annotated[Path | None, typer.Option(help="Table that describes them.")]
_Bins = Annotated[
    str, typer.Option(help="Bins around the TSS that are averaged, of a backbone; or all.")
]
_Strands = Annotated[bool, typer.Option("--strands", help="Average both strands.")]
_Shifts = Annotated[int, typer.Option(help="Average shifts of so many bases.", min=0)]
_Upstream = Annotated[
    int | None, typer.Option(help="Bases before the TSS, if the model does not say.", min=0)
]
_Tss = Annotated[str, typer.Option(help="canonical, most5prime, or a table.")]
_Style = Annotated[str, typer.Option(help="auto, or a table: theirs, genome's.")]
_Way = Annotated[
    Literal["auto", "local", "whole"],
    typer.Option(help="Recompute what a change can reach, or predict every mutant whole."),
]
_Memory = Annotated[int, typer.Option(help="MiB beside the network.", min=64)]
_Precision = Annotated[
    Literal["fp32", "bf16"],
    typer.Option(help="Of a backbone: bf16 is faster, and coarser than most effects."),
]
_Executor = Annotated[Literal["local", "ray"], typer.Option(help="Where it runs.")]
_Address = Annotated[str | None, typer.Option(help="Of a Ray cluster.")]


_HELP = """Predict what every single-base change in the windows of genes does: ALT minus REF.

Per base, with tracks, motifs and a check against other methods: explain with --method mutagenesis.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "mutagenesis",
        help=_HELP,
        epilog="Example: exprimo mutagenesis RUN --fasta g.fa --genes g.gtf --gene JAM2 "
        "--around 200 -o M.parquet",
    )(_mutagenesis)


def _mutagenesis(
    model: _Model,
    out: _Out,
    dataset: _Dataset = None,
    fasta: _Fasta = None,
    genes: _Genes = None,
    gene: _Gene = None,
    positions: _Positions = "",
    around: _Around = None,
    tracks: _Tracks = "",
    track_table: _TrackTable = None,
    bins: _Bins = "3",
    strands: _Strands = False,
    shifts: _Shifts = 0,
    upstream: _Upstream = None,
    tss: _Tss = "canonical",
    chrom_style: _Style = "auto",
    way: _Way = "auto",
    memory: _Memory = 1024,
    precision: _Precision = "fp32",
    executor: _Executor = "local",
    address: _Address = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Predict what every single-base change in the windows of genes does: ALT minus REF."""
    require_files(None, dataset, fasta, genes)
    import exprimo

    with bars():
        done = exprimo.mutagenesis(
            model,
            out,
            dataset=dataset,
            fasta=fasta,
            genes=genes,
            gene=gene or (),
            positions=parse_positions(positions) if positions else None,
            around=around,
            tracks=listed(tracks),
            track_table=track_table,
            bins="all" if bins == "all" else _whole(bins, "bins"),
            strands=strands,
            shifts=shifts,
            upstream=upstream,
            tss=tss,
            chrom_style=chrom_style,
            way=way,
            memory=memory,
            precision=precision,
            executor=executor,
            address=address,
            device=device,
            threads=threads,
        )
    say(list(_told(done)), done._asdict(), as_json=as_json)


def _told(done: Mutated) -> Iterator[str]:
    first, end = done.positions
    windows = counted(done.n_examples, "window")
    more = f" and {len(done.tracks) - 5:,} more" if len(done.tracks) > 5 else ""
    changes = counted(done.n_substitutions, "single-base change")
    yield f"Wrote {changes} of {windows} to {done.path}"
    if done.n_unknown:
        yield f"  no change where N stands: {counted(done.n_unknown, 'position')}"
    yield f"  positions {first} to {end - 1} relative to the TSS"
    yield f"  tracks: {', '.join(done.tracks[:5])}{more}"
    yield f"  mutants computed: {done.way}"
    if done.strongest is not None:
        yield f"  the greatest effect: {done.strongest}"
    if done.n_known:
        yield f"  {done.n_known:,} of {counted(done.n_shards, 'shard')} were there already"


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
