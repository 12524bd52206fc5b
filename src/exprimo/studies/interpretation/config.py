"""What is asked about what a network looks at."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from exprimo.core.config import Config
from exprimo.interpret.attributions.method import MethodName
from exprimo.interpret.motifs.config import TaxGroup
from exprimo.interpret.motifs.libraries import JASPAR, NO_LIBRARY


class Interpretation(Config):
    """What the network that is best on validation looks at, over examples that judge."""

    methods: tuple[MethodName, ...] = Field(
        ("gradient_x_input", "deeplift", "mutagenesis"), min_length=1
    )
    """Methods of exprimo explain, each checked for faithfulness."""
    examples: int = Field(100, ge=10)
    """Examples that are explained, the same by each method."""
    references: int = Field(10, ge=1)
    """Shuffles that a sequence is compared with, where a method compares."""
    randomised: int = Field(50, ge=10)
    """Examples that are explained again with randomised weights: most of the time goes there."""
    find_motifs: bool = True
    """Look for motifs in the most faithful of them; needs pip install 'exprimo[interpret]'."""
    motifs: str = JASPAR
    """Known motifs that give names: auto is JASPAR, none is none, or a MEME file."""
    tax_group: TaxGroup | None = None
    """Compare with this group of JASPAR alone."""
    inserted: int = Field(6, ge=0)
    """Motifs that are inserted into shuffled sequences: those found, or of the MEME file. 0:
    none."""
    backgrounds: int = Field(30, ge=10)
    """Shuffled sequences that they are inserted into."""

    @model_validator(mode="after")
    def _each_method_once(self) -> Self:
        if len(set(self.methods)) < len(self.methods):
            raise ValueError(f"a method is named twice: {', '.join(self.methods)}")
        return self

    @property
    def file(self) -> str | None:
        """Give the MEME file, where one is named."""
        return None if self.motifs in (JASPAR, NO_LIBRARY) else self.motifs
