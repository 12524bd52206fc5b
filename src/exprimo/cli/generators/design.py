"""The command of guided design: generate design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exprimo.cli.modelling import Device, Threads, listed
from exprimo.cli.output import between, number, say, table
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json

if TYPE_CHECKING:
    from exprimo.generate.design import Designed


def register(group: typer.Typer) -> None:
    """Add the command to the group of generators."""
    group.command(
        "design",
        epilog="Example: exprimo generate design RUN D.h5 --target 12 --judge OTHER -o DESIGNS",
    )(_design)


def _design(
    model: Annotated[Path, typer.Argument(help="The guide: a run that reads sequence alone.")],
    dataset: Annotated[Path, typer.Argument(help="Real sequences, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A new folder for the designs.")],
    target: Annotated[
        str, typer.Option(help="Value of the guide's target, a probability, or a class.")
    ],
    n: Annotated[int, typer.Option("-n", "--number", help="Designs per method.", min=1)] = 20,
    method: Annotated[
        str, typer.Option(help="Of guidance,ranked,greedy,gradient; default: all that can be.")
    ] = "",
    generator: Annotated[
        Path | None, typer.Option(help="A generator's folder, for guidance and ranked.")
    ] = None,
    judge: Annotated[
        Path | None, typer.Option(help="A run that learned from other examples: it judges.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="FASTA to edit; default: held-out sequences far off.")
    ] = None,
    edits: Annotated[int, typer.Option(help="Substitutions per design, at most.", min=1)] = 10,
    draws: Annotated[
        int, typer.Option(help="Draws or continuations for each that is kept.", min=1)
    ] = 8,
    guidance: Annotated[
        float, typer.Option(help="Weight of the generator's condition.", min=0)
    ] = 1.0,
    steps: Annotated[int | None, typer.Option(help="Passes of the generator.", min=1)] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="This near to the target is near enough.", min=0)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of starts and noise.", min=0)] = 0,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Propose sequences for a target, and have another model judge them."""
    import exprimo

    with bars():
        done: Designed = exprimo.generate_design(
            model, dataset, out, target=target, n=n, methods=listed(method) or None,
            generator=generator, judge=judge, start=start, edits=edits, draws=draws,
            guidance=guidance, steps=steps, tolerance=tolerance, seed=seed, device=device,
            threads=threads,
        )  # fmt: skip
    facts: dict[str, Any] = {
        **done._asdict(),
        "designs": done.designs.to_dict("records"),
        "summary": done.summary.to_dict("records"),
    }
    say(_told(done), facts, as_json=as_json)


def _told(done: Designed) -> list[str]:
    rows = [
        [
            f"{row['method']} ({row['role']})" if row["role"] == "baseline" else row["method"],
            str(row["n"]),
            number(row["guide"]),
            number(row["judged"]),
            number(row["error"]),
            between(row["error_low"], row["error_high"]),
            number(row["gap"]),
            between(row["gap_low"], row["gap_high"]),
            _count(row["edits"]),
            _count(row["nearest_edits"]),
        ]
        for row in done.summary.to_dict("records")
    ]
    header = [
        "method", "n", "guide", "judged", "off", "95%", "guide-judged", "95%", "edits", "nearest",
    ]  # fmt: skip
    lines = [f"Target {done.target:g}; judged by {done.judged_by}", *table(rows, header)]
    for who, found in done.accuracy.items():
        if found is not None:
            lines.append(
                f"{who}: {found['metric'].replace('_', ' ')} {number(found['value'])} "
                f"({between(found['low'], found['high'])}) on {found['n']:,} real sequences "
                "that nobody learned from"
            )
    return [*lines, *(f"Note: {note}" for note in done.notes), f"Wrote {done.path}"]


def _count(value: float) -> str:
    return "-" if value != value else f"{value:g}"
