"""The section of a report that says what a network looks at, and which methods to believe."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.report.charts.chart import Chart
from exprimo.report.document.page import Section
from exprimo.report.interpret.faithfulness import faithfulness_charts, with_banner
from exprimo.report.interpret.profile import importance_chart
from exprimo.report.methods.reading import (
    FOLDER,
    INSERTION,
    MOTIFS,
    SUMMARY,
    Explanations,
    find_explanations,
    read_explanations,
)
from exprimo.report.methods.tables import (
    agreement_table,
    methods_table,
    motif_table,
    planted_table,
)
from exprimo.report.motifs.figures import effect_chart
from exprimo.report.wording import counted, listed, number, with_interval

# Bases of a logo that needs the width of the page.
_MOST_LOGOS, _WIDE = 8, 14
_SEQUENCE = "sequence"


class LogoPicture(NamedTuple):
    """A logo of a pattern, inside the page."""

    uri: str
    alt: str
    wide: bool


def methods_section(folder: Path, sharing: int = 1) -> Section | None:
    """Make the section of a study's report; None where nothing was explained by several methods."""
    home = find_explanations(folder)
    if home is None:
        return None
    found = read_explanations(home)
    charts = _charts(found)
    values = {
        "sentences": sentences(found),
        "banner": _banner(found),
        "methods": methods_table(found),
        "agreement": agreement_table(found),
        "planted": planted_table(found),
        "motifs": motif_table(found),
        "motif_words": motif_words(found),
        "insertion_words": insertion_words(found),
        "logos": _logos(found),
        "shown": [chart.key for chart in charts],
        "summary_file": found.file(SUMMARY),
        "logo_file": found.file(f"{MOTIFS}/weights.tsv"),
    }
    title = "What the network looks at"
    return Section(
        FOLDER, title, title, "methods.html.j2", values, charts, styles=("gene.css",)
    )  # fmt: skip


def sentences(found: Explanations) -> list[str]:
    """Say what was explained, which methods recover the planted bases, and which fail a check."""
    summary, table = found.summary, found.methods
    made = table[table["refused"] == ""]
    n = counted(int(made["n"].max()), "test example") if len(made) else "no example"
    said = [
        f"{counted(len(made), 'method')} explained {summary['target']} as {summary['row']} "
        f"predicts it, base by base, on {n} of the {summary['split']} split."
    ]
    if summary.get("simulated") and len(made):
        said.append(_recovery(made))
    failing = made[made["verdict"] == "fails"]
    passing = made[made["verdict"] == "passes"]
    if len(failing):
        words = [f"{row['title']} ({row['failures']})" for _, row in failing.iterrows()]
        said.append(f"A check fails: {listed(words)}.")
    if len(passing):
        every = "Every check passes" if len(passing) == len(made) else "All checks pass"
        said.append(f"{every}: {listed([str(name) for name in passing['title']])}.")
    for _, row in table[table["refused"] != ""].iterrows():
        said.append(f"{row['title']} cannot explain this network: {row['refused']}")
    return said


def _recovery(made: pd.DataFrame) -> str:
    def told(rows: pd.DataFrame) -> str:
        return listed(
            [
                f"{row['title']} {with_interval(row['auroc'], row['auroc_low'], row['auroc_high'])}"
                for _, row in rows.iterrows()
            ]
        )

    yes, rest = made[made["recovers"] == "yes"], made[made["recovers"] != "yes"]
    swapped = number(float(made["auroc_swapped"].mean()), 2)
    words = f" Another example's contributions reach {swapped}."
    parts = [f"recovered by {told(yes)}"] if len(yes) else []
    parts += [f"not shown to be by {told(rest)}"] if len(rest) else []
    return f"Planted bases that act are {', and '.join(parts)} (AUROC per example).{words}"


def motif_words(found: Explanations) -> str:
    """Say what was found of motifs, or what stood in the way."""
    told = found.summary["motifs"]
    if told["in_the_way"]:
        return f"No motifs were looked for: {told['in_the_way'].rstrip('.')}."
    n = 0 if found.motifs is None else len(found.motifs)
    words = f"{counted(n, 'motif')} recur in the contributions of the method that is shown."
    planted = told.get("planted")
    if planted:
        words += f" Found: {planted['found']} of {counted(planted['n'], 'planted motif')}."
    return words


def insertion_words(found: Explanations) -> str:
    """Say what was inserted; empty where nothing was."""
    told = found.summary["insertion"]
    if told.get("refused"):
        return f"No motif was inserted: {str(told['refused']).rstrip('.')}."
    if found.effect is None:
        return ""
    known = " The motifs are those of the file that was named, not found here."
    return (
        "Each motif was put into shuffled sequences, at one place after the other: what it alone "
        f"changes in the prediction.{known if told.get('of') == 'known' else ''}"
    )


def _banner(found: Explanations) -> str:
    return found.best.verdict.banner(_SEQUENCE) if found.best is not None else ""


def _charts(found: Explanations) -> list[Chart]:
    charts: list[Chart] = []
    if found.best is not None:
        profile = importance_chart(found.best)
        if profile is not None:
            charts.append(with_banner(profile, found.best.verdict, _SEQUENCE))
        charts += [c for c in faithfulness_charts(found.best) if c.key == "faithfulness"]
    if found.effect is not None and not found.effect.empty:
        drawn = effect_chart(_with_names(found.effect), str(_scale(found)))
        charts.append(replace(drawn, sources=(found.file(f"{INSERTION}/effect.tsv"),)))
    return charts


def _with_names(effect: pd.DataFrame) -> pd.DataFrame:
    """Call a motif by its id and its name."""
    named = effect["name"].where(effect["name"] != effect["motif"], "")
    return effect.assign(motif=(effect["motif"] + " " + named).str.strip())


def _scale(found: Explanations) -> Any:
    if found.best is not None and found.best.task == "regression":
        return "prediction"
    return "logit"


def _logos(found: Explanations) -> list[LogoPicture]:
    if found.motifs is None:
        return []
    logos = []
    for _, row in found.motifs.head(_MOST_LOGOS).iterrows():
        path = found.folder / MOTIFS / "logos" / f"{row['pattern']}.png"
        if not path.is_file():
            continue
        title = " ".join(filter(None, (row["pattern"], row["name"])))
        banner = _banner(found)
        alt = f"Logo of {title}: {row['consensus']}; bits to the left, contributions to the right."
        logos.append(
            LogoPicture(
                f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}",
                f"{banner}. {alt}" if banner else alt,
                len(row["consensus"]) > _WIDE,
            )
        )
    return logos
