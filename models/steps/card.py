"""The model card, filled from the manifest entry and from what training wrote about itself."""

from __future__ import annotations

from typing import Any

from models.steps.recipe import RECIPES


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def interval(pair: list[float] | tuple[float, float] | None, show: Any) -> str:
    return "" if pair is None else f" ({show(pair[0])} to {show(pair[1])})"


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


def honest_table(metrics: dict[str, dict[str, Any]]) -> list[str]:
    """What a moderator would see: with intervals of 95 %, and at 1 % prevalence."""
    lines = [
        "| set | ROC-AUC (95 %) | recall at 1 % FPR (95 %) | unsafe warned | safe warned "
        "| warnings that are right, at 1 % unsafe |",
        "|---|---|---|---|---|---|",
    ]
    for where, m in metrics.items():
        intervals = m["intervals"]
        lines.append(
            f"| {where} | {figure(m['unsafe_roc_auc'])}{interval(intervals['unsafe_roc_auc'], figure)} "
            f"| {percent(m['unsafe_recall_at_fpr_1pct'])}{interval(intervals['unsafe_recall_at_fpr_1pct'], percent)} "
            f"| {percent(m['warn_recall'])} | {percent(m['warn_rate'])} "
            f"| {percent(m['precision_at_1pct_prevalence'])} |"
        )
    return lines


def policy_table(metrics: dict[str, Any]) -> list[str]:
    lines = [
        "| policy | rows | precision | recall | F1 | AP | ROC-AUC | recall at 1 % | at 5 % FPR |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for policy, m in metrics["per_policy"].items():
        if m is None:
            lines.append(f"| {policy} | 0 |{' – |' * 7}")
        else:
            shares = " | ".join(percent(m[key]) for key in ("precision", "recall", "f1", "ap"))
            against = " | ".join(percent(m.get(f"recall_at_fpr_{share}pct")) for share in (1, 5))
            lines.append(f"| {policy} | {m['n']:,} | {shares} | {figure(m.get('roc_auc'))} | {against} |")
    return lines


def source_table(metrics: dict[str, Any]) -> list[str]:
    """What each collection of dev says; empty where they were not told apart."""
    lines = [
        "| collection | rows | unsafe | ROC-AUC (95 %) | unsafe warned | safe warned |",
        "|---|---|---|---|---|---|",
    ]
    for name, m in metrics.get("by_source", {}).items():
        auc = f"{figure(m['unsafe_roc_auc'])}{interval(m.get('interval'), figure)}"
        shares = f"{percent(m['warned_unsafe'])} | {percent(m['warned_safe'])}"
        lines.append(f"| {name} | {m['rows']:,} | {m['unsafe']:,} | {auc} | {shares} |")
    return lines


def at_least_one(rate: float | None, times: int) -> float | None:
    """Chance that something of chance `rate` happens at least once in `times` independent tries."""
    return None if rate is None else 1 - (1 - rate) ** times


def compression_table(found: dict[str, Any]) -> list[str]:
    """Every way to shrink the model, measured alike."""
    lines = [
        "| what | bytes | Brotli | ROC-AUC | recall at 1 % FPR | macro F1 | challenge ROC-AUC | native, ms "
        "| Chromium, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in found["candidates"]:
        if "failed" in each:
            lines.append(f"| {each['name']} | refused: {each['failed']} | | | | | | | |")
            continue
        dev = each["dev"]
        challenge = each.get("challenge_dev", {}).get("unsafe_roc_auc")
        browser = "–" if each["chromium_ms"] is None else f"{each['chromium_ms']:.2f}"
        lines.append(
            f"| {each['name']} | {each['bytes']:,} | {each['brotli_bytes']:,} | {figure(dev['unsafe_roc_auc'])} "
            f"| {percent(dev['unsafe_recall_at_fpr_1pct'])} | {figure(dev['macro_f1'])} | {figure(challenge)} "
            f"| {each['native_ms']:.2f} | {browser} |"
        )
    rows = ", ".join(f"{count:,} of {name}" for name, count in found["rows"].items())
    return [*lines, "", f"Measured on {rows} rows, one thread, Chromium {found['browser']}, {found['timed']}."]


def left_out_table(trained: dict[str, Any]) -> list[str]:
    if not trained["left_out"]:
        return ["Not measured for this version."]
    lines = ["| left out of training | rows | of these | figure |", "|---|---|---|---|"]
    for found in trained["left_out"]:
        lines.append(f"| {found['name']} | {found['rows']:,} | {found['what']} | {percent(found['value'])} |")
    return lines


def failure_list(trained: dict[str, Any]) -> list[str]:
    return [
        f"- “{found['title']}” is {found['policy']}, unsafe score {found['score']:.2f}" for found in trained["failures"]
    ]


def decisions_line(trained: dict[str, Any]) -> str:
    """What moderators' decisions had to do with it; reports from before they could have any say nothing of them."""
    found = trained.get("decisions")
    if not found:
        return "No moderators' decisions went into this fit."
    return f"Of moderators' decisions {found['rows']:,}, from {found['first']} to {found['last']}."


def validation_list(trained: dict[str, Any]) -> list[str]:
    lines = [
        f"- {name}: {m['rows']:,} rows, ROC-AUC {figure(m['unsafe_roc_auc'])}, "
        f"recall {percent(m['recall_at_fpr_1pct'])} at 1 % and {percent(m['recall_at_fpr_5pct'])} at 5 % false "
        f"positives, ECE {figure(m['ece'])}"
        for name, m in trained["validation"].items()
    ]
    calm, caught = trained["ordinary"], trained["ordinary"]["unsafe_caught"]
    lines.append(
        f"- ordinary harmless listings with descriptions: {calm['rows']:,} rows, {percent(calm['warn'])} warned, "
        f"{percent(calm['unsure'])} at least unsure; at the same thresholds {percent(caught['warn'])} and "
        f"{percent(caught['unsure'])} of the unsafe ones of own"
    )
    return lines


def card(model: str, entry: dict[str, Any], trained: dict[str, Any], bench: dict[str, Any]) -> str:
    """Markdown. The prose comes from the recipe's card.md, which marks the places of the tables in braces.

    bench: of the compression bench, {} where it was not run.
    """
    template = (RECIPES / model.replace("-", "_") / "card.md").read_text(encoding="utf-8")
    chosen = entry["variants"][next(iter(entry["published"].values()))]
    points = entry["operating_points"]
    shrunk = compression_table(bench) if bench else ["Not measured."]
    heat = zip(entry["labels"], trained["temperatures"], strict=True)
    parts = {
        "version": entry["version"],
        "rows": ", ".join(f"{count:,} {name}" for name, count in trained["rows"].items()),
        "thresholds": f"unsure {points['unsure']}, warn {points['warn']}, block {points['block']}, "
        f"coverage floor {points['coverage']}",
        "temperatures": ", ".join(f"{label} {value:.2f}" for label, value in heat),
        "wasm": "not compared" if chosen["wasm_difference"] is None else f"{chosen['wasm_difference']:.2g}",
        "variants": "\n".join(variants_table(entry)),
        "honest": "\n".join(honest_table(chosen["metrics"])),
        "policies": "\n".join(policy_table(chosen["metrics"]["dev"])),
        "sources": "\n".join(source_table(chosen["metrics"]["dev"])),
        "six": percent(at_least_one(chosen["metrics"]["dev"]["warn_rate"], 6)),
        "compression": "\n".join(shrunk),
        "left_out": "\n".join(left_out_table(trained)),
        "failures": "\n".join(failure_list(trained)),
        "validation": "\n".join(validation_list(trained)),
        "decisions": decisions_line(trained),
        "seconds": f"{trained['seconds']:,.0f}",
        "initial": trained["initial"],
    }
    for name, text in parts.items():
        template = template.replace("{" + name + "}", str(text))
    return template
