"""Beginning a study, and going on with one that was interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exprimo.core.config import Config
from exprimo.core.errors import ExprimoError, InputError
from exprimo.core.files.atomic import write_lock
from exprimo.core.files.provenance import sha256_file

SETTINGS = "settings.toml"
"""The settings with which a study was begun, in its folder of results."""


def check_settings_kept(study: Config, stored: Path) -> None:
    """Refuse to go on with a study that was started with other settings.

    Parameters
    ----------
    study
        What is asked for now.
    stored
        The settings that stand in the folder of results, if any do yet.
    """
    if stored.exists() and type(study).load(stored) != study:
        raise InputError(
            "the study that stands here was started with other settings",
            file=stored,
            remedy="Resume with the same file and --set, or choose another out",
        )


def check_sources_kept(origin: Mapping[str, Any], what: Path) -> None:
    """Refuse to go on with what was made from files that have changed since.

    Parameters
    ----------
    origin
        The provenance that stands with it, with the checksums of its sources.
    what
        What was made.
    """
    for source in origin.get("sources", ()):
        path = Path(source["path"])
        if path.is_file() and sha256_file(path) != source["sha256"]:
            raise InputError(
                "a file has changed since this study was started",
                file=path,
                found=f"another content than {what} was made from",
                remedy="Choose another out for the new file, or bring the old one back",
            )


@contextmanager
def study_folder(study: Any, home: Path, out: str | Path | None, *, resume: bool) -> Iterator[Path]:
    """Give the folder of results, locked, after refusing one where a study stands already.

    Parameters
    ----------
    study
        Its ``out`` is the folder, relative to ``home``, unless ``out`` names another.
    resume
        Go on with the study that stands there.
    """
    folder = (Path(out) if out is not None else home / study.out).resolve()
    with write_lock(folder):
        settings = folder / SETTINGS
        if not resume and settings.exists():
            raise InputError(
                "a study stands here already",
                file=folder,
                remedy="Go on with it: add --resume. Or choose another out",
            )
        yield folder


@contextmanager
def begun_study(study: Config, settings: Path, written: Collection[str]) -> Iterator[None]:
    """Write the settings, and leave nothing behind if what is done first is refused.

    A kill leaves the settings, so that the study is resumed with no others. The folder must be
    locked: what else appears in it meanwhile is taken for this study's.

    Parameters
    ----------
    settings
        Where they are stored, in the folder of results.
    written
        Names in that folder that the study will write.
    """
    if settings.exists():
        yield
        return
    folder = settings.parent
    standing = [name for name in written if (folder / name).exists()]
    if standing:
        raise InputError(
            "something that this study did not write stands where it would write",
            file=folder,
            found=", ".join(standing),
            remedy="Choose another out",
        )
    before = set(folder.iterdir()) if folder.exists() else None
    study.save(settings)
    try:
        yield
    except ExprimoError:
        for path in set(folder.iterdir()) - (before or set()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if before is None:
            folder.rmdir()
        raise
