"""BigWig, read block by block straight into bins."""

from exprimo.data.signals.bigwig.reader import BigWigFile, looks_like_bigwig

__all__ = ["BigWigFile", "looks_like_bigwig"]
