"""The photo studio: sets, lights, camera and rendering around one object.

After `prepare` the object fits a sphere of radius 1 and stands on z = 0 (or hangs on a wall), the
camera looks along +y. All choices come from a seeded random generator.
"""

import math
import random
from pathlib import Path

import bpy
import materials as m
import shapes as s
from bpy_extras.object_utils import world_to_camera_view
from kinds import Kind
from mathutils import Vector

SIZE = 512
SOFT_COLOURS = [
    "#e9e2d8",
    "#dfe5e4",
    "#e8d9cc",
    "#d5dde6",
    "#ead7d3",
    "#d9e0d0",
    "#f0ece4",
    "#c9d3d0",
    "#e6dcc3",
    "#cfc7c0",
    "#b9c6cf",
    "#d8b9a4",
    "#aebba9",
    "#c8b6c4",
]
DEEP_COLOURS = ["#3d4a52", "#5a4a42", "#37504a", "#6b5560", "#4a4a55", "#7d6a55"]


def reset() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def corners(objects: list[bpy.types.Object]) -> list[Vector]:
    """Points in world space that outline the objects: vertices of the evaluated meshes, thinned out."""
    graph = bpy.context.evaluated_depsgraph_get()
    out = []
    for obj in objects:
        if obj.type not in {"MESH", "CURVE", "FONT"}:
            continue
        shape = obj.evaluated_get(graph)
        mesh = shape.to_mesh()
        step = max(1, len(mesh.vertices) // 400)
        out += [shape.matrix_world @ mesh.vertices[i].co for i in range(0, len(mesh.vertices), step)]
        shape.to_mesh_clear()
    return out


def bounds(points: list[Vector]) -> tuple[Vector, Vector]:
    low = Vector([min(p[i] for p in points) for i in range(3)])
    high = Vector([max(p[i] for p in points) for i in range(3)])
    return low, high


def prepare(yaw: float, hang: bool) -> list[bpy.types.Object]:
    """Turn, scale and place all objects of the scene; returns the visible ones."""
    objects = list(bpy.context.scene.objects)
    root = bpy.data.objects.new("root", None)
    bpy.context.scene.collection.objects.link(root)
    for obj in objects:
        if obj.parent is None:
            obj.parent = root
    root.rotation_euler = (0, 0, math.radians(yaw))
    bpy.context.view_layer.update()
    low, high = bounds(corners(objects))
    factor = 2.0 / max((high - low).length, 1e-6)
    centre = (low + high) / 2
    root.scale = (factor,) * 3
    # hung objects touch the wall at y = 0.35, standing ones the floor at z = 0
    shift = (
        Vector((-centre.x, -centre.y, -low.z)) if not hang else Vector((-centre.x, 0.35 / factor - high.y, -centre.z))
    )
    root.location = shift * factor
    bpy.context.view_layer.update()
    return objects


# ---- sets -------------------------------------------------------------------------------------------------------


def _sweep(color, hint_rough: float = 0.75) -> None:
    mat = m.material(color, hint_rough, pattern="plaster", scale=0.3)
    curve = (
        [(-6, 0), (3, 0)]
        + [(3 + 2 * math.sin(a), 2 - 2 * math.cos(a)) for a in (math.pi / 2 * k / 12 for k in range(13))]
        + [(5, 14)]
    )
    s.sheet(lambda u, v: ((u - 0.5) * 40, *_along(curve, v)), 1, 60, mat)


def _along(curve: list, v: float) -> tuple[float, float]:
    x = v * (len(curve) - 1)
    k = min(int(x), len(curve) - 2)
    f = x - k
    return tuple(a + (b - a) * f for a, b in zip(curve[k], curve[k + 1], strict=False))


def _wall(color, y: float = 3.2, pattern: str = "plaster") -> None:
    s.box((40, 0.1, 24), (0, y + 0.05, 6), m.material(color, 0.85, pattern=pattern, scale=0.5), bevel=0)


def set_sweep(rng: random.Random) -> None:
    _sweep(m.shade(rng.choice(SOFT_COLOURS), 1.0, rng.uniform(0.5, 1.3)))


def set_white(rng: random.Random) -> None:
    _sweep("#f4f3f1")


def set_table(rng: random.Random) -> None:
    tone = rng.choice(["#c8a57a", "#a87c52", "#8a5f3f", "#d8bf9c", "#6e4a33", "#b98f64"])
    # planks side by side, each with its own grain
    width = rng.uniform(0.9, 1.6)
    turn = rng.choice([0, 0, 90]) + rng.uniform(-4, 4)
    with s.placed((0, 0, 0), (0, 0, turn)):
        for k in range(-7, 8):
            board = s.box(
                (16, width, 0.2),
                (rng.uniform(-2, 2), k * width, -0.1),
                m.material(m.shade(tone, rng.uniform(0.88, 1.12)), 0.45, pattern="wood", scale=0.55, coat=0.1),
                bevel=0.012,
            )
            board.rotation_euler[0] = 0
    _wall(rng.choice(SOFT_COLOURS + DEEP_COLOURS[:2]), rng.uniform(3, 4.5))


def set_marble(rng: random.Random) -> None:
    s.box(
        (30, 20, 0.2),
        (0, 3, -0.1),
        m.material(rng.choice(["#eceae6", "#e3ddd6", "#d9d9da"]), 0.16, pattern="marble", scale=0.5),
        bevel=0.01,
    )
    _wall(rng.choice(SOFT_COLOURS), rng.uniform(3, 4.5))


def set_concrete(rng: random.Random) -> None:
    grey = rng.choice(["#a8a6a2", "#bcb8b2", "#8f9092", "#c9c5be"])
    s.box((30, 20, 0.2), (0, 3, -0.1), m.material(grey, 0.7, pattern="concrete", scale=0.6), bevel=0)
    _wall(grey if rng.random() < 0.5 else rng.choice(SOFT_COLOURS), rng.uniform(2.6, 4), "concrete")


def set_wall(rng: random.Random) -> None:
    color = rng.choice(SOFT_COLOURS)
    s.box(
        (40, 20, 0.2),
        (0, 3, -0.1),
        m.material(m.shade(color, rng.uniform(0.85, 1.2)), 0.7, pattern="plaster", scale=0.4),
        bevel=0,
    )
    _wall(color if rng.random() < 0.5 else rng.choice(SOFT_COLOURS), rng.uniform(1.7, 2.6))


def set_linen(rng: random.Random) -> None:
    s.box(
        (30, 20, 0.2),
        (0, 3, -0.1),
        m.material(
            rng.choice(["#d9d0c1", "#c9c8c2", "#b8b09f", "#e2dccf", "#9aa39c"]), 0.95, pattern="fabric", scale=0.7
        ),
        bevel=0,
    )
    _wall(rng.choice(SOFT_COLOURS), rng.uniform(3, 4.5))


def set_dark(rng: random.Random) -> None:
    _sweep(rng.choice(DEEP_COLOURS), 0.6)


def set_hang(rng: random.Random) -> None:
    s.box(
        (40, 0.1, 24),
        (0, 0.4, 0),
        m.material(
            rng.choice(SOFT_COLOURS + DEEP_COLOURS[:3]),
            0.85,
            pattern=rng.choice(["plaster", "plaster", "concrete"]),
            scale=0.8,
        ),
        bevel=0,
    )
    # a picture rail or panelling now and then, so that walls differ
    if rng.random() < 0.4:
        s.box((40, 0.06, 0.10), (0, 0.33, -1.28), m.material("#efeae2", 0.5), bevel=0.02)


SETS = [
    (set_sweep, 5),
    (set_white, 3),
    (set_table, 5),
    (set_marble, 2),
    (set_concrete, 3),
    (set_wall, 4),
    (set_linen, 2),
    (set_dark, 1),
]


# ---- lights -----------------------------------------------------------------------------------------------------


def _area(
    loc: tuple, target: tuple, size: float, power: float, color: tuple = (1, 1, 1), size_y: float | None = None
) -> None:
    data = bpy.data.lights.new("area", "AREA")
    data.energy, data.color, data.size = power, color, size
    if size_y:
        data.shape, data.size_y = "RECTANGLE", size_y
    obj = bpy.data.objects.new("area", data)
    bpy.context.scene.collection.objects.link(obj)
    obj.location = loc
    obj.rotation_euler = (Vector(target) - Vector(loc)).to_track_quat("-Z", "Y").to_euler()


def _world(low: tuple, high: tuple, strength: float) -> None:
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    tree = world.node_tree
    back = tree.nodes["Background"]
    back.inputs["Strength"].default_value = strength
    coords = tree.nodes.new("ShaderNodeTexCoord")
    split = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(coords.outputs["Generated"], split.inputs[0])
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].color = (*low, 1)
    ramp.color_ramp.elements[1].color = (*high, 1)
    tree.links.new(split.outputs["Z"], ramp.inputs[0])
    tree.links.new(ramp.outputs[0], back.inputs["Color"])


def light_softbox(rng: random.Random, side: int) -> None:
    _world((0.75, 0.75, 0.78), (1, 1, 1), 0.42)
    _area((side * 3.2, -2.4, 4.2), (0, 0, 0.5), 2.4, 330)
    _area((-side * 4.0, -1.5, 2.2), (0, 0, 0.5), 2.5, 80)
    _area((-side * 2.0, 2.6, 3.6), (0, 0, 0.5), 1.2, 120)


def light_window(rng: random.Random, side: int) -> None:
    cool = (0.86, 0.93, 1.0)
    _world((0.62, 0.62, 0.62), cool, 0.34)
    _area((side * 4.2, -1.0, 2.4), (0, 0, 0.5), 2.2, 520, cool, 3.2)
    _area((-side * 4, -2, 1.5), (0, 0, 0.4), 3, 45, (1, 0.93, 0.85))


def light_sun(rng: random.Random, side: int) -> None:
    _world((0.72, 0.74, 0.78), (0.86, 0.93, 1.0), 0.50)
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.angle, data.color = 3.2, math.radians(2.5), (1, 0.93, 0.82)
    obj = bpy.data.objects.new("sun", data)
    bpy.context.scene.collection.objects.link(obj)
    obj.rotation_euler = Vector((-side * 1.0, 0.55, -1.05)).to_track_quat("-Z", "Y").to_euler()


def light_evening(rng: random.Random, side: int) -> None:
    _world((0.50, 0.46, 0.46), (0.72, 0.76, 0.9), 0.42)
    _area((side * 4.2, -1.6, 2.2), (0, 0, 0.5), 1.3, 380, (1, 0.74, 0.48))
    _area((-side * 3.5, -2.5, 3), (0, 0, 0.5), 3, 90, (0.75, 0.85, 1.0))


def light_overcast(rng: random.Random, side: int) -> None:
    _world((0.80, 0.80, 0.82), (1, 1, 1), 0.85)
    _area((side * 0.8, -1.0, 5), (0, 0, 0), 4.5, 230, (0.97, 0.98, 1))


LIGHTS = [(light_softbox, 5), (light_window, 4), (light_sun, 3), (light_evening, 2), (light_overcast, 3)]


def _pick(rng: random.Random, options: list):
    return rng.choices([f for f, _ in options], [w for _, w in options])[0]


# ---- camera -----------------------------------------------------------------------------------------------------


def camera(objects: list[bpy.types.Object], view: str, spec: Kind, rng: random.Random) -> None:
    """Add a camera that frames the objects for the view: three_quarter, front, detail or above."""
    elev = {
        "three_quarter": spec.elev + rng.uniform(-3, 4),
        "front": max(6.0, spec.elev * 0.55) + rng.uniform(-2, 3),
        "detail": spec.elev + rng.uniform(-2, 8),
        "above": min(76.0, spec.elev + 34) + rng.uniform(-4, 4),
    }[view]
    if spec.hang:
        elev = {"above": 14.0, "detail": 8.0}.get(view, rng.uniform(2, 6))
    if spec.flat and view != "above":
        elev = max(elev, 24.0)
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width = 70, 36
    cam = bpy.data.objects.new("camera", data)
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = SIZE  # the framing below needs the square picture
    scene.collection.objects.link(cam)
    scene.camera = cam
    points = corners(objects)
    low, high = bounds(points)
    target = (low + high) / 2
    away = Vector((0, -math.cos(math.radians(elev)), math.sin(math.radians(elev))))
    fill = rng.uniform(0.74, 0.84)

    def place(distance: float) -> tuple[list, Vector]:
        cam.location = target + away * distance
        cam.rotation_euler = (-away).to_track_quat("-Z", "Y").to_euler()
        bpy.context.view_layer.update()
        seen = [world_to_camera_view(scene, cam, p) for p in points]
        return [
            min(v.x for v in seen),
            max(v.x for v in seen),
            min(v.y for v in seen),
            max(v.y for v in seen),
        ], cam.location

    distance = 6.0
    for _ in range(6):
        x0, x1, y0, y1 = place(distance)[0]
        right = cam.matrix_world.to_quaternion() @ Vector((1, 0, 0))
        up = cam.matrix_world.to_quaternion() @ Vector((0, 1, 0))
        span = distance * data.sensor_width / data.lens
        target = target + right * ((x0 + x1) / 2 - 0.5) * span + up * ((y0 + y1) / 2 - 0.5 + 0.015) * span
        distance *= max(x1 - x0, y1 - y0) / fill
    if view == "detail":
        focus = spec.focus or (rng.uniform(-0.3, 0.3), -0.4, rng.uniform(0.0, 0.4))
        centre, half = (low + high) / 2, (high - low) / 2
        spot = centre + Vector([f * h for f, h in zip(focus, half, strict=False)])
        # look at a part of the object, never at a gap in it
        target = min(points, key=lambda p: (p - target.lerp(spot, 0.8)).length + 0.2 * (p - spot).dot(-away)).copy()
        distance *= 0.60
    place(distance)
    data.dof.use_dof = True
    data.dof.focus_distance = max(0.5, distance - 0.35)
    if view == "detail":
        near = [
            v.z
            for v in (world_to_camera_view(scene, cam, p) for p in points)
            if abs(v.x - 0.5) < 0.07 and abs(v.y - 0.5) < 0.07
        ]
        data.dof.focus_distance = min(near) + 0.05 if near else distance
    data.dof.aperture_fstop = 0.55 if view == "detail" else 0.9
    cam.rotation_euler.rotate_axis("Z", math.radians(rng.uniform(-0.6, 0.6)))


def shoot(path: Path, samples: int = 7, size: int = SIZE, threads: int = 2) -> None:
    """Render the scene to a JPEG without metadata."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    c = scene.cycles
    c.device, c.samples, c.use_adaptive_sampling, c.adaptive_threshold = "CPU", samples, True, 0.04
    c.use_light_tree = False  # three lamps: the tree costs more than it saves
    c.use_denoising, c.denoiser = True, "OPENIMAGEDENOISE"
    c.denoising_prefilter, c.denoising_quality = "FAST", "BALANCED"
    c.max_bounces, c.diffuse_bounces, c.glossy_bounces, c.transmission_bounces = 8, 2, 3, 8
    c.use_fast_gi, c.fast_gi_method, c.ao_bounces_render = True, "REPLACE", 1
    c.caustics_reflective = False
    c.blur_glossy, c.sample_clamp_indirect = 1.0, 4.0
    r = scene.render
    r.threads_mode, r.threads = "FIXED", threads
    r.resolution_x = r.resolution_y = size
    r.use_stamp = False
    r.image_settings.file_format, r.image_settings.quality = "JPEG", 82
    for stamp in ("date", "time", "render_time", "frame", "camera", "scene", "filename", "memory", "hostname"):
        setattr(r, f"use_stamp_{stamp}", False)
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    r.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def photograph(spec: Kind, colours: m.Colours, seed: int, shape_seed: str, view: str, path: Path, **quality) -> None:
    """Build one object and photograph it; the same arguments give the same picture."""
    reset()
    rng = random.Random(seed)
    spec.build(colours, random.Random(shape_seed))
    side = rng.choice([-1, 1])
    side = spec.side or side
    yaw = {
        "three_quarter": side * (spec.yaw + rng.uniform(-6, 8)),
        "front": rng.uniform(-6, 6),
        "detail": side * rng.uniform(0.5, 1.2) * spec.yaw,
        "above": rng.uniform(-30, 30),
    }[view]
    if spec.hang:
        yaw *= 0.0
    objects = prepare(yaw, spec.hang)
    if spec.hang:
        set_hang(rng)
    else:
        _pick(rng, SETS)(rng)
    _pick(rng, LIGHTS)(rng, -side if rng.random() < 0.7 else side)
    camera(objects, view, spec, rng)
    bpy.context.scene.view_settings.exposure = rng.uniform(-0.05, 0.2)
    shoot(path, **quality)


__all__ = ["photograph"]
