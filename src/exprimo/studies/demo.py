"""The demo: a world with a known answer, through the same functions that a user calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from exprimo.core.files.atomic import refuse_existing
from exprimo.simulate import simulate
from exprimo.studies.benchmarking import Benchmarked, ComparisonConfig
from exprimo.studies.sequence import PromoterSource, SequenceStudy, run_sequence_study
from exprimo.training import FitConfig

# Enough to come near the ceiling in half a minute a network; by size it would be 20.
DEMO_EPOCHS = 10


def demo(
    out: str | Path = "demo", *, seed: int = 0, size: Literal["small", "large"] = "small"
) -> Benchmarked:
    """Simulate a world, cut its promoters, compare models, and write ``OUT/report.html``.

    Examples
    --------
    >>> exprimo.demo("demo").report                              # doctest: +SKIP
    """
    folder = Path(out)
    refuse_existing(folder)
    simulate(folder / "world", seed=seed, size=size)
    study = demo_study(folder)
    study.save(folder / "study.toml", comments=True)
    return run_sequence_study(study, folder, out=folder)


def demo_study(folder: Path) -> SequenceStudy:
    """Make the study of the simulated world in ``folder/world``; the ceiling is its truth."""
    truth = json.loads((folder / "world" / "truth" / "world.json").read_text(encoding="utf-8"))
    return SequenceStudy(
        out=".",
        promoters=PromoterSource(
            fasta="world/genome.fa",
            genes="world/genes.gtf",
            targets="world/expression.tsv",
            target="expression",
        ),
        benchmark=ComparisonConfig(
            question="How much of a simulated genome's expression can be read from its promoters?",
            splits=("homology", "random"),
            ceiling=truth["ceilings"]["promoter"],
            ceiling_source="truth of the simulated world: its promoter component alone",
            fit=FitConfig(epochs=DEMO_EPOCHS),
        ),
    )
