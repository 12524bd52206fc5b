"""Commands of single models: models, train, predict, evaluate."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from exprimo.cli.output import say, table, with_interval
from exprimo.cli.progress import bars
from exprimo.cli.studying import Json, say_run

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, or several with commas.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads; default: all.", min=1)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other setting, key.sub=value; repeatable."),
]


Model = Annotated[
    str | None,
    typer.Option(
        "-m",
        "--model",
        help="From: exprimo models; default: cnn, or histone_fcn where there is signal.",
    ),
]
Strategy = Annotated[
    str,
    typer.Option(
        help="auto, random, chromosome, homology, gene, cell, individual, example, "
        "column:NAME, or a cross such as gene*cell."
    ),
]
Preset = Annotated[str | None, typer.Option(help="Published settings; see: exprimo models NAME.")]
Above = Annotated[
    str | None,
    typer.Option(help="Learn high or low: above the median, the cell-median, or a number."),
]
Augment = Annotated[
    Path | None,
    typer.Option(help="Generated positives to learn from, of: exprimo generate sample."),
]
Ratio = Annotated[
    float | None,
    typer.Option(help="With --augment: positives for each negative; default: 1."),
]
Like = Annotated[
    Path | None,
    typer.Option(help="Train as this run was: same split, target, model and settings."),
]
Insist = Annotated[
    bool,
    typer.Option("--insist", help="With --augment: although its check failed, or is not done."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of weights, order, augmentation; default: 0.")]
Embeddings = Annotated[
    Path | None, typer.Option(help="A store from exprimo embed, for models that read it.")
]


# Arguments of train that are no settings.
_NAMED = ("dataset", "out", "model", "like", "resume", "allow_leak")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("models", epilog="Example: exprimo models cnn")(_models)
    app.command(
        "train", epilog="Example: exprimo train D.h5 --model cnn --split chromosome -o RUN"
    )(_train)
    app.command("predict", epilog="Example: exprimo predict RUN D.h5 -o P.parquet")(_predict)
    app.command("evaluate", epilog="Example: exprimo evaluate RUN -o METRICS.json")(_evaluate)


def _models(
    name: Annotated[str | None, typer.Argument(help="Show one with its options.")] = None,
    as_json: Json = False,
) -> None:
    """List the zoo: what each model reads, its size, and where it comes from."""
    import exprimo

    entries = exprimo.models(name)
    if name is not None:
        entry = entries[0]
        lines = [f"{entry['name']}: {entry['summary']}", ""]
        for key, option in entry["options"].items():
            default = "by size" if option["default"] is None else option["default"]
            lines.append(f"{key} (default: {default})")
            lines += textwrap.wrap(
                option["meaning"], 92, initial_indent="    ", subsequent_indent="    "
            )
        for key, preset in entry["presets"].items():
            lines += ["", f"preset {key}: {preset['note']}"]
            for part in ("options", "fit"):
                told = ", ".join(f"{k}={_told(v)}" for k, v in preset[part].items())
                lines += textwrap.wrap(
                    f"{part}: {told or 'as by default'}",
                    92,
                    initial_indent="    ",
                    subsequent_indent="        ",
                )
        lines += ["", *textwrap.wrap(entry["citation"], 96)]
    else:
        lines = table(
            [
                [
                    e["name"],
                    e["kind"],
                    ", ".join(e["inputs"]) or "none",
                    _sizes(e["n_parameters_few"], e["n_parameters"]),
                    e["summary"],
                ]
                for e in entries
            ],
            ["model", "kind", "inputs", "parameters", "what it is"],
        )
        lines += [
            "",
            "Parameters are counted for a window of 600 bases, or five marks in 100 bins.",
            "Two numbers: the size follows that of the training examples (few to many).",
        ]
    say(lines, {"models": entries}, as_json=as_json)


def _sizes(few: int | None, many: int | None) -> str:
    if not few or not many:
        return "-"
    return f"{many:,}" if few == many else f"{few:,} to {many:,}"


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}={_told(v)}" for k, v in value.items()) + "}"
    return str(value)


def _train(
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The run's folder.")],
    model: Model = None,
    like: Like = None,
    preset: Preset = None,
    target: Annotated[str | None, typer.Option(help="Which target.")] = None,
    above: Above = None,
    embeddings: Embeddings = None,
    split: Strategy = "auto",
    test_chroms: Annotated[str, typer.Option(help="Chromosomes that judge: A,B.")] = "",
    val_chroms: Annotated[str, typer.Option(help="Chromosomes that tune: A,B.")] = "",
    test_cells: Annotated[str, typer.Option(help="Cell types that judge: A,B.")] = "",
    val_cells: Annotated[str, typer.Option(help="Cell types that tune: A,B.")] = "",
    seed: Seed = None,
    ensemble: Annotated[int | None, typer.Option(help="Members; default: 1.", min=1)] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes; default: by size.", min=1)] = None,
    reverse_complement: Annotated[
        Literal["none", "augment", "average", "both"] | None,
        typer.Option(help="Read both strands; for strand-symmetric assays; default: none."),
    ] = None,
    shift: Annotated[
        int | None,
        typer.Option(help="Shift by up to N bases in training; default: by size.", min=0),
    ] = None,
    augment: Augment = None,
    ratio: Ratio = None,
    insist: Insist = False,
    device: Device = "auto",
    threads: Threads = None,
    settings: Settings = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after a kill.")] = False,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="For demonstrations; stamps the report.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train one model and write its run: weights, predictions, metrics, report."""
    import exprimo
    from exprimo.core.config import settings_from

    values: dict[str, Any] = {
        "preset": preset,
        "target": target,
        "above": above,
        "embeddings": None if embeddings is None else str(embeddings),
        "seed": seed,
        "ensemble": ensemble,
        "split": _split_settings(split, test_chroms, val_chroms, test_cells, val_cells),
        "fit": {"epochs": epochs, "reverse_complement": reverse_complement, "shift": shift},
        "augment": _augment_settings(augment, ratio, insist),
        "machine": {"device": device, "threads": threads},
    }
    settings_from(values, settings or (), _NAMED)
    with bars():
        run = exprimo.train(
            dataset, out, model=model, like=like, resume=resume, allow_leak=allow_leak, **values
        )
    say_run(run, as_json=as_json)


def _augment_settings(sample: Path | None, ratio: float | None, insist: bool) -> dict[str, Any]:
    return {
        "sample": None if sample is None else str(sample),
        "ratio": ratio,
        # Not given is not a no: a run that this one is like may have insisted.
        "insist": insist or None,
    }


def _split_settings(
    split: str, test_chroms: str, val_chroms: str, test_cells: str, val_cells: str
) -> dict[str, Any]:
    # Naming chromosomes or cell types is asking for that split.
    asked = "chromosome" if test_chroms else "cell" if test_cells else "auto"
    return {
        "strategy": asked if split == "auto" else split,
        "test_chroms": listed(test_chroms),
        "val_chroms": listed(val_chroms),
        "test_cells": listed(test_cells),
        "val_cells": listed(val_cells),
    }


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _predict(
    model: Annotated[str, typer.Argument(help="RUN, NAME or NAME:FILE.")],
    dataset: Annotated[Path, typer.Argument(help="The dataset, an .h5 file.")],
    out: Annotated[Path, typer.Option("-o", "--out", help=".parquet, .tsv, .csv or .json.")],
    target: Annotated[str | None, typer.Option(help="Observed target to put beside.")] = None,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Add the conformal interval's ends.")
    ] = False,
    format: Annotated[
        Literal["parquet", "tsv", "csv", "json", "jsonl"] | None,
        typer.Option(help="Whatever the suffix of the file."),
    ] = None,
    columns: Annotated[
        str,
        typer.Option(help="Only these: id,TARGET for a submission; NEW=COLUMN to rename."),
    ] = "",
    embeddings: Annotated[
        Path | None, typer.Option(help="Another store of embeddings than the run's own.")
    ] = None,
    precision: Annotated[
        Literal["fp32", "bf16"] | None,
        typer.Option(help="Of the arithmetic; default: that of the run's training."),
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Predict every example of a dataset."""
    import exprimo

    with bars():
        done = exprimo.predict(
            model,
            dataset,
            out,
            target=target,
            intervals=intervals,
            format=format,
            columns=listed(columns),
            embeddings=embeddings,
            precision=precision,
            device=device,
            threads=threads,
        )
    lines = [f"Wrote {done.n_examples:,} predictions to {done.path}"]
    say(lines, {"path": done.path, "n_examples": done.n_examples}, as_json=as_json)


def _evaluate(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    dataset: Annotated[Path | None, typer.Argument(help="Other data; default: its own.")] = None,
    on: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(help="Part of its own dataset; default: test."),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write JSON here.")] = None,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Show the number in spite of a leak.")
    ] = False,
    embeddings: Annotated[
        Path | None, typer.Option(help="Another store of embeddings than the run's own.")
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    as_json: Json = False,
) -> None:
    """Judge a run on its test part, or on other data after the leak check."""
    import exprimo

    with bars():
        found = exprimo.evaluate(
            run,
            dataset,
            on=on,
            out=out,
            allow_leak=allow_leak,
            embeddings=embeddings,
            device=device,
            threads=threads,
        )
    lines = [f"{found.run.name} on {found.part} of {found.dataset} ({found.n_examples:,} examples)"]
    lines += [f"  {with_interval(name, e)}" for name, e in found.metrics.items()]
    if found.leaks:
        lines.append("  LEAK: the run learned from part of these examples")
    if out is not None:
        lines.append(f"Wrote {out}")
    say(lines, found._asdict(), as_json=as_json)
