"""Design formulas as R writes them, read into terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from exprimo.core.errors import ConfigError

_TOKEN = re.compile(
    r"\s*(?:`(?P<quoted>[^`]+)`"
    r"|(?P<number>\d+(?:\.\d+)?(?![\w.]))"
    r"|(?P<name>(?:[^\W\d]|\.(?=[^\W\d]))[\w.]*)"
    r"|(?P<operator>%in%|[~+\-:*/^()])"
    r"|(?P<other>\S))"
)
_PLAIN_NAME = re.compile(r"(?:[^\W\d_]|\.(?=[^\W\d]))[\w.]*")
_END = "end"


@dataclass(frozen=True)
class Formula:
    """The right side of an R formula.

    Attributes
    ----------
    intercept
        Whether there is one; there is, unless ``0 +`` or ``- 1`` takes it away.
    terms
        Each the names of its columns: main effects first, then interactions of two, of three,
        ...; within a degree as written. Names in a term stand in the order of ``variables``.
    variables
        The columns that the terms use, in the order in which the formula names them.
    """

    intercept: bool
    terms: tuple[tuple[str, ...], ...]
    variables: tuple[str, ...]

    def __str__(self) -> str:
        """Write the formula with every ``*``, ``/`` and ``^`` spelt out."""
        parts = [":".join(map(_quoted, term)) for term in self.terms]
        if not self.intercept:
            parts.insert(0, "0")
        return "~ " + (" + ".join(parts) or "1")


def parse_formula(text: str) -> Formula:
    """Read a design formula.

    Known are ``+``, ``:`` (interaction), ``*`` (``a*b`` is ``a + b + a:b``), ``/`` (``a/b`` is
    ``a + a:b``), ``- term``, ``(a + b)^2``, parentheses, ``1``, and ``0 +`` or ``- 1`` for no
    intercept. Names that hold other signs than letters, digits, ``.`` and ``_`` stand in
    back-ticks.

    Raises
    ------
    ConfigError
        The formula has a left side, calls a function, or cannot be read; the message says where.

    Examples
    --------
    >>> parse_formula("~ batch * status").terms
    (('batch',), ('status',), ('batch', 'status'))
    >>> print(parse_formula("~ 0 + status + (status + age)^2"))
    ~ 0 + status + age + status:age
    """
    return _Parser(text).formula()


def _quoted(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else f"`{name}`"


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


_Terms = list[frozenset[str]]


class _Parser:
    """Evaluate while reading: each rule returns the terms that its piece stands for.

    The intercept is kept aside, as in R: ``1`` sets it and ``0`` unsets it, the other way round
    behind a minus sign.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._tokens())
        self.next = 0
        self.intercept = True
        self.adding = True
        self.variables: dict[str, None] = {}

    def formula(self) -> Formula:
        if self._kind() != "~":
            if any(token.kind == "~" for token in self.tokens):
                self._refuse(
                    "a design has nothing on the left of ~",
                    remedy="Leave away what stands before ~: the counts are what is explained",
                )
            self._refuse("a design begins with ~", remedy="Write it like ~ batch + status")
        self._take()
        terms = self._sum()
        if self._kind() != _END:
            self._refuse_here("an operator such as + or the end")
        if not terms and not self.intercept:
            self._refuse("the design has no term at all", remedy="Name a column, or write ~ 1")
        order = list(self.variables)
        named = [tuple(sorted(term, key=order.index)) for term in terms]
        used = {name for term in named for name in term}
        return Formula(
            self.intercept,
            tuple(sorted(named, key=len)),
            tuple(name for name in order if name in used),
        )

    def _sum(self) -> _Terms:
        sign = self._take().kind if self._kind() in ("+", "-") else "+"
        terms = self._signed(sign, [])
        while self._kind() in ("+", "-"):
            terms = self._signed(self._take().kind, terms)
        return terms

    def _signed(self, sign: str, left: _Terms) -> _Terms:
        if sign == "+":
            return _unique([*left, *self._product()])
        start = self._token().at
        self.adding = not self.adding
        right = self._product()
        self.adding = not self.adding
        for term in right:
            if term not in left:
                self._refuse(
                    "the design takes away a term that it does not hold",
                    found=f"- {self.text[start:].strip()}",
                    remedy="A column name with a hyphen in it stands in back-ticks: `cell-type`",
                )
        return [term for term in left if term not in right]

    def _product(self) -> _Terms:
        left = self._interaction()
        while self._kind() in ("*", "/"):
            operator = self._take().kind
            right = self._interaction()
            # In a/b every term of b is nested in all that a names.
            outer = left if operator == "*" else [frozenset().union(*left)]
            both = self._crossed(outer, right)
            left = _unique([*left, *(right if operator == "*" else []), *both])
        return left

    def _interaction(self) -> _Terms:
        left = self._power()
        while self._kind() == ":":
            self._take()
            left = self._crossed(left, self._power())
        return left

    def _crossed(self, left: _Terms, right: _Terms) -> _Terms:
        if not left or not right or frozenset() in left:
            self._refuse("1 and 0 do not interact with anything", remedy="Name columns there")
        return _unique([one | other for one in left for other in right])

    def _power(self) -> _Terms:
        base = self._atom()
        if self._kind() != "^":
            return base
        self._take()
        exponent = self._token()
        if exponent.kind != "number" or not exponent.text.isdecimal() or int(exponent.text) < 1:
            self._refuse_here("a whole number behind ^")
        self._take()
        terms = base
        # Beyond the number of columns nothing new comes of it.
        for _ in range(min(int(exponent.text) - 1, len(base))):
            terms = _unique([*terms, *self._crossed(terms, base)])
        return terms

    def _atom(self) -> _Terms:
        token = self._token()
        if token.kind == "(":
            self._take()
            inside = self._sum()
            if self._kind() != ")":
                self._refuse_here("a closing parenthesis")
            self._take()
            return inside
        if token.kind == "number" and token.text in ("0", "1"):
            self._take()
            self.intercept = (token.text == "1") == self.adding
            return []
        if token.kind != "name":
            self._refuse_here("the name of a column, 0, 1 or an opening parenthesis")
        self._take()
        if self._kind() == "(" and not self._is_quoted(token):
            self._refuse_call(token.text)
        self.variables.setdefault(token.text)
        return [frozenset({token.text})]

    def _is_quoted(self, token: _Token) -> bool:
        return self.text[token.at] == "`"

    def _tokens(self) -> Iterator[_Token]:
        at, end = 0, len(self.text.rstrip())
        while at < end:
            match = _TOKEN.match(self.text, at)
            assert match is not None  # the last alternative takes any sign
            kind = str(match.lastgroup)
            word = match[kind]
            start = match.end() - len(word) - (2 if kind == "quoted" else 0)
            shown = {"operator": word, "quoted": "name"}.get(kind, kind)
            yield _Token(shown, word, start)
            at = match.end()
        yield _Token(_END, "", end)

    def _token(self) -> _Token:
        return self.tokens[self.next]

    def _kind(self) -> str:
        return self._token().kind

    def _take(self) -> _Token:
        token = self._token()
        self.next += 1
        return token

    def _refuse(
        self, problem: str, *, found: str | None = None, expected: str | None = None, remedy: str
    ) -> NoReturn:
        raise ConfigError(
            problem,
            record=f"design {self.text.strip()!r}",
            found=found,
            expected=expected,
            remedy=remedy,
        )

    def _refuse_here(self, expected: str) -> NoReturn:
        token = self._token()
        if token.kind == "other":
            self._refuse_sign(self.text[token.at :].strip())
        where = "nothing" if token.kind == _END else f"{self.text[token.at :].strip()!r}"
        self._refuse(
            "the design cannot be read",
            found=where,
            expected=expected,
            remedy="Write it like ~ batch + status; names with other signs stand in back-ticks",
        )

    def _refuse_call(self, function: str) -> NoReturn:
        if function in ("factor", "as.factor", "C"):
            remedy = "Write the column alone and name it among the factors"
        else:
            remedy = "Compute it beforehand and add it to the sample sheet as a column"
        self._refuse("a design calls no functions", found=f"{function}(...)", remedy=remedy)

    def _refuse_sign(self, rest: str) -> NoReturn:
        if rest.startswith("|"):
            remedy = "Random effects are not fitted: give the column as a plain term"
        elif rest.startswith("."):
            remedy = "Name the columns instead of '.'"
        else:
            remedy = "Put names that begin with a digit or hold other signs in back-ticks"
        self._refuse("the design cannot be read", found=repr(rest), remedy=remedy)


def _unique(terms: _Terms) -> _Terms:
    return list(dict.fromkeys(terms))
