"""What to distrust of an explanation, and what was checked of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exprimo.interpret.faithfulness.verdict import FAITHFULNESS_FILE
from exprimo.interpret.files import SUMMARY_FILE
from exprimo.report.interpret.reading import InterpretationFolder
from exprimo.report.interpret.section import learned_words
from exprimo.report.runs.doubt import Doubt, Weight, by_weight
from exprimo.report.wording import counted, listed, number, percent, with_interval

_SLOPES = ("gradient_x_input", "saliency", "absolute_saliency")


def explanation_doubts(found: InterpretationFolder) -> list[Doubt]:
    """Collect every doubt of an explanation, the serious ones first."""
    return by_weight(
        [_faithfulness(found), *_learned(found), *_sums(found), *_sites(found), *_method(found),
         *_few(found)]
    )  # fmt: skip


def _faithfulness(found: InterpretationFolder) -> Doubt:
    verdict, source = found.verdict, found.file(FAITHFULNESS_FILE)
    word = verdict.word
    if word == "fails":
        failed = listed(list(verdict.failures()))
        text = f"What stands out need not be what the model uses: {failed}."
        return Doubt("serious", "Fails its check of faithfulness", text, source)
    if word == "unchecked":
        text = "Nothing shows that the model uses what stands out. Leave --no-check out."
        return Doubt("serious", "Not checked for faithfulness", text, found.file(SUMMARY_FILE))
    if word == "not judged":
        text = "There are too few independent examples to judge it."
        return Doubt("caution", "Faithfulness is not judged", text, source)
    passed = [check.check.replace("_", " ") for check in verdict.checks if check.passed == "yes"]
    text = f"{counted(len(passed), 'check')} passed: {listed(list(dict.fromkeys(passed)))}."
    return Doubt("checked", "The model uses what is shown", text, source)


def _learned(found: InterpretationFolder) -> Iterator[Doubt]:
    source = found.file(SUMMARY_FILE)
    if found.n_learned or found.summary.get("part") == "train":
        text = f"{learned_words(found)} On examples that are new to the model it may be another."
        yield Doubt("caution", "The model learned from examples that are explained", text, source)
    elif found.n_learned == 0:
        text = "None of the explained examples is in what the run learned from."
        yield Doubt("checked", "No explained example was learned from", text, source)
    elif words := learned_words(found):
        yield Doubt("caution", "What was learned from is not known", words, source)


def _sums(found: InterpretationFolder) -> Iterator[Doubt]:
    known = found.summary.get("convergence")
    if not known:
        return
    limit = (found.summary.get("settings") or {}).get("max_delta")
    share = float(known["share"])
    loose = limit is not None and float(limit) > 0.1
    weight: Weight = "caution" if loose and share > 0.1 else "checked"
    title = "Contributions add up" if weight == "checked" else "Contributions add up badly"
    text = (
        f"Their sum misses the change of the output by {percent(share)} (median "
        f"{number(float(known['missed']))} of {number(float(known['moved']))})."
    )
    yield Doubt(weight, title, text, found.file(SUMMARY_FILE))


def _sites(found: InterpretationFolder) -> Iterator[Doubt]:
    known = found.summary.get("recovery") or {}
    mean, swapped = known.get("mean"), known.get("swapped")
    if not mean or not swapped:
        return
    low = mean["low"]
    finds = low is not None and low > swapped["mean"]
    auroc = with_interval(mean["value"], mean["low"], mean["high"])
    text = f"AUROC {auroc}; {number(swapped['mean'])} with another example's contributions."
    title = "Known sites stand out" if finds else "Known sites do not stand out"
    source = found.file("recovery.tsv")
    yield Doubt("checked" if finds else "caution", title, text, source)


def _method(found: InterpretationFolder) -> Iterator[Doubt]:
    name, source = str(found.summary.get("method_name") or ""), found.file(SUMMARY_FILE)
    if name in _SLOPES:
        text = "Where the output is saturated it is small, whatever the model uses there."
        yield Doubt("caution", "A gradient is a slope", text, source)
    elif name == "attention":
        text = "It has no sign, and need not be what the output depends on."
        yield Doubt("caution", "Attention says what was weighed", text, source)


def _few(found: InterpretationFolder) -> Iterator[Doubt]:
    table = found.profile
    if table is not None and not np.isfinite(table["lower"].to_numpy(float)).any():
        text = f"Importance has no interval: too few of the unit {found.summary['unit']}."
        yield Doubt("caution", "Few independent examples", text, found.file("importance.tsv"))
