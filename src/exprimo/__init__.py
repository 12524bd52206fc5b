"""Exprimo: predict gene expression, and say how far each prediction can be believed.

Each command of the command line is one function of the same name here; nothing heavy is
imported before it is called.

>>> import exprimo
>>> exprimo.demo("demo")                                         # doctest: +SKIP
"""

from exprimo.core.exports import HOME as _HOME
from exprimo.core.public import publish

__all__ = publish(__name__, _HOME)
