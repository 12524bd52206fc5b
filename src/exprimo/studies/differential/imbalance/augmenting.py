"""Generated promoters of changed genes: fit on training positives, draw, check.

Whatever the check says, the sequences are trained on: the comparison is to measure what they are
worth. The verdict stands beside each row.
"""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.dataset.generated import NOT_CHECKED, read_stamp, stamp_verdict
from exprimo.core.errors import InputError
from exprimo.core.files.atomic import atomic_file
from exprimo.core.progress import track
from exprimo.core.run import Run
from exprimo.core.split import Split
from exprimo.generate import Generator, Sampled, generate_check, generate_sample
from exprimo.generate.config import GenerateConfig
from exprimo.generate.fitting.fit import fit_generator
from exprimo.generate.material import gather
from exprimo.generate.reference import write_shuffles
from exprimo.generate.registry import get_family
from exprimo.studies.benchmarking import BenchmarkConfig
from exprimo.studies.differential.config import SHUFFLES, ImbalanceComparison

POSITIVE = "1"
USUAL_MINUTES = 10.0
NOT_FITTED = "not fitted"
_FEWEST_PASSES, _TIMED = 10, 16
# Small, since the verdict and a few figures are all that is read of it here.
_DRAWS, _QUERIES, _MOST = 2, 300, 1000
_MEASURES = ("position_4mers", "motif_rate")
_SETS = {"": "generated", "_real": "held-out", "_shuffled": "dinucleotide shuffle"}

COLUMNS = (
    "generator", "learned", "steps", "passes", "fit_seconds", "drawn", "gate", "why",
    *(f"{measure}{suffix}" for measure in _MEASURES for suffix in _SETS),
)  # fmt: skip


class Source(NamedTuple):
    """Where generated promoters come from: everything that makers of them need.

    ``plain`` is a run of the benchmark, whose split says what may be learned from; ``n`` is how
    many sequences balance the classes.
    """

    config: ImbalanceComparison
    benchmark: BenchmarkConfig
    plain: Run
    n: int
    motifs: Path | None


class Made(NamedTuple):
    """One set of generated promoters; ``facts`` is its row of ``generators.tsv``."""

    sample: Path | None
    gate: str
    facts: dict[str, Any]


def make_samples(source: Source, split: Split, out: Path) -> dict[str, Made]:
    """Fit every generator, draw from it and check what came, or say why that cannot be.

    What cannot be learned from is known before anything is fitted. What stands in ``out`` from an
    unfinished study is kept.
    """
    why = why_not(source, split)
    made = {}
    for name in track(source.config.generators, "Generating promoters"):
        made[name] = _none(name, why) if why else _make(name, source, out / name)
    table = pd.DataFrame([one.facts for one in made.values()], columns=list(COLUMNS))
    with atomic_file(out.parent / "generators.tsv") as partial:
        table.to_csv(partial, sep="\t", index=False)
    return made


def wanted(dataset: Dataset, target: str | None, split: Split) -> int:
    """Count the sequences that balance the classes of the training part.

    A few more are drawn, since one that equals a held-out promoter is left out of training.
    """
    classes = dataset.target(dataset.the_target(target).name)[split.rows("train")]
    missing = int((classes == 0).sum() - (classes == 1).sum())
    return missing + max(10, math.ceil(0.01 * missing)) if missing > 0 else 0


def why_not(source: Source, split: Split) -> str:
    """Say why nothing can be generated, if so: too few positives, or no need of more."""
    if source.n == 0:
        return "changed promoters are not the rarer class of the training part"
    with Dataset.open(source.benchmark.dataset) as dataset:
        try:
            gather(dataset, _settings("diffusion", source), split)
        except InputError as refused:
            parts = [refused.problem]
            parts += [str(refused.found)] if refused.found is not None else []
            parts += [f"{refused.expected} needed"] if refused.expected is not None else []
            return "; ".join(parts)
    return ""


def _settings(name: str, source: Source) -> GenerateConfig:
    """Give what `generate_fit` is called with; the dataset's path as that makes it."""
    config, benchmark = source.config, source.benchmark
    machine = benchmark.machine.model_dump()
    budget = {"steps": config.generator_steps, "minutes": config.generator_minutes}
    if config.generator_steps is None and config.generator_minutes is None:
        budget["minutes"] = USUAL_MINUTES
    return GenerateConfig.checked(
        {
            "dataset": str(Path(benchmark.dataset).resolve()),
            "generator": name,
            "label": POSITIVE,
            "target": benchmark.target,
            "like": str(source.plain.path.resolve()),
            "seed": benchmark.seed,
            "fit": budget,
            "machine": {**machine, "device": _one(benchmark.machine.device)},
            "options": config.generator_options.get(name, {}),
        }
    )


def _make(name: str, source: Source, folder: Path) -> Made:
    folder.mkdir(parents=True, exist_ok=True)
    sample = folder / "S.h5"
    if name == SHUFFLES:
        facts = _shuffle(source, sample)
    else:
        generator = _fitted(name, source, folder / "GEN")
        if not sample.exists():
            _draw(name, source, generator, sample)
        facts = _fit_facts(generator)
    stamp = read_stamp(sample)
    passes = None if stamp is None else stamp.generator["asked"].get("steps")
    checked = _checked(name, source, folder)
    return Made(
        sample,
        checked["gate"],
        {"generator": name, **facts, "passes": passes, "drawn": source.n, **checked},
    )


def _none(name: str, why: str) -> Made:
    return Made(None, NOT_FITTED, {"generator": name, "gate": NOT_FITTED, "why": why})


def _shuffle(source: Source, sample: Path) -> dict[str, Any]:
    if not sample.exists():
        write_shuffles(
            source.benchmark.dataset,
            sample,
            n=source.n,
            label=POSITIVE,
            target=source.benchmark.target,
            like=source.plain.path,
            seed=source.benchmark.seed,
        )
    stamp = read_stamp(sample)
    keys = {} if stamp is None else stamp.ledger.learned.get("generator", {})
    return {"learned": len(keys.get("sequence", ()))}


def _fitted(name: str, source: Source, folder: Path) -> Generator:
    return fit_generator(_settings(name, source), folder, resume=True)


def _draw(name: str, source: Source, generator: Generator, sample: Path) -> None:
    """Draw what balances the classes; of a diffusion in as many passes as the time allows.

    A few sequences are drawn first for the time that they take. A budget in steps knows no clock.
    """
    config, machine = source.config, source.benchmark.machine
    draw = partial(
        generate_sample,
        generator.path,
        seed=source.benchmark.seed,
        device=_one(machine.device),
        threads=machine.threads,
    )
    usual, passes = get_family(name).steps, config.generator_passes
    if usual is None:
        passes = None
    elif passes is None and config.generator_steps is None:
        trial = sample.with_name("trial.h5")
        trial.unlink(missing_ok=True)
        timed = draw(trial, n=_TIMED, steps=_FEWEST_PASSES)
        trial.unlink()
        seconds = 60 * (config.generator_minutes or USUAL_MINUTES)
        passes = affordable(timed, source.n, seconds, usual(timed.length))
    draw(sample, n=source.n, steps=passes)


def affordable(timed: Sampled, n: int, seconds: float, usual: int) -> int:
    """Say in how many passes ``n`` sequences can be drawn in the time, from a timed draw.

    Never more than usual, nor fewer than 10: with fewer, bases that stand close together are
    drawn independently of one another.

    Examples
    --------
    >>> timed = Sampled(Path("S.h5"), 16, 600, "diffusion", None, None, 10, 1.6)
    >>> affordable(timed, 1000, 300.0, 50), affordable(timed, 100, 300.0, 50)
    (30, 50)
    """
    per_pass = timed.seconds / timed.steps / timed.n * n
    return min(usual, max(_FEWEST_PASSES, int(seconds / per_pass)))


def _one(device: str) -> str:
    """Give the first of several devices: a generator works on one."""
    return device.split(",")[0]


def _fit_facts(generator: Generator) -> dict[str, Any]:
    facts = generator.provenance
    return {
        "learned": facts["n_learned"],
        "steps": facts["steps"],
        "fit_seconds": facts["fit_seconds"],
    }


def _checked(name: str, source: Source, folder: Path) -> dict[str, Any]:
    """Check a sample, or say why it cannot be checked; give the verdict and some measures."""
    sample, check = folder / "S.h5", folder / "CHECK"
    if not check.exists():
        try:
            generate_check(
                sample,
                source.benchmark.dataset,
                check,
                generator=None if name == SHUFFLES else folder / "GEN",
                like=source.plain.path if name == SHUFFLES else None,
                motifs=source.motifs,
                seed=source.benchmark.seed,
                device=_one(source.benchmark.machine.device),
                threads=source.benchmark.machine.threads,
                draws=_DRAWS,
                queries=_QUERIES,
                most=_MOST,
            )
        except InputError as refused:
            found = "" if refused.found is None else f": {refused.found}"
            return {"gate": NOT_CHECKED, "why": refused.problem + found}
    facts = json.loads((check / "check.json").read_text(encoding="utf-8"))
    stamp = read_stamp(sample)
    if stamp is not None and stamp.fidelity == NOT_CHECKED:
        # A kill may fall between the check and its stamp.
        stamp_verdict(sample, facts["verdict"], facts)
    told = {"gate": facts["verdict"], "why": "; ".join(facts["reasons"])}
    for measure in _MEASURES:
        for suffix, one in _SETS.items():
            value = facts["measures"].get(measure, {}).get(one, {}).get("value")
            told[f"{measure}{suffix}"] = value
    return told
