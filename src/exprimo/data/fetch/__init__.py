"""Downloads from public archives: resumed after a cut, checked before they count."""

from exprimo.data.fetch.download import download
from exprimo.data.fetch.enformer import fetch_enformer
from exprimo.data.fetch.genome import fetch_genome
from exprimo.data.fetch.geo import fetch_geo
from exprimo.data.fetch.weights import fetch_weights

__all__ = ["download", "fetch_enformer", "fetch_genome", "fetch_geo", "fetch_weights"]
