"""Photography and optics."""

import math
import random

import materials as m
import shapes as s
from kinds import kind


def lens_barrel(mat, ring, length: float, r: float) -> None:
    """A photographic lens along +z, glass at the far end."""
    s.lathe(
        [
            (0, 0),
            (r * 0.92, 0),
            (r * 0.92, length * 0.12),
            (r, length * 0.16),
            (r, length * 0.92),
            (r * 0.97, length),
            (r * 0.86, length),
            (r * 0.74, length * 0.90),
            (0, length * 0.88),
        ],
        mat,
        bevel=0.012,
    )
    for start, end in ((0.24, 0.48), (0.60, 0.80)):
        s.cyl(r * 1.03, length * (end - start), (0, 0, length * (start + end) / 2), m.rubber(), bevel=0.008)
        for k in range(44):
            a = 2 * math.pi * k / 44
            s.box(
                (0.02, 0.035, length * (end - start) * 0.86),
                (r * 1.035 * math.cos(a), r * 1.035 * math.sin(a), length * (start + end) / 2),
                m.rubber(),
                bevel=0.006,
                rot=(0, 0, math.degrees(a)),
                segs=1,
            )
    s.torus(r * 0.985, 0.012, (0, 0, length * 0.875), ring)
    s.sphere(r * 0.76, (0, 0, length * 0.72), m.material((0.012, 0.012, 0.035), 0.03, coat=1.0), scale=(1, 1, 0.34))
    s.torus(r * 0.60, 0.01, (0, 0, length * 0.90), m.material((0.12, 0.05, 0.22), 0.05, coat=1.0))
    for k in range(9):
        a = math.radians(200 + 17 * k)
        s.box(
            (0.012, 0.03, 0.006),
            (r * 0.80 * math.cos(a), r * 0.80 * math.sin(a), length * 0.955),
            m.white(),
            rot=(0, 0, math.degrees(a)),
            bevel=0,
        )


@kind("slr_camera", yaw=26, elev=14)
def slr_camera(c: m.Colours, rng: random.Random) -> None:
    metal = c.trim("metal") if rng.random() < 0.6 else m.steel(0.35)
    grip = c.solid(("leather",), "leather")
    s.slab(1.7, 0.95, 0.46, (0, 0, 0.52), metal, r=0.16, bevel=0.03, upright=True)
    s.slab(1.715, 0.60, 0.475, (0, 0, 0.48), grip, r=0.05, bevel=0.02, upright=True)
    s.loft(
        [
            s.oval(-0.70, -0.27, z, 0.14, 0.14 * f, power=3)
            for z, f in ((0.18, 0.8), (0.22, 1), (0.74, 1.0), (0.78, 0.8))
        ],
        grip,
    )
    s.prism(
        [(-0.34, 0), (0.34, 0), (0.22, 0.26), (0.13, 0.34), (-0.13, 0.34), (-0.22, 0.26)],
        0.5,
        metal,
        (0, -0.01, 0.95),
        bevel=0.03,
        corner=0.05,
        upright=True,
    )
    s.box((0.30, 0.06, 0.1), (0, -0.245, 1.13), m.black(), bevel=0.02)
    s.text("HALDEN", 0.085, (0, -0.275, 1.03), m.white())
    s.box((0.2, 0.22, 0.03), (0, 0.05, 1.30), m.steel(), bevel=0.008)
    for x, r, h in ((-0.62, 0.11, 0.10), (0.52, 0.14, 0.11), (0.74, 0.07, 0.08)):
        s.cyl(r, h, (x, 0, 1.0 + h / 2), metal, bevel=0.012)
        for k in range(24):
            a = 2 * math.pi * k / 24
            s.box(
                (0.014, 0.014, h * 0.7),
                (x + r * math.cos(a), r * math.sin(a), 1.0 + h / 2),
                metal,
                bevel=0.003,
                rot=(0, 0, math.degrees(a)),
                segs=1,
            )
    s.cyl(0.045, 0.06, (-0.42, -0.08, 1.02), m.steel(), bevel=0.01)
    with s.placed((0.06, -0.23, 0.50), (90, 0, 0)):
        s.cyl(0.44, 0.06, (0, 0, 0.02), m.steel(), bevel=0.01)
        lens_barrel(m.black(0.35), c.trim("metal"), 0.62, 0.40)
    for side in (-1, 1):
        s.torus(0.05, 0.012, (side * 0.88, 0, 0.86), m.steel(), rot=(90, 0, 0))
    if rng.random() < 0.6:
        strap = m.material(m.shade(c.accent, 0.7), 0.7, pattern="leather")
        path = s.spline(
            [
                (-0.88, 0, 0.84),
                (-1.05, 0.15, 0.4),
                (-1.0, 0.4, 0.06),
                (-0.2, 0.72, 0.05),
                (0.7, 0.62, 0.05),
                (1.1, 0.3, 0.10),
                (1.02, 0.1, 0.45),
                (0.88, 0, 0.84),
            ],
            10,
        )
        s.loft(
            [
                [
                    (x, y, z + dz) if z > 0.12 else (x, y + dz * 0.6, z - 0.02 + t)
                    for dz, t in ((-0.04, 0), (0.04, 0), (0.04, 0.015), (-0.04, 0.015))
                ]
                for x, y, z in path
            ],
            strap,
            subdiv=1,
        )


@kind("lens", yaw=36, elev=20)
def lens(c: m.Colours, rng: random.Random) -> None:
    mat = c.solid(("metal", "plastic"), "plastic")
    if rng.random() < 0.5:
        with s.placed((-0.2, 0.2, 0.0)):
            s.cyl(0.44, 0.05, (0, 0, 0.025), m.steel(), bevel=0.01)
            with s.placed((0, 0, 0.03)):
                lens_barrel(mat, c.trim("metal"), 1.15, 0.47)
    else:
        with s.placed((0, 0.3, 0.485), (90, 0, 0)):
            s.cyl(0.43, 0.05, (0, 0, 0), m.steel(), bevel=0.01)
            lens_barrel(mat, c.trim("metal"), 1.2, 0.47)
    with s.placed((0.66, -0.45, 0.045), (0, 0, 0)):
        s.cyl(0.36, 0.07, (0, 0, 0), m.black(), bevel=0.02)
        s.cyl(0.30, 0.075, (0, 0, 0.003), m.black(0.2), bevel=0.01)
        s.text("52", 0.2, (0, 0, 0.042), m.steel(), rot=(0, 0, 0))


@kind("tripod", yaw=20, elev=10, focus=(0, -0.3, 0.7))
def tripod(c: m.Colours, rng: random.Random) -> None:
    body, dark = c.solid(("metal", "plastic"), "metal"), m.black()
    for k in range(3):
        a = math.radians(-90 + 120 * k)

        def at(t: float, a: float = a) -> tuple[float, float, float]:
            return (math.cos(a) * (0.10 + 0.62 * t), math.sin(a) * (0.10 + 0.62 * t), 1.55 * (1 - t))

        for t0, t1, r in ((0.0, 0.40, 0.058), (0.38, 0.72, 0.046), (0.70, 0.97, 0.035)):
            s.tube([at(t0), at(t1)], r, body if r > 0.05 else m.steel(0.3), smooth=0)
        for t in (0.39, 0.71):
            s.tube([at(t - 0.03), at(t + 0.02)], 0.068 if t < 0.5 else 0.055, dark, smooth=0)
        s.tube([at(0.06), at(0.22)], 0.072, m.material(m.shade(c.accent, 0.8), 0.85, pattern="grain"), smooth=0)
        s.sphere(0.05, at(0.985), m.rubber())
        s.tube([at(0.40), (0, 0, 0.80)], 0.014, dark, smooth=0)
    s.cyl(0.17, 0.14, (0, 0, 1.58), dark, bevel=0.03)
    s.cyl(0.05, 1.0, (0, 0, 1.25), m.steel(0.25), bevel=0.01)
    s.cyl(0.09, 0.1, (0, 0, 1.78), dark, bevel=0.02)
    s.sphere(0.11, (0, 0, 1.88), m.steel(0.15))
    s.lathe([(0.08, 0), (0.13, 0.03), (0.13, 0.13), (0.1, 0.16), (0, 0.16)], body, (0, 0, 1.83), bevel=0.02)
    s.box((0.34, 0.26, 0.06), (0, 0, 2.04), dark, bevel=0.02)
    s.box((0.24, 0.18, 0.03), (0, 0, 2.08), c.trim("metal"), bevel=0.01)
    s.tube([(0.05, -0.05, 1.92), (0.32, -0.32, 1.80)], 0.022, m.steel(), smooth=0)
    s.tube([(0.32, -0.32, 1.80), (0.56, -0.56, 1.69)], 0.045, m.rubber(), smooth=0)
    s.cyl(0.06, 0.09, (-0.16, 0, 1.9), c.trim("plastic"), rot=(0, 90, 0), bevel=0.015)


@kind("instant_camera", yaw=26, elev=14)
def instant_camera(c: m.Colours, rng: random.Random) -> None:
    body, trim = c.solid(("plastic",), "plastic"), c.trim()
    s.slab(1.5, 1.0, 0.62, (0, 0, 0.62), body, r=0.26, bevel=0.10, upright=True)
    s.slab(
        1.42,
        0.32,
        0.72,
        (0, -0.03, 0.22),
        m.material(m.shade(c.main, 0.7), 0.4, pattern="grain"),
        r=0.12,
        bevel=0.07,
        upright=True,
    )
    s.box((1.0, 0.02, 0.035), (0, -0.392, 0.26), m.black(), bevel=0.005)
    for k, col in enumerate(("#d8452f", "#e8a23a", "#e9d25a", "#5f9a5a", "#3f78a8")):
        s.box((0.05, 0.014, 0.30), (-0.12 + 0.05 * k - 0.0, -0.31, 1.0), m.material(col, 0.5), bevel=0)
    with s.placed((0, -0.30, 0.64), (90, 0, 0)):
        s.lathe(
            [(0, 0.20), (0.18, 0.16), (0.25, 0.22), (0.31, 0.22), (0.35, 0.16), (0.37, 0), (0, 0)],
            m.black(0.3),
            bevel=0.025,
        )
        s.torus(0.345, 0.025, (0, 0, 0.10), trim)
        s.sphere(0.20, (0, 0, 0.14), m.material((0.01, 0.012, 0.04), 0.03, coat=1), scale=(1, 1, 0.4))
    s.slab(0.32, 0.2, 0.05, (0.48, -0.31, 0.95), m.material("#f4f1e8", 0.15, glow=0.25), r=0.05, upright=True)
    s.slab(0.24, 0.2, 0.05, (-0.50, -0.31, 0.95), m.black(0.1), r=0.05, upright=True)
    s.cyl(0.08, 0.06, (-0.52, -0.31, 0.58), m.material("#d8452f", 0.35), rot=(90, 0, 0), bevel=0.02)
    s.box((0.8, 0.05, 0.02), (0.0, -0.0, 1.13), m.black(), bevel=0.003)
    photo = m.paper()
    for x, y, turn in ((0.85, -0.55, 20), (1.05, -0.35, -12)):
        with s.placed((x, y, 0.01 if turn > 0 else 0.004), (0, 0, turn)):
            s.box((0.46, 0.54, 0.008), (0, 0, 0), photo, bevel=0.002)
            s.box((0.40, 0.39, 0.004), (0, 0.045, 0.005), m.screen("#86a7b8", "#d8a070", 0.12, 3), bevel=0)


@kind("binoculars", yaw=24, elev=16)
def binoculars(c: m.Colours, rng: random.Random) -> None:
    skin, metal = c.solid(("leather", "plastic"), "leather"), c.trim("metal")
    for side in (-1, 1):
        with s.placed((side * 0.42, 0.0, 0.42), (90, 0, 0)):
            s.lathe(
                [
                    (0, -0.75),
                    (0.17, -0.75),
                    (0.20, -0.68),
                    (0.20, -0.52),
                    (0.27, -0.42),
                    (0.31, -0.2),
                    (0.33, 0.35),
                    (0.40, 0.55),
                    (0.40, 0.85),
                    (0.34, 0.85),
                    (0.32, 0.72),
                    (0, 0.70),
                ],
                skin,
                bevel=0.025,
            )
            s.torus(0.385, 0.028, (0, 0, 0.84), m.rubber())
            s.torus(0.335, 0.018, (0, 0, 0.34), metal)
            s.sphere(0.33, (0, 0, 0.70), m.material((0.05, 0.012, 0.05), 0.02, coat=1), scale=(1, 1, 0.2))
            s.lathe([(0.2, -0.78), (0.22, -0.74), (0.22, -0.60), (0.19, -0.56)], m.rubber(), bevel=0.02)
    for y, _r in ((-0.30, 0.10), (0.35, 0.08)):
        s.box((0.5, 0.24, 0.10), (0, y, 0.55), m.black(), bevel=0.03)
    s.cyl(0.12, 0.34, (0, 0.05, 0.60), m.rubber(), rot=(90, 0, 0), bevel=0.02)
    for k in range(26):
        a = 2 * math.pi * k / 26
        s.box(
            (0.016, 0.30, 0.02), (0.12 * math.cos(a), 0.05, 0.60 + 0.12 * math.sin(a)), m.rubber(), bevel=0.004, segs=1
        )
    s.cyl(0.05, 1.0, (0, 0, 0.58), metal, rot=(90, 0, 0))
    s.tube(
        [
            (-0.72, 0.3, 0.45),
            (-0.98, 0.2, 0.15),
            (-0.9, -0.35, 0.03),
            (-0.3, -1.15, 0.03),
            (0.5, -1.2, 0.03),
            (0.98, -0.5, 0.03),
            (1.02, 0.2, 0.12),
            (0.72, 0.3, 0.45),
        ],
        0.025,
        m.material(m.shade(c.accent, 0.5), 0.7, pattern="leather"),
    )
