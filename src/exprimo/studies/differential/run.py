"""Running a differential-promoter study, stage by stage."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError, InputError
from exprimo.core.files.provenance import describe_origin
from exprimo.core.run import write_json
from exprimo.report import build_report
from exprimo.studies.benchmarking import BenchmarkConfig, Benchmarked, run_benchmark
from exprimo.studies.differential.checks import (
    check_files,
    check_inputs,
    check_settings,
)
from exprimo.studies.differential.config import DifferentialStudy
from exprimo.studies.differential.enrichment import enrich
from exprimo.studies.differential.examination import examine
from exprimo.studies.differential.imbalance import compare_imbalance
from exprimo.studies.differential.plan import main_benchmark, other_benchmark, study_question
from exprimo.studies.differential.promoters import (
    build_dataset,
    check_other_classes,
    check_two_classes,
    promoter_source,
    target_table,
    write_targets,
)
from exprimo.studies.differential.truth import compare_with_truth
from exprimo.studies.differential.verdict import verdict
from exprimo.studies.differential_expression import dge
from exprimo.studies.interpreting import EXPLAINED, explain_genes
from exprimo.studies.resuming import check_settings_kept, check_sources_kept

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

    What can be refused is refused first: unknown models and splits, absent files, a contrast
    that the samples do not have, a genome of another build.

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
    stages.check()
    stages.test()
    stages.label()
    done, config = stages.compare()
    stages.treat_imbalance(config, done)
    stages.enrich()
    others = stages.other_targets()
    split = config.splits[0]
    stages.explain(config, done)
    facts: dict[str, Any] = {
        **describe_origin([], format_version=STUDY_FORMAT),
        "kind": study.kind,
        "question": study_question(study, stages.contrast),
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


class _Stages:
    """The stages in order; each is skipped if its output is there and the study is resumed."""

    def __init__(self, study: DifferentialStudy, home: Path, folder: Path, resume: bool) -> None:
        self.study, self.home, self.folder, self.resume = study, home, folder, resume
        self.targets = folder / "targets.tsv"
        self.dataset = folder / "dataset.h5"
        self.settings = folder / "settings.toml"
        self.contrast = ""
        self.parts: dict[str, str] = {"dge": "dge", "examination": "labels"}
        self._source = promoter_source(study.promoters, home)

    def _unless_there(self, path: Path, make: Callable[[], object]) -> None:
        if not (self.resume and path.exists()):
            make()

    def check(self) -> None:
        """Refuse what could not be run, before anything is written."""
        if not self.resume and (self.settings.exists() or (self.folder / "dge").exists()):
            raise InputError(
                "a study stands here already",
                file=self.folder,
                remedy="Go on with it: add --resume. Or choose another out",
            )
        check_settings(self.study)
        check_settings_kept(self.study, self.settings)
        check_files(self.study, self.home, self._source)
        self._check_sources()
        if not (self.resume and self.dataset.exists()):
            check_inputs(self.study, self.home, self._source)

    def _check_sources(self) -> None:
        """Refuse to resume over counts, samples or a genome that are not those of the start."""
        stored = self.folder / "dge" / "provenance.json"
        if stored.exists():
            check_sources_kept(json.loads(stored.read_text(encoding="utf-8")), stored.parent)
        if self.dataset.exists():
            with Dataset.open(self.dataset) as data:
                check_sources_kept(data.provenance, self.dataset)

    def test(self) -> None:
        """Test for differential expression; shrunken changes are a target of their own."""
        counts = self.study.counts
        settings = self.study.dge.model_copy(update={"shrink": True})
        out = self.folder / "dge"
        # A kill may fall between the test and the settings that are written after it.
        check_settings_kept(settings, out / "config.toml")
        self._unless_there(
            out,
            lambda: dge(
                [self.home / name for name in counts.files],
                self.home / counts.samples,
                out,
                round_fractions=counts.round_fractions,
                transcripts=self.home / counts.transcripts if counts.transcripts else None,
                ignore_version=counts.ignore_version,
                **settings.model_dump(),
            ),
        )
        if not self.settings.exists():
            self.study.save(self.settings)

    def label(self) -> None:
        """Join labels with promoters, and look at the labels."""
        self.contrast = _contrast_text(self.folder / "dge")
        write_targets(target_table(self.folder / "dge"), self.targets)
        self._unless_there(
            self.dataset,
            lambda: build_dataset(self._source, self.targets, self.dataset, "changed"),
        )
        check_two_classes(self.dataset)
        check_other_classes(self.dataset, self.targets, self.study.targets.also)
        labels = self.folder / "labels"
        self._unless_there(labels, lambda: examine(self._source, self.targets, labels))

    def compare(self) -> tuple[Benchmarked, BenchmarkConfig]:
        """Run the main benchmark."""
        self.parts["benchmark"] = "benchmark"
        config = main_benchmark(self.study, self.dataset, self.contrast)
        done = run_benchmark(config, self.folder / "benchmark", resume=self.resume, report=False)
        return done, BenchmarkConfig.load(done.path / "config.toml")

    def explain(self, config: BenchmarkConfig, done: Benchmarked) -> None:
        """Explain test genes of the network that is best on validation."""
        explained = explain_genes(
            done,
            self.dataset,
            self.folder / EXPLAINED,
            split=config.splits[0],
            seed=config.seed,
            annotation=self.home / self.study.promoters.genes,
            threads=config.machine.threads,
        )
        if explained is not None:
            self.parts["explained"] = EXPLAINED

    def treat_imbalance(self, config: BenchmarkConfig, done: Benchmarked) -> None:
        """Compare ways of treating the rarer class."""
        if not self.study.imbalance.compares:
            return
        self.parts["imbalance"] = "imbalance"
        out = self.folder / "imbalance"
        named = self.study.motifs.file
        motifs = None if named is None else self.home / named
        self._unless_there(
            out / "paired.tsv",
            lambda: compare_imbalance(
                self.study.imbalance, config, done.path, out, resume=self.resume, motifs=motifs
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
        for name in self.study.targets.also:
            place = self.folder / "targets" / name
            dataset = self.folder / "targets" / f"{name}.h5"
            self._unless_there(
                dataset, partial(build_dataset, self._source, self.targets, dataset, name)
            )
            config = other_benchmark(self.study, name, dataset)
            run_benchmark(config, place, resume=self.resume, report=False)
            places.append(f"targets/{name}")
        return places


def _contrast_text(folder: Path) -> str:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    text = summary["contrast"]["text"]
    if not text:
        raise ConfigError("a test without a contrast", file=folder / "summary.json")
    return str(text)
