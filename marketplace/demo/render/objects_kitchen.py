"""Kitchen and table."""

import math
import random

import materials as m
import shapes as s
from kinds import kind


@kind("mug", yaw=32, elev=20, side=-1)
def mug(c: m.Colours, rng: random.Random) -> None:
    glaze = c.solid(("ceramic", "metal", "plastic", "glass"), "ceramic")
    r, h = 0.5, rng.choice([0.95, 1.05, 1.15])
    belly = rng.choice([0.0, 0.06])
    outer = [(0, 0), (r * 0.86, 0), (r * 0.98 + belly, 0.12), (r + belly, h * 0.5), (r, h * 0.97)]
    s.lathe(
        [
            *s.rounded(outer, 0.08, False),
            (r - 0.02, h),
            (r - 0.05, h * 0.97),
            (r - 0.06 + belly, h * 0.5),
            (r - 0.1, 0.1),
            (0, 0.08),
        ],
        glaze,
        bevel=0.02,
    )
    if rng.random() < 0.6:
        s.lathe(
            [(r * 0.875, -0.002), (r * 0.99 + belly + 0.004, 0.12), (r + belly + 0.004, h * 0.30)],
            m.material("#b9977a", 0.85, pattern="paper"),
            smooth=6,
        )
    s.tube(
        [
            (r - 0.03, 0, h * 0.80),
            (r + 0.2, 0, h * 0.84),
            (r + 0.36, 0, h * 0.62),
            (r + 0.32, 0, h * 0.36),
            (r + 0.12, 0, h * 0.22),
            (r - 0.03, 0, h * 0.24),
        ],
        0.07,
        glaze,
        radii=[1.2, 0.95, 0.9, 0.9, 0.95, 1.2],
    )
    if rng.random() < 0.7:
        s.cyl(r - 0.05, 0.01, (0, 0, h * 0.84), m.material("#2a1409", 0.12), bevel=0)
        s.torus(r - 0.075, 0.018, (0, 0, h * 0.845), m.material("#8a5a30", 0.4), flat=0.4)


@kind("teapot", yaw=24, elev=16)
def teapot(c: m.Colours, rng: random.Random) -> None:
    glaze = c.solid(("ceramic", "metal"), "ceramic")
    s.lathe(
        [(0, 0), (0.42, 0), (0.62, 0.12), (0.78, 0.42), (0.72, 0.75), (0.48, 0.98), (0.40, 1.0), (0.38, 0.97)],
        glaze,
        smooth=10,
    )
    s.lathe([(0.43, 1.0), (0.42, 1.03), (0.28, 1.11), (0.10, 1.15), (0, 1.15)], glaze, smooth=8)
    s.sphere(0.10, (0, 0, 1.22), c.trim("wood" if c.hint != "metal" else "plastic"))
    s.tube(
        [(-0.60, 0, 0.36), (-0.90, 0, 0.48), (-1.05, 0, 0.80), (-1.22, 0, 0.98)],
        0.10,
        glaze,
        radii=[1.9, 1.2, 0.85, 0.7],
    )
    s.torus(0.07, 0.018, (-1.225, 0, 0.985), glaze, rot=(0, -42, 0))
    if rng.random() < 0.5:
        s.tube(
            [(0.55, 0, 0.86), (0.85, 0, 0.98), (1.12, 0, 0.80), (1.10, 0, 0.48), (0.86, 0, 0.30), (0.70, 0, 0.30)],
            0.065,
            glaze,
        )
    else:
        for x in (-0.46, 0.46):
            s.torus(0.06, 0.02, (x, 0, 0.99), m.brass(), rot=(90, 0, 0))
        s.tube(
            [(-0.46, 0, 1.03), (-0.52, 0, 1.35), (-0.3, 0, 1.62), (0.3, 0, 1.62), (0.52, 0, 1.35), (0.46, 0, 1.03)],
            0.045,
            m.oak(),
        )
    s.torus(0.775, 0.008, (0, 0, 0.46), c.trim("ceramic"))


@kind("saucepan", yaw=24, elev=24, side=-1)
def saucepan(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("metal", "ceramic"), "metal")
    inner = m.steel(0.3)
    r, h = 0.72, 0.62
    s.lathe([(0, 0), (r * 0.93, 0), (r, 0.08), (r, h), (r + 0.04, h + 0.02)], body, bevel=0.05)
    s.lathe([(r + 0.04, h + 0.021), (r - 0.03, h), (r - 0.03, 0.08), (0, 0.05)], inner, bevel=0.02)
    handle = m.walnut() if rng.random() < 0.5 else m.black()
    with s.placed((r - 0.02, 0, h * 0.80), (0, -8, 0)):
        s.box((0.22, 0.13, 0.05), (0.1, 0, 0), m.steel(), bevel=0.015)
        s.loft(
            [
                s.oval(x, 0, 0, ry, rz, axis="x")
                for x, ry, rz in (
                    (0.18, 0.05, 0.04),
                    (0.2, 0.065, 0.05),
                    (0.5, 0.06, 0.045),
                    (0.95, 0.075, 0.05),
                    (1.1, 0.065, 0.045),
                    (1.13, 0.03, 0.02),
                )
            ],
            handle,
        )
    for y in (-0.05, 0.05):
        s.sphere(0.03, (r + 0.0, y * 1.2, h * 0.80), m.steel())
    if rng.random() < 0.7:
        s.lathe(
            [(r + 0.02, h + 0.035), (r * 0.6, h + 0.12), (0.1, h + 0.16), (0, h + 0.16)],
            m.glass((0.9, 0.94, 0.94)),
            smooth=6,
        )
        s.torus(r + 0.015, 0.028, (0, 0, h + 0.04), m.steel())
        s.lathe(
            [(0, h + 0.14), (0.06, h + 0.16), (0.04, h + 0.21), (0.12, h + 0.29), (0.10, h + 0.33), (0, h + 0.34)],
            handle,
            smooth=5,
        )


@kind("kettle", yaw=24, elev=14)
def kettle(c: m.Colours, rng: random.Random) -> None:
    body = c.solid(("metal", "ceramic", "plastic"), "metal")
    s.cyl(0.66, 0.07, (0, 0, 0.035), m.black(), bevel=0.02)
    s.lathe(
        [(0, 0.08), (0.62, 0.08), (0.64, 0.2), (0.56, 0.7), (0.44, 1.08), (0.40, 1.12), (0, 1.12)], body, bevel=0.06
    )
    s.torus(0.635, 0.014, (0, 0, 0.20), m.steel())
    s.lathe([(0.38, 1.12), (0.36, 1.16), (0.12, 1.2), (0, 1.2)], body, bevel=0.03)
    s.lathe([(0, 1.2), (0.045, 1.2), (0.04, 1.25), (0.09, 1.30), (0.08, 1.34), (0, 1.35)], c.trim("wood"), smooth=5)
    s.tube(
        [(-0.50, 0, 0.34), (-0.80, 0, 0.48), (-0.86, 0, 0.82), (-0.98, 0, 1.06), (-1.14, 0, 1.06)],
        0.055,
        body,
        radii=[1.8, 1.2, 0.9, 0.75, 0.7],
    )
    s.tube([(0.36, 0, 1.06), (0.62, 0, 1.16), (0.86, 0, 1.06)], 0.04, m.steel())
    s.loft(
        [
            s.oval(x, 0, z, rx, 0.075, axis="z")
            for x, z, rx in (
                (0.88, 1.12, 0.03),
                (0.89, 1.08, 0.07),
                (0.86, 0.8, 0.065),
                (0.80, 0.5, 0.07),
                (0.79, 0.44, 0.03),
            )
        ],
        c.trim("wood"),
    )
    s.cyl(0.07, 0.02, (0, -0.565, 0.40), m.black(), rot=(82, 0, 0))


@kind("pepper_mill", yaw=16, elev=10)
def pepper_mill(c: m.Colours, rng: random.Random) -> None:
    wood = c.solid(("wood", "metal", "ceramic", "plastic"), "wood")
    forms = [
        [
            (0, 0),
            (0.30, 0),
            (0.31, 0.1),
            (0.25, 0.22),
            (0.19, 0.55),
            (0.23, 0.85),
            (0.25, 1.0),
            (0.22, 1.1),
            (0.17, 1.14),
        ],
        [(0, 0), (0.28, 0), (0.28, 0.3), (0.20, 0.42), (0.26, 0.6), (0.20, 0.78), (0.22, 1.05), (0.17, 1.14)],
    ]
    with s.placed((-0.28, 0, 0)):
        s.lathe([*s.spline(forms[rng.randrange(2)], 8), (0, 1.14)], wood)
        s.cyl(0.165, 0.04, (0, 0, 1.16), m.steel())
        s.lathe(
            [(0, 1.18), (0.17, 1.18), (0.24, 1.26), (0.25, 1.36), (0.18, 1.50), (0.10, 1.54), (0, 1.55)], wood, smooth=8
        )
        s.sphere(0.055, (0, 0, 1.58), m.steel())
    with s.placed((0.38, -0.12, 0), scale=(0.9, 0.9, 0.66)):
        s.lathe([*s.spline(forms[0], 8), (0, 1.14)], c.trim("wood" if c.hint == "wood" else c.hint))
        s.cyl(0.165, 0.04, (0, 0, 1.16), m.steel())
        s.lathe(
            [(0, 1.18), (0.17, 1.18), (0.24, 1.26), (0.25, 1.36), (0.18, 1.50), (0.10, 1.54), (0, 1.55)],
            c.trim("wood" if c.hint == "wood" else c.hint),
            smooth=8,
        )
        s.sphere(0.055, (0, 0, 1.58), m.steel(), scale=(1, 1, 1.3))
    for _k in range(14):
        s.sphere(
            0.028,
            (rng.uniform(-0.1, 0.6), rng.uniform(-0.62, -0.4), 0.027),
            m.material("#2a1f18", 0.8, pattern="paper"),
            steps=16,
        )


@kind("cutting_board", yaw=24, elev=34, flat=True)
def cutting_board(c: m.Colours, rng: random.Random) -> None:
    board = c.solid(("wood", "plastic"), "wood", 0.7)
    outline = s.rounded(
        [(-1, -0.6), (0.75, -0.6), (0.75, -0.18), (1.25, -0.13), (1.25, 0.13), (0.75, 0.18), (0.75, 0.6), (-1, 0.6)],
        0.14,
    )
    s.prism([outline, s.circle(0.055, 1.13)], 0.11, board, (0, 0, 0.055), bevel=0.02)
    # bread, a tomato and a knife
    crumb = m.material("#e9c98d", 0.85, pattern="paper", skin=0.1)
    with s.placed((-0.45, 0.12, 0.11), (0, 0, 20)):
        s.loft(
            [
                s.oval(x, 0, 0.17, r * 1.15, r * 0.8, axis="x")
                for x, r in ((-0.42, 0.04), (-0.38, 0.13), (-0.2, 0.21), (0.05, 0.22), (0.22, 0.2), (0.225, 0.19))
            ],
            m.material("#a8682f", 0.8, pattern="concrete", scale=2),
        )
        for k in range(3):
            with s.placed((0.33 + 0.13 * k, 0, 0), (0, 62, 0)):
                s.cyl(0.20, 0.05, (-0.1, 0, 0), crumb, bevel=0.02)
    red = m.material("#c22a17", 0.15, coat=0.6, skin=0.2)
    for x, y in ((0.35, -0.36), (0.58, -0.28)):
        s.sphere(0.14, (x, y, 0.225), red, scale=(1, 1, 0.85))
        for k in range(5):
            s.leaf(0.1, 0.035, m.material("#3f6b2a", 0.6), (x, y, 0.34), (0, 0, 72 * k), bend=0.6)
    with s.placed((0.05, -0.42, 0.125), (0, 0, 6)):
        s.prism(
            [(-0.75, -0.02), (-0.1, -0.07), (0.0, -0.07), (0.0, 0.05), (-0.55, 0.05)],
            0.014,
            m.steel(),
            bevel=0.004,
            corner=0.02,
        )
        s.loft(
            [
                s.oval(x, -0.01, 0.01, ry, 0.03, axis="x")
                for x, ry in ((0, 0.05), (0.03, 0.055), (0.25, 0.05), (0.42, 0.06), (0.45, 0.03))
            ],
            c.trim("wood"),
        )


@kind("bowls", yaw=20, elev=26)
def bowls(c: m.Colours, rng: random.Random) -> None:
    def bowl(r: float, h: float, mat) -> None:
        s.lathe(
            s.spline([(0, 0), (r * 0.42, 0), (r * 0.44, 0.05), (r * 0.8, h * 0.4), (r, h)], 8)
            + s.spline([(r - 0.035, h + 0.005), (r * 0.75, h * 0.42), (r * 0.4, 0.1), (0, 0.08)], 8),
            mat,
        )

    main, second = c.solid(("ceramic", "wood", "metal", "glass"), "ceramic"), c.trim("ceramic")
    bowl(0.75, 0.5, main)
    with s.placed((0, 0, 0.13), (2, 1, 0)):
        bowl(0.66, 0.46, second)
    with s.placed((0, 0, 0.26), (-1, 2, 0)):
        bowl(0.57, 0.42, main)
    with s.placed((0.92, -0.62, 0)):
        bowl(0.42, 0.28, second if rng.random() < 0.5 else main)
        fruit = m.material(rng.choice(["#d8861c", "#7a9a2a", "#a8243a"]), 0.35, skin=0.15, pattern="grain")
        for k in range(5):
            a = math.radians(72 * k)
            s.sphere(0.13, (0.17 * math.cos(a), 0.17 * math.sin(a), 0.22), fruit)
        s.sphere(0.13, (0, 0, 0.34), fruit)
