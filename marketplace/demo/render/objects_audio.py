"""Sound and hi-fi."""

import math
import random

import materials as m
import shapes as s
from kinds import kind


@kind("headphones", yaw=38, elev=14, focus=(0.85, -0.6, -0.5))
def headphones(c: m.Colours, rng: random.Random) -> None:
    shell, pad, metal = (
        c.body("plastic" if c.hint in ("mixed", "fabric") else None),
        m.material(m.shade(c.main, 0.25), 0.7, pattern="leather"),
        c.trim("metal"),
    )
    band = s.arc(0.86, 12, 168, 28, (0, 0, 1.0))
    s.loft(
        [
            [
                (x * f, y, 1.0 + (z - 1.0) * f)
                for f, y in ((1.0, -0.13), (1.035, -0.06), (1.035, 0.06), (1.0, 0.13), (0.965, 0.1), (0.965, -0.1))
            ]
            for x, _, z in band
        ],
        shell,
        subdiv=2,
    )
    inner = s.arc(0.80, 42, 138, 20, (0, 0, 1.0))
    s.loft(
        [
            [(x * f, y, 1.0 + (z - 1.0) * f) for f, y in ((1.03, -0.11), (1.03, 0.11), (0.95, 0.08), (0.95, -0.08))]
            for x, _, z in inner
        ],
        pad,
        subdiv=2,
    )
    for side in (-1, 1):
        x = side * 0.86
        s.tube([(side * 0.845, 0, 1.16), (side * 0.87, 0, 0.95), (side * 0.90, 0, 0.74)], 0.035, metal)
        s.tube(s.arc(0.36, 0, 180, 20, (x + side * 0.03, 0, 0.42), "yz"), 0.026, metal, smooth=0)
        with s.placed((x, 0, 0.42), (0, 90 * side, 0)):
            s.lathe(
                [(0, 0.19), (0.22, 0.19), (0.33, 0.15), (0.36, 0.05), (0.36, -0.05), (0, -0.05)],
                shell,
                bevel=0.05,
                squash=0.86,
            )
            s.torus(0.245, 0.012, (0, 0, 0.186), metal)
            s.lathe(
                [(0.16, 0.0), (0.30, 0.02), (0.36, -0.05), (0.34, -0.17), (0.25, -0.2), (0.18, -0.14)],
                pad,
                smooth=6,
                squash=0.86,
                closed=True,
            )
            s.cyl(0.24, 0.05, (0, 0, -0.06), m.material((0.03, 0.03, 0.03), 0.9, pattern="fabric"))


@kind("speaker", yaw=30, elev=14)
def speaker(c: m.Colours, rng: random.Random) -> None:
    w, d, h = 1.0, 0.85, 1.55
    s.box((w, d, h), (0, 0, h / 2 + 0.04), c.solid(("wood", "plastic", "metal"), "wood"), bevel=0.05)
    front = -d / 2
    s.box((w * 0.90, 0.03, h * 0.94), (0, front, h / 2 + 0.04), m.black(0.5), bevel=0.012)
    cone, metal = c.trim("plastic"), m.steel(0.3)
    for r, z in ((0.34, 0.58), (0.17, 1.22)):
        with s.placed((0, front - 0.015, z), (90, 0, 0)):
            s.lathe(
                [(r, 0), (r * 1.14, 0), (r * 1.14, 0.035), (r * 1.02, 0.04), (r, 0.015)],
                metal,
                bevel=0.008,
                closed=True,
            )
            s.torus(r * 0.90, r * 0.12, (0, 0, 0.005), m.rubber(), flat=0.7)
            s.lathe([(r * 0.86, 0.01), (r * 0.34, -0.12), (0, -0.12)], cone, bevel=0.01)
            s.sphere(r * 0.36, (0, 0, -0.12), m.black(0.35), scale=(1, 1, 0.6))
            for k in range(6):
                a = math.radians(60 * k)
                s.cyl(0.016, 0.02, (r * 1.08 * math.cos(a), r * 1.08 * math.sin(a), 0.04), m.black(0.2))
    s.cyl(0.05, 0.04, (0.34, front - 0.03, 0.16), metal, rot=(90, 0, 0), bevel=0.01)
    for x in (-0.4, 0.4):
        for y in (-0.32, 0.32):
            s.cyl(0.06, 0.05, (x, y, 0.02), m.rubber())


@kind("turntable", yaw=24, elev=30, flat=True)
def turntable(c: m.Colours, rng: random.Random) -> None:
    s.box((2.0, 1.6, 0.22), (0, 0, 0.2), c.solid(("wood", "plastic", "metal"), "wood"), bevel=0.04)
    for x in (-0.85, 0.85):
        for y in (-0.65, 0.65):
            s.cyl(0.11, 0.1, (x, y, 0.05), m.rubber())
    s.cyl(0.70, 0.06, (-0.2, 0, 0.345), m.steel(), bevel=0.015)
    vinyl = [(0, 0.40), (0.24, 0.40)]
    for k in range(30):
        r = 0.25 + k * 0.0145
        vinyl += [(r, 0.402), (r + 0.006, 0.398)]
    vinyl += [(0.685, 0.40), (0.685, 0.385), (0, 0.385)]
    s.lathe(vinyl, m.material((0.008, 0.008, 0.009), 0.18, coat=0.4), (-0.2, 0, 0), steps=96)
    s.cyl(0.235, 0.006, (-0.2, 0, 0.404), m.material(c.accent, 0.6, pattern="paper"), bevel=0.001)
    s.text("SIDE A", 0.07, (-0.2, -0.13, 0.409), m.white(), rot=(0, 0, 0))
    s.cyl(0.018, 0.07, (-0.2, 0, 0.43), m.steel())
    s.cyl(0.15, 0.1, (0.72, 0.5, 0.36), m.black(), bevel=0.02)
    s.cyl(0.06, 0.22, (0.72, 0.5, 0.46), m.steel(), bevel=0.01)
    s.tube(
        [(0.74, 0.72, 0.53), (0.72, 0.5, 0.53), (0.68, -0.1, 0.51), (0.56, -0.42, 0.475), (0.44, -0.50, 0.45)],
        0.022,
        m.steel(),
    )
    s.cyl(0.075, 0.13, (0.74, 0.74, 0.53), m.steel(0.3), rot=(85, 0, 0))
    s.box((0.10, 0.19, 0.055), (0.415, -0.52, 0.44), m.black(), rot=(0, 0, -55), bevel=0.012)
    s.cyl(0.075, 0.04, (-0.82, -0.62, 0.33), m.steel(0.3))
    s.slab(0.10, 0.42, 0.03, (0.78, -0.42, 0.315), m.black(0.3), r=0.05, bevel=0.008)
    s.box((0.12, 0.05, 0.05), (0.78, -0.42, 0.34), m.steel(), bevel=0.01)


@kind("radio", yaw=26, elev=14)
def radio(c: m.Colours, rng: random.Random) -> None:
    case = c.solid(("wood", "plastic", "metal", "leather"), "plastic")
    s.slab(1.9, 1.05, 0.62, (0, 0, 0.58), case, r=0.22, bevel=0.06, upright=True)
    f = -0.31
    s.slab(1.72, 0.88, 0.03, (0, f, 0.58), m.material("#e8e0cf", 0.5), r=0.15, bevel=0.01, upright=True)
    grille = c.trim("fabric", 1.4)
    s.slab(0.95, 0.74, 0.03, (-0.33, f - 0.012, 0.58), grille, r=0.1, bevel=0.01, upright=True)
    for k in range(9):
        s.box(
            (0.93, 0.02, 0.018),
            (-0.33, f - 0.03, 0.28 + k * 0.075),
            m.brass() if c.hint == "wood" else m.steel(),
            bevel=0.006,
        )
    with s.placed((0.50, f - 0.02, 0.70), (90, 0, 0)):
        s.cyl(0.25, 0.04, (0, 0, 0), m.brass(), bevel=0.01)
        s.cyl(0.225, 0.045, (0, 0, 0.004), m.material("#fff3d8", 0.4, glow=0.15), bevel=0.005)
        for k in range(17):
            a = math.radians(200 - k * 13.75)
            s.box(
                (0.035 if k % 4 == 0 else 0.02, 0.006, 0.004),
                (0.185 * math.cos(a), 0.185 * math.sin(a), 0.03),
                m.black(),
                rot=(0, 0, math.degrees(a)),
                bevel=0,
            )
        s.box((0.19, 0.01, 0.006), (0.05, 0.06, 0.034), m.material("#c43a28", 0.4), rot=(0, 0, 52), bevel=0)
        s.cyl(0.05, 0.07, (0, 0, 0.04), m.brass(), bevel=0.01)
    for x in (0.36, 0.64):
        with s.placed((x, f - 0.04, 0.30), (90, 0, 0)):
            s.cyl(0.085, 0.09, (0, 0, 0), m.material("#3a2a20", 0.35), bevel=0.02)
            s.torus(0.08, 0.012, (0, 0, 0.035), m.brass())
    s.tube(
        [(-0.62, 0, 1.08), (-0.58, 0, 1.24), (0, 0, 1.29), (0.58, 0, 1.24), (0.62, 0, 1.08)],
        0.045,
        m.material("#5a3a28", 0.5, pattern="leather"),
    )
    s.tube([(0.84, 0.2, 1.05), (0.98, 0.2, 1.85)], 0.012, m.steel(), smooth=0)
    s.sphere(0.022, (0.98, 0.2, 1.86), m.steel())
    for x in (-0.7, 0.7):
        s.box((0.16, 0.45, 0.06), (x, 0, 0.03), m.rubber())


@kind("microphone", yaw=24, elev=10)
def microphone(c: m.Colours, rng: random.Random) -> None:
    body, metal = c.solid(("metal", "plastic"), "metal"), m.steel(0.25)
    s.lathe([(0, 0), (0.48, 0), (0.48, 0.05), (0.2, 0.08), (0, 0.08)], m.black(), bevel=0.03)
    s.cyl(0.035, 0.55, (0, 0, 0.32), metal)
    yoke = s.arc(0.42, 180, 360, 24, (0, 0, 1.02))
    s.tube([(-0.42, 0, 1.25), *yoke, (0.42, 0, 1.25)], 0.032, m.black(0.3), smooth=0)
    for side in (-1, 1):
        s.cyl(0.085, 0.07, (side * 0.42, 0, 1.25), metal, rot=(0, 90, 0), bevel=0.015)
        for k in range(10):
            a = math.radians(36 * k)
            s.box(
                (0.07, 0.012, 0.02), (side * 0.42, 0.086 * math.cos(a), 1.25 + 0.086 * math.sin(a)), metal, bevel=0.004
            )
    s.lathe([(0, 0.78), (0.26, 0.78), (0.31, 0.83), (0.31, 1.34), (0, 1.34)], body, bevel=0.03)
    s.torus(0.312, 0.022, (0, 0, 1.35), c.trim("metal"))
    s.lathe(
        [(0.30, 1.36), (0.305, 1.75), (0.25, 1.93), (0.12, 2.0), (0, 2.01)],
        m.material((0.10, 0.10, 0.11), 0.5, metallic=1, pattern="hammered", scale=4),
        smooth=8,
    )
    wires = []
    for k in range(36):
        a, b = math.radians(10 * k), math.radians(10 * k + 20)
        for t, u in ((a, b), (b, a)):
            wires += [
                ((0.315 * math.cos(t), 0.315 * math.sin(t), 1.37), (0.318 * math.cos(u), 0.318 * math.sin(u), 1.74)),
                ((0.318 * math.cos(u), 0.318 * math.sin(u), 1.74), (0.262 * math.cos(t), 0.262 * math.sin(t), 1.925)),
            ]
    s.bars(wires, 0.009, metal)
    for z in (1.56, 1.74):
        s.torus(0.318, 0.014, (0, 0, z), metal)
    s.cyl(0.055, 0.05, (0, -0.31, 0.98), m.steel(), rot=(90, 0, 0), bevel=0.01)
    s.slab(0.16, 0.05, 0.02, (0, -0.31, 1.18), m.material("#c8321f", 0.4, glow=0.4), r=0.024, upright=True)
