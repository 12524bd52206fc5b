"""What was generated, by what, and what a check found."""

from exprimo.data.check.generated.kind import (
    FIDELITY,
    GENERATOR,
    fidelity_facts,
    generated_folder_kind,
    generator_facts,
    sample_facts,
)

__all__ = [
    "FIDELITY",
    "GENERATOR",
    "fidelity_facts",
    "generated_folder_kind",
    "generator_facts",
    "sample_facts",
]
