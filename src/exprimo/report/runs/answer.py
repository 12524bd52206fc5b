"""The answer in three sentences, and the few numbers that stand above it."""

from __future__ import annotations

from typing import NamedTuple

from exprimo.report.runs.material import Comparison, Material, Score, Trained
from exprimo.report.runs.overview import split_pairs
from exprimo.report.wording import (
    ACCURACIES,
    counted,
    interval,
    metric_label,
    number,
    percent,
    percent_with_interval,
    split_claim,
    with_interval,
)

_CHANCE = {"pearson_r": 0.0, "spearman": 0.0, "r2": 0.0, "mcc": 0.0, "auroc": 0.5}
"""What a metric gives by chance: shares of a ceiling are counted from there."""


class Tile(NamedTuple):
    """One number of the answer: what it is, its value, and what stands below it."""

    label: str
    value: str
    detail: str
    source: str


class Answer(NamedTuple):
    """Three sentences with intervals, and the numbers that they rest on."""

    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sources: tuple[str, ...]


def answer(material: Material) -> Answer:
    """Answer the question from the strictest split, saying plainly what is not shown."""
    best = best_model(material)
    if best is None:
        text = f"No {metric_label(material.headline)} could be computed on the test part."
        return Answer((text,), (), (material.scores_file,))
    tiles = [
        Tile(
            f"{metric_label(material.headline)} of {best.model}",
            number(best.value),
            f"95% {interval(best.low, best.high)}",
            material.scores_file,
        ),
        *_ceiling_tile(material, best),
        *_baseline_tile(material, best),
        *_majority_tile(material, best),
        Tile(
            "Test examples", number(best.n), counted(best.n_groups, best.unit), material.scores_file
        ),
    ]
    sentences = (_first(material, best), _second(material, best), _third(material, best))
    sources = [material.scores_file] + [material.file("paired.tsv")] * bool(material.comparisons)
    return Answer(tuple(s for s in sentences if s), tuple(tiles), tuple(sources))


def best_model(material: Material) -> Score | None:
    """Give the headline score of the model that answers.

    It is the one that validation chose, else the best; a baseline only where nothing else ran.
    """
    split = material.answer_split
    if (chosen := material.score(material.chosen, split)) and chosen.value == chosen.value:
        return chosen
    ranked = material.ranked(split, "model") or material.ranked(split)
    return ranked[0] if ranked and ranked[0].value == ranked[0].value else None


def best_baseline(material: Material) -> Score | None:
    """Give the headline score of the best baseline on the answering split."""
    ranked = material.ranked(material.answer_split, "baseline")
    return ranked[0] if ranked else None


def baseline_comparison(material: Material) -> Comparison | None:
    """Give the paired comparison of the best model with the best baseline."""
    best, rival = best_model(material), best_baseline(material)
    if best is None or rival is None or best.role == "baseline":
        return None
    return material.compared(best.model, rival.model, material.answer_split)


def _first(material: Material, best: Score) -> str:
    where = f"{counted(best.n, 'test example')} ({counted(best.n_groups, best.unit)})"
    if best.unit == "example":
        where = counted(best.n, "test example")
    trained = material.of(best.model, best.split)
    leaked = any(t.metrics.get("leaks") for t in trained)
    text = "Leaked, and not to be quoted: on" if leaked else "On"
    text += (
        f" {where} of the {best.split} split ({split_claim(best.split)}), {best.model} predicts "
        f"{_predicted(material, trained)} with {metric_label(material.headline)} "
        f"{with_interval(best.value, best.low, best.high)}"
    )
    if material.ceiling is None:
        return f"{text}; how much could be reached at all is not known here."
    value, what = material.ceiling
    return f"{text}; the ceiling ({what}) is {number(value)}."


def _predicted(material: Material, trained: list[Trained]) -> str:
    """Name the target, and what high means where it was cut."""
    target = f"“{material.target}”"
    cut = (trained[0].metrics.get("above") or {}) if trained else {}
    if cut.get("value") is None:
        return target
    if "by_cell" in cut:
        return f"whether {target} is high (above the {cut['rule']})"
    rule = "" if cut["rule"] == "given" else f", the {cut['rule']}"
    return f"whether {target} is high (above {number(cut['value'])}{rule})"


def _second(material: Material, best: Score) -> str:
    rival = best_baseline(material)
    if best.role == "baseline":
        return (
            f"{best.model} is itself a baseline: this is what little effort reaches, "
            "not what a model can do."
        )
    if rival is None:
        return (
            "No baseline was run beside it, so this number alone does not show that anything "
            "beyond base composition was learned; exprimo benchmark compares."
        )
    against = f"the best baseline, {rival.model} ({with_interval(*rival[4:7])})"
    paired = baseline_comparison(material)
    if paired is None:
        return f"It was not compared, pair by pair, with {against}; that it is better is not shown."
    difference = with_interval(paired.value, paired.low, paired.high)
    if paired.verdict == "better":
        return f"It beats {against}: the paired difference is {difference}."
    if paired.verdict == "worse":
        return f"It is worse than {against}: the paired difference is {difference}."
    why = "no interval can be claimed" if paired.low != paired.low else "the interval includes 0"
    return f"It does not beat {against}: the paired difference is {difference}, and {why}."


def _third(material: Material, best: Score) -> str:
    for pair in split_pairs(material):
        if pair.model_a == best.model and pair.split_b == material.answer_split:
            return _optimism(material, pair)
    verdict = material.learning_verdict
    if verdict and verdict.get("verdict"):
        gain = with_interval(verdict.get("gain"), verdict.get("low"), verdict.get("high"))
        return (
            f"From the learning curve, {verdict['verdict']}: "
            f"the last increase of the data changed it by {gain}."
        )
    trained = material.of(best.model, best.split)
    conformal = trained[0].metrics.get("conformal") if trained else None
    cover = (conformal or {}).get("coverage") or {}
    if conformal and cover.get("value") is not None:
        return (
            f"Its {percent(conformal['level'])} prediction intervals held "
            f"{percent_with_interval(cover['value'], cover.get('low'), cover.get('high'))} of "
            "the test examples."
        )
    return ""


def _optimism(material: Material, pair: Comparison) -> str:
    difference = with_interval(pair.value, pair.low, pair.high)
    facts = material.overlaps.get(pair.split_a, {})
    related = facts.get("test_with_relative_in_train")
    because = ""
    if related is not None and facts.get("n_test"):
        because = (
            f", where {related:,} of {counted(int(facts['n_test']), 'test example')} "
            f"{'has' if related == 1 else 'have'} a near-duplicate in training,"
        )
    if pair.verdict == "undecided":
        return (
            f"A {pair.split_a} split{because} shows no clear difference for the same model: "
            f"{difference}."
        )
    kind = "flatter" if pair.verdict == "better" else "not flatter"
    return (
        f"A {pair.split_a} split{because} would {kind} the same model: the difference is "
        f"{difference}, between two test parts that hold different examples."
    )


def _ceiling_tile(material: Material, best: Score) -> list[Tile]:
    if material.ceiling is None:
        return []
    value, what = material.ceiling
    chance = _CHANCE.get(material.headline)
    share = ""
    if chance is not None and value > chance:
        far = percent((best.value - chance) / (value - chance))
        share = f"; reached {far}" + (f" of the way from {chance:g}" if chance else "")
    return [Tile("Ceiling", number(value), f"{what}{share}", material.facts_file)]


def _baseline_tile(material: Material, best: Score) -> list[Tile]:
    rival = best_baseline(material)
    if rival is None or best.role == "baseline":
        return []
    paired = baseline_comparison(material)
    if paired is None:
        return [
            Tile(
                "Best baseline", number(rival.value), f"{rival.model}, not compared in pairs",
                material.scores_file,
            )
        ]  # fmt: skip
    sign = "+" if paired.value > 0 else ""
    return [
        Tile(
            f"Over {rival.model}",
            sign + number(paired.value),
            f"paired, 95% {interval(paired.low, paired.high)}",
            material.file("paired.tsv"),
        )
    ]


def _majority_tile(material: Material, best: Score) -> list[Tile]:
    scores = (material.score(best.model, best.split, name) for name in ACCURACIES)
    accuracy = next((score for score in scores if score is not None), None)
    trained = material.of(best.model, best.split)
    majority = trained[0].metrics.get("majority") if trained else None
    if accuracy is None or not majority:
        return []
    whole = percent_with_interval(accuracy.value, accuracy.low, accuracy.high)
    return [
        Tile(
            "Accuracy",
            percent(accuracy.value),
            f"95% {whole.partition(' ')[2]}; majority class {percent(majority.get('accuracy'))}",
            f"{trained[0].place}metrics.json",
        )
    ]
