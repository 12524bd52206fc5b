"""The report on a file: detected by content, read by the reader that commands would use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exprimo.core.errors import ExprimoError
from exprimo.core.progress import track
from exprimo.data.check.detect import detect
from exprimo.data.check.facts import FACTS
from exprimo.data.check.findings import Findings


@dataclass(frozen=True)
class FileReport:
    """What a file is and what is wrong with it.

    Attributes
    ----------
    path
        The file or folder.
    kind
        ``FASTA``, ``GTF``, ``GFF3``, ``BED``, ``counts``, ``HTSeq file``, ``HTSeq folder``,
        ``HTSeq tar``, ``quantified transcripts``, ``samples``, ``targets``, ``sequence table``,
        ``gene names``, ``MEME motifs``, ``BigWig track``, ``bedGraph track``, ``reads (BED)``,
        ``reads (BAM)``, ``binned signal (CSV)``, ``binned signal (NPZ by cell type)``, ``binned
        signal (NumPy stack)``, ``sequences of genes``, ``table of signal tracks``, ``VCF``,
        ``BCF``, ``PLINK 1 (bed, bim, fam)``, ``PLINK 2 (pgen, pvar, psam)``, ``list of
        variants``, ``expression BED``, ``covariates``, ``personal predictions``, ``variant
        scores``, ``associations``, ``scoring file (PGS Catalog)``, ``PredictDB weights``, ``FUSION
        weights``, ``eQTL mapping``, ``fine-mapping``, ``fitted scores``, ``scored people``,
        ``colocalisation``, ``TWAS``, ``stack``, ``mutagenesis``, ``mutagenesis (BED)``,
        ``mutagenesis (HDF5)``, ``study file``, ``gene HDF5``, ``Exprimo dataset``,
        ``Exprimo run``, ``Exprimo benchmark``, ``Exprimo study``, ``Exprimo DGE``, ``Exprimo
        interpretation``, ``Exprimo embeddings``, ``Exprimo generator``, ``Exprimo check of
        generated sequences``, ``simulated world``, ``JSON file``, ``FASTA index``, ``parquet
        table``, ``HDF5 file`` (another's), or ``unknown``.
    facts
        What it holds, by name, for reading.
    problems
        Full messages of what keeps a command from using it.
    """

    path: Path
    kind: str
    facts: dict[str, str]
    problems: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def check(files: str | Path | Iterable[str | Path]) -> list[FileReport]:
    """Say of each file what it is and what is wrong with it; nothing is written or changed.

    Parameters
    ----------
    files
        One path or several, files or folders of any kind.

    Returns
    -------
    list of FileReport
        In the order of ``files``.
    """
    paths = [files] if isinstance(files, (str, Path)) else list(files)
    return [check_file(path) for path in track(paths, "Checking")]


def check_file(path: str | Path) -> FileReport:
    """Say what a file or folder is and what is wrong with it.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "counts.txt"
    >>> _ = file.write_text("gene\\ts1\\ts2\\ng1\\t3\\t0\\ng2\\t5\\t7\\n")
    >>> found = check_file(file)
    >>> found.kind, found.ok, found.facts["samples"]
    ('counts', True, '2 (s1, s2)')
    """
    target = Path(path)
    kind = "unknown"
    try:
        kind = detect(target)
        findings = FACTS[kind](target)
    except (ExprimoError, PermissionError) as error:
        findings = Findings({}, [str(error)])
    return FileReport(target, kind, findings.facts, findings.problems)
