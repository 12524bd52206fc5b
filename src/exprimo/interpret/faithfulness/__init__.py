"""Is an explanation faithful to the model? Checks, their verdict, and its files."""

from exprimo.interpret.faithfulness.verdict import (
    FAITHFULNESS_FILE,
    Check,
    Verdict,
    read_verdict,
    write_verdict,
)

__all__ = ["FAITHFULNESS_FILE", "Check", "Verdict", "read_verdict", "write_verdict"]
