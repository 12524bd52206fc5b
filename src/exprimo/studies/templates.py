"""What ``exprimo init`` writes: valid study files, with a comment for every key."""

from __future__ import annotations

from exprimo.labels import DgeConfig
from exprimo.studies.differential import DifferentialStudy
from exprimo.studies.differential.config import CountSource, Promoters
from exprimo.studies.sequence import PromoterSource, SequenceStudy, TableSource


def sequence_template() -> str:
    """Give a study of a table of sequences, with the other source commented out."""
    example = SequenceStudy(
        table=TableSource(table="sequences.tsv.gz", sequence="sequence", target="expression")
    )
    other = PromoterSource(
        fasta="genome.fa", genes="genes.gtf", targets="expression.tsv", target="expression"
    )
    text = example.to_toml(comments=True)
    lines = other.to_toml(comments=True).splitlines()
    alternative = "\n".join(["# [promoters]", *(f"# {line}".rstrip() for line in lines)])
    marker = "[benchmark]"
    note = "# Instead of [table], cut promoters from a genome:\n"
    return text.replace(marker, f"{note}{alternative}\n\n{marker}", 1)


def differential_template() -> str:
    """Give a study from counts to promoters."""
    return DifferentialStudy(
        counts=CountSource(files=("counts.tsv",), samples="samples.csv"),
        dge=DgeConfig(design="~ status", contrast=("status", "treated", "control")),
        promoters=Promoters(fasta="genome.fa", genes="genes.gtf"),
    ).to_toml(comments=True)
