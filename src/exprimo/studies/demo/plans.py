"""What the demo studies: five worlds and studies, each as a user would write it down."""

from __future__ import annotations

import json
from pathlib import Path

from exprimo.labels import DgeConfig
from exprimo.models.pretrained.enformer import EnformerConfig
from exprimo.simulate.chromatin.config import CellsConfig
from exprimo.simulate.config import WorldConfig, WorldSize, world_config
from exprimo.simulate.stability import FEATURES
from exprimo.studies.benchmarking import ComparisonConfig
from exprimo.studies.chromatin import ChromatinStudy
from exprimo.studies.chromatin.config import (
    BASELINES,
    MARKS,
    RIDGE_WITHIN,
    STATISTICS,
    WITHIN,
    Binary,
    ChromatinComparison,
    Explained,
    TrackSource,
)
from exprimo.studies.differential import DifferentialStudy
from exprimo.studies.differential.config import (
    SHUFFLES,
    CountSource,
    ImbalanceComparison,
    MotifComparison,
    OtherTargets,
    PromoterComparison,
    Promoters,
)
from exprimo.studies.halflife import HalflifeStudy
from exprimo.studies.halflife.config import HALFLIFE_ALONE, GeneSource, HalflifeComparison
from exprimo.studies.halflife.verdict import BOTH, PROMOTER
from exprimo.studies.individual import IndividualStudy
from exprimo.studies.individual.association import Association
from exprimo.studies.individual.config import Genes, Models, People
from exprimo.studies.interpretation import Interpretation
from exprimo.studies.sequence import PromoterSource, SequenceStudy
from exprimo.training import FitConfig

DEMO_PEOPLE = 200
UNTRAINED = "untrained.safetensors"
# About the window of the trained network, four hundred a second.
UNTRAINED_SIZES = EnformerConfig(
    dim=24, depth=1, heads=1, key=8, divisible_by=4, downsamples=5, window=640, bins=12,
    tracks={"human": 2},
)  # fmt: skip
# Enough to come near the ceiling in half a minute a network; by size it would be 20.
DEMO_EPOCHS = 10
# Nine bases with one that differs are a site in this world; with 1e-4 only all nine would be.
MOTIF_P = 2e-4


def demo_study(folder: Path) -> SequenceStudy:
    """Make the study of the simulated world in ``folder/world``; the ceiling is its truth."""
    truth = json.loads((folder / "world" / "truth" / "world.json").read_text(encoding="utf-8"))
    return SequenceStudy(
        out=".",
        promoters=PromoterSource(
            fasta="../world/genome.fa",
            genes="../world/genes.gtf",
            targets="../world/expression.tsv",
            target="expression",
        ),
        benchmark=ComparisonConfig(
            question="How much of a simulated genome's expression can be read from its promoters?",
            splits=("homology", "random"),
            ceiling=truth["ceilings"]["promoter"],
            ceiling_source="truth of the simulated world: its promoter component alone",
            fit=FitConfig(epochs=DEMO_EPOCHS),
        ),
        truth="../world/truth",
        # With motifs it takes three quarters of a minute; these are named by the planted ones.
        interpretation=Interpretation(
            examples=80, references=5, randomised=10, motifs="../world/truth/motifs.meme"
        ),
    )


def differential_demo_study() -> DifferentialStudy:
    """Make the study of the two conditions of ``../world``: one network under one split."""
    return DifferentialStudy(
        out=".",
        question="One factor of a simulated genome changed: can promoters tell which genes did?",
        truth="../world/truth",
        counts=CountSource(files=("../world/counts.tsv",), samples="../world/samples.tsv"),
        dge=DgeConfig(design="~ condition", contrast=("condition", "treated", "control"), lfc=1.0),
        promoters=Promoters(
            fasta="../world/genome.fa", genes="../world/genes.gtf", upstream=500, downstream=100
        ),
        benchmark=PromoterComparison(
            models=("cnn",), splits=("homology",), fit=FitConfig(epochs=DEMO_EPOCHS)
        ),
        # A small generator, few passes and a model of seconds, the same from every seed: what is
        # generated adds half a minute.
        imbalance=ImbalanceComparison(
            strategies=("class_weights", "downsample"),
            generators=(SHUFFLES, "diffusion"),
            models=("kmer_linear",),
            generator_steps=120,
            generator_passes=10,
            generator_options={"diffusion": {"channels": 16, "blocks": 2}},
        ),
        targets=OtherTargets(also=()),
        motifs=MotifComparison(file="../world/truth/motifs.meme"),
    )


def halflife_world(size: WorldSize) -> WorldConfig:
    """Give the config of a size with half-lives that vary three times as much.

    In the world of the other studies half-life explains so little that no comparison of rows
    could show it with the test genes that there are.
    """
    config = world_config(size)
    weights = {name: 3 * getattr(config.stability, name) for name in FEATURES}
    stability = config.stability.model_copy(update=weights)
    return config.model_copy(update={"stability": stability})


def halflife_demo_study() -> HalflifeStudy:
    """Make the study of promoter and half-life in ``world``: three rows under one split."""
    return HalflifeStudy(
        out=".",
        question="Is a simulated gene high or low, told from promoter and half-life features?",
        truth="world/truth",
        genes=GeneSource(
            fasta="world/genome.fa",
            genes="world/genes.gtf",
            targets="world/expression.tsv",
            target="expression",
            upstream=500,
            downstream=100,
        ),
        benchmark=HalflifeComparison(
            models=(BOTH, PROMOTER, HALFLIFE_ALONE),
            splits=("homology",),
            fit=FitConfig(epochs=DEMO_EPOCHS),
        ),
    )


def chromatin_world(size: WorldSize) -> WorldConfig:
    """Give the config of a world with cell types: fewer genes, because each comes once per cell."""
    genes, cells = (1200, 10) if size == "small" else (5000, 16)
    return WorldConfig(genes=genes, cells=CellsConfig(cell_types=cells))


def chromatin_demo_study() -> ChromatinStudy:
    """Make the study of ``world``: three rows, of which two cell types judge that none has seen."""
    return ChromatinStudy(
        out=".",
        question="How much do histone marks tell of expression in simulated cell types never seen?",
        truth="world/truth",
        tracks=TrackSource(
            genes="world/genes.gtf",
            signal_table="world/tracks.tsv",
            expression="world/cell_expression.tsv",
        ),
        benchmark=ChromatinComparison(
            models=(*BASELINES, RIDGE_WITHIN, MARKS, STATISTICS, WITHIN),
            splits=("cell", "example"),
            test_cells=("cell01", "cell02"),
            val_cells=("cell03",),
            fit=FitConfig(epochs=6),
        ),
        binary=Binary(models=(WITHIN,)),
        interpretation=Explained(row=WITHIN),
    )


def individual_demo_study() -> IndividualStudy:
    """Make the study of the people of ``../world``: the first study's network, and a control."""
    return IndividualStudy(
        out=".",
        question="A network read one simulated genome. Does it tell how people differ?",
        truth="../world/truth",
        people=People(
            genotypes="../world/genotypes.vcf.gz",
            expression="../world/expression.bed.gz",
            covariates="../world/covariates.tsv",
        ),
        genes=Genes(fasta="../world/genome.fa", genes="../world/genes.gtf"),
        models=Models(
            answer="../expression/benchmark/runs/cnn-homology-s0",
            beside={"untrained enformer": f"enformer:{UNTRAINED}"},
        ),
        # Narrow windows, few genes and quick learners: all of it takes about a minute. What acts
        # in cis lies within 600 bases of the TSS here.
        association=Association(
            upstream=30_000,
            downstream=30_000,
            permutations=200,
            stack_genes=60,
            cis_features=("p+t",),
            members=("ridge", "xgboost"),
            motifs="../world/truth/motifs.meme",
            motif_p=MOTIF_P,
        ),
    )
