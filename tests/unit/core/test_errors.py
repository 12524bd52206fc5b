"""One tree of errors, and messages that name place, found, expected and remedy."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from exprimo.core import errors
from exprimo.core.errors import ExprimoError, FormatError, InputError


def _all_errors() -> list[type[ExprimoError]]:
    return [
        item
        for item in vars(errors).values()
        if isinstance(item, type) and issubclass(item, ExprimoError)
    ]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {
        line.split("── ")[1].split()[0]: "    │" in line[:9]
        for line in (errors.__doc__ or "").splitlines()
        if "── " in line
    }
    assert set(drawn) == {kind.__name__ for kind in _all_errors()} - {"ExprimoError"}
    for name, inner in drawn.items():
        parent = getattr(errors, name).__mro__[1]
        assert parent is (InputError if inner else ExprimoError), name


@pytest.mark.parametrize("kind", _all_errors())
def test_each_error_has_one_sentence_of_meaning(kind: type[ExprimoError]) -> None:
    assert kind.__doc__
    assert kind.__doc__.splitlines()[0].endswith(".")


def test_a_message_holds_all_that_was_given_in_order() -> None:
    error = FormatError(
        "not a count",
        file=Path("c.tsv"),
        record="gene g1",
        found=-3,
        expected="a whole number.",
        remedy="Give raw counts.",
    )
    assert str(error) == (
        "c.tsv, gene g1: not a count. Found: -3. Expected: a whole number. Give raw counts."
    )
    assert (error.file, error.record, error.found) == ("c.tsv", "gene g1", -3)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({}, "wrong."),
        ({"file": "f"}, "f: wrong."),
        ({"record": "line 3"}, "line 3: wrong."),
        ({"found": 0}, "wrong. Found: 0."),
        ({"remedy": "Stop"}, "wrong. Stop."),
    ],
)
def test_what_is_not_known_is_left_out(facts: dict[str, object], message: str) -> None:
    assert str(ExprimoError("wrong", **facts)) == message  # type: ignore[arg-type]  # test table


def test_it_can_cross_a_process_border() -> None:
    # Copying goes by the same road as sending an error home from a worker process.
    error = InputError("no such gene", file="a.gtf", record="g9", remedy="Look it up")
    again = copy.deepcopy(error)
    assert str(again) == str(error)
    assert again.remedy == "Look it up"
