"""Model matrices against R's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from exprimo.labels.design import model_matrix

SHEET = pd.DataFrame(
    {
        "a": list("uuuuvvvvuvvu"),
        "b": list("pqrpqrpqqrpr"),
        "c": list("mnmnmnnmnmnm"),
        "x": [1, 2.5, -1, 0, 3, 2, 0.5, -2, 4, 1.5, -3, 6],
        "y": [2, 1, 0, 1, 2, 3, 5, 8, 1, 3, 2, 1],
    }
)

# R 4.2.2, with the same columns, text as factors:
#   m <- model.matrix(as.formula(DESIGN), sheet)
#   for (j in 1:ncol(m)) cat(colnames(m)[j], m[, j], "\n")
R_MATRICES = {
    "~ a + b": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
    """,
    "~ a * b": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
    """,
    "~ a + x": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        x            1 2.5 -1 0 3 2 0.5 -2 4 1.5 -3 6
    """,
    "~ 0 + b": """
        bp           1 0 0 1 0 0 1 0 0 0 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
    """,
    "~ 0 + a + b": """
        au           1 1 1 1 0 0 0 0 1 0 0 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
    """,
    "~ 0 + x + b": """
        x            1 2.5 -1 0 3 2 0.5 -2 4 1.5 -3 6
        bp           1 0 0 1 0 0 1 0 0 0 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
    """,
    "~ a + a:b": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        au:bq        0 1 0 0 0 0 0 0 1 0 0 0
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        au:br        0 0 1 0 0 0 0 0 0 0 0 1
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
    """,
    "~ a:b": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        au:bp        1 0 0 1 0 0 0 0 0 0 0 0
        av:bp        0 0 0 0 0 0 1 0 0 0 1 0
        au:bq        0 1 0 0 0 0 0 0 1 0 0 0
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        au:br        0 0 1 0 0 0 0 0 0 0 0 1
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
    """,
    "~ a + x:a": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        au:x         1 2.5 -1 0 0 0 0 0 4 0 0 6
        av:x         0 0 0 0 3 2 0.5 -2 0 1.5 -3 0
    """,
    "~ x:b": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        x:bp         1 0 0 0 0 0 0.5 0 0 0 -3 0
        x:bq         0 2.5 0 0 3 0 0 -2 4 0 0 0
        x:br         0 0 -1 0 0 2 0 0 0 1.5 0 6
    """,
    "~ 0 + x:b": """
        x:bp         1 0 0 0 0 0 0.5 0 0 0 -3 0
        x:bq         0 2.5 0 0 3 0 0 -2 4 0 0 0
        x:br         0 0 -1 0 0 2 0 0 0 1.5 0 6
    """,
    "~ b:a + a": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq:au        0 1 0 0 0 0 0 0 1 0 0 0
        br:au        0 0 1 0 0 0 0 0 0 0 0 1
        bq:av        0 0 0 0 1 0 0 1 0 0 0 0
        br:av        0 0 0 0 0 1 0 0 0 1 0 0
    """,
    "~ a/x": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        au:x         1 2.5 -1 0 0 0 0 0 4 0 0 6
        av:x         0 0 0 0 3 2 0.5 -2 0 1.5 -3 0
    """,
    "~ (a + b + c)^2 - a:b": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
        cn           0 1 0 1 0 1 1 0 1 0 1 0
        av:cn        0 0 0 0 0 1 1 0 0 0 1 0
        bq:cn        0 1 0 0 0 0 0 0 1 0 0 0
        br:cn        0 0 0 0 0 1 0 0 0 0 0 0
    """,
    "~ a:b + a:c": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        au:bp        1 0 0 1 0 0 0 0 0 0 0 0
        av:bp        0 0 0 0 0 0 1 0 0 0 1 0
        au:bq        0 1 0 0 0 0 0 0 1 0 0 0
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        au:br        0 0 1 0 0 0 0 0 0 0 0 1
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
        au:cn        0 1 0 1 0 0 0 0 1 0 0 0
        av:cn        0 0 0 0 0 1 1 0 0 0 1 0
    """,
    "~ 0 + a*b": """
        au           1 1 1 1 0 0 0 0 1 0 0 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
    """,
    "~ x*y": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        x            1 2.5 -1 0 3 2 0.5 -2 4 1.5 -3 6
        y            2 1 0 1 2 3 5 8 1 3 2 1
        x:y          2 2.5 0 0 6 6 2.5 -16 4 4.5 -6 6
    """,
    "~ 0 + x + a:b": """
        x            1 2.5 -1 0 3 2 0.5 -2 4 1.5 -3 6
        au:bp        1 0 0 1 0 0 0 0 0 0 0 0
        av:bp        0 0 0 0 0 0 1 0 0 0 1 0
        au:bq        0 1 0 0 0 0 0 0 1 0 0 0
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        au:br        0 0 1 0 0 0 0 0 0 0 0 1
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
    """,
    "~ a*b*c - a:b:c - c": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
        av:bq        0 0 0 0 1 0 0 1 0 0 0 0
        av:br        0 0 0 0 0 1 0 0 0 1 0 0
        au:cn        0 1 0 1 0 0 0 0 1 0 0 0
        av:cn        0 0 0 0 0 1 1 0 0 0 1 0
        bq:cn        0 1 0 0 0 0 0 0 1 0 0 0
        br:cn        0 0 0 0 0 1 0 0 0 0 0 0
    """,
    "~ (a + x)/c": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        x            1 2.5 -1 0 3 2 0.5 -2 4 1.5 -3 6
        au:x:cm      1 0 -1 0 0 0 0 0 0 0 0 6
        av:x:cm      0 0 0 0 3 0 0 -2 0 1.5 0 0
        au:x:cn      0 2.5 0 0 0 0 0 0 4 0 0 0
        av:x:cn      0 0 0 0 0 2 0.5 0 0 0 -3 0
    """,
    "~ 1": """
        (Intercept)  1 1 1 1 1 1 1 1 1 1 1 1
    """,
    "~ a + (b - 1)": """
        au           1 1 1 1 0 0 0 0 1 0 0 1
        av           0 0 0 0 1 1 1 1 0 1 1 0
        bq           0 1 0 0 1 0 0 1 1 0 0 0
        br           0 0 1 0 0 1 0 0 0 1 0 1
    """,
}


@pytest.mark.parametrize("formula", R_MATRICES)
def test_columns_are_those_of_r(formula: str) -> None:
    rows = [line.split() for line in R_MATRICES[formula].strip().splitlines()]
    design = model_matrix(formula, SHEET)
    assert list(design.r_names) == [row[0] for row in rows]
    np.testing.assert_array_equal(design.values.T, [[float(x) for x in row[1:]] for row in rows])
    assert design.values.dtype == np.float64
    assert [at for term in design.terms for at in term.columns] == list(range(len(rows)))


# DESeq2 1.38.3: resultsNames(nbinomWaldTest(dds)), levels "2x", "C", "IS", "mild-IS".
R_NAMES = {
    "~ batch + status": "Intercept batch_B_vs_A status_C_vs_2x status_IS_vs_2x "
    "status_mild.IS_vs_2x",
    "~ status*batch": "Intercept status_C_vs_2x status_IS_vs_2x status_mild.IS_vs_2x "
    "batch_B_vs_A statusC.batchB statusIS.batchB statusmild.IS.batchB",
    "~ 0 + status + batch": "status2x statusC statusIS statusmild.IS batchB",
    "~ age + status + status:age": "Intercept age status_C_vs_2x status_IS_vs_2x "
    "status_mild.IS_vs_2x age.statusC age.statusIS age.statusmild.IS",
    "~ batch + batch:age": "Intercept batch_B_vs_A batchA.age batchB.age",
    "~ 0 + batch:age + status": "status2x statusC statusIS statusmild.IS batchA.age batchB.age",
}


@pytest.mark.parametrize("formula", R_NAMES)
def test_coefficients_are_named_as_in_deseq2(formula: str) -> None:
    sheet = pd.DataFrame(
        {
            "status": ["C", "IS", "mild-IS", "2x"] * 4,
            "batch": ["A"] * 8 + ["B"] * 8,
            "age": [61.0, 70, 58, 66, 50, 49, 71, 62, 55, 64, 68, 59, 47, 53, 60, 65],
        }
    )
    assert " ".join(model_matrix(formula, sheet).names) == R_NAMES[formula]
