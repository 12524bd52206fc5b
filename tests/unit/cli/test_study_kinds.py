from __future__ import annotations

import exprimo
from exprimo.cli.studying import STUDY_KINDS
from exprimo.studies.commands import TEMPLATES


def test_the_help_of_init_names_every_kind() -> None:
    assert tuple(TEMPLATES) == STUDY_KINDS
    assert exprimo.init.__doc__ is not None
    assert all(f"``{kind}``" in exprimo.init.__doc__ for kind in TEMPLATES)
