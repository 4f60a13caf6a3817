"""Computers, phones and games."""

import math
import random

import materials as m
import shapes as s
from kinds import kind

SCREENS = [
    ("#1d3a6b", "#d8734a"),
    ("#0f4a4a", "#9ad0b8"),
    ("#3a1f5c", "#e2789a"),
    ("#14263f", "#6fa8dc"),
    ("#7a3b2e", "#f0c27a"),
]


def keys(
    w: float,
    d: float,
    z: float,
    mat,
    accent=None,
    rows: int = 5,
    cols: int = 14,
    height: float = 0.025,
    gap: float = 0.15,
) -> None:
    """A field of keys w x d centred on the origin."""
    pitch, rowd = w / cols, d / rows
    for r in range(rows):
        y = d / 2 - (r + 0.5) * rowd
        if r == rows - 1:
            spans = [1.25, 1.25, 1.25, cols - 3 * 1.25 - 4, 1, 1, 1, 1]
        elif r == 0:
            spans = [1] * (cols - 2) + [2]
        else:
            spans = [1.2 + 0.3 * r] + [1] * (cols - 3)
            spans.append(cols - sum(spans))
        x = -w / 2
        for k, span in enumerate(spans):
            kw = span * pitch
            use = accent if accent and ((r == 0 and k == 0) or (k == len(spans) - 1 and r in (1, 2))) else mat
            s.box(
                (kw - gap * pitch, rowd - gap * pitch, height),
                (x + kw / 2, y, z + height / 2),
                use,
                bevel=min(0.018, height * 0.4),
                taper=(0.9, 0.86) if height > 0.05 else (1, 1),
                segs=2,
            )
            x += kw


def app_grid(w: float, h: float, y: float, z0: float, rng: random.Random, cols: int = 4, rows: int = 5) -> None:
    size = w / cols * 0.60
    for r in range(rows):
        for k in range(cols):
            if r == rows - 2:
                continue
            col = rng.choice(["#f2f2f2", "#4f8fd8", "#e46a4a", "#58b57a", "#f0c04a", "#8a6ad0", "#303540"])
            s.slab(
                size,
                size,
                0.002,
                (-w / 2 + (k + 0.5) * w / cols, y, z0 - (r + 0.5) * h / rows),
                m.material(col, 0.3, glow=0.55),
                r=size * 0.22,
                bevel=0,
                upright=True,
            )


@kind("laptop", yaw=28, elev=22, focus=(0.2, -0.4, 0.1))
def laptop(c: m.Colours, rng: random.Random) -> None:
    shell = c.solid(("metal", "plastic"), "metal")
    w, d = 2.0, 1.36
    s.slab(w, d, 0.07, (0, 0, 0.05), shell, r=0.08, bevel=0.02)
    s.slab(w * 0.86, 0.58, 0.006, (0, 0.22, 0.086), m.black(), r=0.03, bevel=0.002)
    with s.placed((0, 0.22, 0.084)):
        keys(w * 0.85, 0.56, 0.0, m.black(0.5), rows=5, height=0.018)
    s.slab(
        0.68, 0.40, 0.004, (0, -0.39, 0.086), m.material(m.shade(c.main, 0.85), 0.3, metallic=0.6), r=0.03, bevel=0.001
    )
    with s.placed((0, 0.66, 0.09), (-16, 0, 0)):
        s.slab(w, 1.30, 0.045, (0, 0.02, 0.66), shell, r=0.08, bevel=0.015, upright=True)
        s.slab(w * 0.985, 1.27, 0.01, (0, -0.006, 0.665), m.black(0.15), r=0.07, bevel=0.002, upright=True)
        a, b = rng.choice(SCREENS)
        s.slab(w * 0.94, 1.14, 0.006, (0, -0.012, 0.69), m.screen(a, b, 0.9, 1.2), r=0.02, bevel=0, upright=True)
        s.slab(
            0.9, 0.09, 0.004, (0, -0.017, 0.18), m.material("#f0f0f0", 0.3, glow=0.35), r=0.04, bevel=0, upright=True
        )
        for k in range(7):
            s.slab(
                0.065,
                0.065,
                0.004,
                (-0.36 + 0.12 * k, -0.021, 0.18),
                m.material(rng.choice(["#4f8fd8", "#e46a4a", "#58b57a", "#f0c04a", "#8a6ad0"]), 0.3, glow=0.6),
                r=0.015,
                bevel=0,
                upright=True,
            )
        s.slab(
            0.95, 0.62, 0.004, (0.28, -0.019, 0.80), m.material("#f4f2ee", 0.3, glow=0.6), r=0.03, bevel=0, upright=True
        )
        for k in range(6):
            s.box(
                (rng.uniform(0.35, 0.75), 0.003, 0.022),
                (0.17, -0.023, 1.02 - 0.075 * k),
                m.material("#8a93a0", 0.5, glow=0.3),
                bevel=0,
            )
        s.cyl(0.012, 0.004, (0, -0.016, 1.285), m.black(0.1), rot=(90, 0, 0))
    s.cyl(0.035, 1.5, (0, 0.66, 0.075), m.black(), rot=(0, 90, 0))


@kind("monitor", yaw=24, elev=10)
def monitor(c: m.Colours, rng: random.Random) -> None:
    shell = c.solid(("plastic", "metal"), "plastic")
    s.slab(2.3, 1.34, 0.08, (0, 0, 1.15), shell, r=0.05, bevel=0.02, upright=True)
    s.slab(2.28, 1.32, 0.012, (0, -0.04, 1.15), m.black(0.2), r=0.04, bevel=0.003, upright=True)
    a, b = rng.choice(SCREENS)
    s.slab(2.20, 1.22, 0.008, (0, -0.046, 1.17), m.screen(a, b, 0.85, 0.9), r=0.01, bevel=0, upright=True)
    for x, z, w, h in ((-0.45, 1.25, 1.0, 0.72), (0.55, 1.0, 0.75, 0.62)):
        s.slab(
            w,
            h,
            0.004,
            (x, -0.053 - 0.004 * (x > 0), z),
            m.material("#f2f0ec" if x < 0 else "#22262e", 0.4, glow=0.5),
            r=0.025,
            bevel=0,
            upright=True,
        )
        for k in range(7):
            s.box(
                (rng.uniform(0.25, 0.8) * w, 0.003, 0.02),
                (x - 0.02, -0.060 - 0.004 * (x > 0), z + h * 0.32 - 0.075 * k),
                m.material(rng.choice(["#6a7688", "#d8734a", "#58a57a"]), 0.5, glow=0.4),
                bevel=0,
            )
    s.box((0.26, 0.06, 0.9), (0, 0.14, 0.55), m.steel(0.35), bevel=0.02)
    s.box((0.3, 0.16, 0.25), (0, 0.08, 1.0), m.black(), bevel=0.03)
    s.slab(0.95, 0.62, 0.04, (0, 0.05, 0.02), c.trim("metal"), r=0.08, bevel=0.012)


@kind("keyboard", yaw=16, elev=32, flat=True, focus=(-0.4, -0.1, 0.4))
def keyboard(c: m.Colours, rng: random.Random) -> None:
    case = c.solid(("plastic", "metal", "wood"), "plastic")
    with s.placed((0, 0, 0.05), (4, 0, 0)):
        s.slab(2.3, 0.84, 0.14, (0, 0, 0.06), case, r=0.07, bevel=0.025)
        s.slab(2.2, 0.74, 0.01, (0, 0, 0.13), m.black(), r=0.03, bevel=0.002)
        cap = (
            m.material("#e4dfd4", 0.5, pattern="grain") if sum(c.main) < 1.2 else m.material(m.shade(c.main, 0.55), 0.5)
        )
        keys(2.17, 0.71, 0.135, cap, c.trim(), rows=5, cols=15, height=0.09, gap=0.09)
    s.tube(
        [(0.4, 0.42, 0.12), (0.42, 0.6, 0.05), (0.6, 0.75, 0.03), (0.8, 0.95, 0.03)], 0.025, m.material(c.accent, 0.6)
    )


@kind("mouse", yaw=36, elev=22)
def mouse(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("plastic", "metal"), "plastic")
    rings = []
    for y, w, h, base in (
        (-1.0, 0.30, 0.12, 0.05),
        (-0.94, 0.48, 0.20, 0.03),
        (-0.6, 0.56, 0.36, 0.02),
        (-0.1, 0.53, 0.52, 0.02),
        (0.35, 0.56, 0.56, 0.02),
        (0.75, 0.52, 0.44, 0.02),
        (0.96, 0.38, 0.28, 0.03),
        (1.02, 0.2, 0.16, 0.05),
    ):
        rings.append(
            [
                (w * x, y, base + h * z)
                for x, z in (
                    (-0.9, 0),
                    (-1, 0.25),
                    (-0.95, 0.62),
                    (-0.6, 0.93),
                    (-0.2, 1),
                    (0.2, 1),
                    (0.6, 0.93),
                    (0.95, 0.62),
                    (1, 0.25),
                    (0.9, 0),
                )
            ]
        )
    s.loft(rings, body)
    s.tube([(0, -1.0, 0.16), (0, -0.93, 0.24), (0, -0.6, 0.378), (0, -0.35, 0.455)], 0.012, m.black())
    s.tube(
        [(-0.53, -0.45, 0.32), (-0.3, -0.15, 0.49), (0, -0.05, 0.53), (0.3, -0.15, 0.49), (0.53, -0.45, 0.32)],
        0.010,
        m.black(),
    )
    s.slab(0.16, 0.40, 0.06, (0, -0.60, 0.365), m.black(), r=0.07, rot=(20, 0, 0))
    s.torus(0.10, 0.045, (0, -0.6, 0.36), m.rubber(), rot=(0, 90, 0))
    s.torus(0.105, 0.02, (0, -0.6, 0.36), c.trim(), rot=(0, 90, 0))
    for y in (-0.05, 0.28):
        s.slab(0.27, 0.10, 0.05, (-0.535, y, 0.36), c.trim(), r=0.04, rot=(90, 0, 82), bevel=0.015)
    if rng.random() < 0.5:
        s.tube([(0, -1.0, 0.10), (0, -1.2, 0.06), (0.15, -1.5, 0.03), (0.6, -1.7, 0.03)], 0.03, m.black())
    s.slab(
        1.9, 2.6, 0.02, (0.15, 0, 0.0), m.material(m.shade(c.accent, 0.6), 0.9, pattern="fabric"), r=0.15, bevel=0.005
    )


@kind("hard_drive", yaw=30, elev=24)
def hard_drive(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("plastic", "metal"), "metal")
    s.slab(1.1, 1.6, 0.22, (0, 0, 0.12), body, r=0.14, bevel=0.035)
    s.slab(1.105, 1.605, 0.03, (0, 0, 0.10), c.trim(), r=0.14, bevel=0.005)
    for k in range(7):
        s.box((0.92, 0.018, 0.012), (0, 0.1 + 0.085 * k, 0.231), m.material(m.shade(c.main, 0.6), 0.5), bevel=0.004)
    s.text("2 TB", 0.14, (-0.3, -0.58, 0.234), m.white(), rot=(0, 0, 0))
    s.cyl(0.018, 0.01, (0.42, -0.66, 0.232), m.material("#6ad0ff", 0.3, glow=4))
    s.box((0.22, 0.05, 0.08), (0, -0.80, 0.11), m.black(0.2), bevel=0.015)
    s.box((0.18, 0.26, 0.07), (0, -0.94, 0.11), m.black(), bevel=0.02)
    s.tube(
        [
            (0, -1.05, 0.11),
            (0, -1.2, 0.07),
            (0.3, -1.4, 0.04),
            (0.8, -1.25, 0.04),
            (0.95, -0.8, 0.04),
            (0.8, -0.4, 0.04),
            (0.95, 0.1, 0.04),
        ],
        0.035,
        m.black(),
    )
    s.box((0.16, 0.24, 0.07), (0.97, 0.2, 0.045), m.black(), bevel=0.02, rot=(0, 0, -10))
    s.box((0.13, 0.12, 0.035), (1.0, 0.37, 0.045), m.steel(), bevel=0.005, rot=(0, 0, -10))


def phone_body(c: m.Colours, rng: random.Random, mat, front: bool) -> None:
    """A phone standing upright, centred, facing -y with its screen (front) or its back."""
    w, h, t = 0.92, 1.92, 0.085
    s.slab(w, h, t, (0, 0, 0), m.steel(0.25), r=0.15, bevel=0.02, upright=True)
    for side in (-1, 1):
        s.slab(
            w - 0.02,
            h - 0.02,
            0.006,
            (0, side * (t / 2), 0),
            m.black(0.05) if side == -1 and front else mat,
            r=0.14,
            bevel=0.002,
            upright=True,
        )
    for z in (0.35, 0.55):
        s.box((0.02, 0.03, 0.14), (w / 2 + 0.002, 0, z), m.steel(), bevel=0.006)
    y = -t / 2 - 0.006
    if front:
        a, b = rng.choice(SCREENS)
        s.slab(w - 0.07, h - 0.07, 0.004, (0, y, 0), m.screen(a, b, 0.9, 1.3), r=0.12, bevel=0, upright=True)
        s.slab(0.2, 0.05, 0.003, (0, y - 0.004, h / 2 - 0.10), m.black(0.1), r=0.024, bevel=0, upright=True)
        if rng.random() < 0.5:
            s.text("9:41", 0.24, (0, y - 0.004, 0.55), m.material("#ffffff", 0.4, glow=1.2), depth=0.001)
            s.text(
                "Tuesday 24 November", 0.065, (0, y - 0.004, 0.74), m.material("#ffffff", 0.4, glow=1.0), depth=0.001
            )
            for k in range(2):
                s.slab(
                    w - 0.2,
                    0.19,
                    0.002,
                    (0, y - 0.003, -0.35 - 0.24 * k),
                    m.material("#e8e8ee", 0.4, glow=0.4),
                    r=0.05,
                    bevel=0,
                    upright=True,
                )
        else:
            with s.placed((0, 0, 0)):
                app_grid(w - 0.16, 1.5, y - 0.004, 0.74, rng, 4, 6)
    else:
        s.slab(0.42, 0.44, 0.04, (-0.20, y - 0.006, 0.68), mat, r=0.10, bevel=0.015, upright=True)
        for x, z in ((-0.30, 0.79), (-0.30, 0.58), (-0.11, 0.685)):
            s.cyl(0.085, 0.05, (x, y - 0.02, z), m.black(0.15), rot=(90, 0, 0), bevel=0.01)
            s.cyl(
                0.055,
                0.056,
                (x, y - 0.02, z),
                m.material((0.01, 0.015, 0.05), 0.03, coat=1),
                rot=(90, 0, 0),
                bevel=0.01,
            )
        s.cyl(0.03, 0.05, (-0.10, y - 0.01, 0.84), m.material("#f6efd8", 0.2, glow=0.3), rot=(90, 0, 0))


@kind("phone", yaw=20, elev=14)
def phone(c: m.Colours, rng: random.Random) -> None:
    back = m.material(c.main, 0.22, metallic=0.3, coat=0.6)
    with s.placed((-0.32, -0.1, 0.96), (-9, 0, 16)):
        phone_body(c, rng, back, True)
    with s.placed((0.42, 0.40, 0.96), (-9, 0, -20)):
        phone_body(c, rng, back, False)


@kind("tablet", yaw=22, elev=18)
def tablet(c: m.Colours, rng: random.Random) -> None:
    w, h = 2.0, 1.44
    with s.placed((0, 0, 0.70), (-20, 0, 0)):
        s.slab(w, h, 0.07, (0, 0, 0), c.solid(("metal", "plastic"), "metal"), r=0.11, bevel=0.02, upright=True)
        s.slab(w - 0.02, h - 0.02, 0.006, (0, -0.035, 0), m.black(0.05), r=0.1, bevel=0.002, upright=True)
        a, b = rng.choice(SCREENS)
        s.slab(w - 0.14, h - 0.14, 0.004, (0, -0.040, 0), m.screen(a, b, 0.9, 1.0), r=0.03, bevel=0, upright=True)
        app_grid(1.7, 1.2, -0.044, 0.6, rng, 6, 5)
    s.box((0.5, 0.5, 0.03), (0, 0.35, 0.30), c.trim(), rot=(45, 0, 0), bevel=0.01)
    s.tube([(1.25, -0.55, 0.035), (1.15, 0.6, 0.035)], 0.035, m.white(), smooth=0)
    s.cyl(0.034, 0.12, (1.255, -0.61, 0.035), m.white(), r2=0.006, rot=(90, 0, 5))


@kind("smartwatch", yaw=24, elev=16)
def smartwatch(c: m.Colours, rng: random.Random) -> None:
    strap = c.solid(("leather", "fabric", "metal"), "plastic")
    with s.placed((0, 0, 1.0), (-12, 0, 0)):
        path = [
            (y * 0.82, z * 0.98)
            for y, z in (
                (-0.10, 0.50),
                (-0.06, 0.75),
                (0.25, 0.94),
                (0.70, 0.92),
                (1.05, 0.6),
                (1.12, 0.0),
                (1.05, -0.6),
                (0.70, -0.92),
                (0.25, -0.94),
                (-0.06, -0.75),
                (-0.10, -0.50),
            )
        ]
        s.loft(
            [
                [(dx, y + n * oy, z + n * oz) for dx, n in ((-0.30, 0), (0.30, 0), (0.30, 1), (-0.30, 1))]
                for (y, z), (oy, oz) in zip(
                    path,
                    [
                        (0.08, -0.0),
                        (0.08, -0.03),
                        (0.02, -0.08),
                        (-0.03, -0.08),
                        (-0.07, -0.05),
                        (-0.08, 0),
                        (-0.07, 0.05),
                        (-0.03, 0.08),
                        (0.02, 0.08),
                        (0.08, 0.03),
                        (0.08, 0),
                    ],
                    strict=False,
                )
            ],
            strap,
            subdiv=2,
        )
        s.slab(0.86, 1.02, 0.24, (0, -0.15, 0), c.trim("metal"), r=0.26, bevel=0.07, upright=True)
        s.slab(0.80, 0.96, 0.02, (0, -0.27, 0), m.black(0.05), r=0.23, bevel=0.008, upright=True)
        f = -0.284
        a, b = rng.choice(SCREENS)
        s.text("10:08", 0.24, (0, f, 0.16), m.material("#ffffff", 0.4, glow=1.3), depth=0.001)
        for k, col in enumerate((a, "#58c58a", b)):
            s.tube(
                s.arc(0.30 - 0.055 * k, 200, 340 - 25 * k, 24, (0, f, 0.02)),
                0.018,
                m.material(m.shade(col, 1.8), 0.4, glow=1.0),
                smooth=0,
            )
        s.text("72 bpm", 0.085, (0, f, -0.02), m.material("#ff8a6a", 0.4, glow=1.0), depth=0.001)
        s.cyl(0.085, 0.08, (0.46, -0.15, 0.18), m.steel(), rot=(0, 90, 0), bevel=0.015)
        s.slab(0.05, 0.22, 0.05, (0.435, -0.15, -0.14), m.steel(), r=0.02, rot=(0, 0, 0), upright=True)


@kind("charger", yaw=28, elev=20)
def charger(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("plastic",), "plastic")
    s.slab(0.72, 0.72, 0.82, (-0.4, 0, 0.36), body, r=0.12, bevel=0.05, upright=True)
    f = -0.411
    for z in (0.48, 0.24):
        s.slab(0.26, 0.085, 0.02, (-0.4, f, z), m.black(), r=0.04, bevel=0.004, upright=True)
        s.slab(0.17, 0.03, 0.02, (-0.4, f - 0.003, z), m.steel(), r=0.012, bevel=0.002, upright=True)
    for x in (-0.55, -0.25):
        s.cyl(0.05, 0.42, (x, 0.6, 0.38), m.steel(), rot=(90, 0, 0), bevel=0.02)
    s.text("65W", 0.1, (-0.4, f, 0.64), m.material("#8a8f96", 0.5))
    cable = c.trim("fabric", 2)
    loop = [
        (0.55 + (0.46 - 0.004 * k) * math.cos(k * 0.55), (0.46 - 0.004 * k) * math.sin(k * 0.55), 0.045 + 0.0066 * k)
        for k in range(0, 36)
    ]
    s.tube(loop, 0.038, cable)
    s.tube([loop[0], (0.95, -0.3, 0.045), (0.75, -0.75, 0.045), (0.4, -0.85, 0.045)], 0.038, cable)
    s.slab(0.26, 0.13, 0.08, (0.25, -0.87, 0.05), m.white(), r=0.03, rot=(0, 0, 5))
    s.slab(0.12, 0.1, 0.045, (0.07, -0.885, 0.05), m.steel(), r=0.02, rot=(0, 0, 5))
    s.box((0.14, 0.07, 0.07), (0.96, 0.12, 0.30), m.rubber(), bevel=0.01)


@kind("phone_case", yaw=20, elev=12)
def phone_case(c: m.Colours, rng: random.Random) -> None:
    def case(mat) -> None:
        w, h = 1.0, 2.0
        hole = s.rect(0.44, 0.46, 0.11, -0.21, 0.70)
        s.prism([s.rect(w, h, 0.18), hole], 0.05, mat, (0, -0.05, 0), bevel=0.02, upright=True)
        s.prism(
            [s.rect(w, h, 0.18), s.rect(w - 0.07, h - 0.07, 0.15)], 0.13, mat, (0, 0.0, 0), bevel=0.025, upright=True
        )
        s.tube([(x, -0.075, z) for x, z in s.rect(0.47, 0.49, 0.12, -0.21, 0.70)], 0.014, mat, smooth=0, closed=True)
        for z in (0.2, 0.42):
            s.box((0.02, 0.07, 0.16), (w / 2 + 0.004, 0, z), mat, bevel=0.008)

    main, second = (
        c.solid(("leather", "fabric", "wood", "plastic"), "plastic"),
        c.trim("leather" if c.hint == "leather" else "plastic"),
    )
    with s.placed((-0.30, -0.15, 1.0), (-8, 0, 14)):
        case(main)
        if c.hint == "leather":
            s.stitches([(x, -0.082, z) for x, z in s.rect(0.90, 1.9, 0.14)], m.paper(), closed=True)
        else:
            for k in range(3):
                s.tube(s.arc(0.14 + 0.09 * k, 0, 360, 40, (0.05, -0.078, -0.35)), 0.012, second, smooth=0)
    with s.placed((0.50, 0.42, 1.0), (-8, 0, -16)):
        case(second)


@kind("game_controller", yaw=18, elev=34, flat=True)
def game_controller(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("plastic",), "plastic")
    dark = m.black(0.45)
    with s.placed((0, 0, 0.5), (22, 0, 0)):
        outline = [
            (-0.75, 0.52),
            (-0.3, 0.55),
            (0.3, 0.55),
            (0.75, 0.52),
            (1.0, 0.25),
            (1.12, -0.25),
            (1.1, -0.72),
            (0.88, -0.82),
            (0.68, -0.6),
            (0.48, -0.30),
            (0.2, -0.24),
            (-0.2, -0.24),
            (-0.48, -0.30),
            (-0.68, -0.6),
            (-0.88, -0.82),
            (-1.1, -0.72),
            (-1.12, -0.25),
            (-1.0, 0.25),
        ]
        s.prism(outline, 0.36, body, bevel=0.17, smooth=6)
        s.prism([(x * 1.012, y * 1.012) for x, y in outline], 0.03, c.trim(), (0, 0, -0.01), bevel=0.01, smooth=6)
        z = 0.18
        for x, y in ((-0.34, -0.06), (0.34, -0.06)):
            s.torus(0.17, 0.02, (x, y, z), c.trim(), flat=0.6)
            s.cyl(0.15, 0.03, (x, y, z - 0.01), dark)
            s.cyl(0.06, 0.18, (x, y, z + 0.07), dark)
            s.lathe(
                [(0, 0.02), (0.09, 0.025), (0.125, 0.06), (0.14, 0.03), (0.12, -0.02), (0, -0.02)],
                m.rubber(),
                (x, y, z + 0.15),
                smooth=4,
            )
        for k, col in enumerate(("#3f8f5a", "#c8402f", "#d8a93a", "#3a6fb0")):
            a = math.radians(-90 + 90 * k)
            s.cyl(
                0.062,
                0.09,
                (0.72 + 0.145 * math.cos(a), 0.22 + 0.145 * math.sin(a), z + 0.015),
                m.material(col, 0.25, coat=0.5),
                bevel=0.02,
            )
        s.prism(
            [
                (x * 0.17, y * 0.17)
                for x, y in (
                    (-0.35, 1),
                    (0.35, 1),
                    (0.35, 0.35),
                    (1, 0.35),
                    (1, -0.35),
                    (0.35, -0.35),
                    (0.35, -1),
                    (-0.35, -1),
                    (-0.35, -0.35),
                    (-1, -0.35),
                    (-1, 0.35),
                    (-0.35, 0.35),
                )
            ],
            0.08,
            dark,
            (-0.72, 0.22, z + 0.01),
            bevel=0.02,
        )
        for x in (-0.2, 0.2):
            s.slab(0.11, 0.045, 0.04, (x, 0.3, z), dark, r=0.02)
        s.slab(0.28, 0.18, 0.02, (0, 0.36, z + 0.0), dark, r=0.04)
        s.cyl(0.06, 0.03, (0, 0.14, z), m.material("#eaf2f4", 0.2, glow=0.8), bevel=0.008)
        for x in (-0.72, 0.72):
            s.slab(0.46, 0.14, 0.16, (x, 0.50, 0.03), dark, r=0.05, bevel=0.04)


@kind("handheld_console", yaw=20, elev=22)
def handheld_console(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("plastic", "metal"), "plastic")
    dark = m.black()
    with s.placed((0, 0, 0.58), (-24, 0, 0)):
        s.slab(2.2, 0.98, 0.15, (0, 0, 0), body, r=0.3, bevel=0.05, upright=True)
        s.slab(1.30, 0.84, 0.02, (0, -0.075, 0), m.black(0.06), r=0.05, bevel=0.004, upright=True)
        a, b = rng.choice(SCREENS)
        y = -0.09
        s.slab(1.18, 0.72, 0.006, (0, y, 0), m.screen(a, b, 0.8, 1.0), r=0.02, bevel=0, upright=True)
        # a small platform game
        for k in range(9):
            s.box(
                (0.125, 0.004, 0.07),
                (-0.525 + 0.131 * k, y - 0.005, -0.32),
                m.material("#6aa84f", 0.5, glow=0.6),
                bevel=0,
            )
        for x, z, n in ((-0.3, -0.08, 3), (0.22, 0.06, 2)):
            for k in range(n):
                s.box((0.07, 0.004, 0.06), (x + 0.075 * k, y - 0.005, z), m.material("#c8843a", 0.5, glow=0.7), bevel=0)
        s.cyl(0.07, 0.004, (0.4, y - 0.005, 0.23), m.material("#ffe08a", 0.5, glow=1.2), rot=(90, 0, 0))
        s.box((0.06, 0.004, 0.09), (-0.24, y - 0.005, 0.0), m.material("#e4472f", 0.5, glow=0.9), bevel=0)
        s.box((0.06, 0.004, 0.05), (-0.24, y - 0.006, 0.05), m.material("#f4c9a0", 0.5, glow=0.9), bevel=0)
        f = -0.085
        s.prism(
            [
                (x * 0.14, z * 0.14)
                for x, z in (
                    (-0.35, 1),
                    (0.35, 1),
                    (0.35, 0.35),
                    (1, 0.35),
                    (1, -0.35),
                    (0.35, -0.35),
                    (0.35, -1),
                    (-0.35, -1),
                    (-0.35, -0.35),
                    (-1, -0.35),
                    (-1, 0.35),
                    (-0.35, 0.35),
                )
            ],
            0.08,
            dark,
            (-0.87, f, 0.18),
            bevel=0.02,
            upright=True,
        )
        for k in range(4):
            ang = math.radians(90 * k)
            s.cyl(
                0.055,
                0.07,
                (0.87 + 0.115 * math.cos(ang), f - 0.01, 0.18 + 0.115 * math.sin(ang)),
                c.trim(),
                rot=(90, 0, 0),
                bevel=0.018,
            )
        for x, z in ((-0.87, -0.2), (0.87, -0.2)):
            s.cyl(0.05, 0.12, (x, f - 0.04, z), dark, rot=(90, 0, 0))
            s.cyl(0.105, 0.04, (x, f - 0.10, z), m.rubber(), rot=(90, 0, 0), bevel=0.015)
        for side in (-1, 1):
            s.slab(0.36, 0.06, 0.12, (side * 0.82, 0.0, 0.49), dark, r=0.03, bevel=0.02, upright=True)
    s.box((0.5, 0.03, 0.5), (0, 0.22, 0.22), dark, rot=(28, 0, 0), bevel=0.01)


@kind("dice", yaw=24, elev=26)
def dice(c: m.Colours, rng: random.Random) -> None:
    spots = {
        1: [(0, 0)],
        2: [(-1, -1), (1, 1)],
        3: [(-1, -1), (0, 0), (1, 1)],
        4: [(-1, -1), (1, 1), (-1, 1), (1, -1)],
        5: [(-1, -1), (1, 1), (-1, 1), (1, -1), (0, 0)],
        6: [(-1, -1), (1, 1), (-1, 1), (1, -1), (-1, 0), (1, 0)],
    }
    faces = [((0, 0, 0), 1), ((90, 0, 0), 2), ((0, 90, 0), 3), ((0, -90, 0), 4), ((-90, 0, 0), 5)]
    for k, (x, y, z, turn) in enumerate(
        ((-0.55, 0, 0, 12), (0.5, -0.2, 0, 38), (0.15, 0.75, 0, -20), (-0.1, 0.15, 0.7, 55), (-0.75, -0.85, 0, 64))
    ):
        mat = c.solid(("wood", "metal", "glass"), "plastic") if k % 2 == 0 else c.trim()
        pip = m.white(0.3) if sum(c.main if k % 2 == 0 else c.accent) < 1.2 else m.black(0.3)
        start = rng.randrange(5)
        with s.placed((x, y, z + 0.35), (0, 0, turn)):
            s.box((0.7, 0.7, 0.7), (0, 0, 0), mat, bevel=0.09, segs=4)
            for j, (rot, _) in enumerate(faces):
                with s.placed((0, 0, 0), rot):
                    for px, py in spots[(start + j) % 6 + 1]:
                        s.sphere(0.068, (px * 0.19, py * 0.19, 0.345), pip, scale=(1, 1, 0.25), steps=20)


def chessman(name: str, mat) -> None:
    base = [(0, 0), (0.17, 0), (0.17, 0.05), (0.13, 0.08), (0.14, 0.11), (0.09, 0.16)]
    tall = {"pawn": 0.34, "rook": 0.36, "bishop": 0.48, "queen": 0.62, "king": 0.66, "knight": 0.2}[name]
    s.lathe(
        [*base, (0.06, tall * 0.6 + 0.05), (0.07, tall - 0.02), (0.11, tall), (0.07, tall + 0.03), (0, tall + 0.03)],
        mat,
        bevel=0.015,
        steps=32,
    )
    if name == "pawn":
        s.sphere(0.095, (0, 0, tall + 0.09), mat, steps=24)
    elif name == "rook":
        s.lathe(
            [
                (0, tall + 0.02),
                (0.09, tall + 0.02),
                (0.115, tall + 0.12),
                (0.12, tall + 0.2),
                (0.075, tall + 0.2),
                (0.075, tall + 0.13),
                (0, tall + 0.13),
            ],
            mat,
            bevel=0.01,
            steps=32,
        )
    elif name == "bishop":
        s.lathe(
            [(0, tall), (0.08, tall + 0.05), (0.085, tall + 0.12), (0.03, tall + 0.22), (0, tall + 0.23)],
            mat,
            smooth=5,
            steps=32,
        )
        s.sphere(0.03, (0, 0, tall + 0.24), mat, steps=16)
    elif name == "knight":
        s.prism(
            [
                (-0.11, 0),
                (0.11, 0),
                (0.12, 0.15),
                (0.09, 0.3),
                (0.03, 0.40),
                (-0.02, 0.46),
                (-0.04, 0.40),
                (-0.17, 0.29),
                (-0.18, 0.22),
                (-0.13, 0.20),
                (-0.05, 0.24),
                (-0.10, 0.1),
            ],
            0.14,
            mat,
            (0, 0, tall),
            bevel=0.04,
            smooth=4,
            upright=True,
        )
    else:
        s.lathe(
            [(0, tall + 0.02), (0.07, tall + 0.02), (0.12, tall + 0.17), (0.06, tall + 0.2), (0, tall + 0.21)],
            mat,
            bevel=0.015,
            steps=32,
        )
        if name == "king":
            s.box((0.03, 0.03, 0.13), (0, 0, tall + 0.27), mat, bevel=0.006)
            s.box((0.09, 0.03, 0.03), (0, 0, tall + 0.28), mat, bevel=0.006)
        else:
            s.sphere(0.04, (0, 0, tall + 0.24), mat, steps=16)


@kind("chess_set", yaw=30, elev=26)
def chess_set(c: m.Colours, rng: random.Random) -> None:
    dark, light = c.solid(("wood", "metal"), "wood"), m.material("#e2c99f", 0.4, pattern="wood", coat=0.2)
    s.box((3.5, 3.5, 0.16), (0, 0, 0.08), dark, bevel=0.04)
    for i in range(8):
        for j in range(8):
            s.box(
                (0.398, 0.398, 0.02),
                (-1.4 + 0.4 * i, -1.4 + 0.4 * j, 0.162),
                light if (i + j) % 2 else m.material(m.shade(c.main, 0.5), 0.4, pattern="wood"),
                bevel=0.003,
                segs=1,
            )
    order = ["rook", "knight", "bishop", "queen", "king", "bishop", "knight", "rook"]
    black_men = m.material(m.shade(c.main, 0.28), 0.3, pattern="wood", coat=0.4)
    for mat, back, front, sign in ((light, -1.4, -1.0, 1), (black_men, 1.4, 1.0, -1)):
        for k, name in enumerate(order):
            with s.placed((-1.4 + 0.4 * k, back, 0.17), (0, 0, 90 * sign)):
                chessman(name, mat)
            ahead = rng.choice([0, 0, 0, 0.4, 0.8]) * sign
            with s.placed((-1.4 + 0.4 * k, front + ahead, 0.17)):
                chessman("pawn", mat)


@kind("board_game", yaw=24, elev=36, flat=True)
def board_game(c: m.Colours, rng: random.Random) -> None:
    palette = ["#d9cfa8", "#7fa05a", "#c98a4b", "#8fb3c4", "#b5553f", c.main, c.accent]
    s.box((2.6, 2.6, 0.05), (0, 0, 0.025), m.material(m.shade(c.main, 0.9), 0.6, pattern="paper"), bevel=0.01)
    s.box((2.44, 2.44, 0.01), (0, 0, 0.052), m.material("#e8dfc8", 0.6, pattern="paper"), bevel=0)
    tiles = []
    for q in range(-2, 3):
        for r in range(-2, 3):
            if abs(q + r) <= 2:
                tiles.append((0.40 * (q + r / 2), 0.346 * r))
    for x, y in tiles:
        hexagon = [(0.225 * math.sin(math.radians(60 * k)), 0.225 * math.cos(math.radians(60 * k))) for k in range(6)]
        s.prism(hexagon, 0.03, m.material(rng.choice(palette), 0.55, pattern="paper"), (x, y, 0.07), bevel=0.006)
        if rng.random() < 0.55:
            s.cyl(0.075, 0.015, (x, y, 0.09), m.paper(), bevel=0.003)
            s.text(str(rng.choice([2, 3, 4, 5, 6, 8, 9])), 0.09, (x, y, 0.099), m.black(), rot=(0, 0, 0), depth=0.001)
    for k, col in enumerate((c.main, c.accent, m.srgb("#b5332a"), m.srgb("#2f5f9a"))):
        mat = m.material(col, 0.45, coat=0.3)
        for _ in range(3):
            x, y = rng.choice(tiles)
            with s.placed((x + 0.11, y + rng.uniform(-0.12, 0.12), 0.085), (0, 0, rng.uniform(0, 90)), 0.9):
                s.box((0.12, 0.09, 0.09), (0, 0, 0.045), mat, bevel=0.006)
                s.prism([(-0.065, 0), (0.065, 0), (0, 0.07)], 0.1, mat, (0, 0, 0.09), bevel=0.005, upright=True)
        with s.placed((-1.05 + 0.2 * k, -1.05, 0.055)):
            s.lathe([(0, 0), (0.07, 0), (0.04, 0.1), (0.03, 0.18), (0, 0.2)], mat, smooth=4)
            s.sphere(0.05, (0, 0, 0.22), mat, steps=20)
    with s.placed((1.95, 0.3, 0), (0, 0, -16)):
        s.box((1.0, 1.5, 0.34), (0, 0, 0.17), m.material(c.main, 0.5, pattern="paper"), bevel=0.02)
        s.box((1.02, 1.52, 0.22), (0, 0, 0.25), m.material(c.main, 0.35, coat=0.4), bevel=0.015)
        s.text("ISLES", 0.26, (0, 0.3, 0.362), m.paper(), rot=(0, 0, 0))
        for k in range(3):
            s.cyl(
                0.2 - 0.04 * k, 0.004, (-0.2 + 0.22 * k, -0.3, 0.362 + 0.002 * k), m.material(palette[k], 0.5), bevel=0
            )
    for x, y in ((1.0, -1.5), (1.25, -1.42)):
        s.box((0.16, 0.16, 0.16), (x, y, 0.08), m.white(), bevel=0.02, rot=(0, 0, 30 * x))
        for px, py in ((-0.04, -0.04), (0.04, 0.04), (0, 0)):
            s.sphere(0.015, (x + px, y + py, 0.158), m.black(), scale=(1, 1, 0.3), steps=12)
    for k in range(4):
        s.slab(
            0.3,
            0.44,
            0.006,
            (-0.6 + 0.17 * k, -1.62 + 0.02 * k, 0.006 + 0.004 * k),
            m.material(palette[(k + 2) % 5], 0.5),
            r=0.03,
            bevel=0.001,
            rot=(0, 0, 14 - 12 * k),
        )
