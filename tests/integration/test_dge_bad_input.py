"""Bad counts, sheets and questions through ``exprimo dge``: one message, exit 2, nothing left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

SAMPLES = [f"s{i}" for i in range(1, 7)]


class Experiment:
    """Counts of 3 + 3 samples and their sheet, to be spoiled, and the command about them."""

    def __init__(self, folder: Path, out: Path, command: Any, untouched: Any) -> None:
        rng = np.random.default_rng(1)
        self.counts_file, self.sheet_file = folder / "counts.tsv", folder / "samples.csv"
        self.out, self._command, self._untouched = out, command, untouched
        mean = rng.gamma(1, 100, (80, 1)) + 5
        values = rng.negative_binomial(5, 5 / (5 + mean), (80, 6))
        index = pd.Index([f"g{i}" for i in range(80)], name="gene_id")
        self.counts = pd.DataFrame(values, index=index, columns=SAMPLES, dtype=object)
        sheet = {"status": ["C"] * 3 + ["IS"] * 3, "batch": ["x", "y", "x", "y", "x", "y"]}
        self.sheet = pd.DataFrame(sheet, index=pd.Index(SAMPLES, name="sample"), dtype=object)

    def write(self) -> None:
        self.counts.to_csv(self.counts_file, sep="\t")
        self.sheet.to_csv(self.sheet_file)

    def run(self, *options: object, design: str = "~ status", write: bool = True) -> Any:
        if write:
            self.write()
        return self._command(
            "dge", self.counts_file, self.sheet_file, "--design", design, "--threads", 1,
            *options, "-o", self.out / "DGE",
        )  # fmt: skip

    def refused(self, *parts: object, **how: Any) -> None:
        """Check that the command is refused with all of these said and nothing written."""
        options = how.pop("options", ())
        with self._untouched(self.out):
            self.run(*options, **how).assert_says(*parts)


@pytest.fixture
def experiment(tmp_path: Path, out: Path, command: Any, untouched: Any) -> Experiment:
    return Experiment(tmp_path, out, command, untouched)


@pytest.mark.slow
def test_the_untouched_experiment_is_good(experiment: Experiment) -> None:
    done = experiment.run("--contrast", "status", "IS", "C")
    assert (done.code, done.err) == (0, "")
    assert [path.name for path in experiment.out.iterdir()] == ["DGE"]
    assert "genes changed" in done.out


# The question.


def test_a_level_that_is_not_in_the_sheet(experiment: Experiment) -> None:
    experiment.refused("IZ", "IS", "status", options=("--contrast", "status", "IZ", "C"))


def test_a_factor_that_is_not_in_the_sheet(experiment: Experiment) -> None:
    experiment.refused("condition", "status", design="~ condition")
    experiment.refused("state", "status", options=("--contrast", "state", "IS", "C"))


def test_a_factor_that_is_not_in_the_design(experiment: Experiment) -> None:
    experiment.refused(
        "no such factor in the design", "batch", options=("--contrast", "batch", "x", "y")
    )


def test_two_questions(experiment: Experiment) -> None:
    options = ("--contrast", "status", "IS", "C", "--coefficient", "status_IS_vs_C")
    experiment.refused("a contrast and a coefficient are both given", options=options)


def test_a_formula_that_is_none(experiment: Experiment) -> None:
    experiment.refused("status", design="~ status +")
    experiment.refused("log(", design="~ log(status)")


def test_a_reference_that_is_none(experiment: Experiment) -> None:
    experiment.refused("FACTOR=LEVEL", options=("--reference", "status"))
    experiment.refused("Q", "status", options=("--reference", "status=Q"))


def test_settings_out_of_range(experiment: Experiment) -> None:
    experiment.refused("alpha", options=("--alpha", "1.5"))
    experiment.refused("lfc", options=("--lfc", "-1"))


# The design.


def test_a_column_that_says_the_same_twice(experiment: Experiment) -> None:
    experiment.sheet["run"] = ["r1"] * 3 + ["r2"] * 3
    experiment.refused("status", "run", design="~ run + status")


def test_a_factor_of_one_level(experiment: Experiment) -> None:
    experiment.sheet["status"] = "C"
    experiment.refused("status", "C")


def test_one_sample_a_group(experiment: Experiment) -> None:
    experiment.sheet = experiment.sheet.iloc[[0, 3]]
    experiment.counts = experiment.counts[["s1", "s4"]]
    experiment.refused("replicate")


def test_as_many_coefficients_as_samples(experiment: Experiment) -> None:
    experiment.sheet["person"] = list("abcdef")
    experiment.refused("person", design="~ person")


def test_a_missing_value_in_a_column_of_the_design(experiment: Experiment) -> None:
    experiment.sheet.loc["s2", "status"] = ""
    experiment.refused("s2", "status")


# The two files together.


def test_a_row_of_the_sheet_without_counts(experiment: Experiment) -> None:
    experiment.sheet.loc["s9"] = ["C", "x"]
    experiment.refused("in the sample sheet without counts: s9", experiment.counts_file)


def test_counts_without_a_row_of_the_sheet(experiment: Experiment) -> None:
    experiment.counts["s9"] = 5
    experiment.refused("in the counts without a row in the sheet: s9")


def test_a_sample_twice(experiment: Experiment) -> None:
    experiment.write()
    header, rest = experiment.counts_file.read_text().split("\n", 1)
    experiment.counts_file.write_text(header.replace("s2", "s1") + "\n" + rest)
    experiment.refused(experiment.counts_file, "s1", write=False)
    experiment.counts_file.write_text(header + "\n" + rest)
    with experiment.sheet_file.open("a") as sheet:
        sheet.write("s1,C,x\n")
    experiment.refused(experiment.sheet_file, "'s1'", "lines 2 and 8", write=False)


def test_a_gene_twice(experiment: Experiment) -> None:
    experiment.counts = pd.concat([experiment.counts, experiment.counts.iloc[[4]]])
    experiment.counts.index.name = "gene_id"
    experiment.refused(experiment.counts_file, "'g4'", "lines 6 and 82")


def test_a_sample_in_two_files(experiment: Experiment) -> None:
    experiment.refused(
        "two files count the same sample", "s1",
        options=("--more-counts", experiment.counts_file),
    )  # fmt: skip


# The counts.


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("2.5", "a fractional count"), ("-3", "a negative count"), ("NaN", "a missing count"),
        ("NA", "a missing count"), ("", "an empty cell"), ("inf", "not a count"),
        ("many", "not a count"),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_count(experiment: Experiment, cell: str, problem: str) -> None:
    experiment.counts.loc["g7", "s3"] = cell
    experiment.refused(problem, experiment.counts_file, "line 9, gene g7, sample s3", "Expected")


@pytest.mark.slow
def test_fractions_are_rounded_when_asked_for(experiment: Experiment) -> None:
    experiment.counts.loc["g7", "s3"] = "2.5"
    experiment.refused("--round")
    assert experiment.run("--round").code == 0
    normalized = pd.read_csv(experiment.out / "DGE" / "normalized.tsv", sep="\t", index_col=0)
    factors = pd.read_csv(experiment.out / "DGE" / "samples.tsv", sep="\t", index_col=0)
    count = normalized.loc["g7", "s3"] * factors.loc["s3", "size_factor"]
    assert count == pytest.approx(2, abs=1e-3)


def test_negative_counts_are_not_rounded(experiment: Experiment) -> None:
    experiment.counts.loc["g7", "s3"] = "-0.7"
    experiment.refused("a negative count", "gene g7", options=("--round",))


def test_a_sample_without_reads(experiment: Experiment) -> None:
    experiment.counts["s5"] = 0
    experiment.refused("a sample without a single read", "s5")


def test_no_read_anywhere(experiment: Experiment) -> None:
    experiment.counts[:] = 0
    experiment.refused("samples without any read", "s1, s2, s3, s4, s5, s6")


@pytest.mark.slow
def test_a_zero_in_every_gene(experiment: Experiment) -> None:
    for row in range(80):
        experiment.counts.iloc[row, row % 6] = 0
    experiment.refused("--size-factors poscounts")
    assert experiment.run("--size-factors", "poscounts").code == 0


def test_samples_that_are_copies(experiment: Experiment) -> None:
    for sample in SAMPLES:
        experiment.counts[sample] = experiment.counts["s1"]
    experiment.refused("no gene varies more than chance")


def test_an_empty_file(experiment: Experiment) -> None:
    experiment.write()
    counts = experiment.counts_file.read_text()
    experiment.counts_file.write_text("")
    experiment.refused(experiment.counts_file, "the file is empty", write=False)
    experiment.counts_file.write_text(counts.split("\n")[0] + "\n")
    experiment.refused(experiment.counts_file, "no genes", write=False)
    experiment.counts_file.write_text(counts)
    experiment.sheet_file.write_text("")
    experiment.refused(experiment.sheet_file, "the file is empty", write=False)
    experiment.sheet_file.write_text("sample,status\n")
    experiment.refused(experiment.sheet_file, "no samples", write=False)


def test_a_sheet_of_one_row(experiment: Experiment) -> None:
    experiment.sheet = experiment.sheet.iloc[:1]
    experiment.refused("without a row in the sheet: s2, s3, s4, s5, s6")
    experiment.counts = experiment.counts[["s1"]]
    experiment.refused("status")


def test_a_file_that_is_not_there(experiment: Experiment) -> None:
    experiment.refused(experiment.counts_file, "no such file", write=False)
    experiment.counts.to_csv(experiment.counts_file, sep="\t")
    experiment.refused(experiment.sheet_file, "no such file", write=False)


def test_an_output_that_is_there(experiment: Experiment) -> None:
    folder = experiment.out / "DGE"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep me")
    experiment.refused(folder, "already exists")
    assert (folder / "mine.txt").read_text() == "keep me"


def test_a_threshold_in_a_likelihood_ratio_test(experiment: Experiment) -> None:
    experiment.refused("needs a Wald test", options=("--reduced", "~ 1", "--lfc-null", "1"))


def test_a_reduced_design_that_is_not_smaller(experiment: Experiment) -> None:
    experiment.refused("batch", options=("--reduced", "~ batch"))
    experiment.refused("~ status", options=("--reduced", "~ status"))
