"""Draw sequences from a fitted generator into a dataset or FASTA."""

from exprimo.generate.sampling.sample import Sampled, generate_sample
from exprimo.generate.sampling.stream import Asked, draw_chunks

__all__ = ["Asked", "Sampled", "draw_chunks", "generate_sample"]
