"""The model card, filled from the manifest entry and from what training wrote about itself."""

from __future__ import annotations

from typing import Any

from models.steps.recipe import RECIPES


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def variants_table(entry: dict[str, Any]) -> list[str]:
    lines = [
        "| variant | bytes | Brotli | set | rows | ROC-AUC | AP | recall at 1 % FPR | macro F1 | ECE | safe warned |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, about in entry["variants"].items():
        for where, m in about["metrics"].items():
            lines.append(
                f"| {name} | {about['bytes']:,} | {about['brotli_bytes']:,} | {where} | {m['rows']:,} "
                f"| {figure(m['unsafe_roc_auc'])} | {figure(m['unsafe_ap'])} "
                f"| {percent(m['unsafe_recall_at_fpr_1pct'])} | {figure(m['macro_f1'])} | {figure(m['ece'])} "
                f"| {percent(m['warn_rate'])} |"
            )
    return lines


def policy_table(metrics: dict[str, Any]) -> list[str]:
    lines = ["| policy | rows | precision | recall | F1 | AP |", "|---|---|---|---|---|---|"]
    for policy, m in metrics["per_policy"].items():
        if m is None:
            lines.append(f"| {policy} | 0 | – | – | – | – |")
        else:
            shares = " | ".join(percent(m[key]) for key in ("precision", "recall", "f1", "ap"))
            lines.append(f"| {policy} | {m['n']:,} | {shares} |")
    return lines


def left_out_table(trained: dict[str, Any]) -> list[str]:
    lines = ["| left out of training | rows | of these | figure |", "|---|---|---|---|"]
    for found in trained.get("left_out", []):
        lines.append(f"| {found['name']} | {found['rows']:,} | {found['what']} | {percent(found['value'])} |")
    return lines


def failure_list(trained: dict[str, Any]) -> list[str]:
    return [
        f"- “{found['title']}” is {found['policy']}, unsafe score {found['score']:.2f}"
        for found in trained.get("failures", [])
    ]


def card(model: str, entry: dict[str, Any], trained: dict[str, Any], settings: dict[str, Any]) -> str:
    """Markdown. The prose comes from the recipe's card.md, which marks the places of the tables in braces."""
    template = (RECIPES / model.replace("-", "_") / "card.md").read_text(encoding="utf-8")
    device = entry["variants"][entry["published"]["device"]]
    points = entry["operating_points"]
    parts = {
        "version": entry["version"],
        "rows": ", ".join(f"{count:,} {name}" for name, count in trained["rows"].items()),
        "thresholds": f"unsure {points['unsure']}, warn {points['warn']}, block {points['block']}, "
        f"coverage floor {points['coverage']}",
        "temperature": f"{trained['temperature']:.3f}",
        "wasm": "not compared" if device["wasm_difference"] is None else f"{device['wasm_difference']:.2g}",
        "variants": "\n".join(variants_table(entry)),
        "policies": "\n".join(policy_table(device["metrics"]["dev"])),
        "left_out": "\n".join(left_out_table(trained)),
        "failures": "\n".join(failure_list(trained)),
        "validation": "\n".join(
            f"- {name}: {m['rows']:,} rows, ROC-AUC {figure(m['unsafe_roc_auc'])}, ECE {figure(m['ece'])}"
            for name, m in trained["validation"].items()
        ),
        "seconds": f"{trained['seconds']:.0f}",
    }
    for name, text in parts.items():
        template = template.replace("{" + name + "}", str(text))
    return template
