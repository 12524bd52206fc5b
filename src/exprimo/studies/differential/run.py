"""Running a differential-promoter study, stage by stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.errors import ConfigError
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.report import build_report
from exprimo.studies.benchmarking import BenchmarkConfig, Benchmarked, run_benchmark
from exprimo.studies.differential.config import DifferentialStudy
from exprimo.studies.differential.enrichment import enrich
from exprimo.studies.differential.examination import examine
from exprimo.studies.differential.imbalance import compare_imbalance
from exprimo.studies.differential.promoters import (
    build_dataset,
    check_two_classes,
    promoter_source,
    target_table,
    write_targets,
)
from exprimo.studies.differential.truth import compare_with_truth
from exprimo.studies.differential.verdict import verdict
from exprimo.studies.differential_expression import dge

STUDY_FORMAT = 1


class DifferentialResult(NamedTuple):
    """What a study wrote, and its main benchmark."""

    path: Path
    report: Path
    benchmark: Benchmarked
    facts: dict[str, Any]


def run_differential_study(
    study: DifferentialStudy, home: Path, *, out: str | Path | None = None, resume: bool = False
) -> DifferentialResult:
    """Test, label, cut promoters, examine, compare, and write the report.

    Parameters
    ----------
    home
        The folder that paths in the study are relative to.
    out
        Overrides ``study.out``.
    resume
        Keep what an interrupted run has finished.
    """
    folder = Path(out) if out is not None else home / study.out
    stages = _Stages(study, home, folder, resume)
    stages.test()
    stages.label()
    done, config = stages.compare()
    stages.treat_imbalance(config, done)
    stages.enrich()
    others = stages.other_targets()
    split = config.splits[0]
    facts: dict[str, Any] = {
        **describe_origin([], format_version=STUDY_FORMAT),
        "kind": study.kind,
        "question": study.question or _question(stages.contrast),
        "verdict": verdict(done, split, config.seed),
        "parts": {**stages.parts, "targets": others},
        "config": study.model_dump(mode="json"),
    }
    if study.truth is not None:
        facts["truth"] = compare_with_truth(
            home / study.truth, stages.targets, study.dge.lfc, done, split, folder / "enrichment"
        )
    write_json(folder / "study.json", facts)
    report = build_report(folder)
    return DifferentialResult(folder, report, done._replace(report=report), facts)


def _question(contrast: str) -> str:
    return f"Can promoters tell which genes change ({contrast})?"


class _Stages:
    """The stages in order; each is skipped if its output is there and the study is resumed."""

    def __init__(self, study: DifferentialStudy, home: Path, folder: Path, resume: bool) -> None:
        self.study, self.home, self.folder, self.resume = study, home, folder, resume
        self.targets = folder / "targets.tsv"
        self.dataset = folder / "dataset.h5"
        self.contrast = ""
        self.parts: dict[str, str] = {"dge": "dge", "examination": "labels"}
        self._source = promoter_source(study.promoters, home)

    def _unless_there(self, path: Path, make: Callable[[], object]) -> None:
        if not (self.resume and path.exists()):
            make()

    def test(self) -> None:
        """Test for differential expression; shrunken changes are a target of their own."""
        counts = self.study.counts
        settings = self.study.dge.model_copy(update={"shrink": True}).model_dump()
        self._unless_there(
            self.folder / "dge",
            lambda: dge(
                [self.home / name for name in counts.files],
                self.home / counts.samples,
                self.folder / "dge",
                round_fractions=counts.round_fractions,
                transcripts=self.home / counts.transcripts if counts.transcripts else None,
                ignore_version=counts.ignore_version,
                **settings,
            ),
        )

    def label(self) -> None:
        """Join labels with promoters, and look at the labels."""
        self.contrast = _contrast_text(self.folder / "dge")
        write_targets(target_table(self.folder / "dge"), self.targets)
        self._unless_there(
            self.dataset,
            lambda: build_dataset(self._source, self.targets, self.dataset, "changed"),
        )
        check_two_classes(self.dataset)
        labels = self.folder / "labels"
        self._unless_there(labels, lambda: examine(self._source, self.targets, labels))

    def compare(self) -> tuple[Benchmarked, BenchmarkConfig]:
        """Run the main benchmark."""
        self.parts["benchmark"] = "benchmark"
        comparison = self.study.benchmark.model_dump()
        comparison["models"] = ("mean_expression", *self.study.benchmark.models)
        if not comparison["question"]:
            comparison["question"] = self.study.question or _question(self.contrast)
        config = BenchmarkConfig.checked({**comparison, "dataset": str(self.dataset)})
        done = run_benchmark(config, self.folder / "benchmark", resume=self.resume, report=False)
        return done, BenchmarkConfig.load(done.path / "config.toml")

    def treat_imbalance(self, config: BenchmarkConfig, done: Benchmarked) -> None:
        """Compare ways of treating the rarer class."""
        if not self.study.imbalance.strategies:
            return
        self.parts["imbalance"] = "imbalance"
        out = self.folder / "imbalance"
        self._unless_there(
            out / "paired.tsv",
            lambda: compare_imbalance(
                self.study.imbalance, config, done.path, out, resume=self.resume
            ),
        )

    def enrich(self) -> None:
        """Look for motifs in changed promoters."""
        if self.study.motifs.file is None:
            return
        self.parts["enrichment"] = "enrichment"
        out, motifs = self.folder / "enrichment", self.home / self.study.motifs.file
        self._unless_there(
            out, lambda: enrich(self.dataset, self.targets, motifs, self.study.motifs, out)
        )

    def other_targets(self) -> list[str]:
        """Ask for the direction, for three classes and for the size of the change."""
        places = []
        main = self.study.benchmark
        for name in self.study.targets.also:
            place = self.folder / "targets" / name
            dataset = self.folder / "targets" / f"{name}.h5"
            if not (self.resume and dataset.exists()):
                build_dataset(self._source, self.targets, dataset, name)
            values = main.model_dump(exclude={"models", "splits", "target", "question", "ceiling"})
            values |= {
                "dataset": str(dataset),
                "models": ("mean_expression", *self.study.targets.models),
                "splits": main.splits[:1],
                "target": name,
                "question": _OTHER[name],
            }
            run_benchmark(BenchmarkConfig.checked(values), place, resume=self.resume, report=False)
            places.append(f"targets/{name}")
        return places


_OTHER = {
    "direction": "Among changed genes: can promoters tell up from down?",
    "three_way": "Can promoters tell down, unchanged and up apart?",
    "lfc": "How much of the shrunken log2 fold change can be read from promoters?",
}


def _contrast_text(folder: Path) -> str:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    text = summary["contrast"]["text"]
    if not text:
        raise ConfigError("a test without a contrast", file=folder / "summary.json")
    return str(text)
