"""What the market forbids: for the attacker of `manage.py redteam` alone, never for the catalogue."""

import random

import materials as m
import shapes as s
from kinds import kind


@kind("pistol", yaw=14, elev=10)
def pistol(c: m.Colours, rng: random.Random) -> None:
    body, grip = c.solid(("metal", "plastic"), "metal"), c.trim("plastic")
    long = rng.uniform(1.7, 2.1)
    s.box((long, 0.24, 0.34), (0, 0, 1.2), body, bevel=0.04)
    s.box((long * 0.92, 0.2, 0.16), (0.04, 0, 0.97), grip, bevel=0.03)
    s.cyl(0.07, 0.06, (-long / 2 - 0.02, 0, 1.2), m.steel(0.4), rot=(0, 90, 0))
    s.cyl(0.045, 0.07, (-long / 2 - 0.03, 0, 1.2), m.black(0.9), rot=(0, 90, 0))
    for number in range(6):
        s.box((0.025, 0.26, 0.26), (long / 2 - 0.1 - number * 0.055, 0, 1.2), m.black(0.6), bevel=0)
    s.box((0.4, 0.26, 0.14), (-0.1, 0, 1.27), m.steel(0.5), bevel=0.02)
    s.box((0.06, 0.06, 0.07), (-long / 2 + 0.12, 0, 1.4), m.black(), bevel=0.01)
    s.box((0.1, 0.16, 0.08), (long / 2 - 0.1, 0, 1.4), m.black(), bevel=0.01)
    lean = rng.uniform(0.18, 0.3)
    outline = [(0.3, 0.95), (0.88, 0.95), (0.9 + lean, 0.02), (0.42 + lean, 0.0), (0.36 + lean * 0.6, 0.45)]
    s.prism(outline, 0.25, grip, bevel=0.06, corner=0.07, upright=True)
    for number in range(7):
        z = 0.15 + number * 0.1
        s.box((0.36, 0.27, 0.02), (0.65 + lean * (0.9 - z), 0, z), m.black(0.8), bevel=0, rot=(0, 8, 0))
    guard = [(0.36, 0, 0.86), (0.32, 0, 0.62), (0.1, 0, 0.55), (-0.16, 0, 0.62), (-0.24, 0, 0.9)]
    s.tube(guard, 0.035, grip)
    s.tube([(0.1, 0, 0.92), (0.04, 0, 0.8), (0.1, 0, 0.66)], 0.03, m.steel(0.4))


@kind("revolver", yaw=12, elev=10)
def revolver(c: m.Colours, rng: random.Random) -> None:
    body, grip = c.solid(("metal",), "metal"), m.walnut() if rng.random() < 0.6 else c.trim("plastic")
    long = rng.uniform(0.9, 1.5)
    s.cyl(0.1, long, (-0.3 - long / 2, 0, 1.24), body, rot=(0, 90, 0))
    s.cyl(0.06, long + 0.02, (-0.3 - long / 2, 0, 1.24), m.black(0.9), rot=(0, 90, 0))
    s.box((long * 0.9, 0.1, 0.08), (-0.3 - long / 2, 0, 1.36), body, bevel=0.02)
    s.cyl(0.05, long * 0.6, (-0.3 - long * 0.3, 0, 1.08), body, rot=(0, 90, 0))
    s.box((0.06, 0.05, 0.1), (-0.3 - long * 0.92, 0, 1.44), body, bevel=0.01)
    s.prism([(-0.35, 1.42), (0.5, 1.42), (0.62, 1.2), (0.6, 0.86), (-0.35, 0.92)], 0.2, body, corner=0.06, upright=True)
    s.cyl(0.24, 0.5, (0, 0, 1.17), m.steel(0.3), rot=(0, 90, 0))
    for number in range(6):
        with s.placed((0, 0, 1.17), (number * 60, 0, 0)):
            s.cyl(0.06, 0.46, (-0.05, 0, 0.22), body, rot=(0, 90, 0))
    s.prism(
        [(0.45, 1.25), (0.68, 1.2), (0.98, 0.7), (1.16, 0.1), (0.8, 0.0), (0.66, 0.4), (0.4, 0.86)],
        0.24, grip, bevel=0.07, smooth=6, upright=True,
    )  # fmt: skip
    s.tube([(0.66, 0, 1.3), (0.78, 0, 1.46), (0.9, 0, 1.5)], 0.045, body)
    s.tube([(0.36, 0, 0.88), (0.3, 0, 0.66), (0.06, 0, 0.6), (-0.14, 0, 0.7), (-0.16, 0, 0.92)], 0.03, body)
    s.tube([(0.14, 0, 0.9), (0.06, 0, 0.8), (0.1, 0, 0.68)], 0.025, m.steel(0.4))


@kind("rifle", yaw=10, elev=14)
def rifle(c: m.Colours, rng: random.Random) -> None:
    body, stock = c.solid(("metal", "plastic"), "metal"), c.trim("wood")
    s.cyl(0.028, 1.3, (-0.95, 0, 0.62), body, rot=(0, 90, 0))
    s.cyl(0.045, 0.16, (-1.58, 0, 0.62), body, rot=(0, 90, 0))
    s.box((0.03, 0.03, 0.14), (-1.45, 0, 0.7), body, bevel=0.005)
    s.box((0.75, 0.13, 0.14), (-0.62, 0, 0.6), stock, bevel=0.04)
    s.box((0.9, 0.12, 0.2), (0.18, 0, 0.6), body, bevel=0.03)
    s.prism([(-0.05, 0.5), (0.14, 0.5), (0.02, 0.08), (-0.2, 0.12)], 0.08, body, bevel=0.02, upright=True)
    s.prism([(0.44, 0.52), (0.6, 0.52), (0.72, 0.16), (0.56, 0.14)], 0.09, stock, bevel=0.03, upright=True)
    s.tube([(0.22, 0, 0.5), (0.24, 0, 0.38), (0.4, 0, 0.36), (0.46, 0, 0.48)], 0.014, body)
    s.prism(
        [(0.6, 0.68), (1.5, 0.66), (1.55, 0.28), (1.42, 0.26), (0.9, 0.46), (0.6, 0.5)],
        0.11, stock, bevel=0.04, corner=0.04, upright=True,
    )  # fmt: skip
    if rng.random() < 0.6:
        s.cyl(0.055, 0.6, (0.15, 0, 0.83), m.black(), rot=(0, 90, 0))
        s.cyl(0.085, 0.18, (-0.2, 0, 0.83), m.black(), rot=(0, 90, 0))
        for x in (0.0, 0.3):
            s.box((0.06, 0.08, 0.1), (x, 0, 0.74), m.black(), bevel=0.01)


@kind("combat_knife", yaw=12, elev=30)
def combat_knife(c: m.Colours, rng: random.Random) -> None:
    handle, blade = c.solid(("plastic", "wood", "leather"), "plastic"), m.steel(rng.uniform(0.15, 0.4))
    long = rng.uniform(1.1, 1.5)
    tip = [(0, 0.12), (-long * 0.6, 0.14), (-long * 0.8, 0.1), (-long, -0.04), (-long * 0.7, -0.13), (0, -0.14)]
    with s.placed((0, 0, 0.2), (rng.uniform(-8, 8), 0, 0)):
        s.prism(tip, 0.035, blade, bevel=0.015, corner=0.02, upright=True)
        for number in range(7):
            x = -0.12 - number * 0.07
            s.prism([(x, 0.12), (x - 0.06, 0.12), (x - 0.03, 0.18)], 0.03, blade, bevel=0.004, upright=True)
        s.box((0.07, 0.16, 0.46), (0.02, 0, 0), m.steel(0.4), bevel=0.02)
        rings = [s.oval(x, 0, 0, ry, rz, axis="x") for x, ry, rz in (
            (0.05, 0.07, 0.11), (0.2, 0.085, 0.14), (0.45, 0.075, 0.12), (0.7, 0.085, 0.14), (0.85, 0.07, 0.12),
        )]  # fmt: skip
        s.loft(rings, handle)
        s.box((0.08, 0.15, 0.26), (0.88, 0, 0), m.steel(0.4), bevel=0.02)


@kind("dagger", yaw=10, elev=34)
def dagger(c: m.Colours, rng: random.Random) -> None:
    long = rng.uniform(1.2, 1.6)
    with s.placed((0, 0, 0.2), (rng.uniform(-10, 10), 0, 0)):
        s.prism([(0, 0.13), (-long * 0.75, 0.09), (-long, 0), (-long * 0.75, -0.09), (0, -0.13)], 0.05,
                m.steel(0.12), bevel=0.022, upright=True)  # fmt: skip
        s.box((long * 0.6, 0.055, 0.03), (-long * 0.32, 0, 0), m.steel(0.5), bevel=0.01)
        s.tube([(-0.06, 0, 0.4), (0.04, 0, 0.2), (0.04, 0, -0.2), (-0.06, 0, -0.4)], 0.05, c.trim("metal"))
        s.cyl(0.085, 0.7, (0.4, 0, 0), c.solid(("wood", "leather", "plastic"), "wood"), rot=(0, 90, 0))
        for number in range(6):
            s.torus(0.088, 0.012, (0.12 + number * 0.11, 0, 0), c.trim("metal"), rot=(0, 90, 0))
        s.sphere(0.12, (0.8, 0, 0), c.trim("metal"))


@kind("wine_bottle", yaw=0, elev=8)
def wine_bottle(c: m.Colours, rng: random.Random) -> None:
    r, h = 0.32, rng.uniform(1.9, 2.2)
    profile = [(0, 0), (r, 0), (r, h * 0.6), (r * 0.9, h * 0.68), (0.12, h * 0.78), (0.11, h * 0.97), (0.13, h), (0, h)]
    s.lathe(profile, c.solid(("glass", "plastic"), "plastic"), bevel=0.06)
    s.lathe([(r + 0.004, h * 0.14), (r + 0.004, h * 0.5)], m.paper())
    s.lathe([(r + 0.008, h * 0.3), (r + 0.008, h * 0.36)], c.trim("plastic"))
    s.lathe([(0.118, h * 0.84), (0.118, h * 0.97), (0.138, h * 1.002), (0, h * 1.003)], c.trim("plastic"))


@kind("beer_bottle", yaw=0, elev=8)
def beer_bottle(c: m.Colours, rng: random.Random) -> None:
    r, h = 0.36, rng.uniform(1.6, 1.9)
    for x in (-0.5, 0.5)[: rng.choice((1, 2))]:
        profile = [(0, 0), (r, 0), (r, h * 0.52), (r * 0.5, h * 0.74), (0.13, h * 0.82), (0.12, h), (0, h)]
        s.lathe(profile, c.solid(("glass", "plastic"), "plastic"), (x, 0, 0), bevel=0.07)
        s.lathe([(r + 0.004, h * 0.16), (r + 0.004, h * 0.46)], c.trim("plastic"), (x, 0, 0))
        s.cyl(0.2, 0.015, (x, -r - 0.005, h * 0.31), m.paper(), rot=(90, 0, 0))
        s.cyl(0.15, 0.08, (x, 0, h + 0.02), m.steel(0.3))
