"""The command line: parse, call one public function, print."""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import Annotated

import typer

from exprimo.cli import (
    building,
    chromatin,
    comparing,
    embedding,
    fetching,
    labelling,
    modelling,
    studying,
)
from exprimo.cli.generators import design, generating
from exprimo.cli.genetics import clump, coloc, eqtl, finemap, overlap, prs, stack
from exprimo.cli.individuals import haplotypes, mutagenesis, personal, variants
from exprimo.cli.interpreting import explaining, motifs
from exprimo.core.errors import ExprimoError
from exprimo.core.files.provenance import exprimo_version

INTERRUPTED = 130
FAILED = 2

app = typer.Typer(
    name="exprimo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First steps: [bold]exprimo demo[/bold] makes a report from a simulated genome; "
    "[bold]exprimo init sequence -o study.toml[/bold] starts a study of your own.",
)


_debug: ContextVar[bool] = ContextVar("exprimo_debug", default=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"exprimo {exprimo_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Add the traceback to an error.")] = False,
) -> None:
    """Predict gene expression from what regulates it, and say how far to believe it."""
    _debug.set(debug)


studying.register(app)
labelling.register(app)
chromatin.register(building.register(app))
modelling.register(app)
embedding.register(app)
haplotypes.register(app)
personal.register(app)
variants.register(app)
mutagenesis.register(app)
eqtl_group = eqtl.register(app)
finemap.register(eqtl_group)
coloc.register(eqtl_group)
overlap.register(eqtl_group)
clump.register(app)
prs.register(app)
stack.register(app)
design.register(generating.register(app))
explaining.register(app)
motifs.register(app)
comparing.register(app)
fetching.register(app)

_PANELS = {
    "Start and studies": ("demo", "simulate", "init", "run", "check", "report"),
    "Data": ("dge", "dataset", "embed", "fetch"),
    "Models": ("models", "train", "predict", "evaluate", "benchmark"),
    "Individuals and variants": ("haplotypes", "personal", "variants", "mutagenesis", "clump",
                                 "stack", "eqtl", "prs"),
    "Interpretation": ("explain", "agreement", "motifs"),
    "Generators": ("generate",),
}  # fmt: skip


def _set_panels() -> None:
    """List commands under what they are for; one that stands nowhere is listed first."""
    panel_of = {name: panel for panel, names in _PANELS.items() for name in names}
    for command in app.registered_commands:
        command.rich_help_panel = panel_of.get(str(command.name))
    for group in app.registered_groups:
        group.rich_help_panel = panel_of.get(str(group.name))


_set_panels()


def main() -> None:
    """Run the command line; an error that Exprimo raises on purpose is one message and exit 2."""
    # --debug is welcome anywhere on the line; the parser wants it first.
    arguments = sorted(sys.argv[1:], key=lambda argument: argument != "--debug")
    try:
        app(arguments)
    except ExprimoError as error:
        if _debug.get():
            raise
        typer.echo(f"exprimo: {error}", err=True)
        raise SystemExit(FAILED) from None
    except SystemExit as ended:
        # The parser turns an interrupt into this, without a word.
        if ended.code == INTERRUPTED:
            typer.echo(
                "exprimo: interrupted; train, generate fit, explain, benchmark and run go on with "
                "--resume; embed, personal, variants and mutagenesis when they are repeated",
                err=True,
            )
        raise
