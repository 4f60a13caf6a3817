"""Clothes, bags, jewellery, and things for pets and babies."""

import math
import random

import materials as m
import shapes as s
from kinds import kind


@kind("backpack", yaw=26, elev=10)
def backpack(c: m.Colours, rng: random.Random) -> None:
    cloth = c.solid(("leather",), "fabric", 1.2)
    trim = c.trim("leather")
    thread = m.material(m.shade(c.main, 1.6), 0.8)
    s.soft_box((1.25, 0.62, 1.70), (0, 0, 0.86), cloth, crease=0.70, wrinkles=0.02)
    s.soft_box((1.0, 0.34, 0.72), (0, -0.32, 0.48), cloth, crease=0.72, wrinkles=0.015)
    s.tube(
        [(-0.44, -0.44, 0.72), (-0.2, -0.475, 0.755), (0.2, -0.475, 0.755), (0.44, -0.44, 0.72)], 0.022, m.black(0.6)
    )
    s.slab(0.05, 0.12, 0.03, (0.34, -0.48, 0.68), trim, r=0.02, upright=True)
    flap = s.sheet(
        lambda u, v: (
            (2 * u - 1) * (0.60 - 0.05 * v),
            0.24 - 0.62 * math.sin(v * 1.75) * (1 - 0.04 * (2 * u - 1) ** 2),
            1.60 + 0.17 * math.cos(v * 2.4 - 0.5) - 0.52 * max(0, v - 0.45) ** 1.1 - 0.09 * (2 * u - 1) ** 2,
        ),
        20,
        20,
        cloth,
        thickness=0.04,
    )
    s.subdivide(flap, 1)
    for x in (-0.28, 0.28):
        s.slab(0.11, 0.55, 0.03, (x, -0.425, 1.22), trim, r=0.03, rot=(-4, 0, 0), upright=True)
        s.torus(0.075, 0.016, (x, -0.45, 1.06), m.brass(), rot=(86, 0, 0))
        s.slab(0.11, 0.24, 0.03, (x, -0.46, 0.90), trim, r=0.03, upright=True)
    s.slab(0.26, 0.17, 0.012, (0, -0.498, 0.42), trim, r=0.03, upright=True)
    s.stitches([(x, -0.505, z + 0.42) for x, z in s.rect(0.22, 0.13, 0.02)], thread, 0.02, 0.004, closed=True)
    s.tube([(-0.14, 0.22, 1.68), (-0.12, 0.22, 1.86), (0.12, 0.22, 1.86), (0.14, 0.22, 1.68)], 0.035, trim)
    for side in (-1, 1):
        s.soft_box((0.20, 0.40, 0.62), (side * 0.62, -0.03, 0.44), cloth, crease=0.66, wrinkles=0.01)
        s.tube(
            [(side * 0.3, 0.32, 1.55), (side * 0.42, 0.62, 1.25), (side * 0.5, 0.60, 0.6), (side * 0.52, 0.30, 0.2)],
            0.05,
            trim,
        )


@kind("tote_bag", yaw=20, elev=10)
def tote_bag(c: m.Colours, rng: random.Random) -> None:
    cloth = c.solid(("leather",), "fabric", 1.3)

    def side(sign: int):
        def fn(u: float, v: float) -> s.Point3:
            x = 2 * u - 1
            bulge = 0.24 * (1 - x**4) * (0.95 - 0.55 * v)
            wave = 0.035 * math.sin(5 * x + 2 + sign) * v + 0.02 * math.sin(9 * x + 7 * v)
            return (x * (0.74 + 0.05 * v), sign * bulge + wave, 1.45 * v)

        return fn

    for sign in (-1, 1):
        part = s.sheet(side(sign), 40, 40, cloth, thickness=0.02)
        s.wrinkle(part, 0.05, 0.4)
        s.subdivide(part, 1)
    s.sheet(
        lambda u, v: ((2 * u - 1) * 0.74, (2 * v - 1) * 0.24 * (1 - (2 * u - 1) ** 4), 0.004),
        20,
        8,
        cloth,
        thickness=0.02,
    )
    strap = cloth if rng.random() < 0.5 else c.trim("leather")
    for y, lean in ((-0.09, -0.10), (0.09, 0.06)):
        path = s.spline(
            [
                (-0.34, y - 0.02, 1.25),
                (-0.33, y + lean * 0.3, 1.6),
                (-0.2, y + lean, 2.0),
                (0.2, y + lean, 2.0),
                (0.33, y + lean * 0.3, 1.6),
                (0.34, y - 0.02, 1.25),
            ],
            8,
        )
        s.loft(
            [
                [
                    (x + (0.05 if abs(x) > 0.27 else 0.0) * t, yy + 0.012 * n, z + (0.0 if abs(x) > 0.27 else 0.05) * t)
                    for t, n in ((-1, -1), (1, -1), (1, 1), (-1, 1))
                ]
                for x, yy, z in path
            ],
            strap,
            subdiv=1,
        )
    if rng.random() < 0.75 and c.hint != "leather":
        ink = m.material(c.accent, 0.9)
        s.cyl(0.25, 0.012, (0.0, -0.232, 0.78), ink, rot=(84, 0, 0), bevel=0.002)
        s.text("good\nthings", 0.15, (0.0, -0.245, 0.78), cloth, rot=(84, 0, 0), depth=0.006)
    for k in range(5):  # bread and greens looking out
        s.leaf(0.5, 0.16, m.material("#6a9a50", 0.6), (-0.35 + 0.06 * k, 0.0, 1.3), (70, 0, 50 * k), bend=0.4)
    s.loft(
        [
            s.oval(0.28 + 0.05 * t, 0.0, 1.2 + 0.65 * t, r, r, axis="z")
            for t, r in ((0, 0.11), (0.5, 0.11), (0.85, 0.09), (1, 0.03))
        ],
        m.material("#b5783a", 0.8, pattern="concrete", scale=2),
    )


@kind("hat", yaw=24, elev=20)
def hat(c: m.Colours, rng: random.Random) -> None:
    felt = c.solid(("leather",), "fabric", 1.6)
    if rng.random() < 0.6:  # wide brim

        def brim(u: float, v: float) -> s.Point3:
            a = 2 * math.pi * u
            r = 0.50 + 0.68 * v
            return (r * math.cos(a), r * math.sin(a) * 0.92, 0.12 + 0.07 * v * math.cos(2 * a) + 0.05 * v * v)

        s.sheet(brim, 72, 12, felt, thickness=0.03)

        def crown(u: float, v: float) -> s.Point3:
            a = 2 * math.pi * u
            t = min(1.0, v / 0.72)
            z = 0.10 + 0.62 * math.sin(t * math.pi / 2) if v < 0.72 else 0.72 - 0.02 * (v - 0.72)
            r = (0.52 - 0.06 * t) * (1 if v < 0.72 else (1 - v) / 0.28)
            x, y = r * math.cos(a) * 1.1, r * math.sin(a)
            dent = 0.16 * math.exp(-((y / 0.13) ** 2)) * max(0, (z - 0.4) / 0.3)
            pinch = 1 - 0.22 * math.exp(-(((x + 0.5) / 0.25) ** 2)) * max(0, (z - 0.3) / 0.4)
            return (x, y * pinch, z - dent)

        part = s.sheet(crown, 72, 36, felt)
        s.subdivide(part, 1)
        s.loft(
            [
                [
                    (1.115 * f * r * math.cos(a), f * r * math.sin(a), z)
                    for a in (2 * math.pi * k / 64 for k in range(64))
                ]
                for f, r, z in ((1.0, 0.515, 0.13), (1.02, 0.515, 0.14), (1.015, 0.508, 0.27), (0.99, 0.505, 0.28))
            ],
            c.trim("fabric", 2),
            caps=False,
            subdiv=1,
        )
        s.box((0.10, 0.04, 0.15), (0.1, -0.545, 0.21), c.trim("fabric", 2), bevel=0.015)
    else:  # knitted beanie
        knit = m.material(c.main, 0.95, pattern="knit", scale=1.6)
        s.lathe([(0.66, 0.25), (0.68, 0.5), (0.62, 0.85), (0.42, 1.12), (0.15, 1.24), (0, 1.25)], knit, smooth=8)
        for k in range(48):
            a = 2 * math.pi * k / 48
            s.tube(
                [
                    (0.69 * math.cos(a), 0.69 * math.sin(a), 0.02),
                    (0.74 * math.cos(a), 0.74 * math.sin(a), 0.2),
                    (0.70 * math.cos(a), 0.70 * math.sin(a), 0.40),
                ],
                0.05,
                knit,
                smooth=4,
            )
        s.wrinkle(s.sphere(0.24, (0, 0, 1.38), m.material(c.accent, 0.95, pattern="fluffy")), 0.15, 0.06)


@kind("sunglasses", yaw=26, elev=16)
def sunglasses(c: m.Colours, rng: random.Random) -> None:
    frame = c.solid(("wood", "metal"), "plastic") if c.hint in ("wood", "metal") else m.material(c.main, 0.12, coat=0.8)
    lens_mat = m.material(m.shade(c.accent, 0.12), 0.03, coat=1.0)
    style = rng.randrange(2)
    with s.placed((0, 0, 0.36), (-4, 0, 0)):
        for side in (-1, 1):
            outline = (
                s.spline(
                    [
                        (0.10, 0.12),
                        (0.42, 0.28),
                        (0.80, 0.24),
                        (0.92, 0.10),
                        (0.82, -0.20),
                        (0.50, -0.32),
                        (0.20, -0.20),
                    ],
                    8,
                    True,
                )
                if style == 0
                else s.circle(0.36, 0.50, 0)
            )
            outline = [(side * x, z) for x, z in outline]
            cx = sum(x for x, _ in outline) / len(outline)
            cz = sum(z for _, z in outline) / len(outline)
            inner = [(cx + (x - cx) * 0.86, cz + (z - cz) * 0.84) for x, z in outline]
            s.prism([outline, inner], 0.085, frame, bevel=0.025, upright=True)
            s.prism(
                [(cx + (x - cx) * 0.90, cz + (z - cz) * 0.88) for x, z in outline],
                0.02,
                lens_mat,
                (0, 0.0, 0),
                bevel=0.004,
                upright=True,
            )
            hinge = side * (0.90 if style == 0 else 0.86)
            s.box((0.10, 0.12, 0.12), (hinge, 0.04, 0.12), frame, bevel=0.02)
            s.slab(0.05, 0.03, 0.02, (hinge, -0.045, 0.13), m.gold(), r=0.012, upright=True)
            s.loft(
                [
                    s.oval(hinge + side * dx, y, z, 0.028, rz, axis="y")
                    for dx, y, z, rz in (
                        (0.02, 0.06, 0.12, 0.06),
                        (0.03, 0.5, 0.11, 0.055),
                        (0.02, 1.05, 0.08, 0.05),
                        (-0.01, 1.3, -0.04, 0.055),
                        (-0.03, 1.52, -0.24, 0.055),
                        (-0.03, 1.55, -0.27, 0.03),
                    )
                ],
                frame,
            )
        s.tube([(-0.17, 0.0, 0.12), (0, -0.01, 0.19), (0.17, 0.0, 0.12)], 0.045, frame)


@kind("sneakers", yaw=38, elev=22, side=1)
def sneakers(c: m.Colours, rng: random.Random) -> None:
    upper = c.solid(("leather",), "fabric", 1.4)
    sole, trim, lace = (
        m.material("#eeeae0", 0.6, pattern="grain"),
        c.trim("leather"),
        m.material("#f4f1ea", 0.85, pattern="fabric", scale=2),
    )

    def outline(grow: float) -> list:
        pts = [
            (-1.0, 0.0),
            (-0.94, 0.22),
            (-0.7, 0.29),
            (-0.2, 0.25),
            (0.2, 0.28),
            (0.6, 0.34),
            (0.9, 0.28),
            (1.05, 0.08),
            (1.03, -0.14),
            (0.85, -0.30),
            (0.5, -0.33),
            (0.1, -0.25),
            (-0.3, -0.24),
            (-0.7, -0.29),
            (-0.94, -0.22),
        ]
        return [(x * (1 + grow / 1.05), y * (1 + grow / 0.3)) for x, y in pts]

    def shoe() -> None:
        s.prism(outline(0.045), 0.17, sole, (0, 0, 0.10), bevel=0.04, smooth=6)
        s.prism(outline(0.05), 0.035, trim, (0, 0, 0.125), bevel=0.01, smooth=6)
        s.prism(outline(0.03), 0.04, m.material(m.shade(c.accent, 0.6), 0.8), (0, 0, 0.02), bevel=0.01, smooth=6)
        rings = []
        # sections along the foot: x, half width, height, top half width
        for x, w, h, t in (
            (-1.0, 0.10, 0.62, 0.5),
            (-0.97, 0.20, 0.72, 0.62),
            (-0.8, 0.27, 0.76, 0.66),
            (-0.5, 0.275, 0.70, 0.66),
            (-0.25, 0.26, 0.66, 0.62),
            (0.0, 0.265, 0.60, 0.58),
            (0.3, 0.29, 0.47, 0.55),
            (0.6, 0.315, 0.36, 0.6),
            (0.85, 0.28, 0.29, 0.62),
            (1.0, 0.17, 0.22, 0.6),
            (1.03, 0.08, 0.15, 0.5),
        ):
            rings.append(
                [
                    (x, y * w, 0.15 + z * (h - 0.05))
                    for y, z in (
                        (-0.95, 0),
                        (-1.02, 0.25),
                        (-0.92, 0.6),
                        (-t, 0.92),
                        (-t * 0.5, 1.0),
                        (t * 0.5, 1.0),
                        (t, 0.92),
                        (0.92, 0.6),
                        (1.02, 0.25),
                        (0.95, 0),
                        (0.5, -0.05),
                        (-0.5, -0.05),
                    )
                ]
            )
        s.loft(rings, upper)
        # opening, collar, tongue
        s.loft(
            [
                s.oval(-0.56, 0, z, rx, ry)
                for z, rx, ry in ((0.60, 0.26, 0.12), (0.835, 0.30, 0.135), (0.838, 0.24, 0.10))
            ],
            m.black(0.9),
        )
        s.tube(
            [
                (-0.90, 0, 0.86),
                (-0.75, 0.155, 0.84),
                (-0.5, 0.17, 0.80),
                (-0.24, 0.15, 0.80),
                (-0.18, 0, 0.82),
                (-0.24, -0.15, 0.80),
                (-0.5, -0.17, 0.80),
                (-0.75, -0.155, 0.84),
            ],
            0.055,
            upper,
            closed=True,
        )
        s.soft_box((0.5, 0.28, 0.07), (-0.10, 0, 0.80), upper, crease=0.6, rot=(0, 34, 0))
        s.slab(0.10, 0.16, 0.04, (-1.0, 0, 0.62), trim, r=0.04, rot=(90, 0, 90))
        for k in range(5):
            x = -0.12 + 0.125 * k
            z = 0.755 - 0.068 * k
            s.tube(
                [(x, -0.175, z - 0.07), (x + 0.02, -0.10, z), (x + 0.05, 0.10, z + 0.0), (x + 0.03, 0.175, z - 0.07)],
                0.022,
                lace,
            )
            for y in (-0.175, 0.175):
                s.torus(0.022, 0.009, (x, y * 1.03, z - 0.07), m.steel(), rot=(60 if y < 0 else -60, 0, 0), steps=20)
        for sd in (-1, 1):
            s.tube(
                [
                    (-0.12, 0, 0.80),
                    (-0.05, sd * 0.14, 0.86),
                    (0.04, sd * 0.20, 0.80),
                    (-0.02, sd * 0.08, 0.80),
                    (-0.12, 0, 0.80),
                ],
                0.018,
                lace,
            )
            s.prism(
                [(-0.45, 0.0), (-0.30, 0.0), (0.28, -0.02), (0.05, 0.10), (-0.28, 0.30), (-0.36, 0.30)],
                0.02,
                trim,
                (0, sd * 0.268, 0.27),
                (0, 0, 0),
                bevel=0.006,
                corner=0.03,
                upright=True,
            )
        s.tube(
            [(0.62, -0.33, 0.20), (0.66, -0.2, 0.37), (0.67, 0, 0.405), (0.66, 0.2, 0.37), (0.62, 0.33, 0.20)],
            0.012,
            trim,
        )

    with s.placed((0, 0.42, 0), (0, 0, 172)), s.placed((0, 0, 0), (0, 0, 0)):
        shoe()
    with s.placed((0.05, -0.42, 0), (0, 0, 196)):
        shoe()


@kind("wallet", yaw=24, elev=30, flat=True)
def wallet(c: m.Colours, rng: random.Random) -> None:
    hide = m.material(c.main, 0.45, pattern="leather", coat=0.1)
    thread = m.material(m.shade(c.main, 1.9), 0.8)
    with s.placed((0, 0.2, 0.0), (0, 0, 8)):
        for z, turn in ((0.06, 0), (0.21, 3)):
            with s.placed((0, 0, z), (-turn, 0, 0)):
                s.slab(1.7, 1.25, 0.09, (0, 0, 0), hide, r=0.10, bevel=0.03)
        s.tube([(-0.80, 0.61, 0.13), (0.80, 0.61, 0.13)], 0.125, hide, smooth=0)
        s.box((1.55, 1.1, 0.05), (0, -0.02, 0.135), m.material("#e6dfcf", 0.8, pattern="paper"), bevel=0.005)
        s.stitches([(x, y, 0.262 + 0.052 * y) for x, y in s.rect(1.58, 1.13, 0.07)], thread, 0.035, 0.006, closed=True)
        s.slab(0.26, 0.1, 0.006, (0.55, -0.42, 0.236), m.brass(), r=0.02, bevel=0.002)
    with s.placed((0.25, -0.72, 0.05), (0, 0, -14)):
        s.slab(1.1, 0.75, 0.08, (0, 0, 0), hide, r=0.08, bevel=0.025)
        for k in range(3):
            col = (c.accent, m.srgb("#3f6f8f"), m.srgb("#d8b25a"))[k]
            s.slab(
                0.92,
                0.55,
                0.012,
                (0, 0.16 + 0.09 * k, 0.035 - 0.012 * k),
                m.material(col, 0.3, coat=0.4),
                r=0.05,
                bevel=0.003,
            )
        s.slab(1.1, 0.52, 0.03, (0, -0.115, 0.05), hide, r=0.06, bevel=0.01)
        s.stitches(
            [(-0.5, 0.1, 0.066), (-0.5, -0.32, 0.066), (0.5, -0.32, 0.066), (0.5, 0.1, 0.066)], thread, 0.035, 0.006
        )


@kind("scarf", yaw=20, elev=26)
def scarf(c: m.Colours, rng: random.Random) -> None:
    wool = m.material(c.main, 0.95, pattern="knit" if rng.random() < 0.5 else "fabric", scale=1.3)
    second = m.material(c.accent, 0.95, pattern="knit", scale=1.3)
    for k in range(4):  # folded layers
        w, d = 1.5 - 0.03 * k, 1.05 - 0.02 * k
        s.soft_box((w, d, 0.20), (0.02 * (-1) ** k, 0.02 * k, 0.10 + 0.17 * k), wool, crease=0.84, wrinkles=0.05)
    for x in (-0.52, -0.36, 0.36, 0.52):
        s.soft_box((0.07, 1.04, 0.22), (x, 0.05, 0.615), second, crease=0.84, wrinkles=0.02)

    def drape(u: float, v: float) -> s.Point3:
        x = (2 * u - 1) * 0.42
        if v < 0.35:
            y, z = -0.1 - v * 1.35, 0.76
        elif v < 0.75:
            a = (v - 0.35) / 0.4
            y, z = -0.575 - 0.12 * math.sin(a * 1.5), 0.76 - 0.70 * a
        else:
            a = (v - 0.75) / 0.25
            y, z = -0.70 - 0.5 * a, 0.06 - 0.02 * a
        return (x + 0.06 * math.sin(3 * v), y + 0.03 * math.sin(9 * u), z + 0.025 * math.sin(8 * u + 3 * v))

    cloth = s.sheet(drape, 30, 60, wool, thickness=0.06)
    s.subdivide(cloth, 1)
    for v in (0.86, 0.93):
        pts = [drape(k / 20, v) for k in range(21)]
        s.tube([(x, y, z + 0.028) for x, y, z in pts], 0.022, second)
    fringe = []
    for k in range(22):
        x, y, z = drape(k / 21, 1.0)
        for _j in range(3):
            fringe.append(((x, y, z), (x + rng.uniform(-0.03, 0.03), y - rng.uniform(0.2, 0.28), 0.02)))
    s.bars(fringe, 0.013, wool)


def gem(r: float, loc: s.Point3, mat, rot: s.Point3 = (0, 0, 0)) -> None:
    """A round brilliant: flat facets above and below the girdle."""
    rings = []
    for rr, z, turn in ((0.03, -0.62, 0), (0.97, 0.0, 0.5), (1.0, 0.06, 0.5), (0.80, 0.26, 0), (0.55, 0.36, 0.5)):
        rings.append(
            [
                (
                    r * rr * math.cos(2 * math.pi * (k + turn) / 16),
                    r * rr * math.sin(2 * math.pi * (k + turn) / 16),
                    r * z,
                )
                for k in range(16)
            ]
        )
    s.loft(rings, mat, loc, rot, subdiv=0, sharp=5)


def gem_material(c: m.Colours) -> object:
    mat = m.material(m.shade(c.accent, 1.8), 0.0, transmission=0.75, coat=1.0)
    mat.node_tree.nodes["Principled BSDF"].inputs["IOR"].default_value = 2.0
    return mat


def precious(c: m.Colours, rng: random.Random):
    r, g, b = c.main
    if r > b * 1.5:
        return m.material((0.95, 0.66, 0.28) if g > r * 0.55 else (0.90, 0.55, 0.42), 0.12, metallic=1.0)
    return m.material((0.85, 0.85, 0.87), 0.10, metallic=1.0)


def stone(rng: random.Random) -> None:
    """A dish or a pebble that jewellery lies on."""
    s.lathe(
        [(0, 0), (1.0, 0), (1.12, 0.08), (1.14, 0.14), (1.08, 0.13), (0.95, 0.06), (0, 0.05)],
        m.material(rng.choice(["#d9cfc2", "#b8c0bb", "#cdb6ab", "#8f9496"]), 0.4, pattern="speckle", coat=0.3),
        smooth=5,
    )


@kind("ring", yaw=30, elev=24)
def ring(c: m.Colours, rng: random.Random) -> None:
    metal, jewel = precious(c, rng), gem_material(c)
    style = rng.randrange(3)
    with s.placed((0, 0, 0.86), (-12, 0, 0)):
        with s.placed((0, 0, 0), (90, 0, 0)):
            s.torus(0.80, 0.095 if style != 1 else 0.14, (0, 0, 0), metal, flat=1.2, steps=96)
        if style == 0:
            for k in range(6):
                a = math.radians(60 * k)
                s.tube(
                    [
                        (0.05 * math.cos(a), 0.05 * math.sin(a), 0.80),
                        (0.20 * math.cos(a), 0.20 * math.sin(a), 0.95),
                        (0.235 * math.cos(a), 0.235 * math.sin(a), 1.14),
                    ],
                    0.028,
                    metal,
                )
            gem(0.26, (0, 0, 1.06), jewel)
        elif style == 1:
            s.prism(s.circle(0.30, ry=0.36), 0.12, metal, (0, 0, 0.92), bevel=0.03)
            s.sphere(0.27, (0, 0, 0.95), m.material(c.accent, 0.08, coat=1.0), scale=(0.95, 1.15, 0.55))
        else:
            for k in range(9):
                a = 90 + (k - 4) * 14
                x, z = 0.90 * math.cos(math.radians(a)), 0.90 * math.sin(math.radians(a))
                gem(0.105, (x, 0, z), jewel, (0, 90 - a, 0))
                s.torus(0.105, 0.018, (x, 0, z), metal, rot=(0, 90 - a, 0), steps=24)
    s.slab(
        1.3,
        1.3,
        0.5,
        (0, 0.1, -0.25),
        m.material(rng.choice(["#8b5a5a", "#4f6360", "#55506b", "#b7a48c"]), 0.95, pattern="fabric"),
        r=0.12,
        bevel=0.08,
    )


@kind("necklace", yaw=10, elev=26)
def necklace(c: m.Colours, rng: random.Random) -> None:
    metal, jewel = precious(c, rng), gem_material(c)
    velvet = m.material(rng.choice(["#3d4248", "#e4ddd2", "#6b5358", "#c9c1b4"]), 0.95, pattern="plaster")
    # a bust: neck, shoulders, chest
    s.loft(
        [
            s.oval(0, y, z, rx, ry)
            for z, y, rx, ry in (
                (0.0, 0.10, 0.72, 0.34),
                (0.15, 0.08, 0.86, 0.42),
                (0.5, 0.06, 0.86, 0.44),
                (0.85, 0.08, 0.62, 0.34),
                (1.05, 0.12, 0.34, 0.26),
                (1.35, 0.16, 0.25, 0.24),
                (1.62, 0.18, 0.25, 0.23),
                (1.64, 0.18, 0.2, 0.18),
            )
        ],
        velvet,
    )

    def on_bust(t: float) -> s.Point3:
        x = 0.40 * math.sin(t)
        z = 1.22 - 0.62 * (math.cos(t) * 0.5 + 0.5) ** 1.1
        depth = -0.14 - 0.30 * max(0.0, (1.22 - z) / 0.62) ** 0.7 + 0.62 * x * x
        return (x, depth, z)

    n = 44
    pts = [on_bust(-2.2 + 4.4 * k / n) for k in range(n + 1)]
    style = rng.randrange(3)
    if style == 0:
        pearl = m.material("#f3ece0", 0.12, coat=0.8, skin=0.1)
        for k, p in enumerate(pts):
            s.sphere(0.028 + 0.018 * math.sin(math.pi * k / n), p, pearl, steps=20)
    else:
        for k, p in enumerate(pts[:-1]):
            q = pts[k + 1]
            s.tube([p, q], 0.012, metal, smooth=0)
            s.torus(0.028, 0.010, p, metal, rot=(90 if k % 2 else 0, 45, 0), steps=16)
    x, y, z = on_bust(0)
    s.torus(0.05, 0.012, (x, y - 0.01, z - 0.04), metal, rot=(0, 90, 0))
    if style == 1:
        with s.placed((x, y - 0.05, z - 0.20), (75, 0, 0)):
            s.lathe([(0, 0), (0.15, 0), (0.165, 0.03), (0.15, 0.05), (0, 0.05)], metal, squash=1.25)
            s.sphere(0.135, (0, 0, 0.05), m.material(c.accent, 0.06, coat=1), scale=(1, 1.25, 0.5))
    else:
        gem(0.14, (x, y - 0.06, z - 0.19), jewel, (75, 0, 0))
        s.torus(0.142, 0.018, (x, y - 0.055, z - 0.19), metal, rot=(75, 0, 0))


@kind("wristwatch", yaw=24, elev=22)
def wristwatch(c: m.Colours, rng: random.Random) -> None:
    case = m.steel(0.15) if rng.random() < 0.6 else m.gold()
    strap = c.solid(("leather", "fabric"), "leather") if c.hint != "metal" else case
    dial = m.material(c.accent if c.hint == "metal" else m.shade(c.accent, 1.2), 0.3, metallic=0.2)
    with s.placed((0, 0, 0.78), (-38, 0, 0)):
        path = [
            (0.0, 0.60),
            (-0.05, 0.80),
            (0.18, 1.05),
            (0.60, 1.02),
            (0.98, 0.65),
            (1.05, 0.0),
            (0.98, -0.65),
            (0.60, -1.02),
            (0.18, -1.05),
            (-0.05, -0.80),
            (0.0, -0.60),
        ]
        path = [(y * 0.8, z * 0.86) for y, z in path]
        norm = [
            (0.06, 0),
            (0.06, -0.02),
            (0.02, -0.06),
            (-0.03, -0.06),
            (-0.06, -0.03),
            (-0.06, 0),
            (-0.06, 0.03),
            (-0.03, 0.06),
            (0.02, 0.06),
            (0.06, 0.02),
            (0.06, 0),
        ]
        for half in (slice(0, 6), slice(5, 11)):
            s.loft(
                [
                    [(dx * w, y + n * oy, z + n * oz) for dx, n in ((-1, 0), (1, 0), (1, 1), (-1, 1))]
                    for (y, z), (oy, oz), w in zip(
                        path[half],
                        norm[half],
                        (
                            [0.27, 0.27, 0.25, 0.23, 0.22, 0.22]
                            if half.start == 0
                            else [0.22, 0.22, 0.23, 0.25, 0.27, 0.27]
                        ),
                        strict=False,
                    )
                ],
                strap,
                subdiv=2,
            )
        with s.placed((0, -0.08, 0), (90, 0, 0)):
            s.lathe(
                [
                    (0, -0.1),
                    (0.50, -0.1),
                    (0.56, -0.05),
                    (0.56, 0.06),
                    (0.50, 0.13),
                    (0.465, 0.13),
                    (0.45, 0.09),
                    (0, 0.085),
                ],
                case,
                bevel=0.02,
                steps=96,
            )
            s.cyl(0.452, 0.01, (0, 0, 0.09), dial, bevel=0)
            pale = m.material("#f2efe6", 0.3) if sum(c.accent) < 1.2 else m.black(0.3)
            for k in range(12):
                a = math.radians(30 * k)
                s.box(
                    (0.09 if k % 3 == 0 else 0.06, 0.026, 0.014),
                    (0.38 * math.cos(a), 0.38 * math.sin(a), 0.10),
                    pale,
                    rot=(0, 0, 30 * k),
                    bevel=0.003,
                )
            for k in range(60):
                a = math.radians(6 * k)
                s.box(
                    (0.018, 0.005, 0.004),
                    (0.44 * math.cos(a), 0.44 * math.sin(a), 0.096),
                    pale,
                    rot=(0, 0, 6 * k),
                    bevel=0,
                )
            for length, w, turn, z in ((0.24, 0.036, 145, 0.112), (0.36, 0.026, 30, 0.120)):
                with s.placed((0, 0, z), (0, 0, turn)):
                    s.prism(
                        [(-0.06, -w / 2), (length * 0.8, -w / 2), (length, 0), (length * 0.8, w / 2), (-0.06, w / 2)],
                        0.008,
                        case,
                        bevel=0.002,
                    )
            with s.placed((0, 0, 0.128), (0, 0, -80)):
                s.box((0.48, 0.008, 0.004), (0.14, 0, 0), m.material("#c43a28", 0.4), bevel=0)
            s.cyl(0.025, 0.05, (0, 0, 0.115), case, bevel=0.004)
            s.cyl(0.055, 0.09, (0.60, 0, 0), case, rot=(0, 90, 0), bevel=0.012)
            s.slab(0.08, 0.05, 0.002, (0.25, 0, 0.097), m.paper(), r=0.008, bevel=0)
            for x in (-0.30, 0.30):
                for y in (-1, 1):
                    s.tube([(x, y * 0.40, 0.0), (x, y * 0.56, -0.04), (x * 0.98, y * 0.64, -0.10)], 0.05, case)


@kind("earrings", yaw=10, elev=14)
def earrings(c: m.Colours, rng: random.Random) -> None:
    metal, jewel = precious(c, rng), gem_material(c)
    board = m.material(rng.choice(["#e9e0d3", "#5a5f62", "#c9b3a8", "#9fb0a8"]), 0.7, pattern="plaster", scale=3)
    s.tube([(-0.72, 0.1, 0), (-0.72, 0.1, 1.5)], 0.045, m.brass(), smooth=0)
    s.tube([(0.72, 0.1, 0), (0.72, 0.1, 1.5)], 0.045, m.brass(), smooth=0)
    s.tube([(-0.72, 0.1, 1.5), (0.72, 0.1, 1.5)], 0.045, m.brass(), smooth=0)
    s.slab(1.8, 0.75, 0.12, (0, 0.1, 0.06), board, r=0.1, bevel=0.03)
    style = rng.randrange(3)
    for x in (-0.32, 0.32):
        with s.placed((x, 0.1, 1.5), (0, 0, 12 if x < 0 else -8)):
            s.tube([(0, 0.05, -0.02), (0, 0.0, 0.07), (0, -0.06, 0.0), (0, -0.065, -0.16)], 0.013, metal)
            if style == 0:
                s.torus(0.28, 0.035, (0, -0.065, -0.46), metal, rot=(90, 0, 0))
                gem(0.08, (0, -0.10, -0.18), jewel, (80, 0, 0))
            elif style == 1:
                s.torus(0.05, 0.012, (0, -0.065, -0.20), metal, rot=(90, 0, 0))
                s.lathe(
                    [(0, -0.40), (0.13, -0.32), (0.15, -0.22), (0.08, -0.06), (0.02, 0.04), (0, 0.05)],
                    m.material(c.accent, 0.06, coat=1, skin=0.1),
                    (0, -0.065, -0.33),
                    smooth=8,
                )
                s.lathe([(0.03, 0.03), (0.06, -0.03), (0.075, -0.07)], metal, (0, -0.065, -0.32), smooth=4)
            else:
                for k in range(3):
                    s.torus(0.03, 0.010, (0, -0.065, -0.18 - 0.25 * k), metal, rot=(90, 0, 0))
                    s.cyl(
                        0.10,
                        0.022,
                        (0, -0.065, -0.32 - 0.25 * k),
                        metal if k != 1 else m.material(c.accent, 0.15, coat=0.8),
                        rot=(90, 0, 0),
                        bevel=0.006,
                    )


@kind("bracelet", yaw=24, elev=30)
def bracelet(c: m.Colours, rng: random.Random) -> None:
    metal = precious(c, rng)
    style = rng.randrange(3)
    stone(rng)
    with s.placed((0, 0, 0.22), (10, 6, 0)):
        if style == 0:  # beads
            n = 24
            for k in range(n):
                a = 2 * math.pi * k / n
                mat = metal if k % 8 == 0 else m.material(c.main if k % 4 else c.accent, 0.15, coat=0.7)
                s.sphere(0.092, (0.72 * math.cos(a), 0.72 * math.sin(a), 0), mat, steps=28)
            s.cyl(0.10, 0.02, (0.72, -0.28, -0.10), metal, rot=(0, 60, 0))
        elif style == 1:  # chain links
            n = 26
            for k in range(n):
                a = 360 * k / n
                place = (0.74 * math.cos(math.radians(a)), 0.74 * math.sin(math.radians(a)), 0)
                link = (90 if k % 2 else 20, 0, 0)
                with s.placed(place, (0, 0, a + 90)), s.placed((0, 0, 0), link, (1.35, 1, 1)):
                    s.torus(0.085, 0.024, (0, 0, 0), metal, steps=32)
        else:  # cuff with stones
            s.tube(
                [(0.74 * math.cos(math.radians(t)), 0.66 * math.sin(math.radians(t)), 0) for t in range(-60, 241, 10)],
                0.06,
                metal,
            )
            for t in (-60, 240):
                s.sphere(
                    0.105,
                    (0.74 * math.cos(math.radians(t)), 0.66 * math.sin(math.radians(t)), 0),
                    m.material(c.accent, 0.08, coat=1),
                )
            s.tube(
                [
                    (
                        0.74 * math.cos(math.radians(t)),
                        0.66 * math.sin(math.radians(t)),
                        0.07 * math.sin(math.radians(t * 9)),
                    )
                    for t in range(-60, 241, 3)
                ],
                0.03,
                metal,
            )


@kind("pet_bowl", yaw=18, elev=24)
def pet_bowl(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("ceramic", "metal", "plastic", "wood"), "ceramic")
    s.lathe(
        [(0, 0), (0.92, 0), (0.95, 0.04), (0.78, 0.50), (0.74, 0.53), (0.70, 0.50), (0.66, 0.14), (0, 0.12)],
        body,
        bevel=0.03,
    )
    s.lathe([(0.735, 0.535), (0.70, 0.505), (0.655, 0.15), (0, 0.125)], m.steel(0.2), bevel=0.02)
    s.torus(0.94, 0.03, (0, 0, 0.03), m.rubber())
    kibble = [m.material(x, 0.85, pattern="paper") for x in ("#8a5a34", "#a8703f", "#744527")]
    for _k in range(130):
        r, a = 0.62 * math.sqrt(rng.random()), rng.uniform(0, 6.28)
        s.sphere(
            0.062,
            (r * math.cos(a), r * math.sin(a), 0.36 + 0.13 * (1 - (r / 0.62) ** 2) + rng.uniform(-0.02, 0.03)),
            rng.choice(kibble),
            scale=(1, 1, 0.65),
            rot=(rng.uniform(0, 90), rng.uniform(0, 90), 0),
            steps=12,
        )
    paw = c.trim("plastic")
    for turn in (-42, 0, 42):
        with s.placed((0, 0, 0.27), (0, 0, turn)), s.placed((0, -0.862, 0), (70, 0, 0)):
            s.sphere(0.085, (0, -0.03, 0), paw, scale=(1.15, 0.9, 0.2), steps=24)
            for a in (-50, -17, 17, 50):
                s.sphere(
                    0.042,
                    (0.135 * math.sin(math.radians(a)), -0.03 + 0.135 * math.cos(math.radians(a)), 0),
                    paw,
                    scale=(0.85, 1.1, 0.3),
                    steps=16,
                )
    for _k in range(6):
        a = rng.uniform(-2.4, -0.8)
        s.sphere(
            0.062, (1.15 * math.cos(a), 1.15 * math.sin(a), 0.04), rng.choice(kibble), scale=(1, 1, 0.65), steps=12
        )


@kind("dog_collar", yaw=22, elev=26)
def dog_collar(c: m.Colours, rng: random.Random) -> None:
    band = c.solid(("leather", "fabric"), "leather", 1.3)
    thread, metal = m.material(m.shade(c.accent, 1.4), 0.7), m.brass() if rng.random() < 0.5 else m.steel(0.15)
    ring_pts = [(math.cos(a), 0.86 * math.sin(a)) for a in (2 * math.pi * k / 72 for k in range(72))]
    s.loft(
        [
            [(x * f, y * f, z) for x, y in ring_pts]
            for f, z in ((0.955, 0.02), (0.99, 0.0), (1.0, 0.02), (1.0, 0.27), (0.99, 0.29), (0.955, 0.27))
        ]
        + [[(x * 0.95, y * 0.95, 0.02) for x, y in ring_pts]],
        band,
        caps=False,
        subdiv=1,
    )
    for z in (0.05, 0.24):
        s.stitches([(x * 1.003, y * 1.003, z) for x, y in ring_pts], thread, 0.05, 0.008, closed=True)
    with s.placed((-0.35, -0.80, 0.145), (0, 0, -16)):
        s.prism(
            [s.rect(0.30, 0.42, 0.06), s.rect(0.20, 0.30, 0.03)], 0.05, metal, (0, -0.03, 0), bevel=0.015, upright=True
        )
        s.tube([(-0.03, -0.06, 0), (0.14, -0.06, 0)], 0.016, metal, smooth=0)
        s.slab(0.12, 0.34, 0.05, (0.30, -0.03, 0), band, r=0.02, bevel=0.012, upright=True)
        for k in range(3):
            s.cyl(0.018, 0.02, (0.48 + 0.12 * k, -0.0 + 0.014 * k * k, 0), metal, rot=(90, 0, 0), steps=16)
    with s.placed((0.24, -0.86, 0.06), (0, 0, 10)):
        s.torus(0.09, 0.02, (0, -0.03, 0), metal, rot=(90, 0, 0))
        s.torus(0.06, 0.012, (0, -0.06, -0.12), metal, rot=(0, 80, 0))
    with s.placed((0.25, -1.05, 0.03), (12, 0, 10)):
        s.prism(
            [
                [
                    (-0.2, -0.06),
                    (-0.25, -0.12),
                    (-0.3, -0.06),
                    (-0.3, 0.0),
                    (-0.3, 0.06),
                    (-0.25, 0.12),
                    (-0.2, 0.06),
                    (0.2, 0.06),
                    (0.25, 0.12),
                    (0.3, 0.06),
                    (0.3, -0.06),
                    (0.25, -0.12),
                    (0.2, -0.06),
                ]
            ],
            0.035,
            metal,
            bevel=0.012,
            corner=0.04,
        )
        s.text("BISCUIT", 0.085, (0, 0, 0.02), m.black(), rot=(0, 0, 0))


@kind("baby_bottle", yaw=18, elev=12)
def baby_bottle(c: m.Colours, rng: random.Random) -> None:
    milk = m.material("#f6f1e6", 0.35, glow=0.2)
    clear = m.material((0.92, 0.95, 0.96), 0.05, transmission=0.92)
    main = m.by_hint("plastic", c.main)
    s.lathe(
        [(0, 0), (0.36, 0), (0.40, 0.06), (0.40, 0.30), (0.34, 0.62), (0.40, 0.95), (0.40, 1.15), (0.30, 1.28)],
        clear,
        smooth=6,
    )
    s.lathe(
        [(0, 0.03), (0.34, 0.03), (0.375, 0.08), (0.375, 0.30), (0.315, 0.62), (0.345, 0.80), (0, 0.80)],
        milk,
        bevel=0.01,
    )
    s.lathe([(0, 1.24), (0.36, 1.24), (0.37, 1.27), (0.36, 1.48), (0.30, 1.53), (0, 1.53)], main, bevel=0.03)
    for k in range(36):
        a = 2 * math.pi * k / 36
        s.box(
            (0.02, 0.02, 0.17),
            (0.363 * math.cos(a), 0.363 * math.sin(a), 1.36),
            main,
            rot=(0, 0, 10 * k),
            bevel=0.006,
            segs=1,
        )
    s.lathe(
        [(0.27, 1.53), (0.24, 1.58), (0.12, 1.66), (0.085, 1.74), (0.10, 1.82), (0.06, 1.90), (0, 1.91)],
        m.material("#d8a860", 0.25, transmission=0.3, skin=0.3),
        smooth=6,
    )
    for k in range(6):
        z = 0.25 + 0.15 * k
        r = 0.405 - 0.055 * math.exp(-(((z - 0.62) / 0.2) ** 2))
        s.box((0.16 if k % 2 else 0.10, 0.006, 0.012), (0.0, -r - 0.002, z), m.material(c.accent, 0.4), bevel=0)
        if k % 2:
            s.text(str(30 * (k + 1)), 0.07, (0.15, -r * 0.94, z), m.material(c.accent, 0.4))
    with s.placed((0.72, -0.25, 0)):
        s.lathe(
            [(0, 0), (0.34, 0), (0.36, 0.04), (0.32, 0.40), (0.2, 0.52), (0, 0.55)],
            m.material(m.shade(c.main, 1.5), 0.1, transmission=0.6),
            smooth=5,
        )


@kind("rattle", yaw=24, elev=26)
def rattle(c: m.Colours, rng: random.Random) -> None:
    stuff = c.hint if c.hint in ("wood", "plastic", "fabric") else "wood"
    main, second = m.by_hint(stuff, c.main), m.by_hint("wood" if stuff == "fabric" else stuff, c.accent)
    if rng.random() < 0.5:
        with s.placed((0, 0, 0.40), (0, 62, 0)):
            s.sphere(0.42, (0, 0, 0.66), main)
            s.torus(0.42, 0.05, (0, 0, 0.66), second)
            for k in range(8):
                a = math.radians(45 * k)
                for z in (-0.16, 0.16):
                    s.sphere(
                        0.04, (0.395 * math.cos(a), 0.395 * math.sin(a), 0.66 + z), m.material("#f1e8d6", 0.4), steps=16
                    )
            s.lathe([(0, -0.62), (0.12, -0.62), (0.09, -0.3), (0.07, 0.0), (0.09, 0.27), (0, 0.30)], m.oak(), smooth=5)
            s.torus(0.20, 0.06, (0, 0, -0.78), second, rot=(90, 0, 0))
            s.torus(0.17, 0.045, (0.0, 0, 0.10), m.by_hint("plastic", m.srgb("#e0a030")))
    else:
        with s.placed((0, 0, 0.14)):
            s.torus(0.62, 0.115, (0, 0, 0), m.oak())
            n = 9
            for k in range(n):
                a = math.radians(-90 + (k - 4) * 19)
                mat = (main, second, m.material("#f1e8d6", 0.5), m.by_hint(stuff, m.shade(c.main, 1.6)))[k % 4]
                s.torus(
                    0.115,
                    0.085,
                    (0.62 * math.cos(a), 0.62 * math.sin(a), 0.0),
                    mat,
                    rot=(90, 0, math.degrees(a)),
                    steps=32,
                )
            with s.placed((0, 0.75, 0.02), (0, 0, 0)):
                cloth = m.material(c.main, 0.95, pattern="fabric", scale=1.5)
                s.sphere(0.28, (0, 0, 0.06), cloth, scale=(1, 1, 0.75))
                for side in (-1, 1):
                    s.sphere(0.12, (side * 0.16, 0.34, 0.06), cloth, scale=(0.7, 2.0, 0.45), rot=(0, 0, -side * 14))
                    s.sphere(0.028, (side * 0.10, -0.09, 0.255), m.black(0.1), steps=16)
                s.sphere(0.035, (0, -0.17, 0.235), m.material("#d88a8a", 0.5), steps=16)


@kind("pet_bed", yaw=18, elev=26)
def pet_bed(c: m.Colours, rng: random.Random) -> None:
    outer = c.solid(("leather",), "fabric", 0.9)
    plush = m.material(m.shade(c.accent, 1.5), 0.95, pattern="fluffy", scale=0.7)
    pts = []
    for k in range(40):
        a = 2 * math.pi * k / 40
        dip = 0.13 * math.exp(-(((a - 1.5 * math.pi) / 0.42) ** 2))
        pts.append((1.05 * math.cos(a), 0.82 * math.sin(a), 0.30 - dip))
    s.tube(pts, 0.27, outer, closed=True, smooth=2)
    s.tube([(x * 0.90, y * 0.88, z + 0.05) for x, y, z in pts], 0.215, plush, closed=True, smooth=2)
    s.wrinkle(s.soft_box((1.75, 1.35, 0.36), (0, 0, 0.16), plush, crease=0.55), 0.06, 0.1)
    bone = m.material("#efe6d2", 0.6)
    with s.placed((0.12, -0.12, 0.40), (0, 0, 28)):
        s.tube([(-0.24, 0, 0), (0.24, 0, 0)], 0.065, bone, smooth=0)
        for x in (-0.27, 0.27):
            for y in (-0.07, 0.07):
                s.sphere(0.09, (x, y, 0), bone, steps=24)
    s.slab(0.2, 0.13, 0.02, (0.35, -1.06, 0.25), c.trim("leather"), r=0.02, rot=(0, 0, 10), upright=True)
