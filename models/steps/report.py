"""Tables and plots of the published figures, as one Markdown file and SVG bars; no plotting library needed."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from models import manifest as manifests
from models.steps import card


def report(published: Path, out: Path) -> None:
    """Write out/report.md and, for each model, out/<model>-size-auc.svg and out/<model>-recall.svg."""
    out.mkdir(parents=True, exist_ok=True)
    lines = ["# Published models", ""]
    for name, entry in manifests.load(published)["models"].items():
        device = entry["variants"][entry["published"]["device"]]
        lines += [f"## {name} {entry['version']}", "", *card.variants_table(entry), ""]
        sizes = {variant: about["brotli_bytes"] / 1000 for variant, about in entry["variants"].items()}
        (out / f"{name}-bytes.svg").write_text(bars("Brotli, kB", sizes), encoding="utf-8")
        lines += [f"![Size of each variant]({name}-bytes.svg)", ""]
        for where, figures in device["metrics"].items():
            recall = {policy: 100 * m["recall"] for policy, m in figures["per_policy"].items() if m}
            file = f"{name}-recall-{where}.svg"
            (out / file).write_text(bars(f"Recall on {where}, %", recall), encoding="utf-8")
            lines += [*card.policy_table(figures), "", f"![Recall per policy on {where}]({file})", ""]
    (out / "report.md").write_text("\n".join(lines), encoding="utf-8")


def bars(title: str, values: dict[str, Any]) -> str:
    """A horizontal bar chart as SVG."""
    top = max([*values.values(), 1e-9])
    height = 40 + 26 * len(values)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" font-family="sans-serif">',
        f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for index, (name, value) in enumerate(values.items()):
        y = 34 + 26 * index
        parts.append(f'<text x="8" y="{y + 14}">{escape(name)}</text>')
        parts.append(f'<rect x="150" y="{y}" width="{400 * value / top:.1f}" height="18" fill="#2f6f8f"/>')
        parts.append(f'<text x="{156 + 400 * value / top:.1f}" y="{y + 14}">{value:,.1f}</text>')
    return "\n".join([*parts, "</svg>", ""])
