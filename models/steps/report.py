"""Tables and plots of the published figures, as one Markdown file and SVGs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models import manifest as manifests
from models.steps import card, ranked
from models.steps.compress import BENCH, ONLY_NATIVE
from models.steps.plots import bars, histograms, pareto


def report(published: Path, out: Path) -> None:
    """Write out/report.md and its pictures: for each model the variants, recall per policy, and, where it was measured,
    the compression bench with a Pareto plot and the ranges of its layers."""
    out.mkdir(parents=True, exist_ok=True)
    lines = ["# Published models", ""]
    for name, entry in manifests.load(published)["models"].items():
        chosen = entry["variants"][next(iter(entry["published"].values()))]
        table = card.variants_table if "labels" in entry else ranked.variants_table
        lines += [f"## {name} {entry['version']}", "", *table(entry), ""]
        sizes = {variant: about["brotli_bytes"] / 1000 for variant, about in entry["variants"].items()}
        (out / f"{name}-bytes.svg").write_text(bars("Brotli, kB", sizes), encoding="utf-8")
        lines += [f"![Size of each variant]({name}-bytes.svg)", ""]
        for where, figures in chosen["metrics"].items() if "labels" in entry else ():
            recall = {policy: 100 * m["recall"] for policy, m in figures["per_policy"].items() if m}
            file = f"{name}-recall-{where}.svg"
            (out / file).write_text(bars(f"Recall on {where}, %", recall), encoding="utf-8")
            lines += [*card.policy_table(figures), "", f"![Recall per policy on {where}]({file})", ""]
        if (published / f"{name}-{BENCH}").is_file():
            lines += compression(name, json.loads((published / f"{name}-{BENCH}").read_text(encoding="utf-8")), out)
    (out / "report.md").write_text("\n".join(lines), encoding="utf-8")


def compression(name: str, found: dict[str, Any], out: Path) -> list[str]:
    """The bench of one model."""
    points = [
        (each["name"], float(each["brotli_bytes"]), each["dev"]["unsafe_roc_auc"])
        for each in found["candidates"]
        if "failed" not in each and not each["name"].startswith(ONLY_NATIVE)
    ]
    plots = {
        "pareto": pareto(f"{name}: bytes against quality", "Brotli bytes", "ROC-AUC, dev", points),
        "ranges": histograms(f"{name}: values of each layer; between the marks 99.99 % of them", found["calibration"]),
    }
    for kind, svg in plots.items():
        (out / f"{name}-{kind}.svg").write_text(svg, encoding="utf-8")
    return [
        f"### {name}: every way to shrink it",
        "",
        *card.compression_table(found),
        "",
        f"![Bytes against quality]({name}-pareto.svg)",
        "",
        f"![Ranges of the layers before and after calibration]({name}-ranges.svg)",
        "",
    ]
