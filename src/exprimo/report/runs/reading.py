"""Reading the files of a Run or of a benchmark into `Material`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import pandas as pd

from exprimo.core.dataset.variables import TargetKind
from exprimo.core.errors import FormatError, InputError
from exprimo.core.files.versions import check_format_version
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.report.files import needed, read_json, read_table, read_text_table
from exprimo.report.runs.material import (
    Comparison,
    Material,
    ModelFacts,
    Role,
    Score,
    Trained,
    strictest_first,
)

BENCHMARK_FORMAT = 1

_TABLE = ("model", "role", "split", "metric", "unit")
_TABLE_NUMBERS = ("value", "low", "high", "n", "n_groups", "n_seeds")
_PAIRED = ("kind", "split_a", "model_a", "split_b", "model_b", "metric")
_PAIRED_NUMBERS = ("value", "low", "high", "p", "n_groups")
_LEARNING = ("model", "split", "metric")
_LEARNING_NUMBERS = ("seed", "fraction", "n_train", "value")


def read_material(source: str | Path, place: str = "") -> Material:
    """Read a Run, or a benchmark if the folder holds ``benchmark.json``.

    `place` is the folder as seen from the report, with a slash, where they are not one.
    """
    folder = Path(source)
    if (folder / "benchmark.json").is_file():
        return _benchmark(folder, place)
    if folder.is_dir() and not (folder / "provenance.json").is_file():
        raise InputError(
            "neither a run nor a benchmark",
            file=folder,
            found="no provenance.json and no benchmark.json",
            remedy="Give a folder made by: exprimo train, benchmark, dge, explain or run",
        )
    return _single(Run.open(folder), place)


def _single(run: Run, place: str) -> Material:
    metrics, origin = run.metrics, run.provenance
    split = run.split
    path = run.path / "metrics.json"
    model = str(needed(metrics, "model", path))
    role = _role(needed(metrics, "role", path))
    dataset = dict(origin.get("dataset") or {})
    test = needed(metrics, "parts", path).get("test", {})
    unit = str(metrics.get("unit", "example"))
    scores = tuple(
        Score(model, role, split.strategy, name, *_estimate(value), unit=unit, n_seeds=1)
        for name, value in test.items()
    )
    target = str(needed(metrics, "target", path))
    return Material(
        kind="run",
        name=model,
        question=f"How well does {model} predict {target} in examples that it never saw?",
        task=_task(needed(metrics, "task", path), path),
        target=target,
        units=str(metrics.get("units") or ""),
        headline=str(needed(metrics, "headline", path)),
        models=(
            ModelFacts(
                model, role, ", ".join(dataset.get("inputs", {})), metrics.get("n_parameters"), ""
            ),
        ),
        splits=(split.strategy,),
        scores=scores,
        trained=(Trained(model, split.strategy, split.seed, run, metrics, place),),
        split_of={split.strategy: split},
        outside=_outside({split.strategy: metrics.get("outside") or []}, path),
        dataset=dataset,
        command=tuple(map(str, origin.get("command", ()))),
        created=str(origin.get("created", "")),
        exprimo=str(origin.get("exprimo", "")),
        seeds=(split.seed,),
        wall_seconds=metrics.get("train_seconds"),
        place=place,
    )


def _benchmark(folder: Path, place: str) -> Material:
    path = folder / "benchmark.json"
    facts = read_json(path)
    check_format_version(facts.get("format_version"), BENCHMARK_FORMAT, file=path, what="benchmark")
    splits = strictest_first([str(s) for s in needed(facts, "splits", path)])
    if not splits:
        raise FormatError("a benchmark without a split", file=path)
    models = tuple(_model(entry, path) for entry in needed(facts, "models", path))
    seeds = tuple(int(s) for s in facts.get("seeds", (0,)))
    trained, missing = _runs(folder, place, needed(facts, "runs", path), path)
    files = needed(facts, "split_files", path)
    places = {split: str(needed(files, split, path)) for split in splits}
    learning = folder / "learning_curve.tsv"
    ceiling = facts.get("ceiling")
    return Material(
        kind="benchmark",
        name=folder.name,
        question=str(facts.get("question") or ""),
        task=_task(needed(facts, "task", path), path),
        target=str(needed(facts, "target", path)),
        units=str(facts.get("units") or ""),
        headline=str(needed(facts, "headline", path)),
        models=models,
        splits=splits,
        scores=_scores(folder / "table.tsv"),
        comparisons=_comparisons(folder / "paired.tsv"),
        trained=trained,
        missing=missing,
        split_of={
            split: Split.load(file)
            for split in splits
            if (file := folder / f"{places[split]}.parquet").is_file()
        },
        split_files=places,
        dataset=dict(facts.get("dataset") or {}),
        command=tuple(map(str, facts.get("command", ()))),
        created=str(facts.get("created", "")),
        exprimo=str(facts.get("exprimo", "")),
        seeds=seeds,
        ceiling=(float(ceiling["value"]), str(ceiling.get("what", ""))) if ceiling else None,
        outside=_outside(facts.get("outside") or {}, path),
        overlaps={str(k): dict(v) for k, v in (facts.get("overlaps") or {}).items()},
        torn=_torn(folder, places),
        learning=read_table(learning, _LEARNING, _LEARNING_NUMBERS) if learning.is_file() else None,
        learning_verdict=facts.get("learning_curve"),
        wall_seconds=facts.get("wall_seconds"),
        place=place,
    )


def _runs(
    folder: Path, prefix: str, planned: Iterable[Mapping[str, Any]], path: Path
) -> tuple[tuple[Trained, ...], tuple[str, ...]]:
    """Open the Runs on the whole training part; those on a share are in the learning curve."""
    trained, missing = [], []
    for entry in planned:
        place = str(needed(entry, "folder", path))
        if needed(entry, "fraction", path) < 1:
            continue
        if not (folder / place).is_dir():
            missing.append(place)
            continue
        model, split, seed = (needed(entry, key, path) for key in ("model", "split", "seed"))
        run = Run.open(folder / place)
        trained.append(
            Trained(str(model), str(split), int(seed), run, run.metrics, f"{prefix}{place}/")
        )
    return tuple(trained), tuple(missing)


def _scores(path: Path) -> tuple[Score, ...]:
    table = read_table(path, _TABLE, _TABLE_NUMBERS)
    return tuple(
        Score(
            row["model"], _role(row["role"]), row["split"], row["metric"],
            row["value"], row["low"], row["high"],
            _whole(row["n"]), _whole(row["n_groups"]), row["unit"], _whole(row["n_seeds"]),
        )
        for row in table.to_dict("records")
    )  # fmt: skip


def _comparisons(path: Path) -> tuple[Comparison, ...]:
    table = read_table(path, _PAIRED, _PAIRED_NUMBERS)
    return tuple(
        Comparison(
            "split" if row["kind"] == "split" else "model",
            row["split_a"], row["model_a"], row["split_b"], row["model_b"], row["metric"],
            row["value"], row["low"], row["high"], row["p"], _whole(row["n_groups"]),
        )
        for row in table.to_dict("records")
    )  # fmt: skip


def _torn(folder: Path, places: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    found = {}
    for split, place in places.items():
        path = folder / f"{place}.overlaps.tsv"
        if path.is_file():
            found[split] = read_text_table(path)
    return found


def _estimate(entry: Mapping[str, Any]) -> tuple[float, float, float, int, int]:
    value, low, high = (_float(entry.get(key)) for key in ("value", "low", "high"))
    return value, low, high, int(entry.get("n") or 0), int(entry.get("n_groups") or 0)


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _whole(value: float) -> int:
    return 0 if value != value else int(value)


def _role(value: Any) -> Role:
    return "baseline" if value == "baseline" else "model"


def _task(value: Any, path: Path) -> TargetKind:
    for known in get_args(TargetKind):
        if value == known:
            return cast(TargetKind, known)
    raise FormatError(
        "an unknown task", file=path, record="task", found=value,
        expected=" or ".join(get_args(TargetKind)),
    )  # fmt: skip


def _model(entry: Mapping[str, Any], path: Path) -> ModelFacts:
    inputs = entry.get("inputs") or ""
    return ModelFacts(
        str(needed(entry, "name", path)),
        _role(entry.get("role")),
        inputs if isinstance(inputs, str) else ", ".join(map(str, inputs)),
        entry.get("n_parameters"),
        str(entry.get("citation") or ""),
    )


def _outside(found: Mapping[str, Any], path: Path) -> dict[str, list[dict[str, Any]]]:
    """Read how many test examples are unlike those of training; older files do not say it."""
    try:
        return {
            str(split): [
                {"input": str(one["input"]), "share": float(one["share"]), "n": int(one["n"])}
                for one in inputs
                if one["share"] is not None
            ]
            for split, inputs in found.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(
            "not the shares of test examples that are unlike training examples",
            file=path,
            record="outside",
            found=str(error)[:100],
        ) from error
