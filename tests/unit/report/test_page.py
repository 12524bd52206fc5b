"""The HTML file: complete, closed to the outside, and safe with any name."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

from exprimo.report import build_report, write_figures
from exprimo.report.document.html import embedded_json
from exprimo.report.runs.reading import read_material
from exprimo.report.runs.tables import count_table, score_table, torn_tables

pytestmark = pytest.mark.slow


class Reader(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def page(regression: Path) -> str:
    return build_report(regression).read_text(encoding="utf-8")


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_report_is_one_small_file_with_figures_beside_it(regression: Path, page: str) -> None:
    assert (regression / "report.html").stat().st_size < 6e6
    names = {path.name for path in (regression / "figures").iterdir()}
    assert {"models.png", "models.svg", "observed.png", "observed.svg"} <= names


def test_nothing_is_loaded_from_outside(page: str) -> None:
    for tag, attributes in read(page).tags:
        for name in ("src", "srcset", "data", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:"), (tag, name)
        href = attributes.get("href")
        assert href is None or href.startswith(("#", "data:", "figures/"))
    policy = next(a["content"] for t, a in read(page).tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")


def test_headings_are_nested_and_figures_have_words(page: str) -> None:
    tags = read(page).tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    plots = [a for t, a in tags if a.get("class") == "plot"]
    assert len(plots) == 7
    assert all(len(a["aria-label"] or "") > 20 for a in plots)
    assert all(a.get("alt") for t, a in tags if t == "img")


def test_ids_are_unique(page: str) -> None:
    ids = [a["id"] for _, a in read(page).tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_every_card_of_numbers_names_its_file(page: str) -> None:
    files = (
        "table.tsv", "paired.tsv", "learning_curve.tsv", "benchmark.json",
        "runs/cnn-homology-s0/history.csv", "runs/cnn-homology-s1/predictions.parquet",
    )  # fmt: skip
    for name in files:
        assert f"<code>{name}</code>" in page


def test_commands_settings_and_checksums_are_shown(page: str) -> None:
    text = html.unescape(page)
    assert "exprimo benchmark yeast/D.h5 --models cnn,kmer_linear" in text
    assert 'name = "cnn"' in text
    assert "9f" * 32 in text


def test_the_same_files_give_the_same_page(run: Path, tmp_path: Path) -> None:
    one = build_report(run, tmp_path / "one" / "r.html")
    two = build_report(run, tmp_path / "two" / "r.html")
    assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "one" / "r_figures" / "observed.svg").is_file()
    assert not (run / "report.html").exists()


def test_write_figures_gives_png_and_svg(run: Path, tmp_path: Path) -> None:
    written = write_figures(run, tmp_path / "f")
    assert sorted(p.name for p in written) == sorted(
        f"{key}.{suffix}" for key in ("coverage", "training-1", "observed")
        for suffix in ("png", "svg")
    )  # fmt: skip
    assert all(p.stat().st_size > 2000 for p in written)


def test_hostile_names_are_only_text(made_up: ModuleType, tmp_path: Path) -> None:
    bad = made_up.HOSTILE
    world = made_up.World(
        n=200, seeds=(0,), splits=("random",), gene=bad + "{}", target=bad, question=bad,
        config_note=bad.replace("\n", " "), leak=True, learning=False,
    )  # fmt: skip
    folder = made_up.make_benchmark(tmp_path / "b", world)
    page = build_report(folder).read_text(encoding="utf-8")
    tags = read(page).tags
    assert [t for t, a in tags if "onerror" in a] == []
    # The figures, plotly, the genes and the page's own script; nothing that a name brought in.
    assert sum(t == "script" for t, _ in tags) == 4
    assert "window.hacked=1" in "".join(read(page).text)
    assert made_up.figures_in(page).keys() == {"models", "pairs", "coverage", "training-1",
                                               "observed"}  # fmt: skip


def test_embedded_json_cannot_be_left() -> None:
    text = str(embedded_json({"a": "</script><!--&\u2028"}))
    assert not set("<>&\u2028") & set(text)


def test_the_best_of_each_column_is_marked_whoever_it_is(regression: Path) -> None:
    table = score_table(read_material(regression))
    labels = [column.label for column in table.columns]
    best = {
        (row[1].text, label)
        for row in table.rows
        for label, cell in zip(labels, row, strict=True)
        if cell.best and row[0].text == "cnn"
    }
    assert ("homology", "Pearson r\u00a0↑") in best
    assert ("homology", "Mean squared error\u00a0↓") in best
    marked = sum(cell.best for row in table.rows for cell in row)
    assert marked == 3 * 5


def test_accuracy_has_the_majority_class_beside_it(classification: Path) -> None:
    table = score_table(read_material(classification))
    labels = [column.label for column in table.columns]
    at = labels.index("Majority class accuracy")
    assert labels[at - 1] == "Accuracy\u00a0↑"
    mean = next(row for row in table.rows if row[0].text == "mean")
    assert mean[at].text == mean[at - 1].text


def test_counts_are_those_of_the_split(regression: Path) -> None:
    material = read_material(regression)
    row = count_table(material).rows[0]
    counts = material.split_of["homology"].counts()
    assert [cell.order for cell in row[1:5]] == [
        counts[p] for p in ("train", "val", "test", "none")
    ]


def test_torn_pairs_are_named(regression: Path) -> None:
    tables = torn_tables(read_material(regression))
    assert [len(t.rows) for t in tables] == [14, 14]
    first = tables[0].rows[0]
    assert [cell.text for cell in first] == ["YAL0000W", "YAL0014W", "YAL0000W", "YAL0014W",
                                             "0.990"]  # fmt: skip


def test_paper_is_never_dark(page: str) -> None:
    dark = page.count("prefers-color-scheme: dark") + page.count("prefers-color-scheme:dark")
    on_screen = re.findall(r"@media screen and \(prefers-color-scheme: ?dark\)", page)
    # One more mention is the script's, which only draws on screens.
    assert dark == len(on_screen) + 1
