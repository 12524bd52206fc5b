"""Help that says where to begin: panels of commands, the order of those of a group."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import typer

from exprimo.cli import main as cli

Call = Callable[..., tuple[int, str, str]]


def test_every_command_stands_in_a_panel_of_the_first_page() -> None:
    names = typer.main.get_command(cli.app).commands
    assert sorted(name for panel in cli._PANELS.values() for name in panel) == sorted(names)


@pytest.mark.parametrize(
    ("group", "steps"),
    [
        ("generate", ("generate fit", "generate sample", "generate check", "train D.h5 --like")),
        ("motifs", ("explain RUN", "motifs find", "motifs insert")),
    ],
)
def test_a_group_tells_the_order_of_its_commands(
    group: str, steps: tuple[str, ...], call: Call
) -> None:
    _, out, _ = call(group, "-h")
    places = [out.index(f"exprimo {step}") for step in steps]
    assert places == sorted(places)


def test_explaining_by_mutagenesis_and_the_command_name_each_other(call: Call) -> None:
    assert "exprimo mutagenesis" in " ".join(call("explain", "-h")[1].split())
    assert "explain with --method mutagenesis" in " ".join(call("mutagenesis", "-h")[1].split())
