"""What genotypes themselves say of expression: eQTLs, fine-mapping, scores, stacks, candidates."""

from exprimo.studies.individual.association.config import Association

__all__ = ["Association"]
