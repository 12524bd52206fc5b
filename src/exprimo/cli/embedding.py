"""Command of pretrained backbones: embed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from exprimo.cli.modelling import Device, Threads
from exprimo.cli.output import say
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "embed", epilog="Example: exprimo embed hyenadna-small-32k D.h5 -o STORE --bin 128"
    )(_embed)


def _embed(
    model: Annotated[str, typer.Argument(help="NAME or NAME:FILE of a pretrained backbone.")],
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The store: a new folder, or more.")],
    bin: Annotated[int, typer.Option(help="Bases that are averaged; 1 keeps each.", min=1)] = 128,
    dtype: Annotated[
        Literal["float16", "float32"], typer.Option(help="How numbers are stored.")
    ] = "float16",
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Store the embeddings of a dataset's sequences; a repeated call adds what is missing."""
    import exprimo

    with bars():
        done = exprimo.embed(
            model, dataset, out, bin=bin, dtype=dtype, device=device, threads=threads
        )
    bins, channels = done.shape
    lines = [
        f"Wrote {done.n_new:,} embeddings of {bins:,} bins x {channels} channels to {done.path}",
    ]
    if done.n_known:
        lines.append(f"  {done.n_known:,} more sequences were there already")
    facts = {
        "path": done.path,
        "n_new": done.n_new,
        "n_known": done.n_known,
        "shape": done.shape,
        "bytes": done.cost.bytes,
    }
    say(lines, facts, as_json=as_json)
