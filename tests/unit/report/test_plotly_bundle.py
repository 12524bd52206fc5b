"""The part of plotly.js that pages hold: small, with what they draw, and never less than whole."""

from __future__ import annotations

import base64
import zlib

import pytest

from exprimo.report.document.plotly_bundle import plotly_bundle, reduced

FRAME = (
    "var Ea=(e,t,r)=>()=>{if(r)throw r[0];};"
    "var W=(e,t)=>()=>{try{return t||e((t={exports:{}}).exports,t),t.exports}catch(r){}};"
)
CORE = 'var a=W((e,t)=>{"use strict";t.exports=b()});var b=W((e,t)=>{t.exports="core"});'
NEW = "function d(){}var c=Ea(()=>{});"
HEAT = (
    'var h=W((e,t)=>{t.exports={moduleType:"trace",name:"heatmap",of:(c(),d)}});'
    "var i=W((e,t)=>{t.exports=h()});"
)
PIE = 'var p=W((e,t)=>{t.exports={moduleType:"trace",name:"pie"}});var q=W((e,t)=>{t.exports=p()});'
END = "var z=W((e,t)=>{var k=a();k.register([i(),q()]);t.exports=k});return z();"


def test_the_installed_library_is_reduced_to_a_third_or_less() -> None:
    from plotly.offline import get_plotlyjs

    bundle = plotly_bundle()
    assert len(bundle.source) < len(get_plotlyjs()) / 3
    assert len(bundle.packed) < 800_000
    assert zlib.decompress(base64.b64decode(bundle.packed)).decode() == bundle.source
    assert "Licensed under the MIT license" in bundle.source
    assert 'moduleType:"trace",name:"heatmap"' in bundle.source
    assert 'moduleType:"trace",name:"scatter3d"' not in bundle.source


def test_modules_that_nothing_kept_names_are_left_out() -> None:
    # `c` and `d` of the new style stand behind `b`; the heat map needs them.
    whole = FRAME + CORE + NEW + PIE + HEAT + END
    kept = reduced(whole, ("heatmap",))
    assert kept == FRAME + CORE + NEW + HEAT + END.replace("i(),q()", "i()")


@pytest.mark.parametrize(
    "whole",
    [
        "var Plotly=1;",
        FRAME + CORE + NEW + PIE + HEAT + "return a();",
        FRAME + CORE + NEW + PIE + END.replace("i(),q()", "q()"),
    ],
)
def test_a_library_of_another_make_stays_whole(whole: str) -> None:
    assert reduced(whole, ("heatmap",)) == whole
