"""``exprimo explain``: what each part of the input contributes to a model's output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.core.files.atomic import atomic_directory, refuse_existing
from exprimo.data.fasta import Genome
from exprimo.interpret.aggregates import (
    Around,
    bin_tables,
    feature_table,
    sequence_tables,
    sites_of,
)
from exprimo.interpret.attributions.engine import Missed, Parts, Watch, how_far, subject_of
from exprimo.interpret.attributions.method import (
    METHOD_TITLES,
    Convergence,
    MethodConfig,
    MethodName,
    Subject,
    make_method,
)
from exprimo.interpret.attributions.store import (
    ATTRIBUTIONS_FILE,
    Attributions,
    Described,
    write_attributions,
)
from exprimo.interpret.attributions.tracks import write_tracks
from exprimo.interpret.examples import (
    Examples,
    OnPart,
    choose_examples,
    tss_index,
    windows_on_genome,
)
from exprimo.interpret.faithfulness.check import check_explanation
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.faithfulness.means import Units
from exprimo.interpret.faithfulness.subject import ToCheck
from exprimo.interpret.faithfulness.verdict import UNCHECKED, Verdict
from exprimo.interpret.files import (
    About,
    Interpretation,
    fill_interpretation,
    map_table,
    with_planted,
)
from exprimo.interpret.map import FEWEST, layer_map
from exprimo.interpret.recovery import Recovery, motif_recovery
from exprimo.models.zoo import Task
from exprimo.scoring.gradients import output_scale
from exprimo.scoring.inputs import open_inputs
from exprimo.scoring.layers import layer_blocks
from exprimo.scoring.resolve import Resolved, for_dataset, model_on
from exprimo.scoring.sequences.of_predictor import predictor_digest
from exprimo.scoring.targets import learned_target
from exprimo.training.predicting import predict_rows

_BIN_SIZE, _NEAR = 100, 100


class Explained(NamedTuple):
    """What `explain` wrote.

    Attributes
    ----------
    path
        The folder.
    method
        The method's name in words.
    part, n_examples, n_of
        Which examples were explained, how many, and out of how many.
    n_known
        How many of them a stopped call had explained.
    inputs, scale
        Inputs that were explained, and the unit of the explained output.
    missed
        How far contributions miss the change of the output; None where the method promises
        nothing.
    strongest
        The position of greatest mean importance, relative to the TSS, and the share of the total
        within 100 bases of it; None without sequence.
    auroc
        Of importance against known sites, with the baseline in which examples are swapped.
    tracks
        BigWig files.
    verdict
        Of the checks of faithfulness.
    """

    path: Path
    method: str
    part: str
    n_examples: int
    n_of: int
    n_known: int
    inputs: tuple[str, ...]
    scale: str
    missed: Missed | None
    strongest: tuple[int, float] | None
    auroc: tuple[float, float] | None
    tracks: tuple[str, ...]
    verdict: Verdict = UNCHECKED


class _Asked(NamedTuple):
    """What is wanted beside contributions."""

    layer: str | None
    smooth: int
    sites: Path | None
    fasta: Path | None
    tracks: bool
    check: bool | CheckConfig


def explain(
    model: str | Path,
    dataset: str | Path,
    out: str | Path,
    *,
    method: MethodName = "gradient_x_input",
    inputs: Sequence[str] = (),
    output: str | None = None,
    on: OnPart | None = None,
    most: int | None = 1000,
    references: int = 20,
    background: Literal["shuffled", "zeros", "uniform"] = "shuffled",
    baseline: Literal["mean", "zeros"] = "mean",
    steps: int = 16,
    max_delta: float = 0.1,
    centred: bool = False,
    layer: str | None = None,
    smooth: int = 1,
    sites: str | Path | None = None,
    tracks: bool = False,
    fasta: str | Path | None = None,
    seed: int = 0,
    memory: int = 1024,
    check: bool | CheckConfig = True,
    resume: bool = False,
    device: str = "auto",
    threads: int | None = None,
) -> Explained:
    """Explain a model's output, example by example, and over all of them.

    Parameters
    ----------
    model
        A Run's folder, or a pretrained model (``NAME`` or ``NAME:FILE``).
    dataset
        An ``.h5`` file with the inputs that the model reads.
    out
        A new folder: ``attributions.h5``, tables, ``interpretation.json``; see
        docs/interpretation.md.
    method
        ``gradient_x_input``, ``saliency``, ``absolute_saliency``, ``integrated_gradients``,
        ``deeplift``, ``mutagenesis`` or ``attention``.
    inputs, output
        Inputs to explain (all that the model reads unless given), and which output; the latter is
        needed only of several classes.
    on, most
        Which part of a Run's own dataset (by default ``test``), and at most so many examples,
        evenly along it; None: all.
    references, background, baseline
        With how many shuffles, or with what, sequences are compared; with what other inputs are.
    steps, max_delta
        Points of integrated gradients; and the share of the change of the output by which
        contributions may miss it.
    centred
        Take the mean over the four bases off each position's gradient.
    layer, smooth
        The layer that is mapped, by default what the last linear layer reads; width of the
        profile's moving mean.
    sites
        A BED file of bases that are known to matter: importance is judged by them.
    tracks, fasta
        Write BigWig files in genome coordinates; the genome says how long its chromosomes are.
    seed, memory
        Of shuffles; MiB beside the network.
    check
        Check on some examples whether the model uses what is shown; pictures say if it does not.
        How much is checked, a ``CheckConfig`` says.
    resume
        Go on where a stopped call ended.

    Examples
    --------
    >>> exprimo.explain("RUN", "D.h5", "E", method="deeplift")       # doctest: +SKIP
    """
    config = MethodConfig.checked(
        {
            "method": method, "inputs": tuple(inputs), "output": output,
            "references": references, "background": background, "baseline": baseline,
            "steps": steps, "max_delta": max_delta, "centred": centred, "seed": seed,
            "memory": memory,
        }
    )  # fmt: skip
    if most is not None and most < 1:
        raise ConfigError("nothing to explain", record="most", found=most, expected="1 or more")
    asked = _Asked(layer, smooth, _path(sites), _path(fasta), tracks, check)
    refuse_existing(out)
    resolved = model_on(model, device=device, threads=threads, precision="fp32")
    with open_inputs(dataset, resolved.run) as data:
        examples = choose_examples(data, resolved.run, on, most)
        kind: Task = resolved.run.metrics["task"] if resolved.run else "regression"
        predictor = for_dataset(resolved, data)
        subject = subject_of(predictor, data, config, kind, examples.train)
        with atomic_directory(out, resume=resume) as folder:
            work = _Work(resolved, data, subject, config, examples, asked)
            return work.done(folder, Path(out))


class _Work(NamedTuple):
    """One explanation."""

    resolved: Resolved
    data: Dataset
    subject: Subject
    config: MethodConfig
    examples: Examples
    asked: _Asked

    def done(self, folder: Path, out: Path) -> Explained:
        """Make contributions, then tables; see `explain`."""
        about, settings = self._about(), self._settings()
        numbers = sum(
            int(np.prod(self.data.inputs[name].shape)) * (5 if name.startswith("sequence") else 1)
            for name in self.subject.names
        )
        parts = Parts(folder, settings, self.examples.rows, numbers)
        watch = Watch(self.config)
        made = make_method(self.subject, self.config)
        n_known = parts.make(made, self.subject, self.data, watch)
        tss = tss_index(self.data, self.resolved.run)
        described = Described(
            self.data.column("example_id")[self.examples.rows],
            {
                "method": self.config.method,
                "settings": settings["settings"],
                "output": about.output,
                "scale": about.scale,
                "tss_index": tss,
                "part": self.examples.part,
                "dataset_sha256": self.data.sha256,
                "model": settings["model"],
            },
            windows_on_genome(self.data, self.examples.rows),
        )
        write_attributions(folder / ATTRIBUTIONS_FILE, parts.blocks(), described)
        parts.remove()
        with Attributions.open(folder) as found:
            return self._tables(folder, out, found, about, tss)._replace(n_known=n_known)

    def _about(self) -> About:
        run, task = self.resolved.run, self.subject.kind
        threshold = run.metrics["threshold"] if run is not None else None
        return About(
            task,
            self.subject.predictor.outputs[self.subject.index],
            output_scale(task),
            len(self.examples.rows),
            part=self.examples.part,
            classes=tuple(self.subject.predictor.outputs) if task == "multiclass" else (),
            method=METHOD_TITLES[self.config.method],
            unit=self.examples.unit,
            smooth=self.asked.smooth,
            layer=self.asked.layer,
            threshold=threshold["value"] if threshold else None,
        )

    def _settings(self) -> dict[str, Any]:
        rows = self.examples.rows
        return {
            "settings": self.config.model_dump(mode="json"),
            "model": predictor_digest(self.resolved),
            "dataset": self.data.sha256,
            "rows": [int(rows[0]), int(rows[-1]), len(rows), int(rows.sum())],
        }

    def _tables(
        self, folder: Path, out: Path, found: Attributions, about: About, tss: int
    ) -> Explained:
        examples, asked = self.examples, self.asked
        around = Around(examples.rows, examples.groups, tss, asked.smooth)
        prediction = predict_rows(self.subject.predictor, self.data, examples.rows).mean
        profile = top = recovery = None
        if "sequence" in found.inputs:
            shown = prediction[:, self.subject.index]
            profile, top = sequence_tables(found, around, shown)
        if asked.sites is not None:
            planted = sites_of(found, asked.sites, self.data.path)
            judged = motif_recovery(
                found.values(), planted, groups=examples.groups, unit=examples.unit
            )
            recovery = (list(found.example_id), judged)
            if profile is not None:
                profile = with_planted(profile, planted, tss)
        slopes = self.config.method in ("saliency", "absolute_saliency")
        bins = bin_tables(found, self.data, around, self._bin_size(), slopes)
        features = feature_table(found, self.data, around)
        if features is not None:
            bins["features.tsv"] = features
        places = self._map(found, prediction, about)
        written = self._tracks(folder, found)
        verdict = self._verdict(folder, found, recovery and recovery[1])
        missed = how_far(Convergence(**known)) if (known := found.convergence()) else None
        fill_interpretation(
            folder,
            Interpretation(about, profile, top, places, recovery, bins),
            sources=[] if self.resolved.run is None else [self.resolved.run.weights_path],
            more={
                "method_name": self.config.method,
                "settings": self.config.model_dump(mode="json"),
                "inputs": list(found.inputs),
                "n_of": examples.n_of,
                "tss_index": tss,
                "model": self.resolved.name,
                "dataset": str(self.data.path),
                "convergence": missed and missed._asdict(),
                "tracks": list(written),
                "faithfulness": verdict.short,
            },
        )
        auroc = recovery and (recovery[1].mean.value, recovery[1].swapped.mean)
        return Explained(
            out, about.method, examples.part, found.n, examples.n_of, 0, found.inputs,
            about.scale, missed, _strongest(profile), auroc, written, verdict,
        )  # fmt: skip

    def _verdict(self, folder: Path, found: Attributions, recovery: Recovery | None) -> Verdict:
        if self.asked.check is False:
            return UNCHECKED
        examples, how = self.examples, self.asked.check
        units = Units(examples.groups, examples.unit)
        made = ToCheck(self.subject, self.config, self.data, examples.rows, found, units)
        return check_explanation(folder, made, None if how is True else how, recovery)

    def _bin_size(self) -> int:
        made = self.data.provenance.get("settings") or {}
        return int(made.get("bin_size") or _BIN_SIZE)

    def _map(
        self, found: Attributions, prediction: npt.NDArray[Any], about: About
    ) -> pd.DataFrame | None:
        """Map a layer; without a network, or with too few examples, only if it was asked for."""
        network, rows = self.subject.network, self.examples.rows
        if network is None or network is not self.subject.predictor or len(rows) < FEWEST:
            if self.asked.layer is not None:
                raise ConfigError(
                    "no layer can be mapped",
                    record=self.resolved.name,
                    found=f"{len(rows):,} examples of {type(self.subject.predictor).__name__}",
                    expected=f"a run of a network, and {FEWEST} examples or more",
                    remedy="Leave --layer out",
                )
            return None
        blocks = layer_blocks(network, self.data, rows, layer=self.asked.layer)
        said = np.concatenate([b.values.reshape(len(b.rows), -1) for b in blocks])
        observed = np.full(len(rows), np.nan, np.float32)
        run = self.resolved.run
        if run is not None and run.metrics["target"] in self.data.targets:
            observed = learned_target(self.data, run.metrics)[rows]
        return map_table(list(found.example_id), layer_map(said), prediction, observed, about)

    def _tracks(self, folder: Path, found: Attributions) -> tuple[str, ...]:
        if not self.asked.tracks:
            return ()
        if self.asked.fasta is None:
            return write_tracks(found, folder)
        with Genome.open(self.asked.fasta) as genome:
            return write_tracks(found, folder, dict(genome.lengths))


def _strongest(profile: pd.DataFrame | None) -> tuple[int, float] | None:
    if profile is None or not profile["mean"].sum() > 0:
        return None
    position = int(profile["position"].iloc[int(profile["mean"].argmax())])
    near = (profile["position"] - position).abs() <= _NEAR
    return position, float(profile.loc[near, "mean"].sum() / profile["mean"].sum())


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
