"""How a page's numbers can be made again: commands, versions, seeds and checksums of inputs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.report.document.table import Column, Table, counting, named
from exprimo.report.files import read_json

AGAIN = "AGAIN"
_RECORDS = ("study.json", "benchmark.json", "summary.json", "provenance.json")


class Step(NamedTuple):
    """A command, and in words what it does."""

    command: str
    words: str


class Reproduction(NamedTuple):
    """What a reader needs to make a folder again.

    Attributes
    ----------
    steps
        Commands that make it anew, to be given inside the folder.
    recorded
        The command that was given when it was made.
    facts
        Versions and seeds, where the page does not tell them elsewhere.
    sources
        Files that were read, with their checksums.
    files
        The files that say all this.
    """

    steps: tuple[Step, ...]
    recorded: str
    facts: tuple[tuple[str, str], ...]
    sources: Table | None
    files: tuple[str, ...]


def reproduction(folder: Path) -> Reproduction:
    """Tell from a folder's own files how it can be made again."""
    record = next((name for name in _RECORDS if (folder / name).is_file()), None)
    told: Mapping[str, Any] = read_json(folder / record) if record else {}
    command = told.get("command") or ()
    steps = tuple(_steps(folder))
    read = [name for name in ("study.toml", "settings.toml", "config.toml", "sources.json")
            if (folder / name).is_file()]  # fmt: skip
    return Reproduction(
        steps,
        shlex.join(map(str, command)),
        tuple(_facts(told)),
        _sources(folder),
        (*([record] if record else ()), *read),
    )


def _steps(folder: Path) -> Iterator[Step]:
    study, config = folder / "study.toml", folder / "config.toml"
    if study.is_file():
        words = "The whole study, into a new folder."
        yield Step(f"exprimo run study.toml -o {AGAIN}", words)
    elif (folder / "settings.toml").is_file():
        words = "The whole study: paths in the file are as seen from where the study file lay."
        yield Step(f"exprimo run settings.toml -o {AGAIN}", words)
    elif folder.name == "benchmark" and (folder.parent / study.name).is_file():
        yield Step(f"exprimo run ../study.toml -o {AGAIN}", "The whole study, into a new folder.")
        yield Step(f"exprimo run config.toml -o {AGAIN}", "Its comparison alone.")
    elif (folder / "benchmark.json").is_file() and config.is_file():
        words = "The whole comparison, with its splits and seeds, into a new folder."
        yield Step(f"exprimo run config.toml -o {AGAIN}", words)
    elif (folder / "split.parquet").is_file() and config.is_file():
        yield Step(f"exprimo run config.toml -o {AGAIN}", "This very run, into a new folder.")
    part = folder if (folder / "benchmark.json").is_file() else folder / "benchmark"
    runs = sorted((part / "runs").glob("*/config.toml"))
    if runs:
        place = shlex.quote(runs[0].relative_to(folder).as_posix())
        words = f"One run alone; each of the {len(runs)} has such a file."
        yield Step(f"exprimo run {place} -o {AGAIN}", words)
    if any((folder / name).is_file() for name in _RECORDS):
        yield Step("exprimo report .", "This page alone, from the files that are there.")


def _facts(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    config = told.get("config") or {}
    names = {"exprimo": "Exprimo", "python": "Python", "created": "Created"}
    for key, words in names.items():
        if told.get(key):
            yield words, str(told[key])
    seeds = {str(one) for one in _seeds(config)}
    if seeds:
        yield "Seeds", ", ".join(sorted(seeds))


def _seeds(config: Mapping[str, Any]) -> Iterator[int]:
    """Give every seed that stands in a config, at whatever depth."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _seeds(value)
        elif key == "seed" and isinstance(value, int):
            yield value


def _sources(folder: Path) -> Table | None:
    path = folder / "sources.json"
    if not path.is_file():
        return None
    rows = tuple(
        (
            named(str(one.get("path", ""))),
            counting(one.get("bytes")),
            named(str(one.get("sha256", ""))),
        )
        for one in read_json(path).get("sources") or ()
    )
    columns = (Column("File"), Column("Bytes", True), Column("SHA-256"))
    caption = "Files that were read, with their checksums."
    return Table("read", caption, columns, rows, "sources.json") if rows else None
