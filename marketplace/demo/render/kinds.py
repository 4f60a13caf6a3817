"""The register of object builders: each kind of object names its builder and how it likes to be photographed."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Kind:
    build: Callable
    yaw: float  # degrees the object is turned in a three-quarter view
    elev: float  # degrees the camera looks down in a three-quarter view
    hang: bool  # hung on a wall instead of standing
    focus: tuple[float, float, float] | None  # where a detail view looks, as fractions -1..1 of the bounding box
    flat: bool  # lies flat: seen from higher up in every view
    side: int  # way it must be turned (1 or -1) to show its better end; 0: either


KINDS: dict[str, Kind] = {}


def kind(
    name: str,
    yaw: float = 28,
    elev: float = 18,
    hang: bool = False,
    focus: tuple[float, float, float] | None = None,
    flat: bool = False,
    side: int = 0,
) -> Callable:
    """Decorator that registers a builder under the kind's name."""

    def register(build: Callable) -> Callable:
        KINDS[name] = Kind(build, yaw, elev, hang, focus, flat, side)
        return build

    return register
