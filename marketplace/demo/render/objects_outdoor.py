"""Garden, tools and bicycles."""

import math
import random

import materials as m
import shapes as s
from kinds import kind

LEAF = ["#4f7a3f", "#6a9a55", "#3f6a48", "#7fa870"]


@kind("watering_can", yaw=20, elev=14)
def watering_can(c: m.Colours, rng: random.Random) -> None:
    metal = c.solid(("metal", "plastic"), "metal")
    s.lathe(
        [
            (0, 0),
            (0.50, 0),
            (0.50, 0.06),
            (0.47, 0.75),
            (0.49, 0.80),
            (0.46, 0.80),
            (0.42, 0.74),
            (0.44, 0.08),
            (0, 0.06),
        ],
        metal,
        bevel=0.02,
    )
    for z in (0.06, 0.42, 0.78):
        s.torus(0.495 - 0.03 * z, 0.018, (0, 0, z), metal)
    s.lathe([(0.46, 0.79), (0.40, 0.92), (0.2, 0.97)], metal, (0, 0.0, 0), smooth=5)
    s.tube([(-0.42, 0, 0.18), (-0.75, 0, 0.45), (-1.12, 0, 0.98)], 0.075, metal, radii=[1.6, 1.0, 0.7])
    with s.placed((-1.14, 0, 1.02), (0, -38, 0)):
        s.lathe([(0.05, -0.05), (0.06, 0.02), (0.19, 0.16), (0.19, 0.19), (0, 0.21)], c.trim("metal"), bevel=0.012)
        for r, n in ((0.06, 6), (0.12, 11)):
            for k in range(n):
                a = 2 * math.pi * k / n
                s.cyl(0.010, 0.01, (r * math.cos(a), r * math.sin(a), 0.202), m.black(), bevel=0, steps=12)
    s.tube(
        [
            (0.44, 0, 0.25),
            (0.80, 0, 0.34),
            (0.92, 0, 0.72),
            (0.66, 0, 1.10),
            (0.1, 0, 1.22),
            (-0.2, 0, 1.14),
            (-0.33, 0, 0.92),
        ],
        0.042,
        metal,
    )
    s.tube([(0.93, 0, 0.62), (0.86, 0, 0.92), (0.66, 0, 1.10)], 0.055, c.trim("wood"))
    s.tube([(-0.40, 0, 0.70), (-0.86, 0, 0.64)], 0.018, metal, smooth=0)


@kind("plant_pot", yaw=10, elev=16)
def plant_pot(c: m.Colours, rng: random.Random) -> None:
    pot = c.solid(("ceramic", "metal", "wood", "plastic"), "ceramic")
    s.lathe(
        [(0, 0), (0.36, 0), (0.50, 0.72), (0.55, 0.72), (0.55, 0.86), (0.49, 0.86), (0.47, 0.74), (0, 0.72)],
        pot,
        bevel=0.025,
    )
    s.lathe([(0, 0), (0.52, 0), (0.58, 0.07), (0.55, 0.07), (0.5, 0.03), (0, 0.03)], pot, (0, 0, -0.03), bevel=0.015)
    s.cyl(0.46, 0.05, (0, 0, 0.76), m.material("#2f2219", 0.95, pattern="fluffy"), bevel=0.01)
    plant = rng.randrange(3)
    green = m.material(rng.choice(LEAF), 0.42)
    if plant == 0:  # broad leaves on stems
        for k in range(13):
            a, lean = 2.4 * k, 0.12 + 0.035 * k
            h = 1.35 - 0.05 * k + rng.uniform(-0.1, 0.1)
            tip = (lean * math.cos(a), lean * math.sin(a), 0.75 + h * 0.62)
            s.tube(
                [(0.05 * math.cos(a), 0.05 * math.sin(a), 0.76), (tip[0] * 0.5, tip[1] * 0.5, 0.75 + h * 0.4), tip],
                0.014,
                green,
            )
            s.leaf(0.52, 0.34, green, tip, (30 - 2 * k, 0, math.degrees(a) - 90), bend=0.6)
    elif plant == 1:  # snake plant
        for k in range(11):
            a, r, h = 2.4 * k, 0.05 + 0.025 * k, rng.uniform(0.7, 1.25)

            def blade(u: float, v: float, a: float = a, h: float = h) -> tuple[float, float, float]:
                w = 0.085 * (1 - v**3) * (0.7 + 0.6 * v * (1 - v))
                x = (2 * u - 1) * w
                turn = a + 0.7 * v
                return (
                    x * math.cos(turn) + 0.12 * v * math.cos(a),
                    x * math.sin(turn) + 0.12 * v * math.sin(a),
                    h * v + abs(2 * u - 1) * 0.0,
                )

            s.sheet(
                blade,
                6,
                16,
                m.material(rng.choice(["#4f7a4a", "#5f8f55", "#3f6040"]), 0.4, pattern="paper"),
                (r * math.cos(a), r * math.sin(a), 0.76),
                thickness=0.02,
            )
    else:  # succulent rosette
        for ring, (n, size, tilt) in enumerate(
            ((13, 0.55, 12), (11, 0.46, 30), (8, 0.36, 48), (6, 0.26, 62), (4, 0.18, 75))
        ):
            for k in range(n):
                s.leaf(
                    size,
                    0.20,
                    m.material(rng.choice(["#8fb08a", "#9fb89a", "#86a58c"]), 0.5, skin=0.15),
                    (0, 0, 0.79 + 0.02 * ring),
                    (tilt, 0, 360 / n * k + 17 * ring),
                    bend=0.15,
                )


@kind("bird_house", yaw=28, elev=12)
def bird_house(c: m.Colours, rng: random.Random) -> None:
    wall, roof = c.solid(("wood",), "wood"), c.trim("wood")
    w, h, top = 0.9, 0.95, 1.45
    s.prism(
        [[(-w / 2, 0), (w / 2, 0), (w / 2, h), (0, top), (-w / 2, h)], s.circle(0.17, 0, 0.78)],
        0.06,
        wall,
        (0, -0.40, 0.1),
        bevel=0.01,
        upright=True,
    )
    s.prism(
        [(-w / 2, 0), (w / 2, 0), (w / 2, h), (0, top), (-w / 2, h)],
        0.72,
        m.material("#1c130d", 0.9),
        (0, 0.02, 0.1),
        bevel=0.01,
        upright=True,
    )
    for side in (-1, 1):
        s.box((0.05, 0.84, h), (side * w / 2, 0, 0.1 + h / 2), wall, bevel=0.008)
        with s.placed((side * 0.33, -0.03, 1.335), (0, side * 48, 0)):
            for k in range(4):
                s.box(
                    (0.24, 1.14, 0.035),
                    (side * (-0.26 + 0.19 * k), 0, 0.03 - 0.006 * k),
                    roof,
                    bevel=0.008,
                    rot=(0, -side * 5, 0),
                )
    s.torus(0.175, 0.03, (0, -0.435, 0.88), roof, rot=(90, 0, 0))
    s.tube([(0, -0.36, 0.55), (0, -0.68, 0.55)], 0.028, m.oak(), smooth=0)
    s.box((w + 0.18, 1.05, 0.06), (0, -0.03, 0.08), roof, bevel=0.012)
    with s.placed((0, -0.62, 0.58), (0, 0, 30)):  # a small bird on the perch
        feather = m.material("#4f86b0", 0.7, pattern="fluffy", scale=0.6)
        s.sphere(0.11, (0, 0, 0.12), feather, scale=(0.9, 1.3, 0.95), rot=(25, 0, 0))
        s.sphere(0.075, (0, -0.1, 0.24), feather)
        s.sphere(0.085, (0, -0.05, 0.10), m.material("#e8a860", 0.7), scale=(0.85, 1.0, 0.9))
        s.cyl(0.02, 0.07, (0, -0.19, 0.24), m.black(), r2=0.002, rot=(90, 0, 0))
        s.box((0.05, 0.18, 0.02), (0, 0.18, 0.09), feather, rot=(20, 0, 0))
        for x in (-0.045, 0.045):
            s.sphere(0.013, (x, -0.15, 0.265), m.black(0.1), steps=12)


@kind("spade", yaw=14, elev=40, flat=True)
def spade(c: m.Colours, rng: random.Random) -> None:
    wood, steel_mat = (
        c.body("wood") if c.hint == "wood" else m.oak(),
        c.body("metal") if c.hint != "wood" else m.steel(0.35),
    )
    with s.placed((0, 0, 0.12), (0, 0, 35)):
        for x, tine in ((-0.42, False), (0.42, True)):
            with s.placed((x, 0, 0)):
                if tine:
                    for dx in (-0.2, 0, 0.2):
                        s.tube(
                            [(dx * 0.5, -0.35, 0.03), (dx, -0.5, 0.02), (dx, -0.85, 0.0), (dx * 0.95, -1.15, 0.05)],
                            0.042,
                            steel_mat,
                            radii=[1, 1, 0.9, 0.3],
                        )
                    s.tube([(-0.2, -0.5, 0.02), (0, -0.36, 0.03), (0.2, -0.5, 0.02)], 0.05, steel_mat)
                else:

                    def blade(u: float, v: float) -> tuple[float, float, float]:
                        half = 0.26 * min(1.0, (1.02 - v) ** 0.5 * 1.35) * min(1, 0.6 + 2.5 * v)
                        x = (2 * u - 1) * half
                        return (x, -0.35 - 0.85 * v, 0.9 * x * x + 0.05 * v)

                    s.sheet(blade, 14, 20, steel_mat, thickness=0.025)
                s.tube([(0, -0.42, 0.03), (0, -0.22, 0.10), (0, 0.0, 0.06)], 0.05, steel_mat)
                s.loft(
                    [
                        s.oval(0, y, 0.06, r, r, axis="y")
                        for y, r in (
                            (-0.02, 0.06),
                            (0.0, 0.075),
                            (0.35, 0.085),
                            (0.8, 0.075),
                            (1.0, 0.09),
                            (1.06, 0.07),
                            (1.08, 0.03),
                        )
                    ],
                    wood,
                )
                s.torus(0.078, 0.014, (0, 0.02, 0.06), m.brass(), rot=(90, 0, 0))
                s.tube(
                    [(0, 1.02, 0.06), (0.08, 1.2, 0.02), (0, 1.34, 0.0), (-0.08, 1.2, 0.02), (0, 1.02, 0.06)],
                    0.014,
                    c.trim("leather"),
                )


@kind("lantern", yaw=24, elev=12)
def lantern(c: m.Colours, rng: random.Random) -> None:
    metal = c.solid(("metal", "wood"), "metal")
    w = 0.42
    for z, k in ((0.05, 1.15), (0.14, 1.0), (1.22, 1.0)):
        s.box((2 * w * k + 0.1, 2 * w * k + 0.1, 0.08), (0, 0, z), metal, bevel=0.015)
    for x in (-w, w):
        for y in (-w, w):
            s.box((0.06, 0.06, 1.1), (x, y, 0.68), metal, bevel=0.01)
    for turn in range(4):
        with s.placed((0, 0, 0), (0, 0, 90 * turn)):
            s.box((2 * w, 0.008, 1.02), (0, -w, 0.68), m.glass(), bevel=0)
            s.tube([(-w, -w - 0.01, 0.2), (w, -w - 0.01, 1.18)], 0.012, metal, smooth=0)
            s.tube([(w, -w - 0.01, 0.2), (-w, -w - 0.01, 1.18)], 0.012, metal, smooth=0)
    with s.placed((0, 0, 1.26), (0, 0, 45)):
        s.lathe([(0.68, 0), (0.66, 0.05), (0.2, 0.34), (0.2, 0.44), (0.24, 0.46), (0, 0.56)], metal, steps=4, sharp=30)
    s.torus(0.18, 0.024, (0, 0, 1.96), c.trim("metal"), rot=(90, 0, 0))
    s.cyl(0.21, 0.5, (0, 0, 0.43), m.material("#f1e6cf", 0.4, skin=0.4, glow=0.1), bevel=0.03)
    s.tube([(0, 0, 0.66), (0, 0, 0.74)], 0.012, m.black(), smooth=0)
    s.lathe(
        [(0, 0), (0.045, 0.06), (0.035, 0.14), (0, 0.27)], m.material("#ffc46a", 0.5, glow=14), (0, 0, 0.71), smooth=6
    )


@kind("hammer", yaw=20, elev=42, flat=True)
def hammer(c: m.Colours, rng: random.Random) -> None:
    handle = c.body("wood") if c.hint in ("wood", "mixed") else c.body("plastic")
    head = m.material((0.30, 0.30, 0.32), 0.3, metallic=1.0)
    with s.placed((0, 0, 0.2), (0, 0, 30)):
        s.loft(
            [
                s.oval(x, 0, 0, ry, rz, axis="x")
                for x, ry, rz in (
                    (-1.3, 0.05, 0.04),
                    (-1.27, 0.11, 0.085),
                    (-1.0, 0.12, 0.09),
                    (-0.6, 0.095, 0.07),
                    (0.0, 0.085, 0.06),
                    (0.8, 0.075, 0.055),
                    (0.98, 0.075, 0.05),
                )
            ],
            handle,
        )
        if c.hint not in ("wood", "mixed"):
            for k in range(6):
                s.torus(0.105, 0.012, (-1.15 + 0.1 * k, 0, 0), m.rubber(), rot=(0, 90, 0))
        s.box((0.30, 0.30, 0.26), (0.86, 0, 0), head, bevel=0.04)
        with s.placed((0.86, -0.15, 0), (90, 0, 0)):
            s.lathe(
                [(0, 0), (0.13, 0), (0.10, 0.10), (0.11, 0.18), (0.17, 0.22), (0.17, 0.32), (0.14, 0.345), (0, 0.345)],
                head,
                bevel=0.015,
            )
        for dx in (-0.07, 0.07):
            s.tube(
                [
                    (0.86 + dx * 0.5, 0.1, 0),
                    (0.86 + dx, 0.32, 0.01),
                    (0.84 + dx * 1.3, 0.52, 0.0),
                    (0.74 + dx * 1.5, 0.68, -0.02),
                ],
                0.085,
                head,
                radii=[1.3, 1.0, 0.7, 0.25],
            )
        s.box((0.04, 0.05, 0.02), (1.015, 0, 0.0), m.steel(), bevel=0)
    for _ in range(5):
        with s.placed((rng.uniform(-0.9, 0.6), rng.uniform(-0.9, -0.6), 0.03), (0, 0, rng.uniform(0, 180))):
            s.tube([(-0.16, 0, 0), (0.16, 0, 0)], 0.016, m.steel(), smooth=0)
            s.cyl(0.04, 0.012, (-0.16, 0, 0), m.steel(), rot=(0, 90, 0), bevel=0.003, steps=20)


@kind("screwdriver", yaw=10, elev=46, flat=True)
def screwdriver(c: m.Colours, rng: random.Random) -> None:
    for k, (x, turn, length) in enumerate(((-0.42, 24, 1.0), (0.0, 20, 0.8), (0.42, 26, 0.6))):
        with s.placed((x, 0, 0.15), (0, 0, turn)):
            mat, grip = (
                (c.body("plastic" if c.hint != "wood" else "wood"), m.rubber() if c.hint != "wood" else m.oak())
                if k != 1
                else (c.trim(), m.rubber())
            )
            s.lathe(
                [
                    (0, 0),
                    (0.09, 0.01),
                    (0.13, 0.08),
                    (0.14, 0.3),
                    (0.11, 0.5),
                    (0.13, 0.66),
                    (0.10, 0.76),
                    (0.06, 0.80),
                    (0, 0.8),
                ],
                mat,
                (0, 0.95, 0),
                (90, 0, 0),
                smooth=6,
            )
            for j in range(6):
                a = math.radians(60 * j)
                s.tube(
                    [
                        (0.115 * math.cos(a), 0.88, 0.115 * math.sin(a)),
                        (0.128 * math.cos(a), 0.68, 0.128 * math.sin(a)),
                        (0.10 * math.cos(a), 0.46, 0.10 * math.sin(a)),
                    ],
                    0.03,
                    grip,
                )
            s.tube([(0, 0.16, 0), (0, 0.16 - length, 0)], 0.038, m.steel(), smooth=0)
            if k % 2 == 0:
                s.loft(
                    [
                        [(w * px, 0.16 - length - d, t * pz) for px, pz in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
                        for d, w, t in ((0, 0.035, 0.035), (0.1, 0.07, 0.025), (0.18, 0.07, 0.01))
                    ],
                    m.black(0.3),
                    subdiv=0,
                    sharp=30,
                )
            else:
                s.cyl(0.036, 0.12, (0, 0.10 - length, 0), m.black(0.3), r2=0.01, rot=(90, 0, 0))
    for _ in range(6):
        with s.placed((rng.uniform(0.75, 1.1), rng.uniform(-0.7, 0.3), 0.03), (0, 0, rng.uniform(0, 360))):
            s.cyl(0.05, 0.025, (0, 0, 0.16), m.brass(), rot=(0, 0, 0), r2=0.03, steps=20)
            s.cyl(0.022, 0.18, (0, 0, 0.07), m.brass(), r2=0.03, steps=16)


@kind("drill", yaw=18, elev=12, side=1)
def drill(c: m.Colours, rng: random.Random) -> None:
    body, dark = c.solid(("plastic",), "plastic"), m.rubber()
    s.loft(
        [
            s.oval(x, 0, 1.28, ry, rz, power=2.6, axis="x")
            for x, ry, rz in (
                (0.62, 0.14, 0.16),
                (0.60, 0.2, 0.22),
                (0.4, 0.235, 0.27),
                (-0.1, 0.23, 0.26),
                (-0.42, 0.2, 0.22),
                (-0.44, 0.16, 0.18),
            )
        ],
        body,
    )
    s.loft(
        [
            s.oval(x, 0, 1.28, ry, rz, power=2.6, axis="x")
            for x, ry, rz in ((0.70, 0.12, 0.13), (0.68, 0.19, 0.2), (0.48, 0.24, 0.275), (0.46, 0.22, 0.25))
        ],
        dark,
    )
    for k in range(4):
        for side in (-1, 1):
            s.box((0.10, 0.02, 0.025), (0.32, side * 0.234, 1.38 - 0.07 * k), m.black(), bevel=0.006)
    with s.placed((-0.44, 0, 1.28), (0, -90, 0)):
        s.lathe([(0, 0), (0.19, 0), (0.20, 0.04), (0.19, 0.12), (0, 0.12)], m.black(0.35), bevel=0.015)
        s.lathe(
            [(0, 0.12), (0.16, 0.12), (0.16, 0.3), (0.10, 0.44), (0.05, 0.46), (0, 0.46)], m.black(0.3), bevel=0.015
        )
        for k in range(14):
            a = 2 * math.pi * k / 14
            s.box(
                (0.025, 0.02, 0.14),
                (0.16 * math.cos(a), 0.16 * math.sin(a), 0.22),
                m.black(0.5),
                bevel=0.005,
                rot=(0, 0, math.degrees(a)),
                segs=1,
            )
        s.tube([(0, 0, 0.4), (0, 0, 0.9)], 0.032, m.steel(), smooth=0)
        s.tube(
            [(0.03 * math.cos(k * 0.8), 0.03 * math.sin(k * 0.8), 0.5 + 0.015 * k) for k in range(26)],
            0.012,
            m.black(0.2),
        )
    s.loft(
        [
            s.oval(x, 0, z, rx, ry, power=2.5, axis="z")
            for x, z, rx, ry in (
                (0.20, 1.15, 0.22, 0.17),
                (0.24, 0.95, 0.17, 0.15),
                (0.30, 0.7, 0.16, 0.15),
                (0.34, 0.45, 0.18, 0.16),
                (0.34, 0.36, 0.24, 0.2),
            )
        ],
        body,
    )
    s.loft(
        [
            s.oval(x + 0.05, 0, z, rx, ry, power=2.5, axis="z")
            for x, z, rx, ry in (
                (0.22, 1.08, 0.14, 0.12),
                (0.24, 0.95, 0.145, 0.155),
                (0.30, 0.7, 0.14, 0.156),
                (0.34, 0.48, 0.14, 0.15),
            )
        ],
        dark,
    )
    s.soft_box((0.14, 0.12, 0.24), (0.04, 0, 0.92), m.black(), crease=0.5, rot=(0, -8, 0))
    s.box((0.80, 0.42, 0.13), (0.24, 0, 0.29), body, bevel=0.04)
    s.box((0.84, 0.44, 0.24), (0.22, 0, 0.13), m.black(0.5), bevel=0.05)
    for side in (-1, 1):
        s.slab(0.42, 0.1, 0.01, (0.22, side * 0.221, 0.14), c.trim(), r=0.03, upright=True)
        s.text("18 V", 0.1, (0.22, -0.228, 0.14), m.black(), depth=0.001)
    s.text("TARN", 0.13, (0.10, -0.246, 1.28), m.white(), depth=0.004)


@kind("toolbox", yaw=26, elev=18)
def toolbox(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("metal", "plastic", "wood"), "metal")
    s.box((2.0, 0.9, 0.62), (0, 0, 0.31), body, bevel=0.03)
    s.prism(
        [(-0.46, 0), (0.46, 0), (0.40, 0.22), (0.22, 0.34), (-0.22, 0.34), (-0.40, 0.22)],
        2.04,
        body,
        (0, 0, 0.64),
        (90, 0, 90),
        bevel=0.025,
        corner=0.04,
    )
    s.box((2.03, 0.93, 0.03), (0, 0, 0.635), c.trim("metal"), bevel=0.006)
    for x in (-0.6, 0.6):
        s.slab(0.2, 0.26, 0.04, (x, -0.465, 0.62), m.steel(), r=0.03, upright=True)
        s.slab(0.13, 0.12, 0.04, (x, -0.49, 0.66), m.steel(), r=0.02, upright=True)
    for x in (-0.55, 0.55):
        s.box((0.12, 0.14, 0.08), (x, 0, 1.0), m.steel(), bevel=0.02)
    s.tube(
        [(-0.55, 0, 1.0), (-0.55, 0, 1.14), (-0.42, 0, 1.2), (0.42, 0, 1.2), (0.55, 0, 1.14), (0.55, 0, 1.0)],
        0.035,
        m.steel(),
    )
    s.tube([(-0.36, 0, 1.2), (0.36, 0, 1.2)], 0.06, m.rubber() if c.hint != "wood" else m.walnut(), smooth=0)
    for z in (0.2, 0.42):
        s.box((1.94, 0.02, 0.02), (0, -0.452, z), body, bevel=0.008)
    s.slab(0.5, 0.16, 0.01, (0, -0.458, 0.31), m.black(), r=0.03, upright=True)
    s.text("TARNFIELD", 0.08, (0, -0.466, 0.31), m.white(), depth=0.002)
    for x in (-0.98, 0.98):
        for z in (0.06, 0.56):
            s.sphere(0.025, (x * 0.96, -0.45, z), m.steel(), steps=14)


@kind("spirit_level", yaw=22, elev=20)
def spirit_level(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("metal", "plastic", "wood"), "metal")
    vial = m.material("#c8e04a", 0.05, coat=1, glow=0.25)
    s.prism(
        [
            s.rect(2.8, 0.5),
            s.circle(0.16, -1.05),
            s.circle(0.16, 1.05),
            s.rect(0.5, 0.2, 0.04, 0, 0.12),
            s.rect(0.4, 0.14, 0.06, -0.5, -0.02),
            s.rect(0.4, 0.14, 0.06, 0.5, -0.02),
        ],
        0.2,
        body,
        (0, 0, 0.3),
        bevel=0.015,
        upright=True,
    )
    for x in (-1.42, 1.42):
        s.box((0.08, 0.22, 0.52), (x, 0, 0.3), m.rubber(), bevel=0.02)
    for x, turn in ((-1.05, 90), (1.05, 45)):
        s.cyl(0.155, 0.12, (x, 0, 0.3), m.material(c.accent, 0.4), rot=(90, 0, 0), bevel=0.01)
        with s.placed((x, -0.065, 0.3), (0, turn, 0)):
            s.tube([(-0.11, 0, 0), (0.11, 0, 0)], 0.05, vial, smooth=0)
            for d in (-0.035, 0.035):
                s.torus(0.052, 0.006, (d, 0, 0), m.black(), rot=(0, 90, 0))
    s.box((0.5, 0.12, 0.12), (0, 0, 0.38), m.material(c.accent, 0.4), bevel=0.01)
    s.tube([(-0.19, -0.03, 0.46), (0.19, -0.03, 0.46)], 0.065, vial, smooth=0)
    s.sphere(0.05, (0.0, -0.045, 0.485), m.material("#f4f8d0", 0.05, coat=1, glow=0.3), scale=(1.7, 0.9, 0.7))
    for d in (-0.09, 0.09):
        s.torus(0.067, 0.007, (d, -0.03, 0.46), m.black(), rot=(0, 90, 0))
    for k in range(54):
        s.box((0.006, 0.004, 0.05 if k % 5 == 0 else 0.03), (-1.3 + 0.049 * k, -0.101, 0.08), m.black(), bevel=0)


@kind("wrench", yaw=14, elev=46, flat=True)
def wrench(c: m.Colours, rng: random.Random) -> None:
    metal = m.steel(0.25) if c.hint in ("metal", "mixed") else c.body("metal")
    for k in range(4):
        size = 1.0 - 0.16 * k
        with s.placed((-0.66 + 0.44 * k, 0.06 * k, 0.06), (0, 0, 14), size):
            head = []
            for a in range(-250, 71, 10):
                head.append((0.23 * math.cos(math.radians(a)), 1.0 + 0.23 * math.sin(math.radians(a))))
            jaw = [(0.11, 1.22), (0.10, 0.98), (0.05, 0.92), (-0.05, 0.92), (-0.10, 0.98), (-0.11, 1.22)]
            s.prism(head + jaw, 0.10, metal, bevel=0.02)
            s.prism(
                [(-0.075, -0.85), (0.075, -0.85), (0.06, 0), (0.085, 0.86), (-0.085, 0.86), (-0.06, 0)],
                0.08,
                metal,
                bevel=0.025,
            )
            hexagon = [
                (
                    0.11 * math.cos(math.radians(30 * j)) * (1 if j % 2 else 0.93),
                    -1.0 + 0.11 * math.sin(math.radians(30 * j)) * (1 if j % 2 else 0.93),
                )
                for j in range(12)
            ]
            s.prism([s.circle(0.2, 0, -1.0), hexagon], 0.12, metal, bevel=0.02)
            s.slab(0.075, 0.8, 0.084, (0, 0, 0), c.trim("metal"), r=0.03, bevel=0.005)
            s.text(str(19 - 3 * k), 0.1, (0, 0.6, 0.045), m.black(), rot=(0, 0, 90), depth=0.002)
    for x, y in ((0.95, -0.7), (1.12, -0.45)):
        hexa = [(0.15 * math.cos(math.radians(60 * j)), 0.15 * math.sin(math.radians(60 * j))) for j in range(6)]
        s.prism([hexa, s.circle(0.08)], 0.12, m.steel(), (x, y, 0.08), bevel=0.015)
