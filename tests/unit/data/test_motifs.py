"""MEME files as programs write them, and each way in which one can be wrong."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from exprimo.core.errors import FormatError
from exprimo.data.motifs import read_motifs
from exprimo.simulate.files import write_motifs
from exprimo.simulate.regulation.motifs import Motif

MINIMAL = """\
MEME version 5

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.303 C 0.183 G 0.209 T 0.306

MOTIF crp alternative name
letter-probability matrix: alength= 4 w= 3 nsites= 17 E= 4.1e-009
 0.000000  0.176471  0.000000  0.823529
 0.000000  0.058824  0.647059  0.294118
 0.000000  0.058824  0.000000  0.941176
URL http://example.org/crp

MOTIF lexA
letter-probability matrix:
0.5 0.5 0 0
0.33 0.33 0.33 0.00
"""

# The sections of a full text output that hold numbers, shortened; written as MEME prints them.
FULL = """\
********************************************************************************
MEME - Motif discovery tool
********************************************************************************
MEME version 5.5.7 (Release date: Wed Jun 19 13:58:46 2024 -0700)

PRIMARY SEQUENCES= crp0.fna
ALPHABET= ACGT
Sequence name            Weight Length  Sequence name            Weight Length
ce1cg                    1.0000    105  ara                      1.0000    105
Letter frequencies in dataset:
A 0.304 C 0.196 G 0.196 T 0.304
Background letter frequencies (from file dataset with add-one prior applied):
A 0.304 C 0.196 G 0.196 T 0.304
********************************************************************************
MOTIF TGTGA MEME-1\twidth =   3  sites =  18  llr = 188  p-value = 1.3e-003  E-value = 4.1e-002
********************************************************************************
\tMotif TGTGA MEME-1 Description
Simplified        A  :1:
pos.-specific     C  1::
         bits    2.3 *
Relative         1.2 ***
ce1cg                        -     64  4.91e-06 TTTTTGATCG TGT AAAAGTGTCT
\tMotif TGTGA MEME-1 position-specific scoring matrix
--------------------------------------------------------------------------------
log-odds matrix: alength= 4 w= 3 n= 1566 bayes= 6.97728 E= 4.1e-002
 -1081     18  -1081    140
 -1081   -240    176      4
 -1081   -240  -1081    164
--------------------------------------------------------------------------------
\tMotif TGTGA MEME-1 position-specific probability matrix
--------------------------------------------------------------------------------
letter-probability matrix: alength= 4 w= 3 nsites= 18 E= 4.1e+400
 0.000000  0.222222  0.000000  0.777778
 0.000000  0.055556  0.666667  0.277778
 0.000000  0.055556  0.000000  0.944444
--------------------------------------------------------------------------------
\tMotif TGTGA MEME-1 regular expression
T[GT]T
Time  0.33 secs.
********************************************************************************
MOTIF AAT MEME-2\twidth =   1  sites =  9  llr = 18  p-value = 1.3e-001  E-value = 4.1e+002
letter-probability matrix: alength= 4 w= 1 nsites= 9 E= 4.1e+002
 1.000000  0.000000  0.000000  0.000000
********************************************************************************
SUMMARY OF MOTIFS
SEQUENCE NAME            COMBINED P-VALUE  MOTIF DIAGRAM
ce1cg                            1.57e-04  62_[+1(4.91e-06)]_28
"""

CUSTOM = """\
MEME version 4.11
ALPHABET "DNA" DNA-LIKE
# letters may stand in any order
A "Adenine" CC0000 ~ T "Thymine" 008000
C "Cytosine = C" 0000CC ~ G "Guanine" FFB300
N "Any base" = ACGT
END ALPHABET
MOTIF m
letter-probability matrix: alength= 4
1 0 0 0
"""


@pytest.fixture
def meme(tmp_path):
    """Write a file and give its path."""

    def write(text: str, packed: bool = False):
        path = tmp_path / "motifs.meme"
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return path

    return write


@pytest.mark.parametrize("packed", [False, True])
def test_minimal_format(meme, packed):
    crp, lexa = read_motifs(meme(MINIMAL, packed))
    assert (crp.name, crp.alt_name, crp.url) == ("crp", "alternative", "http://example.org/crp")
    assert (crp.n_sites, crp.evalue, crp.width, crp.consensus) == (17.0, 4.1e-9, 3, "TGT")
    np.testing.assert_allclose(crp.probabilities[0], [0, 3 / 17, 0, 14 / 17], atol=1e-6)
    np.testing.assert_allclose(crp.background, np.array([303, 183, 209, 306]) / 1001)
    assert (lexa.name, lexa.alt_name, lexa.url) == ("lexA", "", "")
    assert (lexa.n_sites, lexa.evalue) == (None, None)
    np.testing.assert_allclose(lexa.probabilities.sum(axis=1), 1, rtol=1e-12)
    assert lexa.information == pytest.approx(1 + 2 - np.log2(3))


def test_what_meme_prints(meme):
    first, second = read_motifs(meme(FULL))
    assert (first.name, first.alt_name, first.n_sites) == ("TGTGA", "MEME-1", 18.0)
    assert first.evalue == np.inf
    assert (second.name, second.alt_name, second.evalue) == ("AAT", "MEME-2", 410.0)
    assert first.consensus == "TGT"
    np.testing.assert_allclose(first.background, [0.304, 0.196, 0.196, 0.304])


def test_a_defined_alphabet_and_windows_line_ends(meme):
    (motif,) = read_motifs(meme(CUSTOM.replace("\n", "\r\n")))
    assert motif.consensus == "A"
    np.testing.assert_allclose(motif.background, 0.25)
    with pytest.raises(FormatError, match=r"another alphabet than DNA.*Found: ATCGZ"):
        read_motifs(meme(CUSTOM.replace('N "Any base" = ACGT', 'Z "Another"')))


def test_motifs_of_the_simulated_world(tmp_path):
    rng = np.random.default_rng(1)
    drawn = [Motif(f"TF{i}", rng.dirichlet(np.ones(4), 8)) for i in range(3)]
    write_motifs(tmp_path / "motifs.meme", drawn)
    found = read_motifs(tmp_path / "motifs.meme")
    assert [motif.name for motif in found] == ["TF0", "TF1", "TF2"]
    for one, other in zip(found, drawn, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=2e-6)
        assert one.consensus == other.consensus_letters
        assert one.information == pytest.approx(other.information, abs=1e-3)


HEAD = "MEME version 4\n\nMOTIF m1\nletter-probability matrix: alength= 4 w= 2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (">MA0004.1 Arnt\nA [4 19 0]\n", r"line 1: not a MEME file\. Found: '>MA0004.*jaspar2meme"),
        ("MEME version 4\n\nALPHABET= ACGT\n", "no motif"),
        ("MEME version 4\nALPHABET= ACDEFGHIKLMNPQRSTVWY\nMOTIF a\n", "line 2: motifs of another"),
        ("MEME version 4\nALPHABET= ACGU\nMOTIF a\n", "rna2meme"),
        (HEAD.replace("h= 4", "h= 20"), r"line 4: motifs of another alphabet.*alength= 20"),
        (HEAD + "1 0 0 0\n0.4 0.3 0.1 0.1\n", r"motif m1, line 6: .*which sum to 0\.9.*counts"),
        (HEAD + "1 0 0 0\n4 19 0 1\n", r"line 6: .*sum to 24.*Divide counts"),
        (HEAD + "1 0 0 0\n1 0 0\n", "line 6: not a row of probabilities"),
        (HEAD + "1 0 0 0\n1.2 0 -0.2 0\n", "line 6: not a row of probabilities"),
        (HEAD + "1 0 0 0\n-0.2 0 1.2 0\n", "line 6: not a row of probabilities"),
        (HEAD + "1 0 0 0\n1 0 x 0\n", r"line 6: not a number\. Found: 'x'"),
        (HEAD + "1 0 0 0\nnan 0 1 0\n", r"line 6: not a number\. Found: 'nan'"),
        (HEAD + "1 0 0 0\n", r"line 4: a matrix does not have.*1 rows.*end of the file.*w= 2"),
        (HEAD + "1 0 0 0\n\n1 0 0 0\n", r"1 rows, then 'an empty line'"),
        (HEAD + "1 0 0 0\n" * 3, r"3 rows.*w= 2"),
        (HEAD.replace(" w= 2", "") + "1 0 0 0\n\n1 0 0 0\n", "line 7: a row of numbers that"),
        (HEAD.replace("w= 2", "w= two") + "1 0 0 0\n", "line 4: not a number"),
        (HEAD + "1 0 0 0\n" * 2 + HEAD[16:] + "1 0 0 0\n" * 2, r"line 7: .*already on line 3"),
        (HEAD + "1 0 0 0\n" * 2 + HEAD[25:] + "1 0 0 0\n" * 2, "line 7: two matrices in one"),
        (HEAD[:16] + "letter-probability matrix:\n1 0 0 0\n", "line 3: a matrix before any motif"),
        (HEAD[:16] + "MOTIF\t\n", "line 3: a motif without an id"),
        (HEAD[:16] + "MOTIF a\nMOTIF b\n", r"motif a, line 3: a motif without probabilities"),
        (
            HEAD[:16] + "MOTIF a\nlog-odds matrix: alength= 4 w= 1\n-1081 18 -1081 140\n",
            r"line 3: .*Found: log-odds alone.*Log-odds depend on the background",
        ),
        (
            "MEME version 4\nBackground letter frequencies\nA 0.3 C 0.2 G 0.2\n",
            r"line 3: not a background\. Found: A 0\.3 C 0\.2 G 0\.2",
        ),
        (
            "MEME version 4\nBackground letter frequencies\nA 0.5 C 0 G 0 T 0.5\n",
            "line 3: not a background",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(meme, text, message):
    with pytest.raises(FormatError, match=message):
        read_motifs(meme(text))


def test_a_background_over_several_lines(meme):
    text = MINIMAL.replace("A 0.303 C 0.183 G", "A 0.303 C 0.183\nG")
    assert read_motifs(meme(text))[0].background[2] == pytest.approx(209 / 1001)
