"""What a sceptical reviewer would ask: each doubt with its evidence, and what was checked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.evaluate.results import FEW_GROUPS
from exprimo.report.runs.answer import baseline_comparison, best_baseline, best_model
from exprimo.report.runs.doubt import Doubt, by_weight
from exprimo.report.runs.material import Material, Trained
from exprimo.report.runs.validity import outside_doubts, validity_doubts
from exprimo.report.wording import (
    counted,
    listed,
    number,
    percent,
    percent_with_interval,
    shortened,
    split_claim,
    with_interval,
)

FEW_TEST_EXAMPLES = 100
FEW_TRAINING_EXAMPLES = 500
_REST = 0.01


class LeakBanner(NamedTuple):
    """What is said at the head of a report whose numbers include leaked examples."""

    title: str
    lines: tuple[str, ...]
    source: str


def doubts(material: Material) -> list[Doubt]:
    """Collect every doubt, the serious ones first."""
    found = [
        *_leaks(material),
        *validity_doubts(material),
        *_baseline(material),
        *_chosen_on_test(material),
        *_torn(material),
        *outside_doubts(material),
        *_size(material),
        *_coverage(material),
        *_training(material),
        *_seeds(material),
        *_missing(material),
        *_purged(material),
    ]
    return by_weight(found)


def leak_banner(material: Material) -> LeakBanner | None:
    """Give the banner where something was judged on what it learned from, or was allowed to be."""
    stamped = [t for t in material.trained if t.metrics.get("leaks")]
    allowed = [t for t in material.trained if t.metrics.get("allow_leak")]
    if not stamped and not allowed:
        return None
    lines = []
    for trained in stamped:
        for leak in trained.metrics["leaks"]:
            lines.append(f"{trained.model} ({trained.split} split): {_leak_text(leak)}")
    if not lines:
        names = listed(sorted({t.model for t in allowed}))
        lines.append(f"--allow-leak was given for {names}; the ledger found no shared keys.")
    first = (stamped or allowed)[0]
    title = (
        "Leak: these numbers include what the model learned from"
        if stamped
        else "The leak check was allowed to fail"
    )
    return LeakBanner(title, tuple(dict.fromkeys(lines)), f"{first.place}metrics.json")


def _leak_text(leak: dict[str, Any]) -> str:
    examples = [shortened(str(key)) for key in leak.get("examples", [])[:5]]
    named = f", such as {listed(examples)}" if examples else ""
    shared = counted(int(leak.get("n", 0)), str(leak.get("unit", "key")))
    return f"{leak.get('fitted', 'something fitted')} learned from {shared} of the test part{named}"


def _leaks(material: Material) -> Iterator[Doubt]:
    leaking = [t for t in material.trained if t.metrics.get("leaks")]
    allowed = [t for t in material.trained if t.metrics.get("allow_leak")]
    if leaking:
        names = listed(sorted({t.model for t in leaking}))
        yield Doubt(
            "serious",
            "Test examples leaked into training",
            f"The ledger found shared keys for {names}; --allow-leak let the evaluation go on. "
            "Do not quote these numbers.",
            f"{leaking[0].place}metrics.json",
        )
    elif allowed:
        yield Doubt(
            "caution",
            "The leak check was allowed to fail",
            "--allow-leak was given; the ledger found no shared keys.",
            f"{allowed[0].place}metrics.json",
        )
    elif material.trained:
        yield Doubt(
            "checked",
            "No leak in the ledger",
            f"{counted(len(material.trained), 'run')}: nothing that the split holds out (genes, "
            "sequences, people, cell types) was learned from.",
            f"{material.trained[0].place}metrics.json",
        )


def _baseline(material: Material) -> Iterator[Doubt]:
    best, rival = best_model(material), best_baseline(material)
    if best is None:
        yield Doubt(
            "serious", "No score", "The test part gave no headline number.", material.scores_file
        )
        return
    if best.role == "baseline":
        return
    if rival is None:
        yield Doubt(
            "caution",
            "No baseline beside it",
            "Composition, length or the mean alone may reach the same number.",
            material.facts_file,
        )
        return
    paired = baseline_comparison(material)
    if paired is None:
        yield Doubt(
            "serious",
            "The best baseline was not compared in pairs",
            f"{best.model} and {rival.model} have no row in the paired table.",
            material.file("paired.tsv"),
        )
    elif paired.verdict == "better":
        yield Doubt(
            "checked",
            "The best baseline is beaten",
            f"{best.model} minus {rival.model}: "
            f"{with_interval(paired.value, paired.low, paired.high)}.",
            material.file("paired.tsv"),
        )
    else:
        yield Doubt(
            "serious",
            f"{rival.model}, a baseline, is not beaten",
            f"{best.model} minus {rival.model}: "
            f"{with_interval(paired.value, paired.low, paired.high)}.",
            material.file("paired.tsv"),
        )


def _chosen_on_test(material: Material) -> Iterator[Doubt]:
    rivals = material.ranked(material.answer_split, "model")
    if len(rivals) > 1 and material.chosen:
        yield Doubt(
            "checked",
            f"The model that answers was chosen {material.chosen_how}",
            f"{material.chosen}, of {len(rivals)} models; the test part had no say.",
            material.facts_file,
        )
    elif len(rivals) > 1:
        yield Doubt(
            "caution",
            "The best model was chosen on the test part",
            f"The best of {len(rivals)} models is named here, so its number is a little too high; "
            f"the second, {rivals[1].model}, reaches "
            f"{with_interval(rivals[1].value, rivals[1].low, rivals[1].high)}.",
            material.scores_file,
        )


def _torn(material: Material) -> Iterator[Doubt]:
    for k, split in enumerate(material.splits):
        facts = material.overlaps.get(split)
        if not facts:
            continue
        torn, pairs = int(facts.get("torn", 0)), int(facts.get("near_duplicate_pairs", 0))
        related, n = int(facts.get("test_with_relative_in_train", 0)), int(facts.get("n_test", 0))
        if torn == 0:
            yield Doubt(
                "checked",
                f"No near-duplicates torn apart by the {split} split",
                f"All {counted(pairs, 'near-duplicate pair')} stay on one side.",
                material.facts_file,
            )
            continue
        share = f" ({percent(related / n)})" if n else ""
        yield Doubt(
            "serious" if k == 0 else "caution",
            f"The {split} split tears {counted(torn, 'near-duplicate pair')}",
            f"{related:,} of {counted(n, 'test example')}{share} "
            f"{'has' if related == 1 else 'have'} a near-duplicate in training"
            + ("." if k == 0 else f"; {material.answer_split} is the split to quote."),
            material.file(f"{material.split_files[split]}.overlaps.tsv")
            if split in material.torn
            else material.facts_file,
        )
    split = material.answer_split
    if split.partition(":")[0] == "random":
        yield Doubt(
            "caution",
            "The split is random",
            split_claim("random").capitalize() + ". A homology split would say more.",
            material.split_source(split),
        )


def _purged(material: Material) -> Iterator[Doubt]:
    split = material.split_of.get(material.answer_split)
    if split is not None and (left := split.counts()["none"]):
        share = percent(left / len(split.part))
        yield Doubt(
            "caution" if left > 0.1 * len(split.part) else "checked",
            f"{counted(left, 'example')} left out by the split",
            f"{share} of all are in no part, so no number here speaks of them.",
            material.split_source(material.answer_split),
        )


def _size(material: Material) -> Iterator[Doubt]:
    best = best_model(material)
    if best is None:
        return
    source = material.scores_file
    if math.isnan(best.low):
        yield Doubt(
            "serious", "No interval", f"Only {counted(best.n_groups, best.unit)} in the test part.",
            source,
        )  # fmt: skip
    elif best.n_groups < FEW_GROUPS:
        yield Doubt(
            "caution",
            "Few independent units",
            f"The interval rests on {counted(best.n_groups, best.unit)}; its width is rough.",
            source,
        )
    if best.n < FEW_TEST_EXAMPLES:
        yield Doubt(
            "caution", "Small test part", f"{counted(best.n, 'example')} with an observed value.",
            source,
        )  # fmt: skip
    split = material.split_of.get(material.answer_split)
    if split is not None and 0 < split.counts()["train"] < FEW_TRAINING_EXAMPLES:
        yield Doubt(
            "caution",
            "Small training part",
            f"{counted(split.counts()['train'], 'example')}; another draw may give another model.",
            material.split_source(material.answer_split),
        )


def _coverage(material: Material) -> Iterator[Doubt]:
    best = best_model(material)
    for trained in material.of(best.model, best.split) if best else []:
        conformal = trained.metrics.get("conformal")
        cover = (conformal or {}).get("coverage") or {}
        value, low, high = (cover.get(key) for key in ("value", "low", "high"))
        if conformal is None or value is None or low is None or high is None:
            continue
        level = float(conformal["level"])
        held = f"{percent_with_interval(value, low, high)} of the test examples"
        kept = low <= level <= high
        yield Doubt(
            "checked" if kept else "caution",
            "Prediction intervals hold what they promise"
            if kept
            else "Prediction intervals miss their promise",
            f"{trained.model}: {percent(level)} intervals held {held}.",
            f"{trained.place}metrics.json",
        )
        return


def _training(material: Material) -> Iterator[Doubt]:
    best = best_model(material)
    unfinished: list[Trained] = []
    with_epochs: list[Trained] = []
    for trained in material.of(best.model, best.split) if best else []:
        history = trained.history()
        if history.empty:
            continue
        with_epochs.append(trained)
        for _, rows in history.groupby("member"):
            losses = rows["val_loss"].to_numpy(dtype=float)
            if np.isfinite(losses).any() and _still_falling(losses):
                unfinished.append(trained)
                break
    if unfinished:
        seeds = listed([str(t.seed) for t in unfinished])
        yield Doubt(
            "caution",
            "Training may have stopped too early",
            f"{unfinished[0].model}: validation loss was still falling in the last epoch "
            f"(seed {seeds}); more epochs may help.",
            f"{unfinished[0].place}history.csv",
        )
    elif with_epochs:
        yield Doubt(
            "checked",
            "Training had come to rest",
            f"{with_epochs[0].model}: the last epoch no longer lowered the validation loss by "
            f"{percent(_REST)} or more.",
            f"{with_epochs[0].place}history.csv",
        )


def _still_falling(losses: npt.NDArray[np.float64]) -> bool:
    """Tell whether the last epoch was the best by so much that another might have been better."""
    if losses.size < 2 or np.nanargmin(losses) != losses.size - 1:
        return losses.size == 1
    return bool(losses[-1] < (1 - _REST) * np.nanmin(losses[:-1]))


def _seeds(material: Material) -> Iterator[Doubt]:
    best = best_model(material)
    if best is not None and best.role == "model" and best.n_seeds < 2:
        yield Doubt(
            "caution",
            "One seed only",
            f"The interval of {number(best.value)} holds no variation from one training "
            "to the next.",
            material.scores_file,
        )


def _missing(material: Material) -> Iterator[Doubt]:
    if material.missing:
        some = listed(list(material.missing[:3]))
        more = "" if len(material.missing) <= 3 else f" and {len(material.missing) - 3} more"
        yield Doubt(
            "caution",
            f"{counted(len(material.missing), 'run')} missing",
            f"Not found: {some}{more}; their curves are not drawn.",
            material.facts_file,
        )
