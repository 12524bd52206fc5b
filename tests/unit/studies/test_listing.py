"""The list of the zoo."""

from __future__ import annotations

from exprimo.studies.listing import models


def test_sizes_that_follow_the_number_of_examples_are_given_twice() -> None:
    listed = {
        entry["name"]: (entry["n_parameters_few"], entry["n_parameters"]) for entry in models()
    }
    few, many = listed["histone_fcn"]
    assert few < many / 10
    assert listed["deepchrome"][0] == listed["deepchrome"][1] > 0
    assert listed["bins_ridge"] == (None, None)
