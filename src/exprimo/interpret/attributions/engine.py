"""Explain examples part by part; each part is a file, so that a stopped call can go on."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from exprimo.core.dataset import SEQUENCES, Dataset
from exprimo.core.errors import ConfigError, FormatError, InputError, MismatchError
from exprimo.core.predictor import Predictor
from exprimo.core.progress import task
from exprimo.core.run import write_json
from exprimo.interpret.attributions.method import (
    METHOD_TITLES,
    MOST_STEPS,
    Attributed,
    Convergence,
    Method,
    MethodConfig,
    Subject,
    training_means,
)
from exprimo.interpret.attributions.store import Block
from exprimo.models.network import NetworkPredictor
from exprimo.models.pretrained.xpresso import XpressoPredictor
from exprimo.models.zoo import Task

SETTINGS_FILE = "settings.json"
_PARTS = "part-*.npz"
_DAMAGED = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)
# A stop loses what one part takes; a part is read and written as a whole.
_PART_EXAMPLES, _PART_NUMBERS = 256, 1 << 24

Rows = npt.NDArray[np.int64]


def subject_of(
    predictor: Predictor,
    dataset: Dataset,
    config: MethodConfig,
    kind: Task,
    train_rows: Rows,
) -> Subject:
    """Say what of a model is explained, on a dataset.

    Parameters
    ----------
    predictor
        Ready for the dataset.
    train_rows
        Examples whose mean stands for an ordinary one.
    """
    network, inputs_of = _network(predictor)
    read = tuple(predictor.inputs)
    if not read:
        raise ConfigError("this model reads nothing, so there is nothing to explain")
    names = config.inputs or tuple(name for name in read if name != "gene")
    unknown = [name for name in names if name not in read]
    if unknown:
        raise ConfigError(
            "the model does not read this input", found=", ".join(unknown), expected=", ".join(read)
        )
    absent = [name for name in read if name not in dataset.inputs]
    if absent:
        raise MismatchError(
            f"the dataset has no {absent[0]}, which the model reads",
            file=dataset.path,
            found=", ".join(dataset.inputs),
        )
    baselines = training_means(dataset, names, train_rows)
    if isinstance(predictor, XpressoPredictor) and "halflife" in baselines:
        # Standardised by the dataset, so that their mean is 0.
        baselines["halflife"] = np.zeros(predictor.n_features, np.float32)
    index = _index(tuple(predictor.outputs), config.output)
    return Subject(predictor, network, tuple(names), index, kind, inputs_of, baselines)


def _network(predictor: Predictor) -> tuple[NetworkPredictor | None, Any]:
    if isinstance(predictor, XpressoPredictor):
        return predictor.network, lambda batch: {
            "sequence": batch["sequence"],
            "halflife": predictor.halflife(batch),
        }
    network = predictor if isinstance(predictor, NetworkPredictor) else None
    return network, lambda batch: batch


def _index(outputs: tuple[str, ...], output: str | None) -> int:
    if output is None and len(outputs) == 1:
        return 0
    if output not in outputs:
        raise ConfigError(
            "say which output to explain" if output is None else "no such output",
            found=output,
            expected="one of " + ", ".join(outputs),
            remedy="Name it with: --output",
        )
    return outputs.index(output)


class Parts:
    """Parts of an explanation in a folder that grows.

    Parameters
    ----------
    folder
        In which the parts stand; ``settings.json`` says what they are parts of.
    settings
        All that decides the numbers: a folder with other settings is refused.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], rows: Rows, numbers: int) -> None:
        self.folder, self.rows = folder, rows
        size = max(1, min(_PART_EXAMPLES, _PART_NUMBERS // max(numbers, 1)))
        self.cuts = [slice(at, at + size) for at in range(0, len(rows), size)]
        path = folder / SETTINGS_FILE
        plain = json.loads(json.dumps(dict(settings)))
        known = _begun_with(path)
        _leave_parts_alone(folder, whole=known is None)
        if known is None:
            write_json(path, plain)
        elif known != plain:
            other = [k for k in plain if known.get(k) != plain[k]] or ["what it holds"]
            raise MismatchError(
                "the stopped explanation was begun with other settings",
                file=folder,
                record=", ".join(other),
                found=", ".join(str(known.get(name)) for name in other)[:200],
                expected=", ".join(str(plain.get(name)) for name in other)[:200],
                remedy="Repeat the command that was stopped, or leave --resume out",
            )

    def path(self, number: int) -> Path:
        """Name the file of a part."""
        return self.folder / f"part-{number:06d}.npz"

    def make(self, method: Method, subject: Subject, dataset: Dataset, watch: Watch) -> int:
        """Make the parts that are missing; return how many examples were known.

        Parameters
        ----------
        watch
            Looks at each part, also at those that were known.
        """
        known = 0
        with task("Explaining", len(self.rows)) as bar:
            for number, cut in enumerate(self.cuts):
                rows = self.rows[cut]
                arrays = self._whole(number, len(rows))
                if arrays is not None:
                    known += len(rows)
                else:
                    batch = dataset.batch(tuple(subject.predictor.inputs), rows)
                    arrays = _arrays(method.explain(batch), batch)
                    self._write(number, arrays)
                watch.see(arrays)
                bar.advance(len(rows))
        return known

    def read(self, number: int) -> Block:
        """Read one part."""
        try:
            # numpy leaves a file open that it cannot read.
            with self.path(number).open("rb") as file, np.load(file, allow_pickle=False) as found:
                return Block({name: found[name] for name in found.files})
        except _DAMAGED as error:
            raise FormatError(
                "a part of a stopped explanation cannot be read",
                file=self.path(number),
                remedy="Leave --resume out",
            ) from error

    def _whole(self, number: int, n: int) -> Mapping[str, Any] | None:
        """Give a part that stands, if it is whole; a damaged one is made again."""
        if not self.path(number).exists():
            return None
        try:
            arrays = self.read(number).arrays
        except FormatError:
            return None
        whole = "prediction" in arrays and all(len(a) == n for a in arrays.values())
        return arrays if whole else None

    def blocks(self) -> Iterator[Block]:
        """Read all parts, in order."""
        for number in range(len(self.cuts)):
            yield self.read(number)

    def remove(self) -> None:
        """Remove the parts and their settings."""
        for number in range(len(self.cuts)):
            self.path(number).unlink()
        (self.folder / SETTINGS_FILE).unlink()

    def _write(self, number: int, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        growing = self.folder / "growing.npz"
        with open(growing, "wb") as handle:
            np.savez(handle, **dict(arrays))  # type: ignore[arg-type]  # its stub wants one type
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(growing, self.path(number))


def _arrays(found: Attributed, batch: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    arrays: dict[str, Any] = {"prediction": found.outputs.astype(np.float32)}
    for name, values in found.values.items():
        _refuse_infinite(name, values)
        arrays[f"inputs/{name}/values"] = values.astype(np.float32)
        if name in SEQUENCES:
            arrays[f"inputs/{name}/codes"] = batch[name].astype(np.uint8)
    for name, values in found.hypothetical.items():
        arrays[f"inputs/{name}/hypothetical"] = values.astype(np.float32)
    if found.convergence is not None:
        arrays |= {k: v.astype(np.float32) for k, v in found.convergence._asdict().items()}
    return arrays


def _refuse_infinite(name: str, values: npt.NDArray[Any]) -> None:
    if not np.isfinite(values).all():
        raise InputError(
            "contributions that are no numbers",
            record=name,
            found="infinite values, or none",
            expected="finite numbers",
            remedy="Look for missing or infinite values in this input of the dataset",
        )


def _begun_with(path: Path) -> dict[str, Any] | None:
    """Read what a stopped explanation was begun with; nothing where that is lost."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def _leave_parts_alone(folder: Path, *, whole: bool) -> None:
    """Clear a stopped explanation but for its parts; of ``whole`` these as well.

    Tables, tracks and verdicts are made anew from the parts: those that stand may be of a call
    that asked for others.
    """
    for path in folder.iterdir():
        if not whole and (path.name == SETTINGS_FILE or path.match(_PARTS)):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


class Missed(NamedTuple):
    """How far contributions miss the change of the output: medians over examples.

    Attributes
    ----------
    share
        ``missed`` over ``moved``.
    missed, moved
        Size of the delta, and of the change of the output.
    """

    share: float
    missed: float
    moved: float


def how_far(found: Convergence) -> Missed:
    """Say how far contributions miss the change of the output.

    Examples
    --------
    >>> two = np.float32([1, 3])
    >>> how_far(Convergence(two / 10, two, two / 10, two)).share
    0.1
    """
    missed, moved = float(np.median(found.missed)), float(np.median(found.moved))
    share = missed / moved if moved > 0 else (0.0 if missed == 0 else float("inf"))
    return Missed(round(share, 6), missed, moved)


class Watch:
    """Refuses contributions that do not add up, as soon as that is seen."""

    def __init__(self, config: MethodConfig) -> None:
        self.config = config
        self._seen: list[Convergence] = []

    def see(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Look at one more part."""
        if "delta" not in arrays:
            return
        self._seen.append(Convergence(*(arrays[name] for name in Convergence._fields)))
        every = Convergence(*(np.concatenate(column) for column in zip(*self._seen, strict=True)))
        found = how_far(every)
        if found.share > self.config.max_delta:
            raise InputError(
                "contributions do not add up to the change of the output",
                record=METHOD_TITLES[self.config.method],
                found=f"a sum that misses it by {found.share:.1%} (median {found.missed:.3g} "
                f"of {found.moved:.3g}, {len(every.delta):,} examples)",
                expected=f"at most {self.config.max_delta:.1%}",
                remedy=_remedy(self.config, found.share),
            )


def _remedy(config: MethodConfig, share: float) -> str:
    loosen = "or accept it with a larger --max-delta"
    if config.method != "integrated_gradients":
        return f"Use --method integrated_gradients, which takes any network, {loosen}"
    # Where a network has corners, the error falls with the number of steps.
    steps = config.steps * max(2, int(np.ceil(share / config.max_delta)))
    if steps <= MOST_STEPS:
        return f"Take more steps: --steps {steps}, {loosen}"
    return f"The {MOST_STEPS:,} steps that are allowed may not do: use --method deeplift, {loosen}"
