"""Plots are well-formed SVG and show what they are given."""

import xml.etree.ElementTree as ElementTree

from models.steps import plots


def test_the_front_holds_what_nothing_beats_in_both_ways():
    points = [(1.0, 0.5), (2.0, 0.9), (3.0, 0.8), (2.0, 0.7), (4.0, 0.95)]
    assert plots.front_of(points) == [0, 1, 4]


def test_pareto_names_the_front_and_draws_every_point():
    svg = plots.pareto("A <title>", "bytes", "AUC", [("small", 1e3, 0.9), ("worse", 2e3, 0.8), ("large", 1e6, 0.99)])
    found = ElementTree.fromstring(svg)
    assert len(found.findall("{*}circle")) == 3
    names = {text.text for text in found.findall("{*}text")}
    assert {"small", "large", "A <title>"} <= names
    assert "worse" not in names


def test_histograms_draw_a_strip_for_each_layer_with_both_marks():
    layers = [{"layer": n, "range": [-1.0, 3.0], "kept": [-0.5, 2.5], "histogram": [0, 4, 9, 1]} for n in range(3)]
    found = ElementTree.fromstring(plots.histograms("Ranges", layers))
    assert len(found.findall("{*}rect")) == 12
    assert len(found.findall("{*}path")) == 6


def test_bars_grow_with_the_value():
    found = ElementTree.fromstring(plots.bars("Bytes", {"one": 1.0, "two": 2.0}))
    widths = [float(rect.get("width")) for rect in found.findall("{*}rect")]
    assert widths == [200.0, 400.0]
