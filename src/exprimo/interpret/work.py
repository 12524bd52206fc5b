"""One explanation: contributions, then the tables, the check and the summary of its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from exprimo.core.dataset import Dataset
from exprimo.core.errors import ConfigError
from exprimo.data.fasta import Genome
from exprimo.features.embeddings.attach import INPUT as EMBEDDING
from exprimo.interpret.aggregates import (
    Around,
    bin_tables,
    embedding_table,
    feature_table,
    sequence_tables,
    sites_in_windows,
)
from exprimo.interpret.attributions.engine import Missed, Parts, Watch, how_far
from exprimo.interpret.attributions.method import (
    METHOD_TITLES,
    Convergence,
    MethodConfig,
    Subject,
    make_method,
)
from exprimo.interpret.attributions.models.kmer_weights import kmer_table
from exprimo.interpret.attributions.store import (
    ATTRIBUTIONS_FILE,
    SEQUENCE,
    Attributions,
    Described,
    write_attributions,
)
from exprimo.interpret.attributions.tracks import check_places, write_tracks
from exprimo.interpret.examples import Examples, tss_index, windows_on_genome
from exprimo.interpret.faithfulness.check import check_explanation
from exprimo.interpret.faithfulness.config import CheckConfig
from exprimo.interpret.faithfulness.means import Units
from exprimo.interpret.faithfulness.subject import ToCheck
from exprimo.interpret.faithfulness.verdict import UNCHECKED, Verdict
from exprimo.interpret.files import (
    MAP_FILE,
    SUMMARY_FILE,
    About,
    Interpretation,
    fill_interpretation,
    map_table,
    with_planted,
)
from exprimo.interpret.importance import check_smoothing, strongest
from exprimo.interpret.map import FEWEST, layer_map
from exprimo.interpret.recovery import Recovery, motif_recovery
from exprimo.scoring.gradients import output_scale
from exprimo.scoring.layers import layer_blocks
from exprimo.scoring.resolve import Resolved
from exprimo.scoring.sequences.of_predictor import predictor_digest
from exprimo.scoring.targets import learned_target
from exprimo.training.predicting import predict_rows

_BIN_SIZE = 100


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
    n_learned
        How many of them the model learned from; None where nothing says it.
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
    n_learned: int | None = None


class Asked(NamedTuple):
    """What is wanted beside contributions; see `exprimo.interpret.explain.explain`.

    Attributes
    ----------
    map_of
        A folder of the same model and examples by another method: its map of a layer, which
        depends on no method, is taken over.
    """

    layer: str | None = None
    smooth: int = 1
    sites: Path | None = None
    fasta: Path | None = None
    tracks: bool = False
    check: bool | CheckConfig = True
    map_of: Path | None = None


class Work(NamedTuple):
    """One explanation."""

    resolved: Resolved
    data: Dataset
    subject: Subject
    config: MethodConfig
    examples: Examples
    asked: Asked

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
        with Attributions.open(folder) as found:
            made_of = self._tables(folder, out, found, about, tss)
        # Last: the check takes longer than the contributions, and may be stopped as well.
        parts.remove()
        return made_of._replace(n_known=n_known)

    def check(self) -> None:
        """Refuse what could not be done with contributions, before they are made."""
        asked, names = self.asked, self.subject.names
        length = self.data.inputs[SEQUENCE].shape[0] if SEQUENCE in names else None
        check_smoothing(asked.smooth, length)
        places = windows_on_genome(self.data, self.examples.rows)
        if asked.sites is not None:
            sites_in_windows(asked.sites, places, length, self.data.path)
        if asked.fasta is not None and not asked.tracks:
            raise ConfigError(
                "a genome is given, and no track is asked for",
                record="fasta",
                found=asked.fasta,
                remedy="Add --tracks, whose chromosomes it measures, or leave --fasta out",
            )
        if asked.tracks:
            check_places(places, names, _lengths(asked.fasta))
        if asked.layer is None:
            return
        if not self._has_map():
            raise ConfigError(
                "no layer can be mapped",
                record=self.resolved.name,
                found=f"{len(self.examples.rows):,} examples of "
                f"{type(self.subject.predictor).__name__}",
                expected=f"a run of a network, and {FEWEST} examples or more",
                remedy="Leave --layer out",
            )
        for _ in layer_blocks(
            self.subject.net, self.data, self.examples.rows[:1], layer=asked.layer
        ):
            break

    def _has_map(self) -> bool:
        network = self.subject.network
        same = network is not None and network is self.subject.predictor
        return same and len(self.examples.rows) >= FEWEST

    def _about(self) -> About:
        run, task = self.resolved.run, self.subject.kind
        threshold = run.metrics["threshold"] if run is not None else None
        return About(
            task,
            self.subject.predictor.outputs[self.subject.index],
            self._scale(),
            len(self.examples.rows),
            part=self.examples.part,
            classes=tuple(self.subject.predictor.outputs) if task == "multiclass" else (),
            method=METHOD_TITLES[self.config.method],
            unit=self.examples.unit,
            smooth=self.asked.smooth,
            layer=self.asked.layer,
            threshold=threshold["value"] if threshold else None,
        )

    def _scale(self) -> str:
        """Name the unit of the explained output; only networks standardise a target."""
        run, task = self.resolved.run, self.subject.kind
        if self.subject.network is not None or task != "regression":
            return output_scale(task)
        return str((run.metrics.get("units") if run is not None else "") or "unit of the target")

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
            planted = sites_in_windows(asked.sites, found.places, found.length, self.data.path)
            judged = motif_recovery(
                found.values(), planted, groups=examples.groups, unit=examples.unit
            )
            recovery = (list(found.example_id), judged)
            if profile is not None:
                profile = with_planted(profile, planted, tss)
        slopes = self.config.method in ("saliency", "absolute_saliency")
        bins = bin_tables(found, self.data, around, self._bin_size(), slopes)
        if EMBEDDING in found.inputs and not slopes:
            bins["embedding_bins.tsv"] = embedding_table(found, around, self._embedded_bin())
        features = feature_table(found, self.data, around)
        if features is not None:
            bins["features.tsv"] = features
        if self.subject.linear and self.config.method == "gradient_x_input":
            bins["kmers.tsv"] = kmer_table(self.subject, self.data, examples.rows)
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
                "n_learned": examples.n_learned,
                "tss_index": tss,
                "model": self.resolved.name,
                "dataset": str(self.data.path),
                "convergence": missed and missed._asdict(),
                "tracks": list(written),
                "faithfulness": verdict.short,
            },
        )
        peak = None if profile is None else strongest(profile)
        auroc = recovery and (recovery[1].mean.value, recovery[1].swapped.mean)
        return Explained(
            out, about.method, examples.part, found.n, examples.n_of, 0, found.inputs,
            about.scale, missed, peak, auroc, written, verdict, examples.n_learned,
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

    def _embedded_bin(self) -> int:
        run = self.resolved.run
        return int((run.provenance["embeddings"] if run is not None else {"bin": 1})["bin"])

    def _map(
        self, found: Attributions, prediction: npt.NDArray[Any], about: About
    ) -> pd.DataFrame | None:
        """Map a layer; none without a network, or with too few examples."""
        if not self._has_map():
            return None
        network, rows = self.subject.net, self.examples.rows
        if (known := self._known_map(found, about)) is not None:
            return known
        blocks = layer_blocks(network, self.data, rows, layer=self.asked.layer)
        said = np.concatenate([b.values.reshape(len(b.rows), -1) for b in blocks])
        observed = np.full(len(rows), np.nan, np.float32)
        run = self.resolved.run
        if run is not None and run.metrics["target"] in self.data.targets:
            observed = learned_target(self.data, run.metrics)[rows]
        return map_table(list(found.example_id), layer_map(said), prediction, observed, about)

    def _known_map(self, found: Attributions, about: About) -> pd.DataFrame | None:
        """Give the map of another explanation, if it is of the same model, examples and layer."""
        folder = self.asked.map_of
        if folder is None or not (folder / MAP_FILE).is_file():
            return None
        told = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
        with Attributions.open(folder) as other:
            same = ("model", "dataset_sha256", "part", "output")
            if told.get("layer") != about.layer or any(
                other.attrs[name] != found.attrs[name] for name in same
            ):
                return None
            if other.example_id.tolist() != found.example_id.tolist():
                return None
        words = {"example_id": str}
        if about.task == "multiclass":
            words |= {"prediction": str, "target": str}
        return pd.read_csv(folder / MAP_FILE, sep="\t", dtype=words, keep_default_na=True)

    def _tracks(self, folder: Path, found: Attributions) -> tuple[str, ...]:
        if not self.asked.tracks:
            return ()
        return write_tracks(found, folder, _lengths(self.asked.fasta))


def _lengths(fasta: Path | None) -> dict[str, int] | None:
    """Give the lengths of a genome's chromosomes; None without a genome."""
    if fasta is None:
        return None
    with Genome.open(fasta) as genome:
        return dict(genome.lengths)
