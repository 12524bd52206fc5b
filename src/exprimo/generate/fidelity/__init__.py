"""What generated sequences are worth: measures beside real ones and rivals, and the gate."""

from exprimo.generate.fidelity.check import Checked, generate_check

__all__ = ["Checked", "generate_check"]
