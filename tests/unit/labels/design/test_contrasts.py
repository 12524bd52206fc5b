"""Contrasts: weights as DESeq2's results() takes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.core.errors import ConfigError, InputError
from exprimo.labels.design import contrast_vector, default_contrast, design_matrix

SHEET = pd.DataFrame(
    {
        "status": ["C", "IS", "mild-IS", "2x"] * 4,
        "batch": ["A"] * 8 + ["B"] * 8,
        "age": [61.0, 70, 58, 66, 50, 49, 71, 62, 55, 64, 68, 59, 47, 53, 60, 65],
    }
)

# DESeq2 1.38.3. The weights solve coef(dds) %*% w = results(dds, contrast)$log2FoldChange over
# 39 simulated genes.
R_WEIGHTS = [
    ("~ batch + status", "status,IS,C", [0, 0, -1, 1, 0]),
    ("~ batch + status", "status,C,IS", [0, 0, 1, -1, 0]),
    ("~ batch + status", "status,IS,mild-IS", [0, 0, 0, 1, -1]),
    ("~ batch + status", "status,IS,2x", [0, 0, 0, 1, 0]),
    ("~ batch + status", "batch,B,A", [0, 1, 0, 0, 0]),
    ("~ batch + status", "batch,A,B", [0, -1, 0, 0, 0]),
    ("~ status*batch", "status,IS,C", [0, -1, 1, 0, 0, 0, 0, 0]),
    ("~ status*batch", "status,IS,2x", [0, 0, 1, 0, 0, 0, 0, 0]),
    ("~ status*batch", "batch,A,B", [0, 0, 0, 0, -1, 0, 0, 0]),
    ("~ 0 + status + batch", "status,IS,C", [0, -1, 1, 0, 0]),
    ("~ 0 + status + batch", "status,IS,2x", [-1, 0, 1, 0, 0]),
    ("~ 0 + status + batch", "batch,B,A", [0, 0, 0, 0, 1]),
    ("~ 0 + status + batch", "batch,A,B", [0, 0, 0, 0, -1]),
    ("~ age + status + status:age", "status,IS,mild-IS", [0, 0, 0, 1, -1, 0, 0, 0]),
    ("~ batch + batch:age", "batch,B,A", [0, 1, 0, 0]),
    ("~ 0 + batch:age + status", "status,IS,C", [0, -1, 1, 0, 0, 0]),
]


@pytest.mark.parametrize(("formula", "spec", "weights"), R_WEIGHTS)
def test_weights_as_in_deseq2(formula: str, spec: str, weights: list[int]) -> None:
    design = design_matrix(formula, SHEET)
    contrast = contrast_vector(design, spec)
    np.testing.assert_array_equal(contrast.values, weights)
    factor, one, other = spec.split(",")
    np.testing.assert_array_equal(
        contrast_vector(design, (factor, one, other)).values, contrast.values
    )
    assert contrast.levels == (factor, one, other)
    assert contrast.text.startswith(f"{factor} {one} vs {other}")


@pytest.mark.parametrize("formula", ["~ 0 + age + status", "~ 0 + batch:age + status"])
def test_the_reference_has_a_column_of_its_own_behind_a_number(formula: str) -> None:
    # Here results() of DESeq2 1.38.3 gives the coefficient of one group in place of a difference.
    design = design_matrix(formula, SHEET)
    contrast = contrast_vector(design, "status,IS,2x")
    named = {name: w for name, w in zip(design.names, contrast.values, strict=True) if w}
    assert named == {"statusIS": 1, "status2x": -1}


@pytest.mark.parametrize(
    "formula", ["~ batch + status", "~ 0 + status", "~ 0 + age + status", "~ age + status"]
)
def test_a_contrast_recovers_the_difference(formula: str) -> None:
    effect = {"2x": 3.0, "C": 10.0, "IS": -4.0, "mild-IS": 7.5}
    observed = SHEET["status"].map(effect) + 0.3 * SHEET["age"] * ("age" in formula)
    design = design_matrix(formula, SHEET, reference={"status": "C"})
    fitted = np.linalg.lstsq(design.values, observed, rcond=None)[0]
    for one in effect:
        for other in set(effect) - {one}:
            got = contrast_vector(design, ("status", one, other)).values @ fitted
            assert got == pytest.approx(effect[one] - effect[other])


def test_names_and_samples() -> None:
    design = design_matrix("~ batch + status", SHEET)
    contrast = contrast_vector(design, ("status", "mild-IS", "C"))
    assert contrast.name == "status_mild.IS_vs_C"
    assert contrast.text == "status mild-IS vs C"
    assert contrast.samples is not None
    np.testing.assert_array_equal(contrast.samples, SHEET["status"].isin(["mild-IS", "C"]))
    assert contrast.coefficient is None
    assert contrast_vector(design, "status,mild-IS,2x").coefficient == 4
    assert contrast_vector(design, "status,2x,mild-IS").coefficient is None


def test_the_place_of_an_interaction_is_said() -> None:
    design = design_matrix("~ status*batch + status:age", SHEET)
    assert contrast_vector(design, "status,IS,C").text == "status IS vs C at batch A, age 0"
    assert contrast_vector(design, "batch,B,A").text == "batch B vs A at status 2x"


@pytest.mark.parametrize("name", ["age", "statusIS.batchB", "statusIS:batchB", "batch_B_vs_A"])
def test_the_name_of_a_coefficient(name: str) -> None:
    design = design_matrix("~ status*batch + age", SHEET)
    contrast = contrast_vector(design, name)
    at = contrast.coefficient
    assert at is not None
    assert name in (design.names[at], design.r_names[at])
    assert contrast.samples is None
    assert contrast.name == design.names[at]
    assert contrast.text == design.texts[at]


def test_weights() -> None:
    design = design_matrix("~ 0 + status", SHEET)
    contrast = contrast_vector(design, [-0.5, -0.5, 1, 0])
    assert contrast.text == "-0.5 × status2x -0.5 × statusC +1 × statusIS"
    assert contrast.name == "-0.5,-0.5,+1,0"
    # DESeq2: contrastAllZeroNumeric, model.matrix %*% (contrast != 0) != 0.
    assert contrast.samples is not None
    np.testing.assert_array_equal(contrast.samples, SHEET["status"] != "mild-IS")
    assert contrast_vector(design, np.array([0, 1, 1, 0])).samples is None
    assert contrast_vector(design, (0, 1, 0, 0)).coefficient == 1


@pytest.mark.parametrize(
    ("spec", "error", "said"),
    [
        ("status,is,C", InputError, "no such level of status. Found: 'is'.*2x, C, IS.*is 'IS'"),
        ("status,IS,D", InputError, "no such level of status. Found: 'D'"),
        ("state,IS,C", InputError, "no such factor in the design. Found: 'state'.*is 'status'"),
        ("age,1,2", ConfigError, "this column holds measurements.*its name alone"),
        ("status,IS,IS", ConfigError, "two different levels"),
        ("status,IS", ConfigError, "Found: status,IS. Expected: a factor and two of its levels"),
        ("status", ConfigError, "Write it like status,mild-IS,2x"),
        ("agee", InputError, "no such coefficient in the design.*nearest name is 'age'"),
        (("status", "IS", 1.0), ConfigError, "names or numbers, not both"),
        ([0.0, 1.0], ConfigError, "Found: 2 weights. Expected: 5, for Intercept, age"),
        ([0.0] * 5, ConfigError, "not all 0"),
        ([0.0, np.nan, 1, 0, 0], ConfigError, "finite weights"),
        ([], ConfigError, "0 weights"),
    ],
)
def test_what_is_no_contrast(spec, error, said) -> None:
    design = design_matrix("~ age + status", SHEET)
    with pytest.raises(error, match=said):
        contrast_vector(design, spec)


def test_a_factor_in_interactions_only() -> None:
    design = design_matrix("~ 0 + status:batch", SHEET)
    with pytest.raises(InputError, match=r"in interactions only.*status2x.batchA"):
        contrast_vector(design, "status,IS,C")


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("~ batch + status", "status_mild.IS_vs_2x"),
        ("~ status + batch", "batch_B_vs_A"),
        ("~ 0 + status", "status_mild.IS_vs_2x"),
        ("~ status + age", "age"),
        ("~ status*batch", "statusmild.IS.batchB"),
        ("~ 1", "Intercept"),
    ],
)
def test_the_question_that_is_most_likely(formula: str, name: str) -> None:
    assert default_contrast(design_matrix(formula, SHEET)).name == name
