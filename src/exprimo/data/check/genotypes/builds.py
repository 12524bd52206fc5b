"""Which build of a genome has chromosomes of such lengths?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

# Genome Reference Consortium; T2T Consortium. Chromosomes 1 to 22 and X.
_LENGTHS = {
    "GRCh38 (hg38)": (
        248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636,
        138394717, 133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345,
        83257441, 80373285, 58617616, 64444167, 46709983, 50818468, 156040895,
    ),
    "GRCh37 (hg19)": (
        249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022,
        141213431, 135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753,
        81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560,
    ),
    "T2T-CHM13v2.0": (248387328, 242696752, 201105948, 193574945, 182045439, 172126628),
    "GRCm39 (mm39)": (195154279, 181755017, 159745316, 156860686, 151758149, 149588044),
    "GRCm38 (mm10)": (195471971, 182113224, 160039680, 156508116, 151834684, 149736546),
    "R64 (sacCer3)": (230218, 813184, 316620, 1531933, 576874, 270161),
}  # fmt: skip
_BUILD_OF = {length: build for build, lengths in _LENGTHS.items() for length in lengths}


def build_hint(lengths: Mapping[str, int]) -> str:
    """Say which build chromosomes of these lengths belong to; nothing where none is known.

    Examples
    --------
    >>> build_hint({"chr21": 46709983, "chr22": 50818468, "chrEBV": 171823})
    'GRCh38 (hg38), by the length of 2 chromosomes'
    """
    found = Counter(_BUILD_OF[length] for length in lengths.values() if length in _BUILD_OF)
    told = [
        f"{build}, by the length of {n} chromosome{'' if n == 1 else 's'}"
        for build, n in found.most_common()
    ]
    return " and ".join(told)
