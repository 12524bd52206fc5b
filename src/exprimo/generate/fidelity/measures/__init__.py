"""How far a set of sequences is from a set of real ones: one measure a file."""

from exprimo.generate.fidelity.measures.activity import activity
from exprimo.generate.fidelity.measures.composition import gc_profile
from exprimo.generate.fidelity.measures.diversity import diversity, variety_of
from exprimo.generate.fidelity.measures.kmers import kmer_spectra, position_kmers
from exprimo.generate.fidelity.measures.motifs import MotifUse, motif_use
from exprimo.generate.fidelity.measures.two_sample import two_sample

__all__ = [
    "MotifUse",
    "activity",
    "diversity",
    "gc_profile",
    "kmer_spectra",
    "motif_use",
    "position_kmers",
    "two_sample",
    "variety_of",
]
