"""The benchmarks that a study consists of: pure planning."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from exprimo.core.errors import ConfigError
from exprimo.models.zoo import find_preset, get_spec, trained_network
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.chromatin.config import ROWS, ChromatinStudy
from exprimo.training.fitting import filled_options

_QUESTION = "How much is a gene expressed, told from histone marks{}{}?"


def study_question(study: ChromatinStudy, inputs: Collection[str]) -> str:
    """Give the question of a study.

    Examples
    --------
    >>> study_question(ChromatinStudy(dataset="D.h5"), ("signal",))
    'How much is a gene expressed, told from histone marks, in cell types never seen?'
    """
    own = study.question or study.benchmark.question
    rows = compared_rows(study, inputs)
    reads = any("sequence" in row_inputs(study, row) for row in rows)
    sequence = " and sequence" if reads else ""
    unseen = any("cell" in split.split("*") for split in study.benchmark.splits)
    return own or _QUESTION.format(sequence, ", in cell types never seen" if unseen else "")


def compared_rows(study: ChromatinStudy, inputs: Collection[str]) -> tuple[str, ...]:
    """Give the rows that are asked for; else those whose inputs the dataset has.

    Examples
    --------
    >>> study = ChromatinStudy(dataset="D.h5")
    >>> compared_rows(study, ("signal", "cell_context"))[4:7]
    ('marks', 'marks + cell statistics', 'marks within cells')
    """
    asked = study.benchmark.models
    if "models" in study.benchmark.model_fields_set:
        return asked
    return tuple(row for row in asked if row_inputs(study, row) <= set(inputs))


def row_inputs(study: ChromatinStudy, row: str) -> set[str]:
    """Name the inputs that a row reads, each by what a dataset must hold for it.

    Examples
    --------
    >>> sorted(row_inputs(ChromatinStudy(dataset="D.h5"), "marks + k-mers"))
    ['sequence', 'signal']
    """
    comparison = study.benchmark
    model, own = ROWS.get(row, (comparison.variants.get(row, row), {}))
    spec = get_spec(model)
    preset = find_preset(spec, comparison.presets.get(row))
    options = filled_options({**preset.options, **own}, comparison.options.get(row, {}))
    network, inner = trained_network(spec, spec.config.checked(options))
    # K-mers are counted from the sequence, and genes are known by their ids.
    held_by = {"kmer_bins": "sequence", "gene": None}
    names = (held_by.get(name, name) for name in network.inputs_read(inner))
    return {name for name in names if name is not None}


def study_benchmark(
    study: ChromatinStudy, dataset: str | Path, inputs: Collection[str]
) -> BenchmarkConfig:
    """Plan the rows of the table with their options.

    Parameters
    ----------
    inputs
        Names of the inputs that the dataset holds.

    Examples
    --------
    >>> study = ChromatinStudy(dataset="D.h5")
    >>> config = study_benchmark(study, "D.h5", ("signal", "cell_context", "sequence"))
    >>> config.variants["marks + k-mers"], config.options["marks + k-mers"]
    ('histone_fcn', {'kmers': True})
    """
    values = study.benchmark.model_dump()
    names = compared_rows(study, inputs)
    rows = {name: ROWS[name] for name in names if name in ROWS}
    made = {name: model for name, (model, _) in rows.items() if model != name}
    given = values["options"]
    own = {name: {**options, **given.get(name, {})} for name, (_, options) in rows.items()}
    values |= {
        "dataset": str(dataset),
        "models": names,
        "variants": made | values["variants"],
        "options": {**given, **{name: options for name, options in own.items() if options}},
        "question": study_question(study, inputs),
        # What was learned by heart shows in the loss without dropout, beside the others.
        "fit": {**values["fit"], "evaluate_train": True},
    }
    return BenchmarkConfig.checked(values)


def binary_benchmark(
    study: ChromatinStudy, config: BenchmarkConfig, split: str
) -> BenchmarkConfig | None:
    """Plan the rows that are trained for high or low; None where none is."""
    names = tuple(name for name in study.binary.models if name in config.models)
    if not names:
        return None
    values = config.model_dump()
    of_rows = {
        key: {name: value for name, value in values[key].items() if name in names}
        for key in ("variants", "options", "presets")
    }
    chosen = {
        **of_rows,
        "models": names,
        "splits": (split,),
        "above": "cell-median",
        "fractions": (),
        "rivals": (),
        "ceiling": None,
        "ceiling_source": "",
        "question": "Is a gene high or low within its cell type?",
    }
    return BenchmarkConfig.checked({**values, **chosen})


def explained_row(study: ChromatinStudy, models: Collection[str]) -> str:
    """Give the row to be explained: the one that is named, else the network that reads most.

    Raises
    ------
    ConfigError
        The row that is named is not compared; or none is, and no network reads marks.

    Examples
    --------
    >>> explained_row(ChromatinStudy(dataset="D.h5"), ("bins_ridge", "marks", "deepchrome"))
    'marks'
    """
    wanted = study.interpretation.row
    if wanted in models:
        return wanted
    if "row" in study.interpretation.model_fields_set:
        raise ConfigError(
            "the row to be explained is not compared",
            record="interpretation",
            found=wanted,
            expected=", ".join(models),
        )
    own = tuple(ROWS)
    order = sorted(
        (row for row in models if can_be_explained(study, row)),
        key=lambda row: (-len(ROWS[row][1]), own.index(row)) if row in ROWS else (1, 0),
    )
    if not order:
        raise ConfigError(
            "no network that reads marks is compared, so nothing can be explained",
            record="benchmark.models",
            found=", ".join(models),
            expected=f"such as {wanted}",
        )
    return order[0]


def can_be_explained(study: ChromatinStudy, row: str) -> bool:
    """Tell whether a row is a network with gradients by marks.

    Examples
    --------
    >>> study = ChromatinStudy(dataset="D.h5")
    >>> [can_be_explained(study, row) for row in ("marks", "ridge within cells")]
    [True, False]
    """
    model = ROWS.get(row, (study.benchmark.variants.get(row, row), {}))[0]
    return get_spec(model).kind == "network" and "signal" in row_inputs(study, row)
