"""Home: lighting, decoration and furniture."""

import math
import random

import materials as m
import shapes as s
from kinds import kind


@kind("table_lamp", yaw=20, elev=10)
def table_lamp(c: m.Colours, rng: random.Random) -> None:
    base = c.solid(("ceramic", "wood", "metal", "glass"), "ceramic")
    shade_mat = m.material(m.shade(c.accent, 2.2, 0.7), 0.9, pattern="fabric", glow=0.35)
    if rng.random() < 0.6:
        s.lathe(
            rng.choice(
                [
                    [(0, 0), (0.3, 0), (0.42, 0.2), (0.40, 0.45), (0.18, 0.75), (0.08, 0.9), (0, 0.92)],
                    [(0, 0), (0.22, 0), (0.30, 0.08), (0.44, 0.4), (0.34, 0.7), (0.10, 0.84), (0, 0.88)],
                ]
            ),
            base,
            smooth=8,
        )
        s.cyl(0.03, 0.3, (0, 0, 1.0), m.brass())
        s.lathe([(0.60, 1.0), (0.40, 1.62)], shade_mat, bevel=0)
        s.lathe([(0.59, 1.003), (0.39, 1.617)], m.material("#fff0d6", 0.8, glow=0.9), bevel=0)
        s.torus(0.60, 0.012, (0, 0, 1.0), shade_mat)
        s.torus(0.40, 0.012, (0, 0, 1.62), shade_mat)
    else:
        s.cyl(0.36, 0.06, (0, 0, 0.03), base, bevel=0.015)
        s.tube([(0, 0.15, 0.05), (0, 0.15, 0.95), (0, 0.12, 1.15)], 0.028, m.brass())
        s.lathe([(0.06, 0.52), (0.30, 0.44), (0.52, 0.12), (0.55, 0)], c.body("metal"), (0, 0, 1.02), smooth=8)
        s.lathe(
            [(0.05, 0.505), (0.29, 0.43), (0.51, 0.12), (0.54, 0.0)],
            m.material("#fff6e6", 0.6, glow=0.35),
            (0, 0, 1.015),
            smooth=8,
        )
        s.sphere(0.13, (0, 0, 1.12), m.material("#fff0d0", 0.4, glow=3))
        s.sphere(0.05, (0, 0, 1.56), m.brass())
    s.tube(
        [(0, 0.3, 0.03), (0.2, 0.6, 0.02), (0.7, 0.75, 0.02), (1.0, 0.6, 0.02)],
        0.014,
        m.material("#d8cdb8", 0.8, pattern="fabric"),
    )


@kind("vase", yaw=10, elev=12)
def vase(c: m.Colours, rng: random.Random) -> None:
    forms = [
        [(0, 0), (0.24, 0), (0.45, 0.22), (0.50, 0.5), (0.30, 0.85), (0.17, 1.0), (0.24, 1.12)],
        [(0, 0), (0.28, 0), (0.32, 0.3), (0.38, 0.8), (0.24, 1.0), (0.20, 1.05), (0.21, 1.1)],
        [(0, 0), (0.30, 0), (0.48, 0.3), (0.42, 0.55), (0.14, 0.75), (0.12, 1.1), (0.18, 1.15)],
    ]
    form = rng.choice(forms)
    wall = [(r - 0.03, z) for r, z in form[:1:-1]]
    s.lathe(s.spline(form, 10) + s.spline(wall, 10), c.solid(("ceramic", "glass", "metal", "wood"), "ceramic"))
    top = form[-1][1] - 0.1
    kind_of = rng.randrange(3)
    green = m.material("#5f7a4a", 0.6)
    for _k in range(9 if kind_of else 5):
        a, lean, h = rng.uniform(0, 6.28), rng.uniform(0.1, 0.45), rng.uniform(0.6, 1.05)
        tip = (lean * math.cos(a), lean * math.sin(a), top + h)
        stem = [(0.03 * math.cos(a), 0.03 * math.sin(a), top - 0.3), (0.3 * tip[0], 0.3 * tip[1], top + h * 0.5), tip]
        if kind_of == 0:  # eucalyptus
            s.tube(stem, 0.012, m.material("#6b5a45", 0.7))
            for j in range(9):
                t = 0.3 + 0.075 * j
                p = [stem[0][i] * (1 - t) ** 2 + 2 * stem[1][i] * t * (1 - t) + stem[2][i] * t * t for i in range(3)]
                for side in (0, 180):
                    s.leaf(
                        0.2,
                        0.16,
                        m.material("#a3bfa8", 0.6, glow=0.12),
                        tuple(p),
                        (58, 0, math.degrees(a) + side + 40 * j),
                        bend=0.3,
                    )
        elif kind_of == 1:  # pampas grass
            s.tube(stem, 0.009, m.material("#b89b6c", 0.8))
            with s.placed(tip, (math.degrees(-lean * math.sin(a)), math.degrees(lean * math.cos(a)), 0)):
                s.lathe(
                    [(0, -0.25), (0.06, -0.12), (0.07, 0.05), (0.03, 0.22), (0, 0.28)],
                    m.material("#d8bf94", 0.95, pattern="fluffy"),
                    smooth=6,
                )
        else:  # flowers
            s.tube(stem, 0.012, green)
            petal = m.material(rng.choice(["#e8e2d0", "#d98a8f", "#e8b450", "#c884b0"]), 0.6, glow=0.22)
            with s.placed(
                tip, (math.degrees(-lean * math.sin(a)) * 1.6 - 20, math.degrees(lean * math.cos(a)) * 1.6, 0)
            ):
                for ring, (n, size) in enumerate(((9, 0.17), (7, 0.12), (5, 0.08))):
                    for j in range(n):
                        s.leaf(
                            size,
                            0.09,
                            petal,
                            (0, 0, 0.015 * ring),
                            (18 + 22 * ring, 0, 360 / n * j + 20 * ring),
                            bend=0.2,
                        )
                s.sphere(0.035, (0, 0, 0.035), m.material("#a8742a", 0.8, pattern="fluffy"), steps=16)
            s.leaf(0.25, 0.08, green, stem[1], (40, 0, math.degrees(a)), bend=0.5)


@kind("candle", yaw=10, elev=16)
def candle(c: m.Colours, rng: random.Random) -> None:
    wax = m.material(m.shade(c.main, 1.5, 0.8), 0.45, skin=0.4)
    flame = m.material("#ffc46a", 0.5, glow=9)
    style = rng.randrange(2)
    places = [(-0.45, 0.1, 1.0), (0.3, -0.25, 0.62), (0.5, 0.5, 1.3)] if style else [(0, 0, 0.75)]
    for x, y, h in places:
        with s.placed((x, y, 0)):
            if style:
                s.lathe([(0, 0), (0.36, 0), (0.36, 0.02), (0.34, 0.06), (0, 0.06)], c.trim("metal"), bevel=0.01)
                s.lathe(
                    [(0, 0.05), (0.26, 0.05), (0.26, h), (0.23, h + 0.01), (0.16, h - 0.04), (0, h - 0.05)],
                    wax,
                    bevel=0.03,
                )
            else:
                s.lathe(
                    [(0, 0), (0.42, 0), (0.42, 0.95), (0.39, 0.95), (0.39, 0.05), (0, 0.05)],
                    c.solid(("ceramic", "glass", "metal"), "ceramic"),
                    bevel=0.02,
                )
                s.cyl(0.385, 0.6, (0, 0, 0.40), m.material("#f2e6cf", 0.4, skin=0.4), bevel=0.01)
                s.slab(0.46, 0.4, 0.012, (0, -0.422, 0.48), m.paper(), r=0.02, bevel=0.002, upright=True)
                s.text("FIG & CEDAR", 0.06, (0, -0.432, 0.52), m.black(), depth=0.001)
                s.text("220 g", 0.04, (0, -0.432, 0.42), m.black(), depth=0.001)
            s.tube([(0, 0, h - 0.06), (0.005, 0, h + 0.05)], 0.010, m.black(), smooth=0)
            s.lathe([(0, 0), (0.035, 0.05), (0.03, 0.11), (0.008, 0.19), (0, 0.21)], flame, (0, 0, h + 0.03), smooth=6)


@kind("picture_frame", hang=True, focus=(-0.5, 0, 0.4))
def picture_frame(c: m.Colours, rng: random.Random) -> None:
    w, h = rng.choice([(1.3, 1.7), (1.5, 1.5), (1.8, 1.3)])
    s.prism(
        [s.rect(w, h), s.rect(w - 0.16, h - 0.16)],
        0.10,
        c.solid(("wood", "metal", "plastic"), "wood"),
        (0, 0, 0),
        bevel=0.015,
        upright=True,
    )
    s.slab(w - 0.14, h - 0.14, 0.02, (0, 0.02, 0), m.paper(), r=0, bevel=0, upright=True)
    iw, ih = w - 0.5, h - 0.5
    sky = m.material(rng.choice(["#e8d5bd", "#c9d5d2", "#e2c2ae"]), 0.8, pattern="paper")
    s.slab(iw, ih, 0.01, (0, 0.005, 0), sky, r=0, bevel=0, upright=True)
    s.prism(
        s.circle(ih * 0.13, rng.uniform(-0.2, 0.2) * iw, ih * 0.2),
        0.004,
        m.material(c.accent, 0.7, pattern="paper"),
        (0, -0.003, 0),
        bevel=0,
        upright=True,
    )
    for k, tone in enumerate((m.shade(c.accent, 0.7), c.main, m.shade(c.main, 0.45))):
        base = -ih / 2
        line = (
            [(-iw / 2, base)]
            + [
                (-iw / 2 + iw * j / 10, base + ih * (0.52 - 0.15 * k) + ih * rng.uniform(-0.07, 0.07))
                for j in range(11)
            ]
            + [(iw / 2, base)]
        )
        outline = [line[0], *s.spline(line[1:-1], 5), line[-1]]
        s.prism(
            outline, 0.004, m.material(tone, 0.8, pattern="paper"), (0, -0.007 - 0.004 * k, 0), bevel=0, upright=True
        )


@kind("wall_clock", hang=True, focus=(0.3, 0, 0.3))
def wall_clock(c: m.Colours, rng: random.Random) -> None:
    rim = c.solid(("wood", "metal", "plastic"), "wood")
    with s.placed((0, 0, 0), (90, 0, 0)):
        s.lathe(
            [(0, -0.1), (0.98, -0.1), (1.0, -0.06), (1.0, 0.10), (0.95, 0.12), (0.90, 0.10), (0.89, 0.0), (0, 0.0)],
            rim,
            bevel=0.02,
            steps=96,
        )
        s.cyl(0.895, 0.02, (0, 0, 0.0), m.material(m.shade(c.accent, 3.0, 0.5), 0.6, pattern="paper"), bevel=0)
        numbers = rng.random() < 0.6
        for k in range(60):
            a = math.radians(90 - 6 * k)
            big = k % 5 == 0
            if big and numbers:
                s.text(
                    str(k // 5 or 12), 0.20, (0.68 * math.cos(a), 0.68 * math.sin(a), 0.013), m.black(), rot=(0, 0, 0)
                )
            s.box(
                (0.10 if big and not numbers else 0.035, 0.03 if big else 0.01, 0.01),
                (0.82 * math.cos(a), 0.82 * math.sin(a), 0.012),
                m.black(),
                rot=(0, 0, math.degrees(a)),
                bevel=0,
            )
        for length, width, turn, z, mat in (
            (0.45, 0.05, 90 - 305, 0.035, m.black()),
            (0.70, 0.035, 90 - 52, 0.05, m.black()),
            (0.75, 0.012, 90 - 200, 0.065, m.material("#c43a28", 0.4)),
        ):
            with s.placed((0, 0, z), (0, 0, turn)):
                s.slab(length + 0.12, width, 0.012, (length / 2 - 0.06, 0, 0), mat, r=width * 0.45, bevel=0.003)
        s.cyl(0.04, 0.09, (0, 0, 0.04), m.brass(), bevel=0.008)


@kind("cushion", yaw=18, elev=18)
def cushion(c: m.Colours, rng: random.Random) -> None:
    main = c.solid(("leather",), "fabric", 1.3)
    second = m.material(c.accent, 0.9, pattern=rng.choice(["stripes", "knit", "fabric"]), scale=1.4)
    with s.placed((0.42, 0.55, 0.80), (78, 0, -10)):
        s.pillow(1.7, 1.7, 0.62, second)
    with s.placed((-0.15, -0.08, 0.72), (70, 0, 8)):
        s.pillow(1.5, 1.5, 0.62, main)
        if rng.random() < 0.6:
            for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
                with s.placed((0.77 * x, 0.77 * y, 0), (0, 0, math.degrees(math.atan2(y, x)))):
                    s.sphere(0.05, (0, 0, 0), second, steps=16)
                    s.bars(
                        [((0.03, 0, 0), (0.2, 0.05 * math.cos(k), 0.05 * math.sin(k))) for k in range(14)],
                        0.012,
                        second,
                    )


@kind("mirror", hang=True, focus=(-0.5, 0, 0.3))
def mirror(c: m.Colours, rng: random.Random) -> None:
    rim = c.solid(("wood", "metal", "plastic"), "metal")
    silver = m.material((0.85, 0.87, 0.88), 0.015, metallic=1.0)
    shape = rng.randrange(3)
    outline = [
        s.circle(1.0, n=96),
        s.circle(0.72, n=96, ry=1.05),
        s.rounded([(-0.7, -1), (0.7, -1), (0.7, 1), (-0.7, 1)], 0.69, n=18),
    ][shape]
    inner = [(x * 0.93, y * (0.93 if shape == 0 else 0.95)) for x, y in outline]
    s.prism([outline, inner], 0.14, rim, bevel=0.03, upright=True)
    s.prism(inner, 0.02, silver, (0, 0.0, 0), bevel=0, upright=True)
    s.tube(
        [
            (x * 1.0, -0.045, y * 1.0)
            for x, y in [(a * 0.945, b * (0.945 if shape == 0 else 0.963)) for a, b in outline]
        ],
        0.012,
        c.trim("metal"),
        closed=True,
        smooth=0,
    )
    if shape == 0:
        strap = m.material(m.shade(c.accent, 0.6), 0.6, pattern="leather")
        for side in (-1, 1):
            s.tube([(side * 0.66, -0.0, 0.76), (0, 0.0, 1.42)], 0.03, strap, smooth=0)
        s.cyl(0.06, 0.14, (0, -0.02, 1.42), rim, rot=(90, 0, 0), bevel=0.015)
    else:
        s.box((0.9, 0.3, 0.05), (0, -0.12, -1.12), rim, bevel=0.012)
        s.lathe(
            [(0, 0), (0.1, 0), (0.12, 0.15), (0.06, 0.25), (0.05, 0.25), (0.05, 0.02)],
            m.material(c.accent, 0.4, pattern="speckle"),
            (-0.25, -0.14, -1.095),
            smooth=4,
        )
        s.tube([(-0.25, -0.14, -0.95), (-0.22, -0.15, -0.6), (-0.32, -0.2, -0.42)], 0.008, m.material("#7a9a5a", 0.6))
        for k in range(5):
            s.leaf(
                0.16,
                0.07,
                m.material("#7a9a5a", 0.6),
                (-0.24 - 0.015 * k, -0.16, -0.8 + 0.09 * k),
                (40, 0, 75 * k),
                bend=0.4,
            )


def leg(x: float, y: float, h: float, mat, splay: float = 0.12, r: float = 0.055) -> None:
    """Tapered round leg under (x, y) splayed outwards."""
    s.tube(
        [(x, y, h), (x + math.copysign(splay, x), y + math.copysign(splay, y), 0)], r, mat, smooth=0, radii=[1.1, 0.6]
    )


@kind("chair", yaw=32, elev=16)
def chair(c: m.Colours, rng: random.Random) -> None:
    frame = (
        c.body("wood")
        if c.hint in ("wood", "plastic", "mixed", "paper", "ceramic", "glass")
        else m.oak()
        if c.hint != "metal"
        else c.body("metal")
    )
    seat_mat = c.trim("fabric") if c.hint in ("wood", "metal") else c.body()
    style = rng.randrange(2)
    for x in (-0.36, 0.36):
        leg(x, -0.36, 0.92, frame, 0.05)
        s.tube([(x, 0.38, 0.92), (x * 1.08, 0.47, 0)], 0.055, frame, smooth=0, radii=[1.0, 0.65])
        s.tube([(x, 0.38, 0.88), (x * 0.99, 0.44, 1.4), (x * 0.95, 0.56, 1.86)], 0.05, frame, radii=[1.0, 0.9, 0.7])
        s.tube([(x * 1.05, -0.39, 0.36), (x * 1.05, 0.43, 0.36)], 0.026, frame, smooth=0)
    s.tube([(-0.38, 0.02, 0.36), (0.38, 0.02, 0.36)], 0.026, frame, smooth=0)
    s.slab(0.96, 0.92, 0.09, (0, 0, 0.92), frame, r=0.16, bevel=0.03)
    if style == 0:
        s.soft_box((0.88, 0.84, 0.17), (0, -0.01, 1.0), seat_mat, crease=0.72)
        for k in range(3):
            z = 1.28 + 0.23 * k
            y = 0.42 + 0.055 * k
            s.loft(
                [
                    s.oval(x, y + 0.08 * (1 - (x / 0.36) ** 2), z, 0.022, 0.075, axis="x")
                    for x in (-0.37, -0.2, 0, 0.2, 0.37)
                ],
                frame,
            )
    else:
        s.soft_box((0.88, 0.84, 0.14), (0, -0.01, 0.99), seat_mat, crease=0.72)
        for k in range(7):
            x = -0.30 + 0.10 * k
            s.tube([(x, 0.40, 0.94), (x, 0.49, 1.4), (x, 0.57, 1.78)], 0.02, frame)
        s.loft(
            [
                s.oval(x, 0.54 + 0.09 * (1 - (x / 0.45) ** 2), 1.84, 0.04, 0.11, axis="x")
                for x in (-0.46, -0.44, -0.22, 0, 0.22, 0.44, 0.46)
            ],
            frame,
        )


@kind("stool", yaw=20, elev=18)
def stool(c: m.Colours, rng: random.Random) -> None:
    frame = c.solid(("wood", "metal"), "wood")
    if rng.random() < 0.5:
        s.lathe([(0, 0), (0.46, 0), (0.50, 0.04), (0.48, 0.09), (0.3, 0.08), (0, 0.06)], frame, (0, 0, 1.2), smooth=6)
    else:
        s.cyl(0.46, 0.06, (0, 0, 1.2), frame, bevel=0.02)
        s.lathe(
            [(0, 0.0), (0.46, 0.0), (0.50, 0.08), (0.44, 0.16), (0.2, 0.19), (0, 0.19)],
            c.trim("leather" if rng.random() < 0.5 else "fabric"),
            (0, 0, 1.23),
            smooth=7,
        )
    n = rng.choice([3, 4])
    feet = []
    for k in range(n):
        a = math.radians(45 + 360 / n * k)
        s.tube(
            [(0.30 * math.cos(a), 0.30 * math.sin(a), 1.2), (0.52 * math.cos(a), 0.52 * math.sin(a), 0)],
            0.06,
            frame,
            smooth=0,
            radii=[1, 0.6],
        )
        feet.append((0.43 * math.cos(a), 0.43 * math.sin(a), 0.42))
    if n == 4:
        for k in range(4):
            s.tube([feet[k], feet[(k + 1) % 4]], 0.028, frame, smooth=0)
    else:
        s.torus(0.43, 0.026, (0, 0, 0.42), c.trim("metal"))


@kind("side_table", yaw=20, elev=20)
def side_table(c: m.Colours, rng: random.Random) -> None:
    wood = c.solid(("wood", "metal", "glass", "plastic"), "wood")
    if rng.random() < 0.5:
        s.cyl(0.80, 0.07, (0, 0, 1.25), wood, bevel=0.025, steps=96)
        for k in range(3):
            a = math.radians(30 + 120 * k)
            s.tube(
                [(0.45 * math.cos(a), 0.45 * math.sin(a), 1.23), (0.66 * math.cos(a), 0.66 * math.sin(a), 0)],
                0.06,
                wood if c.hint != "glass" else m.oak(),
                smooth=0,
                radii=[1, 0.55],
            )
        s.cyl(0.52, 0.04, (0, 0, 0.48), c.trim("wood"), bevel=0.015)
    else:
        s.slab(1.2, 1.2, 0.08, (0, 0, 1.25), wood, r=0.1, bevel=0.02)
        s.box((1.0, 1.0, 0.30), (0, 0, 1.06), wood, bevel=0.015)
        s.box((0.9, 0.03, 0.22), (0, -0.5, 1.06), wood, bevel=0.012)
        s.sphere(0.04, (0, -0.545, 1.06), m.brass())
        for x in (-0.45, 0.45):
            for y in (-0.45, 0.45):
                leg(x, y, 0.95, wood, 0.06)
        s.slab(0.98, 0.98, 0.05, (0, 0, 0.36), wood, r=0.05, bevel=0.015)
    for k in range(2):
        s.box(
            (0.46, 0.34, 0.06),
            (-0.2, 0.1, 1.325 + 0.06 * k),
            m.material(rng.choice(["#c9b79a", "#6f8290", "#b5644a"]), 0.6, pattern="paper"),
            rot=(0, 0, 15 - 24 * k),
            bevel=0.006,
        )
    s.lathe(
        [(0, 0), (0.12, 0), (0.15, 0.1), (0.15, 0.2), (0.13, 0.2), (0.12, 0.04), (0, 0.04)],
        m.material(c.accent, 0.3, pattern="speckle", coat=0.4),
        (0.3, -0.25, 1.285),
        bevel=0.02,
    )


@kind("bookshelf", yaw=24, elev=12)
def bookshelf(c: m.Colours, rng: random.Random) -> None:
    wood = c.solid(("wood", "metal", "plastic"), "wood")
    w, d, h = 1.4, 0.45, 2.3
    for x in (-w / 2, w / 2):
        s.box((0.06, d, h), (x, 0, h / 2), wood, bevel=0.012)
    s.box((w, 0.02, h - 0.1), (0, d / 2 - 0.02, h / 2), m.material(m.shade(c.main, 0.8), 0.6), bevel=0)
    levels = [0.10, 0.64, 1.18, 1.72, 2.27]
    for z in levels:
        s.box((w, d, 0.055), (0, 0, z), wood, bevel=0.01)
    palette = ["#b5483a", "#2f5d7c", "#d9a441", "#4f6f52", "#e8e2d6", "#3a3a44", "#8a5a3c", "#7d8a97", "#c97b84"]
    for z in levels[:4]:
        x = -w / 2 + 0.06
        stop = rng.uniform(0.1, 0.6)
        while x < stop:
            t, bh = rng.uniform(0.04, 0.09), rng.uniform(0.30, 0.42)
            s.box(
                (t, rng.uniform(0.26, 0.33), bh),
                (x + t / 2, -0.02, z + 0.03 + bh / 2),
                m.material(rng.choice(palette), 0.6, pattern="paper"),
                bevel=0.008,
                segs=2,
            )
            x += t + 0.004
        if x < 0.45:
            choice = rng.randrange(3)
            if choice == 0:
                s.lathe(
                    [(0, 0), (0.1, 0), (0.14, 0.12), (0.06, 0.25), (0.08, 0.3)],
                    m.material(c.accent, 0.4, pattern="speckle"),
                    (0.5, 0, z + 0.028),
                    smooth=5,
                )
            elif choice == 1:
                s.lathe(
                    [(0, 0), (0.09, 0), (0.12, 0.16), (0.1, 0.16), (0.08, 0.05)],
                    m.material("#c07a52", 0.7),
                    (0.5, 0, z + 0.028),
                    bevel=0.01,
                )
                for k in range(12):
                    s.leaf(
                        rng.uniform(0.14, 0.24),
                        0.07,
                        m.material("#5f8a4f", 0.5),
                        (0.5, 0, z + 0.17),
                        (rng.uniform(20, 70), 0, 30 * k),
                        bend=0.6,
                    )
            else:
                for k in range(3):
                    s.box(
                        (0.34, 0.26, 0.06),
                        (0.46, 0, z + 0.06 + 0.062 * k),
                        m.material(rng.choice(palette), 0.6, pattern="paper"),
                        bevel=0.008,
                        rot=(0, 0, rng.uniform(-12, 12)),
                    )


@kind("armchair", yaw=30, elev=14)
def armchair(c: m.Colours, rng: random.Random) -> None:
    cloth = c.solid(("leather",), "fabric", 0.8)
    wood = c.trim("wood") if rng.random() < 0.3 else m.walnut()
    s.soft_box((1.5, 1.3, 0.42), (0, 0, 0.50), cloth, crease=0.86)
    s.soft_box((1.08, 1.12, 0.30), (0, -0.10, 0.80), cloth, crease=0.80, wrinkles=0.02)
    with s.placed((0, 0.50, 1.10), (-12, 0, 0)):
        s.soft_box((1.42, 0.36, 1.30), (0, 0, 0), cloth, crease=0.80)
        s.soft_box((1.02, 0.26, 0.92), (0, -0.20, 0.10), cloth, crease=0.76, wrinkles=0.02)
        for x in (-0.25, 0.25):
            s.sphere(0.035, (x, -0.325, 0.22), cloth, steps=16)
    for x in (-0.72, 0.72):
        s.soft_box((0.30, 1.34, 0.62), (x, -0.02, 0.80), cloth, crease=0.78)
    for x in (-0.55, 0.55):
        for y in (-0.45, 0.45):
            leg(x, y, 0.36, wood, 0.08, 0.06)
    with s.placed((0.24, -0.02, 1.10), (62, 0, -10)):
        s.pillow(0.66, 0.50, 0.24, c.trim("fabric", 2))


@kind("desk", yaw=24, elev=18)
def desk(c: m.Colours, rng: random.Random) -> None:
    wood = c.solid(("wood", "plastic"), "wood", 0.8)
    frame = c.trim("metal") if c.hint == "metal" else m.black() if rng.random() < 0.4 else wood
    s.slab(2.3, 1.0, 0.07, (0, 0, 1.18), wood, r=0.04, bevel=0.015)
    for x in (-1.05, 1.05):
        for y in (-0.42, 0.42):
            s.tube([(x * 0.96, y * 0.9, 1.16), (x, y, 0)], 0.05, frame, smooth=0, radii=[1, 0.7])
    s.box((0.62, 0.84, 0.44), (0.70, 0.0, 0.93), wood, bevel=0.012)
    for z in (1.03, 0.82):
        s.box((0.57, 0.03, 0.19), (0.70, -0.425, z), wood, bevel=0.01)
        s.slab(0.18, 0.03, 0.03, (0.70, -0.45, z), m.brass(), r=0.012, bevel=0.006, upright=True)
    with s.placed((-0.72, 0.2, 1.215), (0, 0, 20)):
        s.cyl(0.14, 0.03, (0, 0, 0.015), m.black(), bevel=0.008)
        s.tube([(0, 0, 0.02), (-0.12, 0, 0.32), (0.10, 0, 0.58)], 0.014, m.black(), smooth=0)
        s.lathe([(0.03, 0.1), (0.06, 0.08), (0.14, -0.06)], c.trim("metal"), (0.14, 0, 0.56), (0, 25, 0), bevel=0.01)
        s.sphere(0.05, (0.15, 0, 0.53), m.material("#fff0d0", 0.4, glow=4), steps=16)
    s.slab(0.62, 0.42, 0.02, (0.05, -0.1, 1.225), m.steel(0.35), r=0.03, bevel=0.006)
    s.slab(0.62, 0.40, 0.015, (0.05, 0.15, 1.41), m.steel(0.35), r=0.03, bevel=0.005, rot=(75, 0, 0))
    s.slab(
        0.57, 0.35, 0.004, (0.05, 0.137, 1.41), m.screen("#1d3a6b", "#d8734a", 0.8, 3), r=0.01, bevel=0, rot=(75, 0, 0)
    )
    s.lathe(
        [(0, 0), (0.05, 0), (0.055, 0.13), (0.045, 0.13), (0.04, 0.02)],
        m.material(c.accent, 0.4),
        (0.55, 0.3, 1.215),
        bevel=0.008,
    )
    for k in range(4):
        s.tube(
            [(0.55, 0.3, 1.24), (0.55 + 0.05 * math.cos(1.6 * k), 0.3 + 0.05 * math.sin(1.6 * k), 1.45)],
            0.010,
            m.material(rng.choice(["#d8a441", "#b5483a", "#3f6f8f"]), 0.4),
            smooth=0,
        )
