"""The market's rules, read once from `policies.toml`."""

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("policies.toml")
BY_MODEL, EXPERIMENT, NO_MODEL = "model", "experiment", "none"
PHOTO_USES = {
    BY_MODEL: "Photos are looked at by a model too.",
    EXPERIMENT: "Photos are looked at by a model as an experiment: it has seen few of this kind, and its mere doubt "
    "holds no listing.",
    NO_MODEL: "No model looks at photos for this; people do.",
}


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
    photo: str  # who looks at photos for it: BY_MODEL, EXPERIMENT or NO_MODEL
    photo_text: str = ""  # why the merchant is told, of a photo
    borderline: str = ""  # what the models often doubt, and how to deal with it

    @property
    def photo_says(self) -> str:
        return PHOTO_USES[self.photo]


@dataclass(frozen=True)
class Rule:
    """What is asked of every listing or seller, whatever is sold; no model scores it."""

    id: str
    name: str
    text: str


@cache
def _pack() -> tuple[str, dict[str, Policy]]:
    content = _content()
    return content["version"], {row["id"]: Policy(**row) for row in content["policy"]}


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads(SOURCE.read_text("utf-8"))


@cache
def rules() -> list[Rule]:
    return [Rule(**row) for row in _content()["rule"]]


def rule(rule_id: str) -> Rule | None:
    return next((each for each in rules() if each.id == rule_id), None)


def version() -> str:
    return _pack()[0]


def all() -> list[Policy]:
    return list(_pack()[1].values())


def get(policy_id: str) -> Policy | None:
    return _pack()[1].get(policy_id)


def name(policy_id: str) -> str:
    policy = get(policy_id)
    return policy.name if policy else ""


def photo_use(policy_id: str) -> str:
    policy = get(policy_id)
    return policy.photo if policy else NO_MODEL


def as_json() -> dict[str, Any]:
    return {"version": version(), "policies": [asdict(policy) for policy in all()]}
