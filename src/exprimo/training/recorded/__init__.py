"""What a Run records of its making, and what a later one takes over from it."""

from exprimo.training.recorded.ledger import CHOSEN, ledger_of, with_first
from exprimo.training.recorded.like import split_like, stated, train_like

__all__ = ["CHOSEN", "ledger_of", "split_like", "stated", "train_like", "with_first"]
