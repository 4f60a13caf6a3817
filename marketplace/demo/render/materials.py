"""Materials for the product pictures: principled shaders with procedural grain, weave and speckle."""

import colorsys
from dataclasses import dataclass

import bpy

Colour = tuple[float, float, float]


def srgb(value: str | Colour) -> Colour:
    """'#rrggbb' to linear red, green, blue in 0..1; a tuple is taken as linear already."""
    if not isinstance(value, str):
        return value
    text = value.lstrip("#")
    parts = [int(text[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    return tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)


def shade(color: str | Colour, factor: float, saturation: float = 1.0) -> Colour:
    """Darker (factor < 1) or lighter (mixed with white) colour."""
    r, g, b = srgb(color)
    if factor > 1:
        r, g, b = (c + (1 - c) * (1 - 1 / factor) for c in (r, g, b))
    else:
        r, g, b = r * factor, g * factor, b * factor
    h, s, v = colorsys.rgb_to_hsv(r, g, b)
    return colorsys.hsv_to_rgb(h, min(1, s * saturation), v)


class _Nodes:
    """Small helper that adds and links shader nodes."""

    def __init__(self, mat: bpy.types.Material) -> None:
        self.tree = mat.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]
        self.coords = self.tree.nodes.new("ShaderNodeTexCoord").outputs["Object"]

    def node(self, kind: str, **inputs):
        made = self.tree.nodes.new(kind)
        for name, value in inputs.items():
            self.put(made.inputs[name.replace("_", " ")], value)
        return made

    def put(self, socket, value) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def mapped(self, scale: tuple[float, float, float]):
        return self.node("ShaderNodeMapping", Vector=self.coords, Scale=scale).outputs[0]

    def noise(self, scale: float, detail: float = 2.0, stretch: tuple[float, float, float] = (1, 1, 1), **more):
        return self.node("ShaderNodeTexNoise", Vector=self.mapped(stretch), Scale=scale, Detail=detail, **more).outputs[
            0
        ]

    def ramp(self, value, stops: list[tuple[float, Colour]]):
        made = self.node("ShaderNodeValToRGB", Fac=value)
        elements = made.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(0.5)
        for element, (at, color) in zip(elements, stops, strict=False):
            element.position, element.color = at, (*color, 1)
        return made.outputs[0]

    def bump(self, height, strength: float, distance: float = 0.02) -> None:
        made = self.node("ShaderNodeBump", Height=height, Strength=strength, Distance=distance)
        self.put(self.shader.inputs["Normal"], made.outputs[0])

    def sheen(self, c: Colour, weight: float) -> None:
        # in the stuff's own colour: white fuzz would turn dark cloth and soil grey
        self.put(self.shader.inputs["Sheen Weight"], weight)
        self.put(self.shader.inputs["Sheen Tint"], (*shade(c, 1.5), 1))

    def color(self, socket) -> None:
        self.put(self.shader.inputs["Base Color"], socket)


def _wood(n: _Nodes, c: Colour, scale: float) -> None:
    rings = n.noise(1.6 * scale, 4, (1, 9, 9), Distortion=0.6)
    fibres = n.noise(14 * scale, 3, (0.5, 14, 14))
    mix = n.node("ShaderNodeMath", Value=rings)
    mix.operation = "MULTIPLY_ADD"
    n.put(mix.inputs[1], 0.8)
    fine = n.node("ShaderNodeMath", Value=fibres)
    fine.operation = "MULTIPLY"
    n.put(fine.inputs[1], 0.2)
    n.put(mix.inputs[2], fine.outputs[0])
    n.color(n.ramp(mix.outputs[0], [(0.30, shade(c, 0.42)), (0.46, shade(c, 0.8)), (0.58, c), (0.72, shade(c, 1.18))]))
    n.bump(fibres, 0.12, 0.01)


def _fabric(n: _Nodes, c: Colour, scale: float) -> None:
    # two crossed waves make a weave; slow noise keeps large areas from looking painted
    heights = []
    for axis in ("X", "Z", "Y"):
        wave = n.node("ShaderNodeTexWave", Vector=n.coords, Scale=26 * scale, Distortion=1.2, Detail=1.0)
        wave.bands_direction = axis
        heights.append(wave.outputs[1])
    first = n.node("ShaderNodeMath", Value=heights[0])
    n.put(first.inputs[1], heights[1])
    total = n.node("ShaderNodeMath", Value=first.outputs[0])
    n.put(total.inputs[1], heights[2])
    n.bump(total.outputs[0], 0.35, 0.01)
    n.color(
        n.ramp(n.noise(30 * scale, 4), [(0.25, shade(c, 0.86)), (0.5, c), (0.75, tuple(min(1.0, 1.1 * x) for x in c))])
    )
    n.sheen(c, 0.35)


def _knit(n: _Nodes, c: Colour, scale: float) -> None:
    wave = n.node("ShaderNodeTexWave", Vector=n.coords, Scale=9 * scale, Distortion=2.0, Detail=1.0)
    n.bump(wave.outputs[1], 0.8, 0.04)
    n.color(n.ramp(wave.outputs[1], [(0.0, shade(c, 0.6)), (0.6, c), (1.0, shade(c, 1.15))]))
    n.sheen(c, 0.5)


def _fluffy(n: _Nodes, c: Colour, scale: float) -> None:
    noise = n.noise(40 * scale, 5)
    n.bump(noise, 1.0, 0.05)
    n.color(n.ramp(noise, [(0.3, shade(c, 0.5)), (0.5, c), (0.7, shade(c, 1.25))]))
    n.sheen(c, 0.8)


def _leather(n: _Nodes, c: Colour, scale: float) -> None:
    cells = n.node("ShaderNodeTexVoronoi", Vector=n.coords, Scale=42 * scale)
    n.bump(cells.outputs["Distance"], 0.22, 0.01)
    n.color(n.ramp(n.noise(3 * scale, 4), [(0.3, shade(c, 0.75)), (0.6, c), (0.8, shade(c, 1.1))]))


def _speckle(n: _Nodes, c: Colour, scale: float) -> None:
    spots = n.noise(55 * scale, 1)
    light = sum(c) / 3 > 0.25
    dot = shade(c, 0.3) if light else shade(c, 2.2)
    n.color(n.ramp(spots, [(0.0, c), (0.67, c), (0.71, dot)]))
    n.bump(n.noise(4 * scale, 2), 0.06, 0.05)


def _brushed(n: _Nodes, c: Colour, scale: float) -> None:
    lines = n.noise(10 * scale, 3, (1, 1, 40))
    n.put(n.shader.inputs["Roughness"], n.ramp(lines, [(0.2, (0.22,) * 3), (0.8, (0.42,) * 3)]))
    n.bump(lines, 0.03, 0.005)


def _hammered(n: _Nodes, c: Colour, scale: float) -> None:
    cells = n.node("ShaderNodeTexVoronoi", Vector=n.coords, Scale=12 * scale)
    cells.feature = "SMOOTH_F1"
    n.bump(cells.outputs["Distance"], 0.5, 0.03)


def _grain(n: _Nodes, c: Colour, scale: float) -> None:
    n.bump(n.noise(130 * scale, 2), 0.12, 0.005)


def _paper(n: _Nodes, c: Colour, scale: float) -> None:
    n.bump(n.noise(60 * scale, 5), 0.12, 0.005)
    n.color(n.ramp(n.noise(9 * scale, 5), [(0.3, shade(c, 0.9)), (0.7, c)]))


def _marble(n: _Nodes, c: Colour, scale: float) -> None:
    veins = n.noise(1.3 * scale, 8, Distortion=1.6)
    n.color(n.ramp(veins, [(0.0, c), (0.46, c), (0.5, shade(c, 0.45, 0.6)), (0.54, c), (0.7, shade(c, 0.85))]))


def _concrete(n: _Nodes, c: Colour, scale: float) -> None:
    cloud = n.noise(1.6 * scale, 8)
    n.color(n.ramp(cloud, [(0.25, shade(c, 0.7)), (0.55, c), (0.8, shade(c, 1.12))]))
    n.bump(n.noise(22 * scale, 6), 0.18, 0.02)


def _stripes(n: _Nodes, c: Colour, scale: float) -> None:
    wave = n.node("ShaderNodeTexWave", Vector=n.coords, Scale=1.0 * scale)
    n.color(n.ramp(wave.outputs[1], [(0.0, c), (0.49, c), (0.51, (0.8, 0.78, 0.72)), (1.0, (0.8, 0.78, 0.72))]))
    n.bump(n.noise(60, 3), 0.15, 0.01)


def _plaster(n: _Nodes, c: Colour, scale: float) -> None:
    n.bump(n.noise(5 * scale, 6), 0.10, 0.05)
    n.color(n.ramp(n.noise(0.8 * scale, 4), [(0.3, shade(c, 0.92)), (0.7, c)]))


PATTERNS = {
    "wood": _wood,
    "fabric": _fabric,
    "knit": _knit,
    "fluffy": _fluffy,
    "leather": _leather,
    "speckle": _speckle,
    "brushed": _brushed,
    "hammered": _hammered,
    "grain": _grain,
    "paper": _paper,
    "marble": _marble,
    "concrete": _concrete,
    "stripes": _stripes,
    "plaster": _plaster,
}


def material(
    color: str | Colour,
    roughness: float = 0.4,
    metallic: float = 0.0,
    transmission: float = 0.0,
    coat: float = 0.0,
    glow: float = 0.0,
    pattern: str | None = None,
    scale: float = 1.0,
    skin: float = 0.0,
) -> bpy.types.Material:
    """A principled material.

    pattern is a name from PATTERNS, glow the strength of emitted light, skin of light under the surface.
    """
    c = srgb(color)
    mat = bpy.data.materials.new("material")
    mat.use_nodes = True
    n = _Nodes(mat)
    values = {
        "Base Color": (*c, 1),
        "Roughness": roughness,
        "Metallic": metallic,
        "Transmission Weight": transmission,
        "Coat Weight": coat,
        "Coat Roughness": 0.08,
        "Emission Color": (*c, 1),
        "Emission Strength": glow,
        "Subsurface Weight": skin,
        "IOR": 1.45,
    }
    for name, value in values.items():
        n.shader.inputs[name].default_value = value
    n.shader.inputs["Subsurface Radius"].default_value = (0.2, 0.1, 0.06)
    if pattern:
        PATTERNS[pattern](n, c, scale)
    if transmission > 0.5:
        _let_light_through(n, c)
    return mat


def _let_light_through(n: _Nodes, c: Colour) -> None:
    """Glass that lamps shine through: without caustics its inside would stay dark."""
    path = n.node("ShaderNodeLightPath")
    either = n.node("ShaderNodeMath", Value=path.outputs["Is Shadow Ray"])
    either.operation = "MAXIMUM"
    n.put(either.inputs[1], path.outputs["Is Diffuse Ray"])
    clear = n.node("ShaderNodeBsdfTransparent", Color=(*(0.15 + 0.85 * x for x in c), 1))
    mix = n.node("ShaderNodeMixShader", Fac=either.outputs[0])
    n.put(mix.inputs[1], n.shader.outputs[0])
    n.put(mix.inputs[2], clear.outputs[0])
    n.put(n.tree.nodes["Material Output"].inputs["Surface"], mix.outputs[0])


def by_hint(hint: str, color: str | Colour, scale: float = 1.0) -> bpy.types.Material:
    """The usual surface of a named stuff in a colour."""
    c = srgb(color)
    if hint == "metal":
        grey = max(c) - min(c) < 0.12 or (c[0] > c[2] * 1.6 and c[0] < c[1] * 2.4 and max(c) > 0.15)
        if grey and max(c) > 0.06:
            return material(shade(c, 1.25), 0.28, metallic=1.0, pattern="brushed", scale=scale)
        return material(c, 0.32, metallic=0.25, coat=0.6)
    return {
        "wood": lambda: material(c, 0.45, pattern="wood", scale=scale, coat=0.15),
        "ceramic": lambda: material(c, 0.28, coat=0.5, pattern="speckle", scale=scale),
        "glass": lambda: material(shade(c, 1.6), 0.02, transmission=1.0),
        "fabric": lambda: material(c, 0.9, pattern="fabric", scale=scale),
        "leather": lambda: material(c, 0.5, pattern="leather", scale=scale),
        "paper": lambda: material(c, 0.8, pattern="paper", scale=scale),
        "plastic": lambda: material(c, 0.36, pattern="grain", scale=scale),
        "mixed": lambda: material(c, 0.4, pattern="grain", scale=scale),
    }[hint]()


def screen(top: str | Colour, bottom: str | Colour, glow: float = 0.9, scale: float = 1.0) -> bpy.types.Material:
    """A lit display: two colours flowing into each other under glass."""
    mat = material((0.01, 0.01, 0.012), 0.08, coat=1.0)
    n = _Nodes(mat)
    flow = n.noise(0.9 * scale, 1.5, Distortion=1.0)
    a, b = srgb(top), srgb(bottom)
    socket = n.ramp(flow, [(0.3, a), (0.45, shade(a, 1.3)), (0.55, shade(b, 0.8)), (0.7, b)])
    n.put(n.shader.inputs["Emission Color"], socket)
    n.shader.inputs["Emission Strength"].default_value = glow
    return mat


@dataclass
class Colours:
    """Colours of one product as the catalogue gives them, and the usual companions."""

    main: Colour
    accent: Colour
    hint: str

    def body(self, hint: str | None = None, scale: float = 1.0) -> bpy.types.Material:
        return by_hint(hint or self.hint, self.main, scale)

    def trim(self, hint: str = "plastic", scale: float = 1.0) -> bpy.types.Material:
        return by_hint(hint, self.accent, scale)

    def solid(self, allowed: tuple[str, ...], fallback: str, scale: float = 1.0) -> bpy.types.Material:
        """The main colour in the hinted stuff where the object can be made of it, else in the fallback."""
        return by_hint(self.hint if self.hint in allowed else fallback, self.main, scale)


def black(roughness: float = 0.4) -> bpy.types.Material:
    return material((0.012, 0.012, 0.014), roughness, pattern="grain")


def rubber() -> bpy.types.Material:
    return material((0.02, 0.02, 0.022), 0.75, pattern="grain")


def white(roughness: float = 0.4) -> bpy.types.Material:
    return material((0.8, 0.79, 0.77), roughness)


def steel(roughness: float = 0.22) -> bpy.types.Material:
    return material((0.72, 0.72, 0.74), roughness, metallic=1.0)


def brass() -> bpy.types.Material:
    return material((0.80, 0.55, 0.22), 0.22, metallic=1.0)


def gold() -> bpy.types.Material:
    return material((0.95, 0.66, 0.28), 0.14, metallic=1.0)


def oak(scale: float = 1.0) -> bpy.types.Material:
    return material("#c39a6b", 0.5, pattern="wood", scale=scale)


def walnut(scale: float = 1.0) -> bpy.types.Material:
    return material("#7a5236", 0.45, pattern="wood", scale=scale)


def glass(tint: str | Colour = (0.95, 0.97, 0.97)) -> bpy.types.Material:
    return material(tint, 0.01, transmission=1.0)


def paper() -> bpy.types.Material:
    return material("#efe9db", 0.8, pattern="paper")
