"""What the page says of eQTLs, predictors, overlap and candidates."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from exprimo.core.errors import FormatError
from exprimo.report.charts.interactive import plotly_figure
from exprimo.report.document.html import render
from exprimo.report.individual.association.answer import (
    candidates_sentence,
    sentences,
    tiles,
    verdicts,
)
from exprimo.report.individual.association.distrust import association_doubts
from exprimo.report.individual.association.predictors import (
    compared_chart,
    contest_chart,
    followed_chart,
    heritability_chart,
    offered_predictors,
)
from exprimo.report.individual.association.reading import Association, read_association
from exprimo.report.individual.association.tables import (
    candidates_table,
    overlap_table,
    predictors_table,
)
from exprimo.report.individual.reading import read_individual_study
from exprimo.report.page import make_page


def read(folder: Path) -> Association:
    found = read_individual_study(folder).association
    assert found is not None
    return found


def words(folder: Path) -> str:
    """Give the page without its figures, which take seconds to draw."""
    return html.unescape(render(make_page(folder), {}))


def changed(folder: Path, **parts: Any) -> Association:
    """Change what ``study.json`` says of this half."""
    path = folder / "study.json"
    facts = json.loads(path.read_text())
    facts["association"] |= parts
    path.write_text(json.dumps(facts))
    return read(folder)


def test_sections_stand_in_order(association_folder: Path) -> None:
    found = re.findall(r'<section id="(\w+)"', words(association_folder))
    assert found == [
        "answer", "distrust", "data", "models", "variants", "predictors", "eqtls", "loci",
        "overlap", "candidates", "provenance",
    ]  # fmt: skip


def test_a_study_without_this_half_has_its_page(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_association.make_study(tmp_path / "s")
    assert read_individual_study(folder).association is None
    page = words(folder)
    assert '<section id="predictors"' not in page
    assert '<section id="variants"' in page


def test_every_figure_says_what_it_shows_and_from_where(association_folder: Path) -> None:
    charts = {chart.key: chart for chart in make_page(association_folder).charts}
    assert {
        "predictors", "predictors-paired", "heritability", "egenes", "power", "pip",
        "followed-1", "followed-2", "locus-1", "locus-1-near", "locus-2", "locus-2-near",
    } == set(charts)  # fmt: skip
    for chart in charts.values():
        assert len(chart.alt) > 40
        assert len(chart.caption) > 40
        assert chart.sources
        text = json.dumps(plotly_figure(chart), allow_nan=False)
        assert "<b>" not in text


def test_each_predictor_has_both_intervals_and_the_heritability_beside(
    association_folder: Path,
) -> None:
    found = read(association_folder)
    chart = compared_chart(found)
    assert chart is not None
    names = [name for _, name in chart.y.ticks]
    # The greatest is on top; a model in units of its own has no R².
    assert names[0] == "stack_linear"
    assert "cnn (calibrated)" in names
    assert "cnn" not in names
    over_genes = {s.name: s for s in chart.series if not s.hollow}
    over_people = [s for s in chart.series if s.hollow]
    assert set(over_genes) == {
        "stack", "score of cis-genotypes", "model of sequence", "member of the stack",
    }  # fmt: skip
    told = found.scores["stack_linear"]
    stack = over_genes["stack"]
    assert stack.low is not None
    assert (stack.x[0], stack.low[0]) == (told["r2"]["value"], told["r2"]["low"])
    assert over_people[0].low is not None
    assert over_people[0].low[0] == told["r2_people"]["low"]
    assert sum(s.in_legend for s in over_people) == 1
    assert [rule.at for rule in chart.rules] == [0.0, 0.29]
    assert "simulated heritability" in chart.rules[1].label


def test_pairs_that_were_chosen_beforehand_come_first_and_once(association_folder: Path) -> None:
    chart = contest_chart(read(association_folder))
    assert chart is not None
    rows = [name for _, name in chart.y.ticks]
    assert rows[:2] == ["stack_linear − cis_elastic_net", "cnn − cis_elastic_net"]
    assert len(rows) == len(set(rows)) == 8


def test_a_difference_can_be_read_the_other_way(association_folder: Path) -> None:
    found = read(association_folder)
    there = found.contest("stack_linear", "ridge")
    back = found.contest("ridge", "stack_linear")
    assert there is not None
    assert back is not None
    assert (back.value, back.low, back.high) == (-there.value, -there.high, -there.low)
    assert found.contest("ridge", "forest") is None


def test_the_answer_says_who_beats_elastic_net(
    association_folder: Path, made_up_association: ModuleType, tmp_path: Path
) -> None:
    text = " ".join(sentences(read(association_folder)))
    assert "stack_linear is better than cis_elastic_net" in text
    assert "cnn (calibrated) is worse than cis_elastic_net" in text
    assert "where the simulated heritability is 0.290" in text
    world = made_up_association.People(stack_is_better=False)
    other = read(made_up_association.make_study(tmp_path / "s", world))
    assert "is not shown to be better or worse than cis_elastic_net" in " ".join(sentences(other))
    titles = {doubt.title: doubt.weight for doubt in association_doubts(other)}
    assert titles["The stack is not better than elastic net"] == "caution"
    worse = changed(tmp_path / "s", pairs=[
        {"a": "stack_linear", "b": "cis_elastic_net",
         "difference": {"value": -0.1, "low": -0.2, "high": -0.05}}])  # fmt: skip
    titles = {doubt.title: doubt.weight for doubt in association_doubts(worse)}
    assert titles["The stack is worse than elastic net"] == "serious"


def test_verdicts_stand_at_the_top_in_a_few_words(association_folder: Path) -> None:
    found = read(association_folder)
    assert verdicts(found) == (
        ("checked", "stack beats elastic net"), ("serious", "elastic net beats the model"),
    )  # fmt: skip
    top = words(association_folder).split('id="distrust"')[0]
    assert "stack beats elastic net" in top


def test_a_model_that_only_calibration_makes_win_is_no_victory(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_association.make_study(tmp_path / "s", made_up_association.People())
    path = folder / "study.json"
    facts = json.loads(path.read_text())
    told = facts["association"]
    told["pairs"][1]["difference"] = {"value": 0.03, "low": 0.01, "high": 0.05}
    path.write_text(json.dumps(facts))
    assert verdicts(read(folder))[1] == ("checked", "model beats elastic net")
    titles = {doubt.title: doubt.weight for doubt in association_doubts(read(folder))}
    assert titles["The model against elastic net"] == "checked"
    # The r over all genes of the study goes before that over the genes of the predictors.
    r = {"value": 0.004, "low": -0.128, "high": 0.128}
    facts["models"]["cnn"]["people"] = {"across_people": {"mean_r": r}}
    found = read_association(folder, facts)
    assert found is not None
    assert verdicts(found)[1] == ("caution", "model beats elastic net only once calibrated")
    assert "not the model" in " ".join(sentences(found))
    titles = {doubt.title: doubt.weight for doubt in association_doubts(found)}
    assert "The model against elastic net" not in titles
    title = "The calibrated predictor beats elastic net, the model as it stands does not"
    assert titles[title] == "caution"


def test_tiles_name_the_best_the_model_and_elastic_net_once_each(association_folder: Path) -> None:
    labels = [tile.label for tile in tiles(read(association_folder))]
    assert labels == [
        "Genes with an eQTL", "R² of stack_linear, the best", "R² of cnn (calibrated)",
        "R² of cis_elastic_net",
    ]  # fmt: skip


def test_without_eqtls_overlap_is_said_to_mean_nothing(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    world = made_up_association.People(egenes=False, people=40)
    found = read(made_up_association.make_study(tmp_path / "s", world))
    doubts = {doubt.title: doubt for doubt in association_doubts(found)}
    assert doubts["No gene has a significant eQTL"].weight == "serious"
    assert "40 people for eQTLs" in doubts
    assert "0 have an eQTL" in sentences(found)[0]


def test_what_was_found_is_held_against_the_truth(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_association.make_study(tmp_path / "s", made_up_association.People())
    titles = {doubt.title: doubt.weight for doubt in association_doubts(read(folder))}
    assert titles["3% of eGenes are false"] == "checked"
    truth = json.loads((folder / "study.json").read_text())["association"]["truth"]
    truth["false_discovery"] = {"value": 0.2, "low": 0.1, "high": 0.3, "n": 10}
    truth["sets_with_causal"] = None
    found = changed(folder, truth=truth, factors=4)
    titles = {doubt.title: doubt.weight for doubt in association_doubts(found)}
    assert titles["20% of eGenes are false"] == "serious"
    assert "4 hidden factors among the covariates" in titles


def test_probabilities_that_are_not_kept_and_few_genes_are_told(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_association.make_study(tmp_path / "s", made_up_association.People())
    titles = {doubt.title: doubt.weight for doubt in association_doubts(read(folder))}
    assert titles["Posterior probabilities are what they say"] == "checked"
    assert not [title for title in titles if title.startswith("Predictors on")]
    told = json.loads((folder / "study.json").read_text())["association"]
    truth, scores = told["truth"], told["predictors"]
    truth["pip"]["calibration"][2] |= {"mean_pip": 0.58, "ci_low": 0.3, "ci_high": 0.49}
    for one in scores.values():
        one["n_genes"] = 15
    scores["cis_baseline"]["r2"] = {"value": -0.2, "low": -0.4, "high": 0.0, "n": 15}
    found = changed(folder, truth=truth, predictors=scores)
    doubts = {doubt.title: doubt for doubt in association_doubts(found)}
    assert doubts["Some posterior probabilities are too large"].weight == "caution"
    assert "mean PIP 0.58" in doubts["Some posterior probabilities are too large"].text
    assert "in 1 bin of 4" in doubts["Some posterior probabilities are too large"].text
    assert doubts["Predictors on 15 genes only"].weight == "caution"
    rows = {row[0].text: row for row in predictors_table(found).rows}
    assert rows["cis_baseline"][4].text == "–"
    assert rows["stack_linear"][4].text != "–"


def test_long_tables_are_folded_and_short_ones_are_not(association_folder: Path) -> None:
    page = words(association_folder)
    folded = re.findall(r'<details class="more"><summary>([^<]*)</summary>', page)
    assert folded == [
        "The 30 genes of 120 with the strongest eQTLs",
        "12 variants in the order of both together, the model's effect and the PIP",
    ]


def test_a_top_that_holds_everything_is_no_overlap(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_association.make_study(tmp_path / "s", made_up_association.People())
    overlap = json.loads((folder / "study.json").read_text())["association"]["overlap"]
    assert "share 14" in sentences(read(folder))[-1]
    overlap["cnn"] |= {"overlap": 900, "expected": 900.0, "p_shift": 1.0}
    found = changed(folder, overlap=overlap)
    assert "says nothing here" in sentences(found)[-1]
    titles = [doubt.title for doubt in association_doubts(found)]
    assert "The overlap could not be otherwise" in titles


def test_the_overlap_table_warns_of_the_hypergeometric_p(association_folder: Path) -> None:
    table = overlap_table(read(association_folder))
    assert table is not None
    assert "anti-conservative under LD" in table.caption
    own, other = table.rows
    assert [cell.text for cell in own[:5]] == ["cnn", "900", "80", "14", "6.2"]
    assert own[7].text == "80%"
    assert own[8].text == "12 of 30"
    assert other[7].text == "–"


def test_predictors_are_tabulated_with_r_where_there_is_no_r2(association_folder: Path) -> None:
    table = predictors_table(read(association_folder))
    rows = {row[0].text: row for row in table.rows}
    assert rows["stack_linear"][2].best
    assert rows["cnn"][2].text == "–"
    assert rows["cnn"][6].text == "0.447"
    assert rows["cis_elastic_net"][5].text == "0.070"


def test_candidates_keep_their_order_and_their_motifs(association_folder: Path) -> None:
    found = read(association_folder)
    table = candidates_table(found)
    assert table is not None
    assert "no evidence" in table.caption
    assert [row[0].order for row in table.rows] == list(range(1, 13))
    assert table.rows[0][8].text == "PROX"
    assert table.rows[0][8].detail == "9.1 → 2.2"
    assert table.rows[1][8].text == "–"
    page = words(association_folder)
    assert "The list is no evidence" in page
    assert "In 7 of 12 the model's sign is that of the slope" in page


def test_candidates_stand_beside_what_pip_alone_gives(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    folder = made_up_association.make_study(tmp_path / "s", made_up_association.People())
    assert "by PIP alone" not in candidates_sentence(read(folder))
    truth = json.loads((folder / "study.json").read_text())["association"]["truth"]
    share = {"value": 0.7, "low": 0.4, "high": 0.9, "n": 10}
    truth["first_by_pip"] = {"acting_in_top_intervals": {"10": share}}
    told = candidates_sentence(changed(folder, truth=truth))
    assert "of the first 10 by PIP alone within the window 70.0%" in told


def test_without_truth_nothing_is_said_of_it(
    made_up_association: ModuleType, tmp_path: Path
) -> None:
    world = made_up_association.People(truth=False)
    folder = made_up_association.make_study(tmp_path / "s", world)
    keys = {chart.key for chart in make_page(folder).charts}
    assert not keys & {"power", "pip"}
    found = read(folder)
    chart = heritability_chart(found)
    assert chart is not None
    assert chart.x.label == "estimated heritability (cis)"
    first = found.predictors.query("predictor == 'stack_linear'").iloc[0]
    h2 = found.egenes.set_index("gene_id")["h2"][first["gene_id"]]
    assert chart.series[0].x[0] == h2
    page = words(folder)
    assert "True effect" not in page
    assert "simulated heritability" not in page


def test_left_out_people_are_drawn_for_the_best_and_offered_for_others(
    association_folder: Path,
) -> None:
    found = read(association_folder)
    assert offered_predictors(found) == ["stack_linear", "cis_elastic_net", "cnn (calibrated)"]
    chart = followed_chart(found, 1, "G000", "GENE0")
    assert chart is not None
    assert [series.shown for series in chart.series] == [True, False, False]
    rows = found.predicted.query("gene_id == 'G000' and predictor == 'stack_linear'")
    assert chart.series[0].x.tolist() == rows["predicted"].tolist()
    assert chart.series[0].y.tolist() == rows["observed"].tolist()
    scored = found.predictors.query("gene_id == 'G000' and predictor == 'stack_linear'")
    assert f"R² {scored['r2'].iloc[0]:.2f}" in chart.series[0].name


def test_broken_folders_are_refused(made_up_association: ModuleType, tmp_path: Path) -> None:
    folder = made_up_association.make_study(tmp_path / "s", made_up_association.People())
    path = folder / "predictors.tsv"
    table = pd.read_csv(path, sep="\t")
    table.assign(kind="oracle").to_csv(path, sep="\t", index=False)
    with pytest.raises(FormatError, match="not a kind of predictor"):
        read(folder)
    path.unlink()
    with pytest.raises(FormatError, match=r"predictors\.tsv is missing"):
        read(folder)
