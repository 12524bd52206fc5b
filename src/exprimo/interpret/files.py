"""The files of an interpretation: a folder of tables, and ``interpretation.json``.

The folder stands in a Run or a study, usually as ``interpretation/``. Each table is there only
where it was made:

- ``importance.tsv``: position relative to the TSS, mean |contribution| with its interval, mean
  contribution; with a known truth the share of examples whose base there is planted.
- ``top_positions.tsv``: position, rank, example, prediction, contribution.
- ``layer_map.tsv``: example_id, x, y, prediction, probability, target.
- ``recovery.tsv``: the AUROC of each example against the bases that act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exprimo.core.errors import InputError, MismatchError
from exprimo.core.files.atomic import atomic_directory
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.evaluate.multiclass import most_likely
from exprimo.interpret.importance import PROFILE_COLUMNS, TopPositions
from exprimo.interpret.recovery import Baseline, Recovery

# 2: the method by name, its settings, convergence; contributions of single examples.
INTERPRETATION_FORMAT = 2
SUMMARY_FILE, MAP_FILE = "interpretation.json", "layer_map.tsv"
PLANTED_COLUMN = "planted"
TOP_COLUMNS = ("position", "rank", "example_id", "prediction", "contribution")
MAP_COLUMNS = ("example_id", "x", "y", "prediction", "probability", "target")

_SIGNIFICANT = "%.7g"


class About(NamedTuple):
    """What an interpretation says of what.

    Attributes
    ----------
    task, output, classes
        Of the model; ``output`` is the one that was explained.
    scale
        Unit of the explained output, as `exprimo.scoring.gradients.output_scale` names it.
    method
        How contributions were made.
    n_examples, part
        How many examples, and which part of the split they are.
    unit
        The independent unit that intervals resample.
    level
        Of the intervals.
    smooth
        Width of the moving mean of the profile in bases; 1: none.
    layer
        Which layer was mapped; None where none was.
    threshold
        From which probability an example is called positive.
    """

    task: Literal["regression", "classification", "multiclass"]
    output: str
    scale: str
    n_examples: int
    part: str = "test"
    classes: tuple[str, ...] = ()
    method: str = "gradient × input"
    unit: str = "gene"
    level: float = 0.95
    smooth: int = 1
    layer: str | None = None
    threshold: float | None = None


class Interpretation(NamedTuple):
    """What is to be written; None is left out."""

    about: About
    profile: pd.DataFrame | None = None
    top: pd.DataFrame | None = None
    layer_map: pd.DataFrame | None = None
    recovery: tuple[Sequence[str], Recovery] | None = None
    """Ids of the examples, and what was found."""
    bins: Mapping[str, pd.DataFrame] = MappingProxyType({})
    """Tables of inputs in bins, by file name."""


def top_table(top: TopPositions, example_ids: Sequence[str]) -> pd.DataFrame:
    """Write top positions out, one row per position and example.

    Parameters
    ----------
    example_ids
        Of all examples that the top was chosen from, in their order.

    Examples
    --------
    >>> top = TopPositions(np.array([-3]), np.array([1]), np.array([1, 0]),
    ...                    np.array([0.2, 0.9]), np.array([[0.5, -1.0]]))
    >>> top_table(top, ["g1", "g2"]).values.tolist()
    [[-3, 1, 'g2', 0.2, 0.5], [-3, 1, 'g1', 0.9, -1.0]]
    """
    n = len(top.examples)
    return pd.DataFrame(
        {
            "position": np.repeat(top.positions, n),
            "rank": np.repeat(top.ranks, n),
            "example_id": np.tile(np.asarray(example_ids)[top.examples], len(top.positions)),
            "prediction": np.tile(top.predictions, len(top.positions)),
            "contribution": top.values.ravel(),
        }
    )


def map_table(
    example_ids: Sequence[str],
    places: NDArray[np.floating],
    predicted: NDArray[np.floating],
    target: NDArray[np.floating],
    about: About,
) -> pd.DataFrame:
    """Put each example's place on a map beside what was predicted and observed.

    ``prediction`` and ``target`` are numbers; of two classes 0 or 1, called at the threshold; of
    several their names. ``probability`` is that of class 1, or of the class that is called;
    absent for numbers. What was not observed is absent.

    Parameters
    ----------
    places
        (n, 2).
    predicted
        The model's means, (n, outputs).
    target
        Observed numbers or codes of classes, (n,), NaN where there is none.

    Examples
    --------
    >>> about = About("classification", "probability", "logit", 2, threshold=0.3)
    >>> map_table(["a", "b"], np.zeros((2, 2)), np.array([[0.2], [0.4]]),
    ...           np.array([0.0, np.nan]), about)[["prediction", "probability"]].values.tolist()
    [[0.0, 0.2], [1.0, 0.4]]
    """
    n = len(example_ids)
    if places.shape != (n, 2) or len(predicted) != n or len(target) != n:
        raise MismatchError(
            "a map and its examples differ in number",
            found=f"{len(places)} places, {len(predicted)} predictions, {len(target)} targets",
            expected=f"{n} of each",
        )
    prediction: Any = predicted[:, 0]
    probability = np.full(n, np.nan)
    observed: Any = target
    if about.task == "classification":
        if about.threshold is None:
            raise InputError("no threshold, so no example can be called", expected="a number")
        probability, prediction = prediction, (prediction >= about.threshold).astype(np.int64)
    elif about.task == "multiclass":
        called = most_likely(predicted)
        probability = predicted[np.arange(n), called]
        prediction = np.asarray(about.classes)[called]
        known = np.isfinite(target)
        codes = np.where(known, target, 0).astype(np.int64)
        observed = np.where(known, np.asarray(about.classes)[codes], "")
    columns = (example_ids, places[:, 0], places[:, 1], prediction, probability, observed)
    return pd.DataFrame(dict(zip(MAP_COLUMNS, columns, strict=True)))


def with_planted(profile: pd.DataFrame, planted: NDArray[np.bool_], tss_index: int) -> pd.DataFrame:
    """Add to a profile the share of examples whose base at each position is planted.

    Examples
    --------
    >>> profile = pd.DataFrame({"position": [-1, 0]})
    >>> with_planted(profile, np.array([[True, False], [True, True]]), 1)["planted"].tolist()
    [1.0, 0.5]
    """
    share = planted.mean(0)[profile["position"].to_numpy() + tss_index]
    return profile.assign(**{PLANTED_COLUMN: share})


def write_interpretation(
    folder: str | Path,
    found: Interpretation,
    *,
    sources: Iterable[str | Path] = (),
    **facts: Any,
) -> Path:
    """Write an interpretation as a new folder, whole or not at all.

    Parameters
    ----------
    folder
        Such as ``RUN/interpretation``; refused where something stands there.
    sources
        Files that were read, for the provenance: the weights, the dataset.
    facts
        Anything else worth keeping, JSON-serialisable.
    """
    target = Path(folder)
    with atomic_directory(target) as partial:
        fill_interpretation(partial, found, sources=sources, **facts)
    return target


def fill_interpretation(
    folder: Path,
    found: Interpretation,
    *,
    sources: Iterable[str | Path] = (),
    more: Mapping[str, Any] | None = None,
    **facts: Any,
) -> None:
    """Write an interpretation's files into a folder that is being made.

    Parameters
    ----------
    sources, facts
        As `write_interpretation` takes them.
    more
        Further entries of ``interpretation.json``.
    """
    tables = {
        "importance.tsv": _checked(found.profile, PROFILE_COLUMNS),
        "top_positions.tsv": _checked(found.top, TOP_COLUMNS),
        MAP_FILE: _checked(found.layer_map, MAP_COLUMNS),
        "recovery.tsv": None,
        **found.bins,
    }
    summary: dict[str, Any] = {"format_version": INTERPRETATION_FORMAT, **found.about._asdict()}
    if found.recovery is not None:
        ids, recovery = found.recovery
        tables["recovery.tsv"] = pd.DataFrame({"example_id": ids, "auroc": recovery.per_example})
        summary["recovery"] = recovery_facts(recovery)
    if all(table is None for table in tables.values()) and more is None:
        raise InputError("nothing was found that could be written", file=folder)
    for name, table in tables.items():
        if table is not None:
            write_table(table, folder / name)
    summary |= dict(more or {})
    summary["provenance"] = describe_origin(sources, **facts)
    write_json(folder / SUMMARY_FILE, summary)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write one table of an interpretation, seven digits of each number."""
    with open(path, "w", encoding="utf-8", newline="") as handle:
        table.to_csv(handle, sep="\t", index=False, float_format=_SIGNIFICANT, lineterminator="\n")


def recovery_facts(recovery: Recovery) -> dict[str, Any]:
    """Give a recovery as plain values for JSON, without the single examples."""
    values: Mapping[str, Any] = recovery._asdict()
    return {
        name: value._asdict() | ({} if isinstance(value, Baseline) else {"metric": "auroc"})
        for name, value in values.items()
        if name != "per_example"
    }


def _checked(table: pd.DataFrame | None, columns: Sequence[str]) -> pd.DataFrame | None:
    if table is not None and (missing := [name for name in columns if name not in table]):
        raise MismatchError(
            "columns are missing from a table",
            found=", ".join(map(str, table)),
            expected=", ".join(missing),
        )
    return table
