"""Publishing a tower or the ranker: its entry, what is measured, what is refused, its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.steps.errors import StepError
from models.steps.recipe import RECIPES

Figures = dict[str, dict[str, Any]]  # set → figures


def described(settings: dict[str, Any], trained: dict[str, Any], interface: dict[str, Any]) -> dict[str, Any]:
    """The manifest entry without its files."""
    kept = {key: settings[key] for key in ("tolerance", "published")}
    return {"version": trained["version"], **kept, **interface}


def measured(
    reads: Any, data: Path, content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path
) -> Figures:
    """Figures of one variant on every held-back set of its kind."""
    found: Figures = reads.measured(data, content, entry, files, published)
    return found


def said(figures: Figures) -> str:
    return "; ".join(
        f"{name} " + ", ".join(f"{key} {value:.4f}" for key, value in found.items() if isinstance(value, float))
        for name, found in figures.items()
    )


def refuse_loss(figures: dict[str, Figures], limits: dict[str, Any]) -> None:
    """figures: variant → set → figures. Raises StepError when the published variant loses a larger share of any figure
    against fp32 than `relative_loss`; others may (the card says how much)."""
    chosen = limits.get("held", "int8")
    for name, full in figures["fp32"].items():
        for key, value in full.items():
            if isinstance(value, float) and figures[chosen][name][key] < value * (1 - limits["relative_loss"]):
                raise StepError(
                    f"Not published: {chosen} has {key} {figures[chosen][name][key]:.4f} on {name}, "
                    f"fp32 has {value:.4f}; a loss of {limits['relative_loss']:.1%} is allowed."
                )


def variants_table(entry: dict[str, Any]) -> list[str]:
    lines = ["| variant | bytes | Brotli | set | cases | figures |", "|---|---|---|---|---|---|"]
    for name, about in entry["variants"].items():
        for where, found in about["metrics"].items():
            cases = next(value for value in found.values() if isinstance(value, int))
            each = ", ".join(f"{key} {value:.4f}" for key, value in found.items() if isinstance(value, float))
            lines.append(f"| {name} | {about['bytes']:,} | {about['brotli_bytes']:,} | {where} | {cases:,} | {each} |")
    return lines


def card(model: str, entry: dict[str, Any], trained: dict[str, Any], bench: dict[str, Any]) -> str:
    """Markdown. The prose comes from the recipe's card.md, which marks the places of the tables in braces."""
    template = (RECIPES / model.replace("-", "_") / "card.md").read_text(encoding="utf-8")
    chosen = entry["variants"][next(iter(entry["published"].values()))]
    parts = {
        "version": entry["version"],
        "space": entry.get("space", ""),
        "members": entry.get("members", 1),
        "rows": ", ".join(f"{count:,} {name}" for name, count in trained["rows"].items()),
        "variants": "\n".join(variants_table(entry)),
        "wasm": "not compared" if chosen["wasm_difference"] is None else f"{chosen['wasm_difference']:.2g}",
        "seconds": f"{trained['seconds']:,.0f}",
        "initial": trained["initial"],
    }
    for name, text in parts.items():
        template = template.replace("{" + name + "}", str(text))
    return template
