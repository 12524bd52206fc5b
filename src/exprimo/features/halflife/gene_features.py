"""The half-life input of genes: computed from their transcripts, or from a user's own table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.errors import ConfigError, InputError
from exprimo.data.annotation import Annotation
from exprimo.data.annotation.identifiers import strip_version
from exprimo.data.fasta import Genome
from exprimo.data.tabular import open_table
from exprimo.features.halflife.transcripts import LABELS, stored_features, transcript_features
from exprimo.features.join_targets import join_targets

NO_CDS = "no coding sequence, so no half-life features"
NOT_LISTED = "not in the table of half-life features"
NO_VALUE = "no half-life feature has a value"
_MOST_WITHOUT = 0.5
_OPTION = "--halflife-column"


class HalflifeInput(NamedTuple):
    """The rows of the input ``halflife``.

    Attributes
    ----------
    values
        Shape (genes, features); NaN where a feature is not defined or not measured.
    labels
        Names of the features.
    notes
        What a user should know about them, in words.
    """

    values: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    notes: list[str]


class HalflifeChoice(NamedTuple):
    """Where the half-life input comes from: the annotation, a table, or nowhere."""

    annotated: bool
    table: Path | None
    columns: tuple[str, ...]

    @classmethod
    def check(
        cls, annotated: bool, table: str | Path | None, columns: Sequence[str] | None
    ) -> HalflifeChoice:
        """Refuse what does not go together, before long work begins."""
        if annotated and table is not None:
            raise ConfigError(
                "half-life features are computed or read from a table, not both",
                found="halflife and halflife_table",
                remedy="Give --halflife or --halflife-table FILE",
            )
        if columns and table is None:
            raise ConfigError(
                "columns of half-life features need their table",
                found=", ".join(columns),
                remedy="Give it with --halflife-table FILE",
            )
        if table is None:
            return cls(annotated, None, ())
        return cls(False, Path(table), feature_columns(table, columns, option=_OPTION))

    def apply(
        self,
        sites: pd.DataFrame,
        annotation: Annotation,
        genome: Genome,
        gene_names: str | Path | None,
        dropped: dict[str, int],
    ) -> tuple[pd.DataFrame, HalflifeInput | None]:
        """Give the sites that stay and their half-life input, if any is wanted."""
        if self.table is not None:
            joined = join_targets(annotation, self.table, self.columns, gene_names)
            sites, found = measured_features(sites, joined.values, dropped)
            return sites, found._replace(notes=[joined.note, *found.notes])
        if self.annotated:
            return annotated_features(sites, annotation, genome, dropped)
        return sites, None

    def facts(self) -> dict[str, object]:
        """Give the choice as it is stored in a provenance."""
        table = str(self.table) if self.table else None
        return {"computed": self.annotated, "table": table, "columns": list(self.columns)}


def annotated_features(
    sites: pd.DataFrame, annotation: Annotation, genome: Genome, dropped: dict[str, int]
) -> tuple[pd.DataFrame, HalflifeInput]:
    """Compute the features of the transcript that each site belongs to.

    A site of a user's own table that names no transcript takes its gene's canonical one. Genes
    whose transcript has no CDS are left out and counted in ``dropped``.

    Parameters
    ----------
    sites
        Columns gene_id and transcript_id.
    annotation
        With chromosomes named as in the genome.

    Returns
    -------
    sites, HalflifeInput
        Those that stay, and one row for each.
    """
    table = annotation.transcripts
    canonical = table[table["canonical"]].set_index("gene_id")["transcript_id"]
    named = sites["transcript_id"].map(strip_version).where(sites["transcript_id"] != "")
    transcripts = named.fillna(sites["gene_id"].map(canonical))
    features = transcript_features(annotation, genome, transcripts.tolist())
    coding = features["cds_length"].notna().to_numpy()
    dropped[NO_CDS] = int((~coding).sum())
    if not coding.any():
        raise InputError(
            "no gene has a coding sequence",
            file=annotation.source,
            expected="CDS in the annotation: half-life features need it",
            remedy="Take a GTF or GFF3 with CDS, or give features with --halflife-table FILE",
        )
    kept = features[coding]
    return sites[coding].reset_index(drop=True), HalflifeInput(
        stored_features(kept), LABELS, _untranslated_notes(kept)
    )


def _untranslated_notes(features: pd.DataFrame) -> list[str]:
    without = {
        name: int((features[column] == 0).sum())
        for name, column in (("5'UTR", "utr5_length"), ("3'UTR", "utr3_length"))
    }
    if not any(without.values()):
        return []
    shown = ", ".join(f"{count:,} without a {name}" for name, count in without.items())
    note = f"Half-life features: of {len(features):,} genes {shown} (length 0, GC missing)"
    if max(without.values()) > _MOST_WITHOUT * len(features):
        note = f"Warning: {note}; does the annotation list untranslated regions at all?"
    return [note]


def feature_columns(
    path: str | Path, given: Sequence[str] | None, *, option: str
) -> tuple[str, ...]:
    """Settle which columns of a table are features: those named, else the only one.

    Parameters
    ----------
    given
        Names, or None.
    option
        The command's option that names a column, for the message.
    """
    if given:
        return tuple(dict.fromkeys(given))
    with open_table(path, "a table of half-life features") as table:
        key = table.header.index("gene_id") if "gene_id" in table.header else 0
        others = tuple(name for at, name in enumerate(table.header) if at != key)
    if len(others) != 1:
        raise InputError(
            "say which columns are half-life features",
            file=path,
            found=", ".join(others[:12]) or "a table of one column",
            remedy=f"Use {option} NAME, once for each",
        )
    return others


def measured_features(
    sites: pd.DataFrame, values: pd.DataFrame, dropped: dict[str, int]
) -> tuple[pd.DataFrame, HalflifeInput]:
    """Take the features of each site's gene from a table, as they stand there.

    Genes that the table does not list, or lists without any value, are left out and counted in
    ``dropped``; of several features one at least must be there.

    Parameters
    ----------
    sites
        Column gene_id.
    values
        Index: gene id; one column a feature.
    """
    listed = sites["gene_id"].isin(values.index)
    measured = sites["gene_id"].isin(values.dropna(how="all").index)
    dropped[NOT_LISTED] = int((~listed).sum())
    dropped[NO_VALUE] = int((listed & ~measured).sum())
    if not measured.any():
        raise InputError(
            "no gene has a half-life feature",
            found=f"{int((~listed).sum()):,} genes {NOT_LISTED}",
            remedy="Check that both files name genes alike",
        )
    kept = sites[measured.to_numpy()].reset_index(drop=True)
    rows = values.loc[kept["gene_id"]].to_numpy(np.float32)
    gaps = int(np.isnan(rows).any(axis=1).sum())
    notes = [f"{gaps:,} genes lack some half-life features (NaN)"] if gaps else []
    return kept, HalflifeInput(rows, tuple(map(str, values.columns)), notes)
