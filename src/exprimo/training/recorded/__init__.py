"""What a Run records of its making."""

from exprimo.training.recorded.ledger import ledger_of, with_first

__all__ = ["ledger_of", "with_first"]
