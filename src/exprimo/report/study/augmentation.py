"""What generated promoters did for rare positives: against nothing, and against shuffled ones."""

from __future__ import annotations

import pandas as pd

from exprimo.report.document.table import Cell, Column, Table, counting, named, quantity
from exprimo.report.study.imbalance import (
    CONTROL,
    compared_metric,
    found_of,
    strategy_words,
)
from exprimo.report.study.reading import Imbalance
from exprimo.report.wording import counted, listed, metric_label, number, with_interval

_HELD = ". exprimo train refuses such a sample; here it was used, to measure what it is worth"


def sentences(imbalance: Imbalance) -> list[str]:
    """Say whether generated promoters helped, how the control did, and what the check found."""
    if imbalance.generators.empty:
        return []
    said = [_whether(imbalance), _motifs(imbalance.generators), _unlearned(imbalance.generators)]
    for _, row in imbalance.generators.iterrows():
        words = strategy_words(row["generator"])
        if row["gate"] == "failed":
            said.append(f"The check for copies and collapse failed {words}: {row['why']}{_HELD}.")
        elif row["gate"] == "not checked":
            said.append(f"Nobody could check {words} for copies: {row['why']}{_HELD}.")
    return [sentence for sentence in said if sentence]


def _whether(imbalance: Imbalance) -> str:
    """Answer in words; one sentence for each generator and model that decides something."""
    fitted = imbalance.generators[imbalance.generators["gate"] != "not fitted"]
    if fitted.empty:
        why = imbalance.generators["why"].iloc[0]
        return f"No promoters could be generated: {why}."
    metric = compared_metric(imbalance.paired)
    if metric is None:
        return ""
    table = imbalance.paired[imbalance.paired["metric"] == metric]
    mine = table[table["strategy"].isin(set(fitted["generator"]) - {CONTROL})]
    if mine.empty:
        return _control_alone(table, metric)
    found = [(row, found_of(row, metric)) for _, row in mine.iterrows()]
    helped = [row for row, verdict in found if verdict == "better"]
    if not helped:
        harmed = all(verdict == "worse" for _, verdict in found)
        told = _each([row for row, _ in found], imbalance, metric)
        return f"Generated promoters {'did harm' if harmed else 'did not help'}: {told}."
    more = [row for row in helped if _against(row, imbalance.control, metric) == "better"]
    told = _each(helped, imbalance, metric)
    if more:
        return (
            f"Generated promoters helped, and more than shuffled ones: "
            f"{_each(more, imbalance, metric)}. Nothing is corrected for the number of rows."
        )
    if imbalance.control.empty:
        return f"Generated promoters helped: {told}. No shuffled ones were there to compare with."
    return (
        f"Generated promoters helped, but are not shown to help more than shuffled ones, which "
        f"have nothing of promoters but their composition: {told}."
    )


def _control_alone(table: pd.DataFrame, metric: str) -> str:
    rows = [row for _, row in table[table["strategy"] == CONTROL].iterrows()]
    if not rows:
        return ""
    told = [f"{_value(row, metric)} for {row['model']}" for row in rows]
    return f"Shuffled promoters alone were added to training: {listed(told)} against none."


def _each(rows: list[pd.Series], imbalance: Imbalance, metric: str) -> str:
    told = []
    for row in rows:
        words = f"{strategy_words(row['strategy'])} for {row['model']}: {_value(row, metric)}"
        rival = _row_of(imbalance.control, row, metric)
        beside = "" if rival is None else f", {_value(rival, metric)} against shuffled ones"
        told.append(f"{words} against none{beside}")
    return "; ".join(told)


def _value(row: pd.Series, metric: str) -> str:
    told = with_interval(row["difference"], row["low"], row["high"])
    return f"{told} in {metric_label(metric)}"


def _row_of(control: pd.DataFrame, row: pd.Series, metric: str) -> pd.Series | None:
    if control.empty:
        return None
    mine = control[
        (control["strategy"] == row["strategy"])
        & (control["model"] == row["model"])
        & (control["metric"] == metric)
    ]
    return None if mine.empty else mine.iloc[0]


def _against(row: pd.Series, control: pd.DataFrame, metric: str) -> str:
    rival = _row_of(control, row, metric)
    return "" if rival is None else found_of(rival, metric)


def _motifs(table: pd.DataFrame) -> str:
    """Say how far the use of known motifs is from that of held-out promoters."""
    known = table.dropna(subset=["motif_rate", "motif_rate_real"])
    if known.empty:
        return ""
    told = [
        f"{number(float(row['motif_rate']))} of {strategy_words(row['generator'])}"
        for _, row in known.iterrows()
    ]
    real = number(float(known["motif_rate_real"].mean()))
    return (
        "Known motifs: sites per sequence differ from those of held-out changed promoters by a "
        f"factor whose log2 has a mean size of {listed(told)}, and {real} of other held-out ones."
    )


def _unlearned(table: pd.DataFrame) -> str:
    """Say which generators have not learned what stands where; a check that passed hides that."""
    made = table[(table["generator"] != CONTROL) & (table["gate"] != "not fitted")]
    worse = made[made["position_4mers"] >= made["position_4mers_shuffled"]]
    if worse.empty:
        return ""
    told = [
        f"{strategy_words(row['generator'])} ({counted(int(row['steps']), 'update')})"
        for _, row in worse.iterrows()
    ]
    return (
        f"By the 4-mers at each position {listed(told)} are no nearer to held-out promoters than "
        "shuffles are, whatever the check for copies says: fitted for longer "
        "(generator_minutes), they may be."
    )


def generator_table(imbalance: Imbalance) -> Table | None:
    """Tabulate what each generator learned from, drew, and what the check found."""
    table = imbalance.generators
    if table.empty:
        return None
    motifs = bool(table["motif_rate"].notna().any())
    columns = [
        Column("Generated"),
        Column("Learned from", True, "distinct training positives"),
        Column("Updates", True),
        Column("Fitted in", True, "minutes"),
        Column("Drawn", True),
        Column("Passes", True, "of the sampler; few tell less of neighbouring bases"),
        Column("Check", False, "for copies and collapse"),
        Column("4-mers by position", True, "distance to held-out; 0 is none"),
    ]
    if motifs:
        columns.append(Column("Motif rate", True, "mean size of the log2 ratio to held-out"))
    rows = []
    for _, row in table.iterrows():
        cells = [
            named(strategy_words(row["generator"])),
            counting(row["learned"]),
            counting(row["steps"]),
            quantity(row["fit_seconds"] / 60, 1),
            counting(row["drawn"]),
            counting(row["passes"]),
            named(row["gate"]),
            _beside(row, "position_4mers"),
        ]
        rows.append(tuple([*cells, _beside(row, "motif_rate")] if motifs else cells))
    return Table(
        "generators",
        "Generated promoters beside held-out real ones and shuffles of training ones.",
        tuple(columns),
        tuple(rows),
        f"{imbalance.place}generators.tsv",
    )


def _beside(row: pd.Series, measure: str) -> Cell:
    """Give a measure with what real and shuffled promoters have of it."""
    cell, value = quantity(row[measure]), row[measure]
    if value != value:
        return cell
    real, shuffled = (number(float(row[f"{measure}_{one}"])) for one in ("real", "shuffled"))
    return cell._replace(detail=f"real {real}, shuffled {shuffled}")
