"""The answer of a study: does any model beat the baselines, and what stands beside that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exprimo.report.charts.chart import Chart
from exprimo.report.charts.forest import ForestRow, forest, verdict_of
from exprimo.report.dge.tables import finite
from exprimo.report.dge.tables import sentences as dge_sentences
from exprimo.report.document.table import Column, Table, estimate, named
from exprimo.report.runs.answer import Answer, Tile
from exprimo.report.runs.answer import answer as benchmark_answer
from exprimo.report.study.examination import followed
from exprimo.report.study.motifs import ranks_of
from exprimo.report.study.reading import Study
from exprimo.report.wording import (
    counted,
    interval,
    listed,
    metric_label,
    number,
    percent,
    percent_with_interval,
    shortened,
    with_interval,
)


def study_answer(study: Study) -> Answer:
    """Give the verdict, the benchmark's own sentences, and the numbers above them."""
    from_benchmark = benchmark_answer(study.benchmark) if study.benchmark else None
    sentences: list[str] = []
    sources: list[str] = []
    text = str(study.verdict.get("text") or "")
    if from_benchmark is not None:
        first, *rest = from_benchmark.sentences
        # The benchmark's own comparison is with its best baseline alone.
        compared = _compared(study) or text
        sentences += [first, compared, *rest[1:]] if compared else [first, *rest]
        sources += [*from_benchmark.sources, *(["study.json"] if compared else [])]
        if len(sentences) < 3 and (beside := _beside(study)):
            sentences.append(beside[0])
            sources.append(beside[1])
    else:
        sentences += [text] if text else []
        sources += ["study.json"] if text else []
        if study.dge is not None:
            sentences += dge_sentences(study.dge)[1:]
            sources.append(study.dge.file("summary.json"))
    if not sentences:
        sentences.append("No part of this study has been made yet.")
    tiles = list(from_benchmark.tiles) if from_benchmark is not None else []
    return Answer(
        tuple(sentences),
        # The benchmark's first tile is its headline and its last the size of the test part.
        (*tiles[:-1], *_called_tile(study), *_changed_factor_tile(study), *tiles[-1:]),
        tuple(dict.fromkeys(sources)) or ("study.json",),
    )


def _compared(study: Study) -> str:
    """Say how the answering model fares against each baseline, with every interval."""
    model = study.verdict.get("model") or next((row["model"] for row in _rows(study)), None)
    rows = [_forest_row(row) for row in _rows(study) if row["model"] == model]
    rivals = [str(row["baseline"]) for row in _rows(study) if row["model"] == model]
    openings = {
        "better": "It beats",
        "undecided": "It is not shown to beat",
        "worse": "It loses to",
    }
    said = []
    for verdict, opening in openings.items():
        mine = [
            f"{rival} by {with_interval(row.value, row.low, row.high)}"
            if verdict == "better"
            else f"{rival} ({with_interval(row.value, row.low, row.high)})"
            for rival, row in zip(rivals, rows, strict=True)
            if row.verdict == verdict
        ]
        if mine:
            said.append(f"{opening} {listed(mine)}")
    return f"{'; '.join(said).replace('; It', '; it')}: paired on the same genes." if said else ""


def _beside(study: Study) -> tuple[str, str] | None:
    """Say what else tells the label, so that the model's number is not read alone."""
    if study.examination is None or not (known := followed(study.examination)):
        return None
    most = max(known, key=lambda f: abs(f.tested["auroc"] - 0.5))
    alone = with_interval(*most.tested[["auroc", "low", "high"]])
    return (
        f"Among all tested genes {most.covariate} alone, without any promoter, tells the changed "
        f"ones with AUROC {alone}" + ("." if most.tells else ", which is not told from chance."),
        f"{study.examination.place}covariates.tsv",
    )


def _called_tile(study: Study) -> list[Tile]:
    if study.examination is not None:
        facts = study.examination.prevalence
        share = (facts.get("prevalence") or {}).get("value")
        n, tested = facts.get("n_positive"), facts.get("n_tested")
        source = f"{study.examination.place}prevalence.json"
    elif study.dge is not None:
        n = (study.dge.summary.get("calls") or {}).get("n_called")
        tested = study.dge.summary.get("n_tested")
        share = n / tested if n is not None and tested else None
        source = study.dge.file("summary.json")
    else:
        return []
    if share is None or n is None or tested is None:
        return []
    detail = f"{int(n):,} of {counted(int(tested), 'tested gene')}"
    if study.examination is not None:
        low, high = ((facts.get("prevalence") or {}).get(key) for key in ("low", "high"))
        detail = f"95% {percent_with_interval(share, low, high).partition(' ')[2]}; {detail}"
    return [Tile("Called genes", percent(share), detail, source)]


def _changed_factor_tile(study: Study) -> list[Tile]:
    factor, rank = (study.truth.get(key) for key in ("changed_factor", "factor_rank"))
    if factor is None:
        return []
    found = "not found" if rank is None else f"rank {int(rank)}"
    ranks = {} if study.enrichment is None else ranks_of(study.enrichment, str(factor))
    detail = ", ".join(f"{_ordinal(place)} by {test}" for test, place in ranks.items())
    return [
        Tile("Planted factor", found, f"{factor}, {detail or 'among the motifs'}", "study.json")
    ]


def truth_sentences(study: Study) -> dict[str, str]:
    """Say, for each section, how the study compares with what the simulator knows."""
    truth = study.truth
    said = {}
    if dge := truth.get("dge"):
        said["dge"] = (
            f"The world is simulated, so the truth is known: of "
            f"{counted(int(dge.get('n_true') or 0), 'gene')} that truly changed "
            f"{percent(finite(dge.get('recall')))} are called, and "
            f"{percent(finite(dge.get('fdr')))} of the called genes did not change."
        )
    if ceiling := truth.get("ceiling"):
        low, high = ceiling.get("low"), ceiling.get("high")
        about = f" {interval(low, high)}" if low is not None else ""
        said["models"] = (
            f"The ceiling is {number(finite(ceiling.get('value')))}{about}: "
            f"{ceiling.get('what') or 'what the simulator knows, without the noise'}."
        )
    if factor := truth.get("changed_factor"):
        rank = truth.get("factor_rank")
        place = "is not among the motifs found" if rank is None else f"ranks {_ordinal(int(rank))}"
        ranks = {} if study.enrichment is None else ranks_of(study.enrichment, str(factor))
        if ranks:
            each = [f"{_ordinal(at)} by {test}" for test, at in ranks.items()]
            place = f"ranks {listed(each)} among the changed"
        said["motifs"] = f"The factor whose activity truly changed, {factor}, {place}."
    return said


def _ordinal(n: int) -> str:
    if n % 100 in (11, 12, 13):
        return f"{n}th"
    return f"{n}{({1: 'st', 2: 'nd', 3: 'rd'}).get(n % 10, 'th')}"


def _rows(study: Study) -> list[dict[str, Any]]:
    return [dict(row) for row in study.verdict.get("rows") or ()]


def verdict_chart(study: Study) -> Chart | None:
    """Draw each model against each baseline that the verdict speaks of."""
    rows = _rows(study)
    if not rows:
        return None
    label = metric_label(study.benchmark.headline) if study.benchmark else "the headline metric"
    return forest(
        "verdict",
        "Models against the baselines that a reviewer would ask for",
        f"{f'{text} ' if (text := str(study.verdict.get('text') or '')) else ''}"
        "Paired on the same test genes; model minus baseline, 95% intervals. "
        "An interval that includes 0 decides nothing.",
        f"Difference in {label}",
        [_forest_row(row) for row in rows],
        sources=("study.json",),
    )


def _forest_row(row: Mapping[str, Any]) -> ForestRow:
    value, low, high = (finite(row.get(key)) for key in ("difference", "low", "high"))
    name = f"{shortened(str(row['model']), 18)} − {shortened(str(row['baseline']), 18)}"
    return ForestRow(name, value, low, high, verdict_of(low, high))


def verdict_table(study: Study) -> Table | None:
    """Tabulate the rows behind the verdict; a benchmark's table of pairs has them all."""
    rows = _rows(study)
    if not rows or study.benchmark is not None:
        return None
    columns = (
        Column("Model"), Column("Baseline"), Column("Model − baseline", True, "paired"),
        Column("Verdict"),
    )  # fmt: skip
    cells = []
    for row in rows:
        value, low, high = (finite(row.get(key)) for key in ("difference", "low", "high"))
        cells.append(
            (
                named(str(row["model"])), named(str(row["baseline"])),
                estimate(value, low, high), named(verdict_of(low, high)),
            )
        )  # fmt: skip
    caption = "Each model minus each baseline, on the same test genes."
    return Table("verdict", caption, columns, tuple(cells), "study.json")
