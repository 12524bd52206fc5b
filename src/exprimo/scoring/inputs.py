"""A dataset with all that a model reads of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exprimo.core.dataset import Dataset
from exprimo.core.errors import MismatchError
from exprimo.core.run import Run
from exprimo.features.derived import derive_inputs
from exprimo.features.embeddings import EmbeddingStore, attach_embeddings
from exprimo.training import TrainConfig


@contextmanager
def open_inputs(
    dataset: str | Path, run: Run | None, embeddings: str | Path | None = None
) -> Iterator[Dataset]:
    """Open a dataset, with the embeddings and derived inputs that a Run was trained on.

    Parameters
    ----------
    run
        None for a model that is no Run.
    embeddings
        A store with this dataset's sequences; by default the one that the Run was trained on.
    """
    store = embeddings
    if store is None and run is not None and "embedding" in run.metrics.get("inputs", ()):
        store = TrainConfig.load(run.config_path).embeddings
    with Dataset.open(dataset) as data, attach_embeddings(data, store) as opened:
        if run is not None:
            derive_inputs(data, run.metrics.get("inputs", ()))
            _refuse_other_labels(data, run)
            _refuse_other_signal(data, run)
        if run is not None and opened is not None:
            _refuse_other_embeddings(opened, run)
        yield data


def _refuse_other_labels(data: Dataset, run: Run) -> None:
    """Refuse columns that are not those that were learned; a network knows them by number only."""
    stored = run.provenance["dataset"].get("inputs", {})
    for name in run.metrics.get("inputs", ()):
        learned = tuple(stored.get(name, {}).get("labels") or ())
        if not learned or name not in data.inputs or data.inputs[name].labels == learned:
            continue
        found = data.inputs[name].labels
        same = sorted(found) == sorted(learned)
        raise MismatchError(
            f"the columns of {name} stand in another order than the run learned"
            if same
            else f"the columns of {name} are not those that the run learned",
            file=data.path,
            record=name,
            found=", ".join(found) or "columns without names",
            expected=", ".join(learned),
            remedy="Build the dataset with the same columns in the same order",
        )


_SIGNAL_SETTINGS = ("scale", "library_size", "bin_size")


def _refuse_other_signal(data: Dataset, run: Run) -> None:
    """Refuse signal on another scale than was learned: it has the same shape and other numbers."""
    if "signal" not in run.metrics.get("inputs", ()) or "signal" not in data.inputs:
        return
    learned = (run.provenance["dataset"].get("provenance") or {}).get("settings") or {}
    found = data.provenance.get("settings") or {}
    for name in _SIGNAL_SETTINGS:
        if name in learned and name in found and learned[name] != found[name]:
            raise MismatchError(
                "the signal of this dataset is not on the scale that the run learned",
                file=data.path,
                record=name,
                found=found[name],
                expected=learned[name],
                remedy="Build the dataset with the same --scale, --library-size and --bin-size",
            )


def _refuse_other_embeddings(store: EmbeddingStore, run: Run) -> None:
    learned = run.provenance.get("embeddings")
    found = store.facts()
    if learned is not None and learned != found:
        raise MismatchError(
            "the run was trained on other embeddings",
            file=store.path,
            found=_told(found),
            expected=_told(learned),
            remedy="Make them with the same model, weights and bin: exprimo embed",
        )


def _told(facts: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
