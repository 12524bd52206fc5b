"""What ``exprimo init`` writes: valid study files, with a comment for every key."""

from __future__ import annotations

from exprimo.core.config import Config
from exprimo.labels import DgeConfig
from exprimo.studies.chromatin import ChromatinStudy
from exprimo.studies.chromatin.config import BinnedSource, TrackSource
from exprimo.studies.differential import DifferentialStudy
from exprimo.studies.differential.config import CountSource, Promoters
from exprimo.studies.halflife import HalflifeStudy
from exprimo.studies.halflife.config import Embeddings, GeneSource, StoredGenes
from exprimo.studies.individual import IndividualStudy
from exprimo.studies.individual.config import Genes, Models, People
from exprimo.studies.interpretation import Interpretation
from exprimo.studies.sequence import PromoterSource, SequenceStudy, TableSource


def sequence_template() -> str:
    """Give a study of a table of sequences, with the other source commented out."""
    example = SequenceStudy(
        table=TableSource(table="sequences.tsv.gz", sequence="sequence", target="expression"),
        interpretation=Interpretation(),
    )
    other = PromoterSource(
        fasta="genome.fa", genes="genes.gtf", targets="expression.tsv", target="expression"
    )
    note = "Instead of [table], cut promoters from a genome:"
    return _with_alternative(example.to_toml(comments=True), note, "promoters", other)


def differential_template() -> str:
    """Give a study from counts to promoters."""
    return DifferentialStudy(
        counts=CountSource(files=("counts.tsv",), samples="samples.csv"),
        dge=DgeConfig(design="~ status", contrast=("status", "treated", "control")),
        promoters=Promoters(fasta="genome.fa", genes="genes.gtf"),
    ).to_toml(comments=True)


def halflife_template() -> str:
    """Give a study of promoters and half-life, with the other source and embeddings in comments."""
    text = HalflifeStudy(
        genes=GeneSource(
            fasta="genome.fa", genes="genes.gtf", targets="expression.tsv", target="expression"
        )
    ).to_toml(comments=True)
    stored = StoredGenes(train="train.h5", val="valid.h5", test="test.h5")
    note = "Instead of [genes], read HDF5 files of one-hot promoters, features and labels:"
    text = _with_alternative(text, note, "hdf5", stored)
    note = "Read promoters through a pretrained network (see exprimo fetch):"
    return _with_alternative(text, note, "embeddings", Embeddings(model="hyenadna-small-32k"))


def chromatin_template() -> str:
    """Give a study of signal tracks over cell types, with binned files in comments."""
    text = ChromatinStudy(
        tracks=TrackSource(
            genes="genes.gtf", signal_table="tracks.tsv", expression="expression.tsv",
            fasta="genome.fa",
        )
    ).to_toml(comments=True)  # fmt: skip
    binned = BinnedSource(files=("train.npz",), sequences="sequences.csv")
    note = "Instead of [tracks], read files of signal in bins (NPZ, CSV, NPY):"
    return _with_alternative(text, note, "binned", binned)


def individual_template() -> str:
    """Give a study of people's genotypes and expression."""
    return IndividualStudy(
        people=People(genotypes="genotypes.vcf.gz", expression="expression.bed.gz"),
        genes=Genes(fasta="genome.fa", genes="genes.gtf"),
        models=Models(answer="RUN"),
    ).to_toml(comments=True)


def _with_alternative(text: str, note: str, table: str, values: Config) -> str:
    """Put a table that is commented out before the benchmark's."""
    lines = values.to_toml(comments=True).splitlines()
    alternative = "\n".join([f"# {note}", f"# [{table}]", *(f"# {x}".rstrip() for x in lines)])
    marker = "[benchmark]"
    return text.replace(marker, f"{alternative}\n\n{marker}", 1)
