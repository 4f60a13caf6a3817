"""Plots as SVG, written by hand: no plotting library for three kinds of picture."""

from __future__ import annotations

import math
from html import escape
from typing import Any

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">'
)
INK, FILL, SOFT = "#22303a", "#2f6f8f", "#b9c7cf"


def bars(title: str, values: dict[str, Any]) -> str:
    """A horizontal bar chart."""
    top = max([*values.values(), 1e-9])
    height = 40 + 26 * len(values)
    parts = [HEAD.format(width=640, height=height), f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>']
    for index, (name, value) in enumerate(values.items()):
        y = 34 + 26 * index
        parts.append(f'<text x="8" y="{y + 14}">{escape(name)}</text>')
        parts.append(f'<rect x="150" y="{y}" width="{400 * value / top:.1f}" height="18" fill="{FILL}"/>')
        parts.append(f'<text x="{156 + 400 * value / top:.1f}" y="{y + 14}">{value:,.1f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def front_of(points: list[tuple[float, float]]) -> list[int]:
    """Indices of the points that no other beats in both ways: smaller x, larger y."""
    return [
        index
        for index, (x, y) in enumerate(points)
        if not any((a <= x and b >= y) and (a < x or b > y) for a, b in points)
    ]


def pareto(title: str, x_name: str, y_name: str, points: list[tuple[str, float, float]]) -> str:
    """points: (name, x, y), x on a logarithmic scale. Those on the front are named and joined."""
    width, height, left, top, right, bottom = 860, 480, 80, 40, 220, 50
    xs, ys = [math.log10(x) for _, x, _ in points], [y for *_, y in points]
    low_x, high_x, low_y, high_y = min(xs), max(xs), min(ys), max(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - low_x) / max(high_x - low_x, 1e-9)
        up = (y - low_y) / max(high_y - low_y, 1e-9)
        return left + across * (width - left - right), height - bottom - up * (height - top - bottom)

    parts = [
        HEAD.format(width=width, height=height),
        f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>',
        f'<text x="{left}" y="{height - 12}">{escape(x_name)}, from {10**low_x:,.0f} to {10**high_x:,.0f}</text>',
        f'<text x="8" y="{top}">{escape(y_name)}</text>',
        f'<text x="8" y="{top + 18}">{high_y:.4f}</text><text x="8" y="{height - bottom}">{low_y:.4f}</text>',
        f'<path d="M{left} {top} V{height - bottom} H{width - right}" fill="none" stroke="{SOFT}"/>',
    ]
    best = front_of([(x, y) for _, x, y in points])
    line = sorted(place(points[index][1], points[index][2]) for index in best)
    parts.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in line)}" fill="none" stroke="{FILL}"/>')
    for index, (name, x, y) in enumerate(points):
        at_x, at_y = place(x, y)
        on = index in best
        colour = FILL if on else SOFT
        parts.append(
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="4" fill="{colour}"><title>{escape(name)}</title></circle>'
        )
        if on:
            parts.append(f'<text x="{at_x + 7:.1f}" y="{at_y + 4:.1f}" fill="{INK}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def histograms(title: str, layers: list[dict[str, Any]]) -> str:
    """One strip for each layer: the histogram over its whole range, and between the dark marks what calibration keeps.
    The height is logarithmic, for the tails are what the ranges are about."""
    strip, width, left = 54, 860, 120
    parts = [
        HEAD.format(width=width, height=40 + strip * len(layers)),
        f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for index, layer in enumerate(layers):
        base, counts = 34 + strip * (index + 1) - 16, layer["histogram"]
        low, high = layer["range"]
        scale = (width - left - 20) / len(counts)
        tallest = math.log1p(max([*counts, 1]))
        parts.append(f'<text x="8" y="{base - 12}">layer {layer["layer"]}</text>')
        parts.append(f'<text x="{left}" y="{base + 12}" fill="{INK}">{low:.3g}</text>')
        parts.append(f'<text x="{width - 20}" y="{base + 12}" text-anchor="end" fill="{INK}">{high:.3g}</text>')
        for number, count in enumerate(counts):
            tall = 30 * math.log1p(count) / tallest
            x = left + number * scale
            parts.append(
                f'<rect x="{x:.1f}" y="{base - tall:.1f}" width="{scale * 0.9:.1f}" height="{tall:.1f}" fill="{SOFT}"/>'
            )
        for value in layer["kept"]:
            x = left + (value - low) / max(high - low, 1e-12) * (width - left - 20)
            parts.append(f'<path d="M{x:.1f} {base - 32} V{base}" stroke="{FILL}" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>", ""])
