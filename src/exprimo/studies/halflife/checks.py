"""What can be refused before any stage has run, and what once the dataset stands."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import numpy as np

from exprimo.core.config import Config
from exprimo.core.dataset import Dataset, TargetInfo
from exprimo.core.errors import ConfigError, ExprimoError, InputError, MismatchError
from exprimo.core.predictor import Backbone
from exprimo.data.textfile import require_file
from exprimo.models import Task, get_spec
from exprimo.models.network import NetworkPredictor
from exprimo.models.pretrained.registry import BUILT_IN
from exprimo.models.zoo import ModelSpec, Shapes, all_specs, find_preset
from exprimo.scoring.embeddings.pooling import positions_per_bin
from exprimo.scoring.layers import empty_batch, layer_outputs
from exprimo.scoring.resolve import resolve_backbone
from exprimo.splits.names import parse_strategy
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.benchmarking.plan import plan_runs
from exprimo.studies.halflife.config import ROWS, HalflifeComparison, HalflifeStudy
from exprimo.studies.halflife.plan import study_benchmark
from exprimo.studies.halflife.truth import check_world
from exprimo.studies.sequence import source_paths

_TRUTH = ("components.tsv", "sites.tsv")


def check_settings(study: HalflifeStudy) -> None:
    """Refuse rows, options, splits and settings of the interpretation that no stage could use.

    Examples
    --------
    >>> check_settings(HalflifeStudy(dataset="D.h5"))
    """
    _check_rows(study.benchmark)
    store = "embeddings" if study.embeddings else None
    config = study_benchmark(study, "dataset.h5", store, None)
    _check_plan(config, study.benchmark.above)
    options = {row: row_options(config, row) for row in config.models}
    for strategy in config.splits:
        if strategy != "auto":
            parse_strategy(strategy)
    _check_explained(study, config, options)


def row_options(config: BenchmarkConfig, row: str) -> tuple[ModelSpec, Config]:
    """Give a row's model with its options: the preset's, and over them those that are set."""
    spec = get_spec(config.entry(row))
    preset = find_preset(spec, config.presets.get(row))
    return spec, spec.config.checked({**preset.options, **config.options.get(row, {})})


def _check_rows(comparison: HalflifeComparison) -> None:
    known = [*ROWS, *comparison.variants, *(spec.name for spec in all_specs())]
    for row in comparison.models:
        if row not in known:
            near = difflib.get_close_matches(row, known, n=1, cutoff=0.5)
            raise ConfigError(
                "no such row",
                record="benchmark.models",
                found=row,
                expected=f"{', '.join(ROWS)}; or a model",
                remedy=f"Did you mean {near[0]}?" if near else "See models with: exprimo models",
            )


def _check_plan(config: BenchmarkConfig, above: object) -> None:
    """Plan for each kind of target that the source may turn out to hold."""
    tasks: tuple[Task, ...] = ("classification",)
    if above == "none":
        tasks = ("regression", "classification")
    refused: ExprimoError | None = None
    for task in tasks:
        try:
            plan_runs(config, task)
        except ExprimoError as error:
            refused = refused or error
        else:
            return
    assert refused is not None
    raise refused


def _check_explained(
    study: HalflifeStudy, config: BenchmarkConfig, options: dict[str, tuple[ModelSpec, Config]]
) -> None:
    row = study.interpretation.row
    if row not in options:
        raise ConfigError(
            "the row to be explained is not compared",
            record="interpretation.row",
            found=row,
            expected=", ".join(config.models),
        )
    spec, own = options[row]
    if spec.kind != "network":
        raise ConfigError(
            "the row to be explained is no network, so it has no gradients",
            record="interpretation.row",
            found=row,
            expected="such as promoter + half-life",
        )
    if not {"sequence", "embedding"} & set(spec.inputs_read(own)):
        raise ConfigError(
            "the row to be explained reads no promoter, so there are no positions to look at",
            record="interpretation.row",
            found=row,
            expected="such as promoter + half-life",
        )


def check_files(study: HalflifeStudy, home: Path) -> None:
    """Refuse files that are not there."""
    if study.dataset is not None:
        require_file(home / study.dataset, "a dataset (dataset)")
    if study.genes is not None:
        values = source_paths(study.genes, home)
        if study.genes.halflife_table is not None:
            values["halflife_table"] = home / study.genes.halflife_table
        for key, value in values.items():
            if isinstance(value, Path):
                require_file(value, f"genes.{key}")
    if study.hdf5 is not None:
        for key in ("train", "val", "test"):
            if (name := getattr(study.hdf5, key)) is not None:
                require_file(home / name, f"an HDF5 file (hdf5.{key})")
    if study.truth is not None:
        for name in _TRUTH:
            require_file(home / study.truth / name, "the truth of a simulated world (truth)")


def backbone_model(study: HalflifeStudy, home: Path) -> str:
    """Give the backbone with its file of weights found from ``home``; text without embeddings.

    Examples
    --------
    >>> from exprimo.studies.halflife.config import Embeddings
    >>> study = HalflifeStudy(dataset="D.h5", embeddings=Embeddings(model="hyenadna-tiny-1k:w"))
    >>> backbone_model(study, Path("/data"))
    'hyenadna-tiny-1k:/data/w'
    """
    if study.embeddings is None:
        return ""
    name, colon, given = study.embeddings.model.partition(":")
    reads_file = name not in BUILT_IN or BUILT_IN[name].reads_file
    return f"{name}:{home / given}" if colon and given and reads_file else study.embeddings.model


def check_backbone(study: HalflifeStudy, home: Path) -> Backbone | None:
    """Refuse a backbone that cannot be opened, or bins and windows that it cannot read."""
    if study.embeddings is None:
        return None
    backbone = resolve_backbone(backbone_model(study, home))
    positions_per_bin(study.embeddings.bin, backbone.stride)
    bases = study.genes.upstream + study.genes.downstream if study.genes else 0
    if bases > backbone.window:
        raise ConfigError(
            "the promoters are longer than what this backbone reads",
            record="genes.upstream + genes.downstream",
            found=f"{bases:,} bases",
            expected=f"at most {backbone.window:,}",
        )
    return backbone


def check_dataset(study: HalflifeStudy, home: Path, data: Dataset, config: BenchmarkConfig) -> None:
    """Refuse a dataset that the rows cannot be compared on."""
    target = data.the_target(study.benchmark.target)
    _check_target(data, target, config.above)
    for row in config.models:
        spec, options = row_options(config, row)
        if spec.network is not None:
            spec, options = spec.network(options)
        missing = set(spec.inputs_read(options)) - {*data.inputs, "embedding"}
        if missing:
            raise MismatchError(
                f"the row {row} reads inputs that the dataset does not hold",
                file=data.path,
                found=", ".join(data.inputs),
                expected=", ".join(sorted(missing)),
                remedy="Build it with --halflife, or leave the row out of benchmark.models",
            )
    for strategy in config.splits:
        _check_columns(data, strategy)
    if study.truth is not None:
        _check_places(data)
        check_world(home / study.truth, data)


def check_layer(
    study: HalflifeStudy, data: Dataset, config: BenchmarkConfig, backbone: Backbone | None
) -> None:
    """Refuse to map a layer that the row to be explained does not have."""
    spec, options = row_options(config, study.interpretation.row)
    if spec.adapt is not None:
        options = spec.adapt(options, len(data))
    known = {name: info.shape for name, info in data.inputs.items()}
    if backbone is not None and study.embeddings is not None:
        bins = -(-known["sequence"][0] // study.embeddings.bin)
        known["embedding"] = (bins, backbone.channels)
    task: Task = "regression" if study.benchmark.above == "none" else "classification"
    shapes = Shapes({name: known[name] for name in spec.inputs_read(options)}, task)
    network = NetworkPredictor([spec.build(options, shapes)], shapes)
    layer_outputs(network, empty_batch(network, 2), layer=study.interpretation.layer)


def _check_target(data: Dataset, target: TargetInfo, above: Any) -> None:
    if target.kind == "multiclass":
        raise ConfigError(
            "this study tells high from low, and the target has several classes",
            file=data.path,
            record=target.name,
            found=", ".join(target.classes),
            expected="numbers, or labels 0 and 1",
        )
    values = data.target(target.name)
    values = values[~np.isnan(values)]
    if not len(values):
        raise InputError("no gene has a value of the target", file=data.path, record=target.name)
    cut = float(np.median(values)) if above == "median" else above
    high = values > (values.min() if cut is None else cut)
    if high.any() and not high.all():
        return
    low, top = float(values.min()), float(values.max())
    told = f"{low:g}" if low == top else f"values from {low:g} to {top:g}, cut at {cut:g}"
    raise InputError(
        "the target holds one value only" if low == top else "the target holds one class only",
        file=data.path,
        record=target.name,
        found=f"{told}, in {len(values):,} genes",
        expected="genes that are high and genes that are low",
        remedy="Choose another target, or another benchmark.above",
    )


def _check_columns(data: Dataset, strategy: str) -> None:
    for factor in () if strategy == "auto" else parse_strategy(strategy):
        column = "gene_id" if factor.kind == "gene" else factor.column
        if column is not None and column not in data.columns:
            raise InputError(
                f"the split {strategy} needs the column {column}",
                file=data.path,
                record="benchmark.splits",
                found=f"columns {', '.join(data.columns)}",
                remedy="Choose another strategy",
            )


def _check_places(data: Dataset) -> None:
    missing = [name for name in ("gene_id", "tss", "strand") if name not in data.columns]
    if missing:
        raise MismatchError(
            "a truth is held against genes of a genome, and this dataset does not place them",
            file=data.path,
            found=f"columns {', '.join(data.columns)}",
            expected=", ".join(missing),
            remedy="Leave truth out",
        )
