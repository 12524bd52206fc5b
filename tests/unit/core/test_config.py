"""Closed, typed settings, and TOML that reads back as what was written."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from exprimo.core.config import Config, apply_override, read_toml
from exprimo.core.errors import ConfigError, InputError


class _Fit(Config):
    """How it is fitted."""

    epochs: int | None = Field(None, ge=1)
    """Passes."""
    learning_rate: float = 3e-3
    """Peak of the schedule.
    Two lines of it."""
    schedule: Literal["cosine", "one-cycle"] = "cosine"
    """Its shape."""


class _Study(Config):
    """A study."""

    name: str = 'a "quoted" name, β = #1'
    """What it is called."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Anything."""
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Shares."""
    genome: Path | None = None
    """A file."""
    fit: _Fit = _Fit()
    """How it is fitted."""
    extra: _Fit | None = None
    """A second one."""


def _message(values: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        _Study.checked(values, file="study.toml")
    return str(caught.value)


def test_an_unknown_key_suggests_the_nearest() -> None:
    message = _message({"fractoins": [1, 0, 0]})
    assert message.startswith("study.toml, fractoins: unknown key.")
    assert message.endswith("Did you mean fractions?")


@pytest.mark.parametrize("table", ["fit", "extra"])
def test_an_unknown_nested_key_suggests_from_its_own_table(table: str) -> None:
    message = _message({table: {"learning_rat": 1.0}})
    assert f"{table}.learning_rat: unknown key" in message
    assert "one of epochs, learning_rate, schedule" in message
    assert "Did you mean learning_rate?" in message


def test_a_key_near_nothing_lists_the_known_ones() -> None:
    message = _message({"zzzzzz": 1})
    assert "one of name, options, fractions, genome, fit, extra" in message
    assert "Did you mean" not in message


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"fit": {"epochs": 0}}, ["fit.epochs", "greater than or equal to 1", "Found: 0"]),
        ({"fit": {"schedule": "linear"}}, ["fit.schedule", "'linear'"]),
        ({"fractions": [0.5, 0.5]}, ["fractions"]),
        ({"fit": 3}, ["fit", "Found: 3"]),
    ],
)
def test_a_bad_value_is_named_with_its_key(values: dict[str, Any], parts: list[str]) -> None:
    message = _message(values)
    assert all(part in message for part in parts), message


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _Study().name = "other"


@pytest.mark.parametrize("comments", [False, True])
@pytest.mark.parametrize(
    "study",
    [
        _Study(),
        _Study(
            options={"kernel": 7, "sizes": (1, 2), "unset": None},
            genome=Path("g.fa"),
            fit=_Fit(epochs=3, learning_rate=1e-05),
            extra=_Fit(schedule="one-cycle"),
        ),
    ],
)
def test_toml_reads_back_as_the_same_study(study: _Study, comments: bool, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    study.save(path, comments=comments)
    again = _Study.load(path)
    expected = study.model_dump(mode="json", exclude_none=True)
    expected["options"].pop("unset", None)  # TOML has no null, so it is left out
    assert again.model_dump(mode="json", exclude_none=True) == expected


def test_comments_explain_every_key_and_show_the_unset_ones() -> None:
    text = _Study().to_toml(comments=True)
    assert text.startswith("# A study.\n")
    assert "# Peak of the schedule.\n# Two lines of it.\nlearning_rate = 0.003" in text
    assert "# A file.\n# genome =" in text
    assert "[fit]" in text


def test_without_comments_there_are_none() -> None:
    assert not any(line.startswith("#") for line in _Study().to_toml().splitlines())
    assert tomllib.loads(_Study().to_toml())["fractions"] == [0.8, 0.1, 0.1]


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("name=plain words", ("name",), "plain words"),
        ("fit.epochs=5", ("fit", "epochs"), 5),
        (" fit . epochs =5", ("fit", "epochs"), 5),
        ("fractions=[0.5, 0.3, 0.2]", ("fractions",), [0.5, 0.3, 0.2]),
        ("on=true", ("on",), True),
        ("a.b.c=x=y", ("a", "b", "c"), "x=y"),
        ("empty=", ("empty",), ""),
    ],
)
def test_overrides_reach_nested_keys(override: str, path: tuple[str, ...], value: object) -> None:
    values: dict[str, Any] = {"fit": {"epochs": 1, "kept": 2}}
    apply_override(values, override)
    assert values["fit"]["kept"] == 2
    inner: Any = values
    for part in path:
        inner = inner[part]
    assert inner == value


@pytest.mark.parametrize("override", ["epochs", "=5", "  =5"])
def test_what_is_no_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="not an override"):
        apply_override({}, override)


def test_an_override_below_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"fit\.epochs\.x: not a table"):
        apply_override({"fit": {"epochs": 3}}, "fit.epochs.x=1")


def test_loading_applies_overrides_before_checking(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("[fit]\nepochs = 0\n")
    assert _Study.load(path, overrides=["fit.epochs=4"]).fit.epochs == 4
    with pytest.raises(ConfigError, match=r"study\.toml, fit\.epochs"):
        _Study.load(path)


def test_files_that_are_no_toml_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such study file"):
        read_toml(tmp_path / "none.toml")
    with pytest.raises(InputError, match="a folder"):
        read_toml(tmp_path)
    broken = tmp_path / "broken.toml"
    for content in (b"name = \n", b"\xff\xfe"):
        broken.write_bytes(content)
        with pytest.raises(ConfigError, match=r"broken\.toml: not valid TOML"):
            read_toml(broken)


def test_a_setting_that_has_an_argument_of_its_own_is_refused() -> None:
    from exprimo.core.config import settings_from

    with pytest.raises(ConfigError, match="an argument of its own"):
        settings_from({}, ['model="mean"'], ("model",))


def test_a_choice_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"fit.schedule: .*'cosin'\. Did you mean cosine\?"):
        _Study.checked({"fit": {"schedule": "cosin"}})
    with pytest.raises(ConfigError) as far:
        _Study.checked({"fit": {"schedule": "steps of ten"}})
    assert far.value.remedy is None
