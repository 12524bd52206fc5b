"""Gene and transcript ids: versions stripped, collisions found."""

from __future__ import annotations

import re

# ENSG00000236875.3, ENSMUSG00000051951.6, lifted ENSG00000236875.3_1, and GENCODE's
# ENSG00000182378.13_PAR_Y. Elsewhere ".3" is part of the name (Y74C9A.3, AT1G01010.1).
_VERSIONED = re.compile(r"(ENS[A-Z]*\d{11}|ENSGR\d{10}|ENSTR\d{10})\.\d+(?:_\d+)?(_PAR_Y)?")


def strip_version(identifier: str) -> str:
    """Remove the version of an Ensembl id; ``_PAR_Y`` stays, and so do other ids.

    Examples
    --------
    >>> [strip_version(i) for i in ["ENSG00000236875.3_1", "ENSG00000182378.13_PAR_Y", "Y74C9A.3"]]
    ['ENSG00000236875', 'ENSG00000182378_PAR_Y', 'Y74C9A.3']
    """
    match = _VERSIONED.fullmatch(identifier)
    return match.group(1) + (match.group(2) or "") if match else identifier


def is_pseudoautosomal_pair(first: str, second: str) -> bool:
    """Tell whether two chromosome names are X and Y.

    Examples
    --------
    >>> is_pseudoautosomal_pair("chrX", "chrY"), is_pseudoautosomal_pair("X", "1")
    (True, False)
    """
    return {first.removeprefix("chr"), second.removeprefix("chr")} == {"X", "Y"}
