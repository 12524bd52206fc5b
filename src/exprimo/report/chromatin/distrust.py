"""What a sceptical reviewer would ask of a study over cell types, beyond its benchmark."""

from __future__ import annotations

from collections.abc import Iterator

from exprimo.evaluate.grouped import FEWEST_LABELS
from exprimo.report.chromatin.reading import GENE_MEAN, LEAKING_SPLIT, ChromatinFolder
from exprimo.report.chromatin.tables import no_better_within
from exprimo.report.runs.answer import best_baseline
from exprimo.report.runs.distrust import doubts as benchmark_doubts
from exprimo.report.runs.doubt import Doubt, by_weight
from exprimo.report.wording import counted, interval, listed, with_interval

_BY_SEQUENCE = ("kmer_linear", "gc_content")


def study_doubts(study: ChromatinFolder) -> list[Doubt]:
    """Collect every doubt about the study and its benchmark, the serious ones first."""
    return by_weight(
        [
            *_simulated(study),
            *_cell_types(study),
            *_within(study),
            *_gene_mean(study),
            *_better(study),
            *_known_genes(study),
            *_faithful(study),
            *_leaking(study),
            *benchmark_doubts(study.benchmark),
        ]
    )


def _simulated(study: ChromatinFolder) -> Iterator[Doubt]:
    if study.truth:
        yield Doubt(
            "caution",
            "The data are simulated",
            "They test the method; they say nothing about a living cell.",
            "study.json",
        )


def _cell_types(study: ChromatinFolder) -> Iterator[Doubt]:
    factors = study.split.partition(":")[0].split("*")
    if "cell" not in factors:
        yield Doubt(
            "serious",
            "No cell type is new in the test part",
            f"The {study.split} split holds out no cell type, so no number here speaks of cell "
            "types never seen.",
            study.benchmark.split_source(study.split),
        )
        return
    n = len(study.test_cells(study.split))
    if n < FEWEST_LABELS:
        unit = next(iter(study.genes.loc[study.genes["split"] == study.split, "unit"]), "gene")
        yield Doubt(
            "caution",
            f"{counted(n, 'test cell type')}: intervals are over {unit}s",
            f"Fewer than {FEWEST_LABELS} cell types cannot be resampled. The intervals say how far "
            "other genes would move a number, not how far other cell types would; look at each "
            "cell type by itself.",
            "cells.tsv",
        )
    else:
        yield Doubt(
            "checked",
            "Enough test cell types",
            f"{n} of them; means over cell types have intervals over cell types.",
            "cells.tsv",
        )


def _within(study: ChromatinFolder) -> Iterator[Doubt]:
    failing = dict(no_better_within(study))
    if study.row in failing:
        value, low, high = failing[study.row]
        yield Doubt(
            "serious",
            f"{study.row} says nothing of how cell types differ",
            f"Within genes its pooled r is {with_interval(value, low, high)}, no better than "
            f"{GENE_MEAN}, which gives a gene one value everywhere. Its score comes from telling "
            "genes apart.",
            "genes.tsv",
        )
    others = [name for name in failing if name != study.row]
    if others:
        listed_values = [f"{name} {interval(*failing[name][1:])}" for name in others]
        yield Doubt(
            "caution",
            f"{counted(len(others), 'model')} no better within genes than {GENE_MEAN}",
            f"The interval of the pooled r includes 0, or there is none: {listed(listed_values)}.",
            "genes.tsv",
        )
    if not failing:
        yield Doubt(
            "checked",
            "Every model that reads marks tells how cell types differ",
            "Within genes the interval of its pooled r lies above 0.",
            "genes.tsv",
        )


def _known_genes(study: ChromatinFolder) -> Iterator[Doubt]:
    """Warn of baselines that know a gene by its sequence where genes are not held out."""
    if "gene" in study.split or study.split in ("homology", "chromosome"):
        return
    ran = [name for name in _BY_SEQUENCE if study.benchmark.of(name, study.split)]
    if ran:
        yield Doubt(
            "caution",
            f"{listed(ran)} {'knows' if len(ran) == 1 else 'know'} the test genes",
            f"On the {study.split} split every test gene was in training, so a model that reads "
            f"sequence alone can know it again as {GENE_MEAN} does. Its score does not say that "
            "sequence tells more than marks.",
            "benchmark/table.tsv",
        )


def _gene_mean(study: ChromatinFolder) -> Iterator[Doubt]:
    """Doubt rows that the mean of each gene equals, on splits whose test genes it knows."""
    material = study.benchmark
    best = best_baseline(material)
    for split in material.splits:
        pair = material.compared(study.row, GENE_MEAN, split)
        if pair is None or split == LEAKING_SPLIT:
            continue
        if split == study.split and best is not None and best.model == GENE_MEAN:
            continue  # the benchmark's own doubt says it
        told = (
            f"{study.row} minus {GENE_MEAN} on the {split} split: "
            f"{with_interval(pair.value, pair.low, pair.high)}."
        )
        beaten = pair.verdict == "better"
        yield Doubt(
            "checked" if beaten else "serious",
            f"The mean of each gene is {'' if beaten else 'not '}beaten on the {split} split",
            told
            if beaten
            else f"{told} The training mean of each gene, which knows no mark and no cell, may "
            "do as well.",
            material.file("paired.tsv"),
        )


def _better(study: ChromatinFolder) -> Iterator[Doubt]:
    material = study.benchmark
    found = [
        f"{score.model} ({with_interval(pair.value, pair.low, pair.high)})"
        for score in material.ranked(study.split, "model")
        if (pair := material.compared(score.model, study.row, study.split)) is not None
        and pair.verdict == "better"
    ]
    if found:
        yield Doubt(
            "caution",
            f"{counted(len(found), 'model')} better than the one that answers",
            f"Over {study.row}, paired: {listed(found)}. The answer was chosen before the test "
            "part was seen, so it stands.",
            material.file("paired.tsv"),
        )


def _leaking(study: ChromatinFolder) -> Iterator[Doubt]:
    if LEAKING_SPLIT in study.benchmark.splits:
        yield Doubt(
            "serious" if study.split == LEAKING_SPLIT else "caution",
            f"The {LEAKING_SPLIT} split is for comparison only",
            "It deals each pair of gene and cell type for itself, so every test gene and every "
            "test cell type is in training too. Its numbers are not to be quoted.",
            study.benchmark.split_source(LEAKING_SPLIT),
        )


def _faithful(study: ChromatinFolder) -> Iterator[Doubt]:
    """Say whether the network uses what its gradients show."""
    if study.explanation is None:
        return
    told = study.explanation.summary.get("faithfulness") or {}
    verdict = str(told.get("verdict", "unchecked"))
    file = study.explanation.file("faithfulness.json")
    if verdict == "passes":
        yield Doubt(
            "checked",
            "The network uses what its gradients show",
            "Values replaced in the order of their slopes move the output more than in random "
            "order, and a network with randomised weights shows another picture.",
            file,
        )
        return
    failed = listed([str(one) for one in told.get("failures") or ()])
    words = {
        "fails": f"They fail a check: {failed}.",
        "not judged": "Too few independent examples to check them.",
    }
    yield Doubt(
        "serious" if verdict == "fails" else "caution",
        "It is not shown that the network uses what its gradients show",
        words.get(verdict, "They were not checked."),
        file if told else study.explanation.file("interpretation.json"),
    )
