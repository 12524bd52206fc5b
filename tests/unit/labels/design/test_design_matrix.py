"""Designs: which columns become what, and which designs cannot be fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exprimo.core.errors import ConfigError, InputError
from exprimo.data.samples import read_samples
from exprimo.labels.design import (
    cell_sizes,
    cells,
    check_full_rank,
    check_replicates,
    design_matrix,
    is_group_model,
    model_matrix,
    reduced_of,
)


@pytest.fixture
def sheet() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "status": ["IS", "IS", "C", "C", "IS", "C"],
            "batch": ["b1", "b2", "b1", "b2", "b1", "b2"],
            "age": [61.0, 70.5, 58.0, 66.0, 49.0, 80.0],
        },
        index=pd.Index([f"S{i}" for i in range(6)], name="sample"),
    )


def test_a_sheet_from_a_file(tmp_path) -> None:
    path = tmp_path / "samples.csv"
    path.write_text("sample,status,age,plate\nS1,IS,61,01\nS2,C,70,02\nS3,C,58,01\n")
    design = design_matrix("~ plate + status", read_samples(path))
    assert design.names == ("Intercept", "plate_02_vs_01", "status_IS_vs_C")
    assert design.values.tolist() == [[1, 0, 1], [1, 1, 0], [1, 0, 0]]
    assert design.samples == ("S1", "S2", "S3")
    assert design.levels == {"plate": ("01", "02"), "status": ("C", "IS")}
    assert (design.factors, design.numbers) == (("plate", "status"), ())


def test_the_reference_comes_first(sheet: pd.DataFrame) -> None:
    design = design_matrix("~ status", sheet, reference={"status": "IS"})
    assert design.names == ("Intercept", "status_C_vs_IS")
    assert design.values[:, 1].tolist() == [0, 0, 1, 1, 0, 1]
    assert design.texts == ("intercept", "status C vs IS")


def test_terms_and_words(sheet: pd.DataFrame) -> None:
    design = design_matrix("~ status*batch + age", sheet)
    assert [(term.label, term.columns) for term in design.terms] == [
        ("Intercept", (0,)), ("status", (1,)), ("batch", (2,)), ("age", (3,)),
        ("status:batch", (4,)),
    ]  # fmt: skip
    assert design.texts[4] == "status IS, batch b2"
    assert design.r_names[4] == "statusIS:batchb2"
    assert design.term("batch:status") is None


def test_levels_sort_by_code_point() -> None:
    # R in the C locale: levels(factor(c("wt", "KO", "Zeb", "ko")))
    design = design_matrix("~ g", pd.DataFrame({"g": ["wt", "KO", "Zeb", "ko"]}))
    assert design.levels["g"] == ("KO", "Zeb", "ko", "wt")


def test_numbers_become_groups_when_told(sheet: pd.DataFrame) -> None:
    sheet["dose"] = [10.0, 2.0, 0.5, 2.0, 10.0, 0.5]
    assert design_matrix("~ dose", sheet).names == ("Intercept", "dose")
    design = design_matrix("~ dose", sheet, factors=("dose",))
    assert design.levels["dose"] == ("0.5", "2", "10")
    assert design.names == ("Intercept", "dose_2_vs_0.5", "dose_10_vs_0.5")
    again = design_matrix("~ dose", sheet, factors=("dose",), reference={"dose": "2"})
    assert again.levels["dose"] == ("2", "0.5", "10")


def test_other_kinds_of_columns(sheet: pd.DataFrame) -> None:
    sheet["old"] = sheet["age"] > 60
    sheet["n"] = [1, 4, 2, 8, 5, 7]
    sheet["grade"] = pd.Categorical(
        ["mild", "none", "hard", "none", "mild", "hard"],
        categories=["none", "mild", "hard", "unused"],
        ordered=True,
    )
    assert design_matrix("~ old", sheet).names == ("Intercept", "old_True_vs_False")
    assert design_matrix("~ n", sheet).values[:, 1].tolist() == [1, 4, 2, 8, 5, 7]
    assert design_matrix("~ grade", sheet).levels["grade"] == ("none", "mild", "hard")


def test_groups_coded_by_numbers_are_noted(sheet: pd.DataFrame) -> None:
    sheet["plate"] = [1.0, 2, 3, 1, 2, 3]
    sheet["sex"] = [0.0, 1, 0, 1, 0, 1]
    (note,) = design_matrix("~ plate + sex", sheet).notes
    assert "column plate holds only the numbers 1, 2, 3" in note
    (note,) = design_matrix("~ age", sheet).notes
    assert "subtract its mean" in note
    sheet["age"] -= sheet["age"].mean()
    assert design_matrix("~ age + status", sheet).notes == ()


@pytest.mark.parametrize(
    ("formula", "options", "said"),
    [
        ("~ Status", {}, "no such column in the sample sheet. Found: 'Status'.*is 'status'"),
        ("~ status", {"reference": {"status": "c"}}, "no such level of status.*nearest.*'C'"),
        ("~ status", {"reference": {"batch": "b1"}}, "column batch: a factor that the design does"),
        ("~ status", {"reference": {"btch": "b1"}}, "nearest name is 'batch'"),
        ("~ age", {"reference": {"age": "61"}}, "column age: a column of numbers has no reference"),
        ("~ status", {"factors": ("agee",)}, "nearest name is 'age'"),
    ],
)
def test_names_that_are_not_there(sheet, formula, options, said) -> None:
    with pytest.raises(InputError, match=said):
        design_matrix(formula, sheet, **options)


@pytest.mark.parametrize("gap", [None, np.nan, ""])
def test_missing_values_are_named_by_sample(sheet: pd.DataFrame, gap: object) -> None:
    sheet["note"] = [gap] * 6
    sheet.loc[["S1", "S4"], "status"] = gap
    with pytest.raises(InputError, match=r"column status.*no value for S1, S4"):
        design_matrix("~ age + status", sheet)
    assert design_matrix("~ age", sheet).values.shape == (6, 2)  # gaps elsewhere do not matter
    sheet.loc["S0", "age"] = np.nan
    with pytest.raises(InputError, match=r"column age.*no value for S0"):
        design_matrix("~ age", sheet)
    sheet["age"] = [1, 2, np.inf, 3, 4, 5]
    with pytest.raises(InputError, match=r"column age, sample S2: .*not finite"):
        design_matrix("~ age", sheet)


def test_a_factor_of_one_level(sheet: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=r"column batch: a factor with a single level.*b1 for ev"):
        design_matrix("~ batch", sheet.assign(batch="b1"))
    with pytest.raises(InputError, match="needs samples"):
        design_matrix("~ batch", sheet[:0])


def test_names_that_become_equal() -> None:
    sheet = pd.DataFrame({"g": ["a b", "a.b", "c", "0"]})
    with pytest.raises(ConfigError, match=r"g_a.b_vs_0 for 'g a b vs 0' and for 'g a.b vs 0'"):
        design_matrix("~ g", sheet)


class TestRank:
    def test_confounded_factors_are_named(self, sheet: pd.DataFrame) -> None:
        sheet["site"] = sheet["status"].map({"IS": "west", "C": "east"})
        with pytest.raises(InputError) as caught:
            design_matrix("~ batch + status + site", sheet)
        assert "site_west_vs_east = status_IS_vs_C" in str(caught.value)
        assert "Leave one of status, site out" in str(caught.value)

    def test_the_combination_is_written_out(self, sheet: pd.DataFrame) -> None:
        sheet["group"] = sheet["status"] + sheet["batch"]
        with pytest.raises(InputError, match="Found: group_ISb1_vs_Cb1 = ") as caught:
            design_matrix("~ status*batch + group", sheet)
        assert "group_ISb2_vs_Cb1 = batch_b2_vs_b1 - group_Cb2_vs_Cb1" in str(caught.value)

    def test_a_scaled_and_shifted_number(self, sheet: pd.DataFrame) -> None:
        sheet["days"] = sheet["age"] * 365 - 1000
        with pytest.raises(InputError, match=r"days = -1000 Intercept [+] 365 age"):
            design_matrix("~ age + days", sheet)

    def test_a_constant_number(self, sheet: pd.DataFrame) -> None:
        with pytest.raises(InputError, match=r"age = 61 Intercept.*Leave age or the intercept"):
            design_matrix("~ age", sheet.assign(age=61.0))

    def test_a_number_of_zeros(self, sheet: pd.DataFrame) -> None:
        with pytest.raises(InputError, match="column age holds nothing but 0"):
            design_matrix("~ age + status", sheet.assign(age=0.0))

    def test_a_combination_without_samples(self, sheet: pd.DataFrame) -> None:
        few = sheet[~((sheet["status"] == "IS") & (sheet["batch"] == "b2"))]
        with pytest.raises(InputError, match="no sample with status IS, batch b2"):
            design_matrix("~ status*batch", few)

    def test_units_do_not_matter(self, sheet: pd.DataFrame) -> None:
        sheet["date"] = 1.7e9 + sheet["age"] * 86400
        sheet["molar"] = sheet["age"] * 1e-12 + [0, 1e-12, 0, 0, 2e-12, 0]
        assert design_matrix("~ date + molar + status", sheet).values.shape == (6, 4)

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 3))
    def test_found_where_the_singular_values_say_so(self, seed, n_free, n_tied) -> None:
        from exprimo.labels.design.rank import combination, find_basis

        random = np.random.default_rng(seed)
        free = random.normal(size=(12, n_free)) * 10.0 ** random.integers(-4, 5, n_free)
        tied = free @ random.integers(-2, 3, (n_free, n_tied)).astype(float)
        values = np.column_stack([free, tied])
        basis = find_basis(values)
        assert basis.independent == list(range(n_free))
        for at in basis.dependent:
            parts = combination(values, at, basis.independent)
            made = sum((w * values[:, other] for w, other in parts), np.zeros(12))
            np.testing.assert_allclose(made, values[:, at], atol=1e-5 * np.abs(values).max())


class TestReduced:
    def test_a_special_case(self, sheet: pd.DataFrame) -> None:
        full = design_matrix("~ batch + status", sheet, reference={"batch": "b2"})
        reduced = reduced_of(full, "~ batch")
        assert reduced.names == ("Intercept", "batch_b1_vs_b2")
        np.testing.assert_array_equal(reduced.values, full.values[:, :2])
        assert reduced_of(full, "~ 1").values.shape == (6, 1)

    def test_nested_without_sharing_columns(self, sheet: pd.DataFrame) -> None:
        full = design_matrix("~ 0 + status + batch", sheet)
        assert reduced_of(full, "~ batch").names == ("Intercept", "batch_b2_vs_b1")

    @pytest.mark.parametrize(
        ("formula", "said"),
        [
            ("~ age", "a column that the full design does not. Found: age"),
            ("~ batch*status", "no special case of the full one. Found: batchb2.statusIS"),
            ("~ status + batch", "as large as the full one"),
        ],
    )
    def test_what_is_no_special_case(self, sheet: pd.DataFrame, formula, said) -> None:
        with pytest.raises(ConfigError, match=said):
            reduced_of(design_matrix("~ batch + status", sheet), formula)


class TestReplicates:
    def test_cells(self, sheet: pd.DataFrame) -> None:
        design = design_matrix("~ status + batch", sheet)
        assert cells(design).tolist() == [0, 1, 2, 3, 0, 3]
        assert cell_sizes(design).tolist() == [2, 1, 1, 2, 2, 2]
        assert cell_sizes(design_matrix("~ age", sheet)).tolist() == [1] * 6
        assert cell_sizes(design_matrix("~ 1", sheet)).tolist() == [6] * 6

    @pytest.mark.parametrize(
        ("formula", "is_one"),
        [
            ("~ status", True), ("~ 0 + status", True), ("~ status*batch", True), ("~ 1", True),
            ("~ status + batch", False), ("~ age", False), ("~ status + age", False),
        ],
    )  # fmt: skip
    def test_group_models(self, sheet: pd.DataFrame, formula: str, is_one: bool) -> None:
        assert is_group_model(design_matrix(formula, sheet)) is is_one

    def test_one_sample_per_group(self, sheet: pd.DataFrame) -> None:
        with pytest.raises(InputError) as caught:
            check_replicates(design_matrix("~ status", sheet.loc[["S0", "S2"]]))
        assert "2 samples for 2 coefficients" in str(caught.value)
        assert "(status IS: 1 sample; status C: 1 sample)" in str(caught.value)

    def test_more_coefficients_than_samples(self, sheet: pd.DataFrame) -> None:
        with pytest.raises(InputError, match="3 samples for 4 coefficients"):
            check_replicates(model_matrix("~ status*age", sheet[:3]))

    def test_one_sample_more_is_enough(self, sheet: pd.DataFrame) -> None:
        check_replicates(design_matrix("~ status", sheet.loc[["S0", "S2", "S3"]]))


def test_any_matrix_may_be_looked_at(sheet: pd.DataFrame) -> None:
    design = model_matrix("~ status:batch", sheet)
    assert design.values.shape == (6, 5)
    with pytest.raises(InputError, match="do not tell all coefficients apart"):
        check_full_rank(design)
