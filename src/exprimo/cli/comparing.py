"""The command that compares models: benchmark."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from exprimo.cli.modelling import Device, Settings, Threads, listed
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json, say_benchmark
from exprimo.core.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "benchmark",
        epilog="Example: exprimo benchmark D.h5 --models cnn "
        "--splits random,chromosome,homology --seeds 3 -o B",
    )(_benchmark)


def _benchmark(
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder to write.")],
    models: Annotated[str, typer.Option(help="Names with commas; baselines are added.")] = "cnn",
    splits: Annotated[str, typer.Option(help="Strategies with commas, headline first.")] = "auto",
    seeds: Annotated[int, typer.Option(help="Runs of each network.", min=1)] = 1,
    fractions: Annotated[str, typer.Option(help="Learning curve, such as 0.25,0.5.")] = "",
    target: Annotated[str | None, typer.Option(help="Which target.")] = None,
    test_chroms: Annotated[str, typer.Option(help="Chromosomes that judge: A,B.")] = "",
    val_chroms: Annotated[str, typer.Option(help="Chromosomes that tune: A,B.")] = "",
    test_cells: Annotated[str, typer.Option(help="Cell types that judge: A,B.")] = "",
    val_cells: Annotated[str, typer.Option(help="Cell types that tune: A,B.")] = "",
    preset: Annotated[
        list[str] | None,
        typer.Option(help="Published settings of a model, MODEL=published; repeatable."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes; default: by size.", min=1)] = None,
    ensemble: Annotated[int, typer.Option(help="Members of each network.", min=1)] = 1,
    device: Device = "auto",
    threads: Threads = None,
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what is finished.")] = False,
    as_json: Json = False,
) -> None:
    """Compare models under splits: baselines, paired intervals, counted overlaps, a report."""
    import exprimo
    from exprimo.core.config import settings_from

    values: dict[str, Any] = {
        "seeds": seeds,
        "fractions": _numbers(fractions),
        "target": target,
        "test_chroms": listed(test_chroms),
        "val_chroms": listed(val_chroms),
        "test_cells": listed(test_cells),
        "val_cells": listed(val_cells),
        "ensemble": ensemble,
        "presets": _by_model(preset or ()),
        "fit": {"epochs": epochs},
        "machine": {"device": device, "threads": threads},
    }
    settings_from(values, settings or (), ("dataset", "out", "models", "splits", "resume"))
    with bars():
        done = exprimo.benchmark(
            dataset, out, models=listed(models), splits=listed(splits), resume=resume, **values
        )
    say_benchmark(done, as_json=as_json)


def _by_model(chosen: Iterable[str]) -> dict[str, str]:
    presets = {}
    for text in chosen:
        model, equals, name = text.partition("=")
        if not equals:
            raise ConfigError(
                "not a preset of a model", record="--preset", found=text, expected="cnn2d=published"
            )
        presets[model.strip()] = name.strip()
    return presets


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in listed(text)]
    except ValueError:
        raise ConfigError(
            "not a list of numbers", record="--fractions", found=text, expected="0.25,0.5"
        ) from None
