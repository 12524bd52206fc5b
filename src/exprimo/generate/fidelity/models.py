"""Trained models that look at sequences: an embedding, and an oracle of activity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from exprimo.core.errors import ConfigError, InputError, LeakError, MismatchError
from exprimo.core.ledger import Ledger, Unit
from exprimo.core.run import Run
from exprimo.core.sequence import Codes
from exprimo.generate.fidelity.material import Material
from exprimo.generate.held_out import FEWEST_HELD_OUT
from exprimo.scoring.resolve import Resolved, model_on

Reader = Callable[[Codes], npt.NDArray[np.float32]]
"""Sequences (n, length) -> one row each."""

_BASES = 65_536


def embedding_of(model: str | Path, length: int, device: str, threads: int | None) -> Reader:
    """Open a network and give what its last linear layer reads, (n, channels)."""
    from exprimo.scoring.layers import layer_outputs, network_of

    resolved = open_reader(model, length, device, threads)
    network = network_of(resolved.predictor)

    def read(codes: Codes) -> npt.NDArray[np.float32]:
        return layer_outputs(network, {"sequence": codes}).reshape(len(codes), -1)

    return _in_parts(read, length)


def oracle_of(
    model: str | Path, material: Material, device: str, threads: int | None
) -> tuple[Reader, npt.NDArray[np.bool_]]:
    """Open a model that judges activity, and say which held-out sequences it has not learned from.

    It must not have learned from what the generator learned from: it would find in generated
    sequences what both have seen. Held-out sequences that it knows are no floor and are left out.

    Returns
    -------
    reader, unseen
        Predictions (n, outputs), and a mask (held out,).
    """
    length = material.sample.codes.shape[1]
    resolved = open_reader(model, length, device, threads)
    if resolved.run is None:
        raise ConfigError(
            "nothing says what this oracle learned from",
            record=str(model),
            expected="a run, whose ledger names its training examples",
        )
    units = {"sequence", *({"gene"} & set(material.units))}
    refuse_shared(
        resolved.run,
        material.ledger,
        units,
        judge="the oracle",
        taught="the generator",
        remedy="Train one on examples that are in neither the generator's training part nor "
        "all of its held-out parts, or on another dataset of the same assay",
    )
    keys = all_keys(resolved.run.ledger, "sequence")
    unseen = ~np.isin(material.held_keys, list(keys))
    if unseen.sum() < FEWEST_HELD_OUT:
        raise InputError(
            "the oracle has learned from nearly all held-out sequences",
            file=resolved.run.path,
            found=f"{int(unseen.sum()):,} of {len(unseen):,} are new to it",
            expected=f"{FEWEST_HELD_OUT} at least",
            remedy="Train it on a part of them only, or on another dataset of the same assay",
        )
    predictor = resolved.predictor

    def read(codes: Codes) -> npt.NDArray[np.float32]:
        return predictor.predict({"sequence": codes}).mean

    return _in_parts(read, length), unseen


def refuse_shared(
    run: Run, learned: Ledger, units: set[str], *, judge: str, taught: str, remedy: str
) -> None:
    """Refuse a judge whose Run learned from what the judged thing learned from.

    Parameters
    ----------
    run, learned
        The judge, and the ledger of what made the sequences that it is to judge.
    units
        Of which nothing may be shared.
    judge, taught, remedy
        Both in words, and what to do.
    """
    given: dict[Unit, frozenset[str]] = {
        unit: all_keys(learned, unit) for unit in ("sequence", "gene")
    }
    leaks = run.ledger.leaks(given, units)
    if leaks:
        worst = max(leaks, key=lambda leak: len(leak.keys))
        raise LeakError(
            f"{judge} and {taught} learned from the same examples",
            file=run.path,
            record=f"{worst.unit} {', '.join(worst.keys[:5])}",
            found=f"{len(worst.keys):,} shared {worst.unit}s",
            expected="training on other examples",
            remedy=remedy,
        )


def all_keys(ledger: Ledger, unit: Unit) -> frozenset[str]:
    """Collect what anything in a ledger learned from, of one unit."""
    return frozenset[str]().union(*(u.get(unit, frozenset()) for u in ledger.learned.values()))


def open_reader(model: str | Path, length: int, device: str, threads: int | None) -> Resolved:
    """Open a model of the sequence alone, of this length, or say why it is none."""
    resolved = model_on(model, device=device, threads=threads)
    found = resolved.predictor
    if tuple(found.inputs) != ("sequence",):
        raise ConfigError(
            "this model reads more than sequence, or something else",
            record=resolved.name,
            found=", ".join(found.inputs) or "a model that reads nothing",
            expected="a model of the sequence alone, such as cnn",
        )
    if found.window not in (None, length):
        raise MismatchError(
            "this model reads windows of another length",
            record=resolved.name,
            found=f"{found.window:,} bases",
            expected=f"{length:,} bases, as the sequences have",
        )
    return resolved


def _in_parts(read: Reader, length: int) -> Reader:
    size = max(16, min(1024, _BASES // length))

    def whole(codes: Codes) -> npt.NDArray[np.float32]:
        parts = [read(codes[at : at + size]) for at in range(0, len(codes), size)]
        return np.concatenate(parts)

    return whole
