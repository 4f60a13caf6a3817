"""The market's rules, read once from `policies.toml`."""

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("policies.toml")


@dataclass(frozen=True)
class Policy:
    id: str
    name: str
    severity: int  # 1 lowest, 3 highest
    forbids: str
    allows: str
    examples: list[str]
    sounds_alike: list[str]  # allowed, though the words are near
    merchant_text: str  # why the merchant is told
    what_to_do: str
    legal_ground: str


@cache
def _pack() -> tuple[str, dict[str, Policy]]:
    content = tomllib.loads(SOURCE.read_text("utf-8"))
    return content["version"], {row["id"]: Policy(**row) for row in content["policy"]}


def version() -> str:
    return _pack()[0]


def all() -> list[Policy]:
    return list(_pack()[1].values())


def get(policy_id: str) -> Policy | None:
    return _pack()[1].get(policy_id)


def name(policy_id: str) -> str:
    policy = get(policy_id)
    return policy.name if policy else ""


def as_json() -> dict[str, Any]:
    return {"version": version(), "policies": [asdict(policy) for policy in all()]}
