"""What a report is made from, read once from the files of a Run or of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import pandas as pd

from exprimo.core.dataset import TargetKind
from exprimo.core.errors import FormatError
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.report.charts.forest import Verdict, verdict_of
from exprimo.report.wording import higher_is_better, strictness

Role = Literal["model", "baseline"]

_HISTORY = ("member", "epoch", "train_loss", "val_loss")


class ModelFacts(NamedTuple):
    """One row of the list of models."""

    name: str
    role: Role
    inputs: str
    n_parameters: int | None
    citation: str


class Score(NamedTuple):
    """One model's metric on the test part of one split."""

    model: str
    role: Role
    split: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    n_groups: int
    unit: str
    n_seeds: int


class Comparison(NamedTuple):
    """The metric of a minus the metric of b, on shared examples where the splits are the same."""

    kind: Literal["model", "split"]
    split_a: str
    model_a: str
    split_b: str
    model_b: str
    metric: str
    value: float
    low: float
    high: float
    p: float
    n_groups: int

    def flipped(self) -> Comparison:
        """Give b minus a."""
        return self._replace(
            split_a=self.split_b,
            model_a=self.model_b,
            split_b=self.split_a,
            model_b=self.model_a,
            value=-self.value,
            low=-self.high,
            high=-self.low,
        )

    @property
    def verdict(self) -> Verdict:
        """Tell whether a is better than b; undecided where 0 lies inside, or no interval is."""
        return verdict_of(self.low, self.high, higher_is_better=higher_is_better(self.metric))


@dataclass(frozen=True)
class Trained:
    """One Run of the material: which model, on which split, with which seed."""

    model: str
    split: str
    seed: int
    run: Run
    metrics: Mapping[str, Any]
    place: str
    """Folder of the Run relative to that of the report, with a slash; empty where they are one."""

    @property
    def role(self) -> Role:
        """Tell whether it is judged as a model or as a baseline."""
        return "baseline" if self.metrics.get("role") == "baseline" else "model"

    def history(self) -> pd.DataFrame:
        """Give one row per epoch and member; empty for models without epochs."""
        table = self.run.history()
        missing = [name for name in _HISTORY if name not in table]
        if missing:
            raise FormatError(
                "columns are missing",
                file=self.run.path / "history.csv",
                found=", ".join(map(str, table.columns)),
                expected=", ".join(_HISTORY),
            )
        return table


@dataclass(frozen=True)
class Material:
    """Everything that a report may say.

    Attributes
    ----------
    splits
        Strategies, strictest first; the answer is given on the first.
    scores, comparisons
        Rows of ``table.tsv`` and ``paired.tsv``; for a single Run the scores of its test part.
    split_of, split_files
        The Split of each strategy; in a benchmark, its path without suffix in the folder.
    outside
        Per strategy, for each input the share of test examples that are unlike training examples.
    overlaps, torn
        Counts per strategy, and the named near-duplicate pairs that it tore apart.
    missing
        Runs that the benchmark lists and that are not there.
    place
        The folder relative to that of the report, with a slash; empty where they are one.
    chosen
        The model that was chosen to answer; empty where nobody chose, and the best on the test
        part answers.
    chosen_how
        How, without the test part.
    """

    kind: Literal["run", "benchmark"]
    name: str
    question: str
    task: TargetKind
    target: str
    units: str
    headline: str
    models: tuple[ModelFacts, ...]
    splits: tuple[str, ...]
    scores: tuple[Score, ...]
    trained: tuple[Trained, ...]
    split_of: Mapping[str, Split]
    dataset: Mapping[str, Any]
    command: tuple[str, ...]
    created: str
    exprimo: str
    split_files: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    comparisons: tuple[Comparison, ...] = ()
    ceiling: tuple[float, str] | None = None
    outside: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    overlaps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    torn: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    learning: pd.DataFrame | None = None
    learning_verdict: Mapping[str, Any] | None = None
    wall_seconds: float | None = None
    missing: tuple[str, ...] = ()
    place: str = ""
    chosen: str = ""
    chosen_how: str = "on validation"

    def file(self, name: str) -> str:
        """Name a file of the folder as the reader of the report finds it."""
        return f"{self.place}{name}"

    @property
    def scores_file(self) -> str:
        """Name the file that holds the scores."""
        return self.file("table.tsv" if self.kind == "benchmark" else "metrics.json")

    @property
    def facts_file(self) -> str:
        """Name the file that says what was run."""
        return self.file("benchmark.json" if self.kind == "benchmark" else "metrics.json")

    def split_source(self, split: str) -> str:
        """Name the file that a split was read from."""
        known = self.kind == "benchmark"
        return self.file(f"{self.split_files[split]}.parquet" if known else "split.parquet")

    @property
    def answer_split(self) -> str:
        """Give the strictest split: the one whose numbers answer the question."""
        return self.splits[0]

    def score(self, model: str, split: str, metric: str | None = None) -> Score | None:
        """Find one score; the headline metric unless another is named."""
        wanted = metric or self.headline
        for score in self.scores:
            if (score.model, score.split, score.metric) == (model, split, wanted):
                return score
        return None

    def ranked(self, split: str, role: Role | None = None) -> list[Score]:
        """List the headline scores on a split, best first; those that are NaN come last."""
        found = [
            s
            for s in self.scores
            if s.split == split and s.metric == self.headline and role in (None, s.role)
        ]
        sign = -1 if higher_is_better(self.headline) else 1
        return sorted(found, key=lambda s: (s.value != s.value, sign * s.value))

    def compared(self, model: str, other: str, split: str) -> Comparison | None:
        """Find the paired comparison of two models on a split, as `model` minus `other`."""
        for c in self.comparisons:
            if c.kind != "model" or c.metric != self.headline or c.split_a != split:
                continue
            if (c.model_a, c.model_b) == (model, other):
                return c
            if (c.model_a, c.model_b) == (other, model):
                return c.flipped()
        return None

    def of(self, model: str, split: str) -> list[Trained]:
        """List the Runs of a model on a split, by seed."""
        return sorted(
            (t for t in self.trained if (t.model, t.split) == (model, split)),
            key=lambda t: t.seed,
        )

    def names_on(self, split: str) -> list[str]:
        """List the models that ran on a split, best first."""
        ranked = [s.model for s in self.ranked(split)]
        rest = [m.name for m in self.models if m.name not in ranked and self.of(m.name, split)]
        return ranked + rest

    def metric_names(self) -> list[str]:
        """List the metrics that the scores hold, the headline first."""
        names = dict.fromkeys(s.metric for s in self.scores)
        return sorted(names, key=lambda name: name != self.headline)


def strictest_first(splits: list[str]) -> tuple[str, ...]:
    """Order strategies from the strictest to `random`, keeping ties as they stand."""
    return tuple(sorted(dict.fromkeys(splits), key=strictness))
