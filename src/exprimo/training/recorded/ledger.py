"""The ledger of a run: what each of its fitted things learned from."""

from __future__ import annotations

from exprimo.core.dataset.generated import taught_before
from exprimo.core.ledger import Ledger, Unit, keys_of
from exprimo.training.material import Fitted, Material

CHOSEN = "choices on validation"
"""What validation chose: the epoch, penalty or trees, the threshold, the conformal width."""


def ledger_of(material: Material) -> Ledger:
    """Record what a run is about to learn from; of generated sequences, what made them did too."""
    train = _learned(material)
    val = keys_of(material.dataset, material.parts["val"])
    learned = {"weights": train}
    if material.spec.kind == "hybrid":
        learned["boosted trees"] = train
    if material.spec.kind != "baseline" and material.task == "regression":
        learned["target scaler"] = train
    for name in material.settled:
        learned[name] = train
    if material.cut is not None:
        learned["cut between high and low"] = keys_of(material.dataset, material.cut_on)
    learned[CHOSEN] = val
    # Of a dataset of generated sequences, the generator's examples taught this run as well.
    ledger = Ledger(learned).merged(taught_before(material.dataset.path))
    return ledger if material.added is None else ledger.merged(material.added.ledger)


def with_first(ledger: Ledger, fitted: Fitted) -> Ledger:
    """Add what a network took from the training part before its first epoch."""
    return Ledger({**ledger.learned, **dict.fromkeys(fitted.first, ledger.learned["weights"])})


def _learned(material: Material) -> dict[Unit, frozenset[str]]:
    keys = keys_of(material.dataset, material.parts["train"])
    if material.added is not None:
        keys["sequence"] |= material.added.keys
    return keys
