"""The answer of a chromatin study in three sentences, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exprimo.report.charts.forest import verdict_of
from exprimo.report.chromatin.reading import ChromatinFolder, interval_of
from exprimo.report.runs.answer import Answer, Tile
from exprimo.report.runs.answer import answer as benchmark_answer
from exprimo.report.wording import counted, interval, listed, number, with_interval

_BOTH = "cell statistics with k-mers"


def study_answer(study: ChromatinFolder) -> Answer:
    """Say how well the row does, what it beats and what inputs add, and if it tells cells apart."""
    own = benchmark_answer(study.benchmark)
    first, *rest = own.sentences
    said = (first, _compared(study) or next(iter(rest), ""), _within(study))
    return Answer(
        tuple(sentence for sentence in said if sentence),
        (*own.tiles[:-1], *_within_tile(study), *own.tiles[-1:]),
        tuple(dict.fromkeys((*own.sources, "study.json", "genes.tsv"))),
    )


def _compared(study: ChromatinFolder) -> str:
    """Say what the row beats, and what each input adds."""
    against = _grouped(
        study.rivals,
        "less",
        ("It beats {}", "it is not shown to beat {}", "it is worse than {}"),
    )
    # The first steps add an input to the marks alone.
    plain = [step for step in study.steps if step["less"] == "marks"]
    added = _grouped(
        plain,
        "input",
        ("a gain is shown for {}", "no gain is shown for {}", "a loss is shown for {}"),
    )
    beside = f"added to the marks, {'; '.join(added)}" if added else ""
    said = "; ".join(part for part in (*against, beside) if part)
    return f"{said[0].upper()}{said[1:]}: paired on the same test examples." if said else ""


def _grouped(
    steps: list[Mapping[str, Any]], name: str, openings: tuple[str, str, str]
) -> list[str]:
    found = []
    for verdict, opening in zip(("better", "undecided", "worse"), openings, strict=True):
        mine = []
        for step in steps:
            value, low, high = interval_of(step, "difference")
            if verdict_of(low, high) == verdict:
                thing = _BOTH if step[name] == "both" else str(step[name])
                mine.append(f"{thing} ({with_interval(value, low, high)})")
        if mine:
            found.append(opening.format(listed(mine)))
    return found


def _within(study: ChromatinFolder) -> str:
    row = study.within(study.row, study.split)
    if row is None:
        return ""
    cells = counted(row.n_cell_types, "test cell type")
    _, low, high = row.pooled
    best = study.ceiling(study.split, "within_gene")
    ceiling = "" if best is None else f", where the truth itself reaches {number(best[0])}"
    if low > 0:
        opening = "It tells how cell types differ"
    elif high < 0:
        opening = "It orders the cell types of a gene the wrong way round"
    else:
        opening = "It is not shown to tell how cell types differ"
    return (
        f"{opening}: over the {cells} of a gene, each gene's own mean taken off, Pearson r is "
        f"{with_interval(*row.pooled)}{ceiling}."
    )


def _within_tile(study: ChromatinFolder) -> list[Tile]:
    row = study.within(study.row, study.split)
    if row is None:
        return []
    value, low, high = row.pooled
    detail = f"95% {interval(low, high)}; how its cell types differ"
    return [Tile("Pearson r within genes", number(value), detail, "genes.tsv")]
