"""A Run, or a pretrained model that predicts one number a gene, as a SequenceModel."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exprimo.core.dataset import SEQUENCES
from exprimo.core.errors import ConfigError, MismatchError
from exprimo.core.files.provenance import sha256_file
from exprimo.core.predictor import Floats, Predictor
from exprimo.core.run import Run
from exprimo.core.sequence import Codes
from exprimo.scoring.resolve import Resolved, learned_classes
from exprimo.scoring.sequences.average import Average, readings

# As when a dataset is predicted: enough to feed the cores, small enough for their caches.
_BASES_AT_ONCE = 65_536
_FEWEST, _MOST = 4, 1024


class PredictorModel:
    """One number, or one per class, for the whole window; see `SequenceModel`.

    A model that was trained on both copies of a person at once is given each haplotype as both:
    what a person with two such copies would have. The mean over the two copies of a person is
    then the model's own prediction, exactly so where its output is linear in their average.

    Parameters
    ----------
    resolved
        A model that reads ``sequence`` alone, or ``sequence`` and ``sequence_2``.
    upstream
        Bases before the TSS in its window.
    chosen
        Numbers of its outputs, in order.
    """

    positive = False
    first_bin = 0
    n_bins = 1

    def __init__(
        self,
        resolved: Resolved,
        digest: str,
        upstream: int,
        names: tuple[str, ...],
        chosen: list[int],
        average: Average,
    ) -> None:
        window = resolved.predictor.window
        assert window is not None  # `window_of` refused it
        self.name, self.digest = resolved.name, digest
        self.predictor: Predictor = resolved.predictor
        self.upstream, self.downstream = upstream, window - upstream
        self.bin_size = window
        self.tracks = tuple(names[number] for number in chosen)
        self.chosen, self.average = chosen, average

    def predict(self, codes: Codes) -> Floats:
        """Predict (n, tracks, 1)."""
        step = self.rows_at_once()
        found = [self._some(codes[at : at + step]) for at in range(0, len(codes), step)]
        return np.concatenate(found) if found else np.empty((0, len(self.tracks), 1), np.float32)

    def rows_at_once(self) -> int:
        """Give how many windows it reads at once."""
        return max(_FEWEST, min(_MOST, _BASES_AT_ONCE // self.bin_size))

    def _some(self, codes: Codes) -> Floats:
        found = readings(codes, self.average)
        inputs = self.predictor.inputs
        values = np.stack(
            [self.predictor.predict(dict.fromkeys(inputs, read.codes)).mean for read in found]
        )
        mean = values[0] if len(values) == 1 else values.mean(axis=0, dtype=np.float64)
        return np.asarray(mean[:, self.chosen, None], dtype=np.float32)


def predictor_digest(resolved: Resolved) -> str:
    """Give the SHA-256 of what a model was opened from; of a plug-in without a file its name's."""
    if resolved.run is not None:
        return sha256_file(resolved.run.weights_path)
    given = resolved.name.partition(":")[2]
    if given and Path(given).is_file():
        return sha256_file(given)
    return str(getattr(resolved.predictor, "digest", resolved.name))


def window_of(resolved: Resolved, given: int | None = None) -> tuple[int, int]:
    """Give (upstream, downstream) of what a model reads; refuse one that reads more than DNA.

    Parameters
    ----------
    given
        Bases before the TSS, of a model that does not say it.
    """
    predictor = resolved.predictor
    if tuple(predictor.inputs) not in (SEQUENCES[:1], SEQUENCES):
        raise ConfigError(
            "this model reads more than DNA, so that a sequence alone predicts nothing",
            record=resolved.name,
            found=", ".join(predictor.inputs) or "a model that reads nothing",
            expected="a model that reads sequence only, or sequence and sequence_2",
            remedy="Train one on the promoter alone, such as: exprimo train D.h5 --model cnn",
        )
    if predictor.window is None:
        raise ConfigError(
            "this model does not say which window it reads",
            record=resolved.name,
            expected="a network, or a pretrained model of a fixed window",
        )
    told = _upstream(resolved.run, predictor)
    if None not in (told, given) and told != given:
        raise MismatchError(
            "the model says where in its window the TSS lies",
            record=resolved.name,
            found=f"--upstream {given}",
            expected=f"{told}, as it was trained",
            remedy="Leave out --upstream",
        )
    upstream = given if told is None else told
    if upstream is None:
        raise ConfigError(
            "this model does not say where in its window the TSS lies",
            record=resolved.name,
            expected="a run on a dataset from exprimo dataset promoters or exprimo haplotypes",
            remedy="Give the bases before the TSS in the model's window: --upstream N",
        )
    if not 0 <= upstream <= predictor.window:
        raise MismatchError(
            "the TSS lies outside of the model's window",
            record=resolved.name,
            found=f"{upstream} bases upstream of a window of {predictor.window}",
            remedy="Give the bases before the TSS in the model's window: --upstream N",
        )
    return upstream, predictor.window - upstream


def _upstream(run: Run | None, predictor: Predictor) -> int | None:
    if run is None:
        known = getattr(predictor, "upstream", None)
        return None if known is None else int(known)
    made = (run.provenance.get("dataset", {}).get("provenance") or {}).get("settings") or {}
    return None if made.get("upstream") is None else int(made["upstream"])


def output_tracks(resolved: Resolved) -> tuple[str, ...]:
    """Name what a model predicts: its target, or one name per class.

    A regression's and a two-class model's only output takes the target's name.
    """
    if resolved.run is None:
        return tuple(resolved.predictor.outputs)
    classes = learned_classes(resolved.run.metrics)
    if classes:
        return tuple(f"probability_{name}" for name in classes)
    return (str(resolved.run.metrics["target"]),)
