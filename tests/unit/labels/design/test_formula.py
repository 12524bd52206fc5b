"""Formulas: what is read, and what is refused."""

from __future__ import annotations

import pytest

from exprimo.core.errors import ConfigError
from exprimo.labels.design import parse_formula
from exprimo.labels.design.names import make_names


# R: t <- terms(FORMULA); attr(t, "intercept"); attr(t, "term.labels")
@pytest.mark.parametrize(
    ("text", "intercept", "labels"),
    [
        ("~ a", True, "a"),
        ("~a+b:a", True, "a a:b"),
        ("~ b:a + a", True, "a b:a"),
        ("~ b:a + a + c", True, "a c b:a"),
        ("~ (a + b + c)^2 - a:b", True, "a b c a:c b:c"),
        ("~ a/b", True, "a a:b"),
        ("~ (a + b)/c", True, "a b a:b:c"),
        ("~ a*b - 1", False, "a b a:b"),
        ("~ -1 + a", False, "a"),
        ("~ -1 + a - 0", True, "a"),
        ("~ 0 + a + 1", True, "a"),
        ("~ a + (b - 1)", False, "a b"),
        ("~ a^2", True, "a"),
        ("~ (a + b + c)^7", True, "a b c a:b a:c b:c a:b:c"),
        ("~ a:b:c + b", True, "b a:b:c"),
        ("~ a*b*c - a:b:c - c", True, "a b a:b a:c b:c"),
        ("~ a + a + b + a", True, "a b"),
        ("~ a*b:c", True, "a b:c a:b:c"),
        ("~ a/b*c", True, "a c a:b a:c a:b:c"),
        ("~ a.b + .c + d_1", True, "a.b .c d_1"),
        ("~ 1", True, ""),
        ("~ größe", True, "größe"),
    ],
)
def test_terms_as_in_r(text: str, intercept: bool, labels: str) -> None:
    formula = parse_formula(text)
    assert formula.intercept is intercept
    assert [":".join(term) for term in formula.terms] == labels.split()


def test_names_in_back_ticks() -> None:
    formula = parse_formula("~ `cell type` + `2nd`:x")
    assert formula.terms == (("cell type",), ("2nd", "x"))
    assert str(formula) == "~ `cell type` + `2nd`:x"


def test_a_quoted_name_before_a_parenthesis_is_no_call() -> None:
    with pytest.raises(ConfigError, match="an operator such as"):
        parse_formula("~ `a` (b)")


@pytest.mark.parametrize("text", ["~ 0 + a:b + a", "~ a*b", "~ 1", "~ (x + y)^2 - 1"])
def test_writing_and_reading_again(text: str) -> None:
    formula = parse_formula(text)
    assert parse_formula(str(formula)) == formula


def test_only_what_is_used_counts_as_a_variable() -> None:
    assert parse_formula("~ b*a - b:a - b").variables == ("a",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("counts ~ a", "nothing on the left of ~"),
        ("a + b", "a design begins with ~"),
        ("", "begins with ~"),
        ("~", "Found: nothing. Expected: the name of a column"),
        ("~ 0", "no term at all"),
        ("~ log(age) + a", r"calls no functions. Found: log\(...\).*sample sheet as a column"),
        ("~ I(age^2)", r"Found: I\(...\)"),
        ("~ ns(age, 3)", r"Found: ns\(...\)"),
        ("~ factor(batch)", r"Found: factor\(...\).*among the factors"),
        ("~ offset(x)", r"Found: offset\(...\)"),
        ("~ a + (1 | b)", "Random effects are not fitted"),
        ("~ .", "Name the columns instead of '.'"),
        ("~ 2nd + a", "back-ticks"),
        ("~ a b", "Found: 'b'. Expected: an operator"),
        ("~ a +", "Found: nothing. Expected: the name of a column"),
        ("~ (a + b", "Found: nothing. Expected: a closing parenthesis"),
        ("~ a + b)", r"Found: '\)'"),
        ("~ a ~ b", "Found: '~ b'"),
        ("~ a^b", "Found: 'b'. Expected: a whole number behind"),
        ("~ a^0", "a whole number behind"),
        ("~ 2 + a", "Found: '2 [+] a'"),
        ("~ a %in% b", "Found: '%in% b'"),
        ("~ a:1", "1 and 0 do not interact"),
        ("~ 1*a", "1 and 0 do not interact"),
        ("~ a - b", "takes away a term that it does not hold. Found: - b"),
        ("~ cell-type", "stands in back-ticks: `cell-type`"),
        ("~ a ? b", "Found: '[?] b'"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_formula(text)
    assert f"design {text.strip()!r}" in str(caught.value)
    assert caught.value.remedy


# R: make.names(c(...))
@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a b", "a.b"), ("1x", "X1x"), ("_x", "X_x"), (".1", "X.1"), ("if", "if."),
        ("é-1", "é.1"), ("a:b", "a.b"), ("", "X"), ("NA", "NA."), (".x", ".x"), ("...", "..."),
        ("TRUE", "TRUE."), ("a_b", "a_b"), ("(Intercept)", "X.Intercept."), ("日本", "日本"),
        ("a²", "a."), ("next", "next."),
    ],
)  # fmt: skip
def test_names_as_r_makes_them(name: str, made: str) -> None:
    assert make_names(name) == made
