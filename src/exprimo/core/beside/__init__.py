"""A second process beside this one: its work, its progress shown here, its errors raised here."""

from exprimo.core.beside.parent import Beside, beside

__all__ = ["Beside", "beside"]
