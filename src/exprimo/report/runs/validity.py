"""What to know of a number before anyone compares it: uneven parts, a dead model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exprimo.report.runs.doubt import Doubt, Weight, by_weight
from exprimo.report.runs.material import Material
from exprimo.report.runs.reading import read_material
from exprimo.report.wording import counted, listed, number, percent
from exprimo.splits.allotment import uneven_notes

# Of examples that are like those of training (see `exprimo.splits.novelty`), and what is much.
_EXPECTED, _MANY, _MOST = 0.01, 0.05, 0.5


def validity_doubts(material: Material) -> Iterator[Doubt]:
    """Give the doubts about each split's parts and about models that predict one value."""
    yield from _uneven(material)
    yield from _constant(material)
    yield from _genes_on_both_sides(material)
    yield from _augmented(material)


def validity_lines(folder: str | Path) -> list[str]:
    """Give the same doubts about a Run or a benchmark as lines for the console."""
    found = by_weight(validity_doubts(read_material(folder)))
    return [f"{doubt.weight.upper()}: {doubt.title}. {doubt.text}" for doubt in found]


def _uneven(material: Material) -> Iterator[Doubt]:
    for name, split in material.split_of.items():
        told = uneven_notes(split)
        if not told:
            continue
        giant = any(note.startswith("giant_") for note in split.notes)
        uneven = any(note.startswith("uneven_") for note in split.notes)
        yield Doubt(
            "serious" if giant and uneven and name == material.answer_split else "caution",
            f"The {name} split has "
            + ("one giant group" if giant else "parts of other sizes than wanted"),
            " ".join(told),
            material.split_source(name),
        )


def _constant(material: Material) -> Iterator[Doubt]:
    dead = [t for t in material.trained if t.role == "model" and t.metrics.get("constant")]
    for model in dict.fromkeys(trained.model for trained in dead):
        runs = [trained for trained in dead if trained.model == model]
        where = listed(sorted({trained.split for trained in runs}))
        yield Doubt(
            "serious",
            f"The predictions of {model} are constant",
            f"Every test example got the same value ({where} split, {counted(len(runs), 'run')}): "
            "the network learned nothing, and its scores are no measure of its inputs. A lower "
            "learning rate, more epochs or another seed may wake it.",
            f"{runs[0].place}metrics.json",
        )


def _genes_on_both_sides(material: Material) -> Iterator[Doubt]:
    """Say of people held out what the examples' genes do to a number over all examples."""
    for name, split in material.split_of.items():
        held = set(split.held_out)
        if "individual" not in held:
            continue
        if "gene" in held:
            yield Doubt(
                "caution",
                f"Most of what the {name} split judges lies between genes",
                "Genes differ more than people do in one gene, so a number over all examples says "
                "little of people. The study individual asks within genes.",
                material.split_source(name),
            )
        else:
            yield Doubt(
                "serious",
                f"The {name} split holds out people, and the same genes stand on both sides",
                "A model that knows each gene's mean scores high there and knows nothing of "
                "people. Hold out genes too (gene*individual), or ask within genes (the study "
                "individual).",
                material.split_source(name),
            )


def _augmented(material: Material) -> Iterator[Doubt]:
    """Say which models learned from generated positives, and what the check of these said."""
    weights: dict[str, Weight] = {"passed": "checked", "not checked": "caution"}
    told: set[tuple[str, str]] = set()
    for trained in material.trained:
        facts = trained.metrics.get("augment")
        if not facts or (trained.model, facts["sha256"]) in told:
            continue
        told.add((trained.model, facts["sha256"]))
        yield Doubt(
            weights.get(facts["fidelity"], "serious"),
            f"{trained.model} learned from {counted(facts['n'], 'generated positive')}",
            f"Made by {facts['family'] or 'an unnamed generator'}, whose check for copies and "
            f"collapse says: {facts['fidelity']}. The training part ({trained.split} "
            f"split) then has {number(facts['ratio'])} positives for each negative, before "
            f"{number(facts['n_positive'] / max(1, facts['n_negative']))}; validation and test "
            "are as they were.",
            f"{trained.place}metrics.json",
        )


def outside_doubts(material: Material) -> Iterator[Doubt]:
    """Say how many test examples of the split that answers are unlike training examples."""
    split = material.answer_split
    found = sorted(material.outside.get(split) or (), key=lambda one: -one["share"])
    if not found:
        return
    n = counted(int(found[0]["n"]), "test example")
    shares = listed([f"{percent(one['share'])} by {one['input']}" for one in found])
    told = (
        f"Of {n} of the {split} split, {shares} lie farther from training examples than 99% of "
        f"other training examples do; {percent(_EXPECTED)} is expected."
    )
    worst = float(found[0]["share"])
    if worst <= _MANY:
        yield Doubt(
            "checked", "Test examples are like training examples", told, material.facts_file
        )
        return
    yield Doubt(
        "serious" if worst > _MOST else "caution",
        "Test examples are unlike training examples",
        f"{told} What is predicted there is a guess beyond the data.",
        material.facts_file,
    )
