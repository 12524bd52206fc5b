"""Run the demo's five studies, in two processes, and put them on one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.beside import beside
from exprimo.core.files.atomic import refuse_existing
from exprimo.models.pretrained.enformer import random_enformer, save_enformer
from exprimo.report import build_report
from exprimo.simulate import simulate
from exprimo.simulate.config import WorldSize
from exprimo.studies.benchmarking import Benchmarked, read_benchmark
from exprimo.studies.chromatin import ChromatinResult, run_chromatin_study
from exprimo.studies.demo.plans import (
    DEMO_PEOPLE,
    UNTRAINED,
    UNTRAINED_SIZES,
    chromatin_demo_study,
    chromatin_world,
    demo_study,
    differential_demo_study,
    halflife_demo_study,
    halflife_world,
    individual_demo_study,
)
from exprimo.studies.differential import DifferentialResult, run_differential_study
from exprimo.studies.halflife import HalflifeResult, run_halflife_study
from exprimo.studies.individual import IndividualResult, run_individual_study
from exprimo.studies.sequence import run_sequence_study

OTHERS = ("differential", "halflife", "chromatin")


class Demonstration(NamedTuple):
    """Five studies of simulated worlds; ``report`` is one page of all."""

    path: Path
    report: Path
    expression: Benchmarked
    differential: DifferentialResult
    halflife: HalflifeResult
    chromatin: ChromatinResult
    individual: IndividualResult


def demo(out: str | Path = "demo", *, seed: int = 0, size: WorldSize = "small") -> Demonstration:
    """Simulate worlds and take them through five studies.

    ``OUT/report.html`` holds all of them. ``OUT/expression/report.html`` asks how much expression
    can be read from promoters,
    ``OUT/differential/report.html`` whether they tell which genes change between two conditions,
    ``OUT/individual/report.html`` whether the network of the first, which read one reference
    genome, tells how people differ, ``OUT/halflife/report.html`` what the half-life of the mRNA
    adds, in a world of its own, and ``OUT/chromatin/report.html`` how much histone marks tell of
    cell types never seen, in another. Three of them run in a second process meanwhile.

    Examples
    --------
    >>> exprimo.demo("demo").report                              # doctest: +SKIP
    """
    folder = Path(out)
    refuse_existing(folder)
    simulate(folder / "world", seed=seed, size=size, people=DEMO_PEOPLE)
    # Small networks gain little from a second core: two studies at a time, each on half of them.
    with beside(f"{__name__}:demo_others", str(folder), seed, size) as others:
        expression = _expression(folder)
        individual = _individual(folder, seed)
        others.wait()
    differential, halflife, chromatin = (folder / name for name in OTHERS)
    studies = (expression.path, differential, halflife, chromatin, individual.path)
    report = build_report(studies, folder / "report.html")
    path, page, benchmark, facts = _read(chromatin)
    binary = read_benchmark(chromatin / "binary")
    return Demonstration(
        folder,
        report,
        expression,
        DifferentialResult(*_read(differential)),
        HalflifeResult(*_read(halflife)),
        ChromatinResult(path, page, benchmark, binary, facts),
        individual,
    )


def demo_others(out: str, seed: int, size: WorldSize) -> None:
    """Run the studies that the first one's network is not needed for; ``OUT/world`` stands."""
    differential, halflife, chromatin = (Path(out) / name for name in OTHERS)
    simulate(halflife / "world", seed=seed, config=halflife_world(size))
    third = halflife_demo_study()
    third.save(halflife / "study.toml", comments=True)
    run_halflife_study(third, halflife, out=halflife)
    simulate(chromatin / "world", seed=seed, config=chromatin_world(size))
    fourth = chromatin_demo_study()
    fourth.save(chromatin / "study.toml", comments=True)
    run_chromatin_study(fourth, chromatin, out=chromatin)
    differential.mkdir()
    second = differential_demo_study()
    second.save(differential / "study.toml", comments=True)
    run_differential_study(second, differential, out=differential)


def _expression(folder: Path) -> Benchmarked:
    study, home = demo_study(folder), folder / "expression"
    home.mkdir()
    study.save(home / "study.toml", comments=True)
    return run_sequence_study(study, home, out=home)


def _individual(folder: Path, seed: int) -> IndividualResult:
    study, home = individual_demo_study(), folder / "individual"
    home.mkdir()
    save_enformer(random_enformer(UNTRAINED_SIZES, seed), home / UNTRAINED)
    study.save(home / "study.toml", comments=True)
    return run_individual_study(study, home, out=home)


def _read(home: Path) -> tuple[Path, Path, Benchmarked, dict[str, Any]]:
    """Read back what a study in the other process has written."""
    report = home / "report.html"
    facts: dict[str, Any] = json.loads((home / "study.json").read_text(encoding="utf-8"))
    return home, report, read_benchmark(home / "benchmark")._replace(report=report), facts
