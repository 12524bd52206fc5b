"""Command agreement: do explanations of the same examples agree?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exprimo.cli.output import counted, number, say
from exprimo.cli.studying import Json

if TYPE_CHECKING:
    from exprimo.interpret.faithfulness.agreement import Agreement


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "agreement",
        epilog="Example: exprimo agreement E/gradient E/deeplift -o agreement.json",
    )(_agreement)


def _agreement(
    explanations: Annotated[list[Path], typer.Argument(help="Folders made by exprimo explain.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A .json file.")] = None,
    top: Annotated[int, typer.Option(help="Positions whose overlap is counted.", min=1)] = 20,
    most: Annotated[int, typer.Option(help="At most so many examples.", min=2)] = 1000,
    seed: Annotated[int, typer.Option(help="Of swapped examples and intervals.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Say how far explanations agree: of several methods, runs or seeds."""
    import exprimo

    found = exprimo.agreement(explanations, out, top=top, most=most, seed=seed)
    facts = {**found._asdict(), "pairs": found.pairs.to_dict("records")}
    say(list(_told(found, top)), facts, as_json=as_json)


def _told(found: Agreement, top: int) -> Iterator[str]:
    n = counted(len(found.names), "explanation")
    yield f"Compared {n} of {counted(found.n_examples, 'example')}"
    for pair in found.pairs.to_dict("records"):
        one, other = (found.names[pair[side]] for side in ("one", "other"))
        yield f"  {one[0]} ({one[1]}) and {other[0]} ({other[1]}), {pair['input']}:"
        yield (
            f"    rank correlation {number(pair['signed'])}, of sizes {number(pair['size'])} "
            f"({number(pair['size_swapped'])} with examples swapped); "
            f"{pair['overlap']:.0%} of the top {top} shared ({pair['expected']:.0%} by chance)"
        )
    if found.path is not None:
        yield f"  wrote {found.path}"
