"""The section of a Run's page that shows an explanation which was written into the Run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from exprimo.report.document.page import Section
from exprimo.report.document.table import Column, Table, named, quantity
from exprimo.report.files import read_table
from exprimo.report.interpret.figures import interpretation_charts
from exprimo.report.interpret.reading import (
    InterpretationFolder,
    is_interpretation,
    read_interpretation,
)
from exprimo.report.wording import counted, listed, percent, with_interval

FOLDER = "interpretation"
_FEATURES = "features.tsv"
_MOST_FEATURES = 50


def interpretation_section(folder: Path, sharing: int = 1) -> Section | None:
    """Show RUN/interpretation on a Run's own page; None of other folders, and where none is.

    Examples
    --------
    >>> interpretation_section(Path("no run")) is None
    True
    """
    own = folder / FOLDER
    # Studies show theirs themselves, in the place that suits them.
    if not (folder / "metrics.json").is_file() or not is_interpretation(own):
        return None
    found = read_interpretation(own, f"{FOLDER}/")
    charts = interpretation_charts(found)
    keys = [chart.key for chart in charts]
    values = {
        "sentences": sentences(found),
        "wide": [key for key in keys if not key.startswith("map_")],
        "maps": [key for key in keys if key.startswith("map_")],
        "features": _features(own, found),
        "files": [
            found.file(name)
            for name in ("interpretation.json", "faithfulness.json")
            if (own / name).is_file()
        ],
    }
    title = "What the model looks at"
    return Section(FOLDER, title, title, "interpretation.html.j2", values, charts)


def sentences(found: InterpretationFolder) -> list[str]:
    """Say what was explained, and whether to believe it."""
    told, part = found.summary, found.summary.get("part") or "test"
    which = "examples" if part == "all" else f"{part} examples"
    of = told.get("n_of")
    many = f" of {of:,}" if of and of > told["n_examples"] else ""
    inputs = listed([str(name) for name in told.get("inputs") or ()])
    read = f" by {inputs}" if inputs else ""
    n = f"{told['n_examples']:,}{many} {which}"
    said = [f"{found.method} of {found.explained}{read}, {n}, per {found.summary['scale']}."]
    if part in ("train", "all"):
        said.append("Some of these examples were learned from: what is found holds for them.")
    share = (told.get("convergence") or {}).get("share")
    if share is not None:
        said.append(
            f"Contributions miss the change of the output by {percent(float(share))} (median)."
        )
    known = (told.get("recovery") or {}).get("mean")
    if known:
        auroc = with_interval(known["value"], known["low"], known["high"])
        said.append(f"AUROC against known sites, per example: {auroc}.")
    banner = found.verdict.banner()
    n_checks = sum(check.passed == "yes" for check in found.verdict.checks)
    said.append(f"{banner}." if banner else f"It passes {counted(n_checks, 'check')}.")
    return said


def _features(folder: Path, found: InterpretationFolder) -> Table | None:
    path = folder / _FEATURES
    if not path.is_file():
        return None
    numbers = ("mean", "signed_mean", "along", "n")
    table: pd.DataFrame = read_table(path, ("input", "feature"), numbers)
    shown = table.sort_values("mean", ascending=False, kind="stable").head(_MOST_FEATURES)
    columns = (
        Column("Feature"),
        Column("Size", True, "mean of |contribution|"),
        Column("Signed mean", True),
        Column("Along", True, "correlation of contribution and value: its sign says which way"),
    )
    rows = tuple(
        (
            named(row["feature"], row["input"]),
            *(quantity(row[name]) for name in ("mean", "signed_mean", "along")),
        )
        for _, row in shown.iterrows()
    )
    caption = "Contributions of features, the largest first."
    if words := found.verdict.banner(str(shown["input"].iloc[0])):
        caption = f"{words}. {caption}"
    return Table("explained_features", caption, columns, rows, found.file(_FEATURES))
