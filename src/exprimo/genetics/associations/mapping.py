"""What the folder of an eQTL mapping tells of its people."""

from __future__ import annotations

import json
from pathlib import Path


def people_of_mapping(path: str | Path) -> float | None:
    """Give how many people an eQTL mapping had, less its covariates; None where it is not told.

    A slope's standard error, and its z-score, have n - k - 2 degrees of freedom. Whoever works
    back from them to the trait's variance, or to a correlation, needs n - k for n.

    Parameters
    ----------
    path
        The folder, with ``summary.json``; of any other path nothing is told.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "summary.json").write_text('{"n_people": 200, "df": 138}')
    >>> people_of_mapping(folder)
    140.0
    """
    summary = Path(path) / "summary.json"
    if not summary.is_file():
        return None
    facts = json.loads(summary.read_text(encoding="utf-8"))
    df = facts.get("df") if isinstance(facts, dict) else None
    return float(df) + 2 if isinstance(df, int | float) else None
