"""Several tissues: an expression BED each, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from exprimo.core.errors import ConfigError
from exprimo.data.phenotypes.expression_bed import PersonalExpression, read_expression_bed


def tissue_files(given: Sequence[str | Path]) -> dict[str, Path]:
    """Give each file the name of its tissue: ``NAME=FILE``, else what precedes the first dot.

    Examples
    --------
    >>> list(tissue_files(["liver=a/b.bed.gz", "gtex/Whole_Blood.v8.bed.gz"]))
    ['liver', 'Whole_Blood']
    """
    files: dict[str, Path] = {}
    for text in map(str, given):
        name, sign, path = text.partition("=")
        # A path may hold the sign too: a name of a tissue has no folders.
        if not sign or "/" in name:
            name, path = Path(text).name.split(".")[0], text
        if not name or not path:
            raise ConfigError("not a tissue", found=repr(text), expected="NAME=FILE, or a file")
        if name in files:
            raise ConfigError(
                "two files of one tissue",
                found=f"{name}: {files[name]} and {path}",
                expected="one file a tissue",
                remedy="Give names: NAME=FILE",
            )
        files[name] = Path(path)
    if not files:
        raise ConfigError("no tissue", expected="at least one expression BED")
    return files


def read_tissues(files: Mapping[str, str | Path]) -> dict[str, PersonalExpression]:
    """Read the expression of each tissue; people and genes may differ between them.

    Examples
    --------
    >>> import tempfile
    >>> bed = Path(tempfile.mkdtemp()) / "e.bed"
    >>> _ = bed.write_text("#chr\\tstart\\tend\\tgene_id\\tann\\n1\\t9\\t10\\tg1\\t0.5\\n")
    >>> read_tissues({"liver": bed})["liver"].people
    ('ann',)
    """
    return {tissue: read_expression_bed(path) for tissue, path in files.items()}


def people_by_tissue(tissues: Mapping[str, PersonalExpression]) -> pd.DataFrame:
    """Tell who was measured where: people (in order of appearance) by tissues, true or false.

    Examples
    --------
    >>> none = pd.DataFrame(columns=["gene_id", "chrom", "start", "end"])
    >>> import numpy as np
    >>> def of(*people):
    ...     return PersonalExpression(none, people, np.empty((0, len(people))), Path("e.bed"))
    >>> people_by_tissue({"liver": of("a", "b"), "brain": of("c", "b")}).values.tolist()
    [[True, False], [True, True], [False, True]]
    """
    people = list(dict.fromkeys(name for one in tissues.values() for name in one.people))
    there = {
        tissue: [name in measured for name in people]
        for tissue, measured in ((tissue, set(one.people)) for tissue, one in tissues.items())
    }
    return pd.DataFrame(there, index=pd.Index(people, name="sample"))
