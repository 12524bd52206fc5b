"""Typed configuration: one TOML file, every key known, every value checked."""

from __future__ import annotations

import difflib
import re
import tomllib
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.atomic import atomic_file


class Config(BaseModel):
    """Base of every configuration: frozen, closed, each field with its docstring."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @classmethod
    def checked(cls, values: Mapping[str, Any], *, file: str | Path | None = None) -> Self:
        """Make a config from plain values, or say which key is wrong and what is near it."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _config_error(cls, error, file) from error

    @classmethod
    def load(cls, path: str | Path, *, overrides: Iterable[str] = ()) -> Self:
        """Read a TOML file and apply ``key.sub=value`` overrides."""
        values = read_toml(path)
        for override in overrides:
            apply_override(values, override)
        return cls.checked(values, file=path)

    def save(self, path: str | Path, *, comments: bool = False) -> None:
        """Write the complete configuration as TOML; ``comments`` adds each field's docstring."""
        with atomic_file(path) as partial:
            partial.write_text(self.to_toml(comments=comments), encoding="utf-8")

    def to_toml(self, *, comments: bool = False) -> str:
        """Give the complete configuration as TOML text."""
        import tomlkit

        document = tomlkit.document()
        if comments and self.__doc__:
            for line in self.__doc__.strip().splitlines():
                document.add(tomlkit.comment(_as_comment(line)))
        _fill(document, self, comments)
        return tomlkit.dumps(document)


def _as_comment(line: str) -> str:
    """Give a line of a docstring as plain text."""
    return line.strip().replace("``", "")


def _fill(table: Any, config: Config, comments: bool) -> None:
    import tomlkit

    nested: list[tuple[str, Config]] = []
    # A table ends only where the next one begins, so plain keys come before all tables.
    tables: list[tuple[str, Mapping[str, Any], str]] = []
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Config):
            nested.append((name, value))
            continue
        if isinstance(value, Mapping):
            tables.append((name, value, (field.description or "") if comments else ""))
            continue
        if comments and field.description:
            for line in field.description.strip().splitlines():
                table.add(tomlkit.comment(_as_comment(line)))
        if value is None:
            # TOML has no null: an unset key is shown commented out.
            if comments:
                table.add(tomlkit.comment(f"{name} ="))
            continue
        table.add(name, _plain(value))
    for name, values, description in tables:
        inner = tomlkit.table()
        # Inside the table, or it would belong to the one before.
        for line in description.strip().splitlines():
            inner.add(tomlkit.comment(_as_comment(line)))
        for key, item in _plain(values).items():
            inner.add(key, item)
        table.add(name, inner)
    for name, value in nested:
        inner = tomlkit.table()
        _fill(inner, value, comments)
        table.add(name, inner)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        # TOML has no null: what is unset is left out, and read back as the default.
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, Path):
        return str(value)
    return value


def settings_from(values: dict[str, Any], overrides: Iterable[str], taken: Iterable[str]) -> None:
    """Apply overrides to settings; a key that has an argument of its own (``taken``) is refused."""
    for override in overrides:
        key = override.partition("=")[0].split(".")[0].strip()
        if key in taken:
            raise ConfigError(
                "this setting has an argument of its own",
                record=key,
                found=f"--set {override}",
                remedy="Give it as that argument",
            )
        apply_override(values, override)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a TOML file into plain values."""
    try:
        with open(path, "rb") as handle:
            return tomllib.load(handle)
    except FileNotFoundError:
        raise InputError(
            "no such study file",
            file=path,
            remedy="Write one with: exprimo init KIND -o study.toml",
        ) from None
    except IsADirectoryError:
        raise InputError("a folder, not a TOML file", file=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("not valid TOML", file=path, found=error) from error


def apply_override(values: dict[str, Any], override: str) -> None:
    """Set one ``key.sub=value`` in nested values; the value is read as TOML, else as text.

    Examples
    --------
    >>> values = {"train": {"epochs": 3}}
    >>> apply_override(values, "train.epochs=5")
    >>> values
    {'train': {'epochs': 5}}
    """
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError("not an override", found=override, expected="--set key.sub=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *path, last = (part.strip() for part in key.split("."))
    inner = values
    for part in path:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError("not a table of settings", record=key, found=inner)
    inner[last] = value


def _config_error(
    cls: type[BaseModel], error: ValidationError, file: str | Path | None
) -> ConfigError:
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        known = _known_keys(cls, location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.5)
        return ConfigError(
            "unknown key",
            file=file,
            record=key,
            expected=f"one of {', '.join(known)}",
            remedy=f"Did you mean {near[0]}?" if near else None,
        )
    # What a validator of ours says; pydantic puts "Value error" before it.
    problem = first["msg"].removeprefix("Value error, ")
    # A rule about several keys is given all of them, which nobody wants to read.
    whole = isinstance(first["input"], Mapping | BaseModel)
    return ConfigError(
        problem[:1].lower() + problem[1:],
        file=file,
        record=key or None,
        found=None if whole or first["type"] == "missing" else repr(first["input"]),
        remedy=_nearest_choice(first["input"], problem),
    )


def _nearest_choice(given: object, problem: str) -> str | None:
    """Name the quoted choice of a problem that is nearest to what was given."""
    near = difflib.get_close_matches(str(given), re.findall(r"'([^']+)'", problem), n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near and near[0] != given else None


def _known_keys(cls: type[BaseModel], path: list[str]) -> list[str]:
    current = cls
    for part in path:
        field = current.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            continue
        current = inner
    return list(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) in (Union, types.UnionType):
        for option in get_args(annotation):
            if found := _model_in(option):
                return found
        return None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None
