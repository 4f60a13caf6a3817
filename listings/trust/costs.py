"""What seconds and bytes come to, by assumptions that a moderator may change; none of them is measured here."""

from __future__ import annotations

from .settings import Setting

ALL = {
    each.name: each
    for each in (
        Setting(
            "server_hour",
            "Price of a server hour",
            "Rent of one server of the site, all its cores.",
            0.2,
            0,
            1000,
            whole=False,
            unit="€",
        ),
        Setting("cores", "Cores of a server", "A check keeps one of them busy.", 4, 1, 1024, whole=False, unit="cores"),
        Setting(
            "watts",
            "Power of a busy core",
            "With its share of memory, power supply and cooling.",
            10,
            0,
            1000,
            whole=False,
            unit="W",
        ),
        Setting(
            "gigabyte",
            "Price of a gigabyte sent",
            "To browsers; a gigabyte is 10⁹ bytes.",
            0.05,
            0,
            1000,
            whole=False,
            unit="€",
        ),
        Setting(
            "target",
            "Target for the miss rate",
            "The audits needed are those that put the upper end of the one-sided 95 % interval at this share.",
            0.2,
            0.01,
            50,
            whole=False,
            unit="%",
        ),
    )
}


def defaults() -> dict[str, float]:
    return {name: each.default for name, each in ALL.items()}


def of_seconds(seconds: float, terms: dict[str, float]) -> float:
    """€ of one busy core."""
    return seconds / 3600 * terms["server_hour"] / terms["cores"]


def energy(seconds: float, terms: dict[str, float]) -> float:
    """Watt hours of one busy core."""
    return seconds / 3600 * terms["watts"]


def of_bytes(number: int, terms: dict[str, float]) -> float:
    """€ of bytes sent to browsers."""
    return number / 1e9 * terms["gigabyte"]
