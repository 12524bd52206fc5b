"""Check an explanation against the model: every check, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import SEQUENCES
from exprimo.core.predictor import Batch
from exprimo.core.progress import task
from exprimo.evaluate.results import Estimate, FloatArray
from exprimo.interpret.attributions.method import MethodName
from exprimo.interpret.faithfulness.alike import alike, rank_correlation, swaps
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.faithfulness.curves import Curves, deletion_by, deletion_curves, grid
from exprimo.interpret.faithfulness.means import mean_estimate, mean_interval
from exprimo.interpret.faithfulness.randomised import STAGES, Stage, randomised, with_members
from exprimo.interpret.faithfulness.subject import ToCheck, outputs_of
from exprimo.interpret.faithfulness.verdict import (
    CURVE_COLUMNS,
    Check,
    Verdict,
    judged,
    unjudged,
    write_verdict,
)
from exprimo.interpret.recovery import Recovery

_UNSIGNED: tuple[MethodName, ...] = ("absolute_saliency", "attention")
_MOST_MEMBERS = 5

Chosen = npt.NDArray[np.int64]


def check_explanation(
    folder: Path,
    explained: ToCheck,
    settings: CheckConfig | None = None,
    recovery: Recovery | None = None,
) -> Verdict:
    """Check an explanation and write the verdict into its folder.

    Parameters
    ----------
    recovery
        How well importance tells known sites, where they are known.
    """
    settings = settings or CheckConfig()
    checks: list[Check] = []
    curves: list[pd.DataFrame] = []
    again = _Again(explained, settings)
    names = explained.found.inputs
    with task("Checking", len(names) + len(again.steps)) as bar:
        untrained = again.make(bar.advance)
        for name in names:
            found = _curves(explained, settings, name, untrained.all_layers)
            if found is not None:
                checks += found.checks
                curves.append(found.table)
            checks += untrained.checks(name)
            bar.advance(1)
    if recovery is not None:
        checks.append(_known_sites(recovery))
    verdict = Verdict(tuple(checks))
    table = pd.concat(curves, ignore_index=True) if curves else None
    write_verdict(folder, verdict, settings.model_dump(mode="json"), table)
    return verdict


class _Judged(NamedTuple):
    """Curves of one input: what they say, and the table that a figure is made of."""

    checks: list[Check]
    table: pd.DataFrame


def _curves(
    explained: ToCheck,
    settings: CheckConfig,
    name: str,
    untrained: tuple[Chosen, Mapping[str, FloatArray]] | None,
) -> _Judged | None:
    """Judge deletion and insertion of one input, and deletion by an untrained network's order."""
    read = sum(int(np.prod(info.shape)) for info in explained.dataset.inputs.values())
    positions = explained.contributions(name, np.array([0], dtype=np.int64)).shape[1]
    if positions < 2:
        return None  # one number has no order that could be wrong
    n_read = read * len(grid(settings.shares, positions)) * 3 * settings.references
    chosen = explained.evenly(max(1, min(settings.examples, settings.numbers // n_read)))
    batch = explained.batch(chosen)
    if np.asarray(batch[name])[0].size != positions:
        return None  # the network reads other numbers than are stored
    # Where numbers are explained by slopes, these do not say which way a value moves the output.
    slopes = explained.config.method == "saliency" and name not in SEQUENCES
    options: dict[str, Any] = {
        "shares": settings.shares,
        "signed": explained.config.method not in _UNSIGNED and not slopes,
        "seed": settings.seed,
    }
    given = np.asarray(batch[name]).reshape(len(chosen), -1)
    references = explained.references(name, batch, settings.references, settings.seed)
    outputs = outputs_of(explained.subject, batch, name)
    contributions = explained.contributions(name, chosen)
    found = deletion_curves(contributions, given, references, outputs, **options)
    units = explained.units.of(chosen)
    scale = _scale(found)
    checks = [
        judged(
            "deletion", name, mean_estimate(found.area(found.deletion), units), 0.0,
            "Area between the curves of deletion in the explanation's order and in random order"
            f"{scale}.",
            "deletes no better than random order",
        ),
        judged(
            "insertion", name, mean_estimate(found.area(found.insertion), units), 0.0,
            f"The same for insertion into references{scale}.",
            "inserts no better than random order",
        ),
        unjudged(
            "deletion of a tenth", name, mean_estimate(found.tenth, units), 0.0,
            f"What deleting the first tenth does beyond a random tenth{scale}.",
        ),
    ]  # fmt: skip
    asked = _Asked(explained, name, chosen, batch, references, options)
    if untrained is not None and name in untrained[1]:
        checks.append(asked.beside(found, *untrained))
    return _Judged(checks, _table(name, found, explained, chosen))


class _Asked(NamedTuple):
    """What curves of one input were made of."""

    explained: ToCheck
    name: str
    chosen: Chosen
    batch: Batch
    references: npt.NDArray[Any]
    options: Mapping[str, Any]

    def beside(self, found: Curves, rows: Chosen, other: Mapping[str, FloatArray]) -> Check:
        """Compare deletion with that in the order of an untrained network's contributions."""
        here = np.flatnonzero(np.isin(self.chosen, rows))
        batch = {name: values[here] for name, values in self.batch.items()}
        by_other = deletion_by(
            other[self.name][np.searchsorted(rows, self.chosen[here])],
            np.asarray(batch[self.name]).reshape(len(here), -1),
            self.references[here],
            outputs_of(self.explained.subject, batch, self.name),
            **self.options,
        )
        less = found.deleted[here] - by_other
        ahead = found.area(-less if found.signed else less)
        return judged(
            "deletion beside an untrained network", self.name,
            mean_estimate(ahead, self.explained.units.of(self.chosen[here])), 0.0,
            "Area between the curves of deletion in the explanation's order and in that of the "
            f"same method on the network with all layers randomised{_scale(found)}.",
            "ranks positions no better than an untrained network",
        )  # fmt: skip


def _scale(found: Curves) -> str:
    return "" if found.signed else ", of the size of the output's change"


def _table(name: str, found: Curves, explained: ToCheck, chosen: Chosen) -> pd.DataFrame:
    units = explained.units.of(chosen)
    parts = []
    for curve, order, values in (
        ("deletion", "explained", found.deleted),
        ("deletion", "random", found.at_random),
        ("insertion", "explained", found.inserted),
        ("insertion", "random", found.inserted_at_random),
    ):
        low, high = mean_interval(values, units)
        columns = (name, curve, order, found.shares, values.mean(0), low, high)
        parts.append(pd.DataFrame(dict(zip(CURVE_COLUMNS, columns, strict=True))))
    return pd.concat(parts, ignore_index=True)


class _Untrained(NamedTuple):
    """What the method says of untrained networks, and of each member.

    Attributes
    ----------
    chosen
        Numbers of the examples.
    stages
        Stage -> contributions of each draw, by input.
    members
        Contributions of each member, by input.
    trained
        Contributions of the explained network, by input.
    explained, settings
        What is checked, and how.
    """

    chosen: Chosen
    stages: Mapping[Stage, list[dict[str, FloatArray]]]
    members: list[dict[str, FloatArray]]
    trained: Mapping[str, FloatArray]
    explained: ToCheck
    settings: CheckConfig

    @property
    def all_layers(self) -> tuple[Chosen, Mapping[str, FloatArray]] | None:
        """Give the examples and contributions of a network that has lost everything."""
        found = self.stages.get("all layers")
        return (self.chosen, found[0]) if found else None

    def checks(self, name: str) -> list[Check]:
        """Judge what concerns one input."""
        checks = [
            self._stage(name, stage, [one[name] for one in draws])
            for stage, draws in self.stages.items()
            if name in draws[0]
        ]
        if len(self.members) > 1:
            checks.append(self._members(name))
        return checks

    def _stage(self, name: str, stage: Stage, draws: list[FloatArray]) -> Check:
        size = abs(self.trained[name])
        units = self.explained.units.of(self.chosen)
        found = np.mean([rank_correlation(size, abs(one)) for one in draws], axis=0)
        swapped = float(
            np.mean(
                [
                    rank_correlation(size, abs(one[by])).mean()
                    for one in draws
                    for by in swaps(len(size), self.settings.seed)
                ]
            )
        )
        estimate = mean_estimate(found, units)
        words = (
            f"Rank correlation of |contributions| with those of the network with randomised "
            f"weights ({stage})"
        )
        if stage != "all layers":
            return unjudged(f"randomised weights: {stage}", name, estimate, swapped, f"{words}.")
        most = self.settings.most_correlation
        return judged(
            f"randomised weights: {stage}", name, estimate, swapped,
            f"{words}; it passes below {most:g}.",
            "looks much the same of an untrained network", at_most=most,
        )  # fmt: skip

    def _members(self, name: str) -> Check:
        units = self.explained.units.of(self.chosen)
        pairs = [
            (one[name], other[name])
            for i, one in enumerate(self.members)
            for other in self.members[:i]
        ]
        size = np.mean([rank_correlation(abs(a), abs(b)) for a, b in pairs], axis=0)
        swapped = [alike(a, b, units, seed=self.settings.seed).size_swapped for a, b in pairs]
        return judged(
            "agreement of members", name, mean_estimate(size, units), float(np.mean(swapped)),
            f"Rank correlation of |contributions| of {len(self.members)} members, mean over "
            "pairs; it passes above that of swapped examples.",
            "members of the ensemble do not agree",
        )  # fmt: skip


class _Again:
    """Explains some examples again, of other networks."""

    def __init__(self, explained: ToCheck, settings: CheckConfig) -> None:
        self.explained, self.settings = explained, settings
        self.network = explained.subject.network
        self.steps: list[tuple[Stage, int]] = []
        self.n_members = 0
        if self.network is not None:
            self.steps = [(stage, 0) for stage in STAGES]
            self.steps += [("all layers", draw) for draw in range(1, settings.draws)]
            self.n_members = min(len(self.network.members), _MOST_MEMBERS)

    def make(self, advance: Any) -> _Untrained:
        """Explain them."""
        explained, settings = self.explained, self.settings
        # Out of those whose curves are made, so that both can be compared.
        curved = explained.evenly(settings.examples)
        chosen = curved[np.unique(np.linspace(0, len(curved) - 1, settings.randomised).astype(int))]
        stages: dict[Stage, list[dict[str, FloatArray]]] = {}
        members: list[dict[str, FloatArray]] = []
        network = self.network
        if network is not None:
            for stage, draw in self.steps:
                lost = randomised(network, stage, settings.seed + draw)
                stages.setdefault(stage, []).append(explained.again(lost, chosen))
                advance(1)
            if self.n_members > 1:
                members = [
                    explained.again(with_members(network, [member]), chosen)
                    for member in network.members[: self.n_members]
                ]
        trained = {name: explained.contributions(name, chosen) for name in explained.found.inputs}
        return _Untrained(chosen, stages, members, trained, explained, settings)


def _known_sites(recovery: Recovery) -> Check:
    found: Estimate = recovery.mean
    return judged(
        "known sites", "sequence", found, recovery.swapped.upper,
        "AUROC of |contributions| against the bases of known sites, per example; it passes above "
        "95% of draws in which examples are swapped.",
        "finds known sites no better than another example's importance",
    )  # fmt: skip
