"""Places and alleles that the id of a variant tells."""

from __future__ import annotations

import numpy as np
import pandas as pd

# chrom:pos:ref:alt, GTEx's chrom_pos_ref_alt_build, gnomAD's chrom-pos-ref-alt.
_ID = r"^([^\s:_-]+)[:_-](\d+)[:_-]([ACGTNacgtn]+)[:_/>-]([ACGTNacgtn]+)(?:[:_]b\d+)?$"


def told_by_ids(ids: pd.Series) -> pd.DataFrame:
    """Read ``chrom, pos`` (from 1), ``ref, alt`` (upper case) from the ids that tell them.

    Rows are those ids, under their own index; others are left out.

    Examples
    --------
    >>> told_by_ids(pd.Series(["rs7", "chr1_55550_g_A_b38", "2:7:C:CT"])).to_numpy().tolist()
    [['chr1', 55550, 'G', 'A'], ['2', 7, 'C', 'CT']]
    """
    told = ids.str.extract(_ID).dropna()
    return pd.DataFrame(
        {
            "chrom": told[0].astype(object),
            "pos": told[1].astype(np.int64),
            "ref": told[2].str.upper().astype(object),
            "alt": told[3].str.upper().astype(object),
        }
    )
