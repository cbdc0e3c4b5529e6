// The 3-D viewer of report.html: a mesh with the input's cameras, turned by mouse, touch or keys. WebGL 2, no library.
"use strict";
const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
const inflated = async bytes =>
  new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());

// Numbers of 16 bits, as report/packed.py writes them: low bytes, then high bytes, of differences between neighbours.
const unpacked = (bytes, at, count) => {
  const values = new Uint16Array(count);
  for (let i = 0, sum = 0; i < count; i++) {
    sum = (sum + bytes[at + i] + 256 * bytes[at + count + i]) & 0xffff;
    values[i] = sum;
  }
  return values;
};

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const sum = (a, b, s = 1) => [a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]];
const times = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = a => times(a, 1 / (Math.hypot(...a) || 1));
const turned = (v, axis, angle) => { // Rodrigues
  const c = Math.cos(angle), s = Math.sin(angle);
  return sum(sum(times(v, c), cross(axis, v), s), axis, dot(axis, v) * (1 - c));
};

const VERTEX = `#version 300 es
in vec3 position; in vec3 normal; in vec3 colour; in vec2 uv;
uniform mat4 clip; out vec3 n, c, p; out vec2 t;
void main() { n = normal; c = colour; t = uv; p = position; gl_Position = clip * vec4(position, 1.); }`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec3 n, c, p; in vec2 t; uniform sampler2D picture; uniform bool textured, shaded; uniform vec3 eye, key, fill;
out vec4 result;
void main() {
  vec3 base = textured ? texture(picture, t).rgb : c;
  if (shaded) {
    vec3 m = normalize(n), v = normalize(eye - p);
    bool front = dot(m, v) >= 0.;
    if (!front) m = -m;
    float light = .16 + .82 * max(dot(m, key), 0.) + .16 * max(dot(m, fill), 0.);
    float gloss = .07 * pow(max(dot(m, normalize(key + v)), 0.), 24.);
    base = pow(pow(base, vec3(2.2)) * light * (gl_FrontFacing ? 1. : .55) + gloss, vec3(1. / 2.2));
  }
  result = vec4(base, 1.);
}`;
const LINE_VERTEX = `#version 300 es
in vec3 position; uniform mat4 clip; void main() { gl_Position = clip * vec4(position, 1.); }`;
const LINE_FRAGMENT = `#version 300 es
precision mediump float; uniform vec4 ink; out vec4 result; void main() { result = vec4(ink.rgb * ink.a, ink.a); }`;

const program = (gl, vertex, fragment) => {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  return made;
};

const read = async data => {
  const bytes = await inflated(bytesOf(data.packed)), V = data.vertices, F = data.faces;
  const raw = unpacked(bytes, 0, 3 * V), faces = unpacked(bytes, 6 * V, 3 * F);
  let at = 6 * V + 6 * F;
  const points = new Float32Array(3 * V), colours = new Uint8Array(3 * V).map((_, i) => [186, 195, 208][i % 3]);
  for (let i = 0; i < V; i++) for (let k = 0; k < 3; k++)
    points[3 * i + k] = data.low[k] + (data.high[k] - data.low[k]) * raw[k * V + i] / 65535;
  if (data.coloured) {
    for (let i = 0; i < V; i++) for (let k = 0; k < 3; k++) colours[3 * i + k] = bytes[at + k * V + i];
    at += 3 * V;
  }
  const uv = new Float32Array(2 * V);
  if (data.textured) {
    const flat = unpacked(bytes, at, 2 * V);
    for (let i = 0; i < V; i++) { uv[2 * i] = flat[i] / 65535; uv[2 * i + 1] = 1 - flat[V + i] / 65535; }
  }
  return { points, colours, uv, faces, normals: normalsOf(points, raw, faces, V) };
};

// Smooth normals: faces count by their area, and vertices at one place (seams of a texture) share theirs.
const normalsOf = (points, raw, faces, V) => {
  const place = new Map(), root = new Uint32Array(V), normals = new Float32Array(3 * V);
  for (let i = 0; i < V; i++) {
    const name = raw[i] + raw[V + i] * 65536 + raw[2 * V + i] * 4294967296;
    if (!place.has(name)) place.set(name, i);
    root[i] = place.get(name);
  }
  const at = i => [points[3 * i], points[3 * i + 1], points[3 * i + 2]];
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [faces[f], faces[f + 1], faces[f + 2]], p = at(a);
    const n = cross(sum(at(b), p, -1), sum(at(c), p, -1));
    for (const i of [a, b, c]) for (let k = 0; k < 3; k++) normals[3 * root[i] + k] += n[k];
  }
  for (let i = 0; i < V; i++) {
    const n = unit([normals[3 * root[i]], normals[3 * root[i] + 1], normals[3 * root[i] + 2]]);
    for (let k = 0; k < 3; k++) if (root[i] === i) normals[3 * i + k] = n[k];
  }
  for (let i = 0; i < V; i++) for (let k = 0; k < 3; k++) normals[3 * i + k] = normals[3 * root[i] + k];
  return normals;
};

const edgesOf = faces => {
  const seen = new Set(), edges = [];
  for (let f = 0; f < faces.length; f += 3) for (let k = 0; k < 3; k++) {
    const a = faces[f + k], b = faces[f + (k + 1) % 3], name = Math.min(a, b) * 65536 + Math.max(a, b);
    if (!seen.has(name)) { seen.add(name); edges.push(a, b); }
  }
  return new Uint16Array(edges);
};

const frusta = cameras => { // lines from the eye to the corners of the picture, its border, and a roof over its top
  const lines = [];
  for (const c of cameras) {
    const corner = (x, y) => sum(sum(sum(c.eye, c.back, -c.depth), c.right, x * c.halfx * c.depth), c.up, y * c.halfy * c.depth);
    const q = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)], roof = corner(0, 1.35);
    for (let k = 0; k < 4; k++) lines.push(c.eye, q[k], q[k], q[(k + 1) % 4]);
    lines.push(q[2], roof, roof, q[3]);
  }
  return new Float32Array(lines.flat());
};

const viewer = async (box, data) => {
  const canvas = box.querySelector("canvas"), tip = box.querySelector(".tip");
  const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, preserveDrawingBuffer: true });
  if (!gl || typeof DecompressionStream === "undefined") throw new Error("no WebGL 2 here");
  const mesh = await read(data), edges = edgesOf(mesh.faces), cameras = data.cameras, lines = frusta(cameras);
  const solid = program(gl, VERTEX, FRAGMENT), line = program(gl, LINE_VERTEX, LINE_FRAGMENT);
  const held = (of, fields, indices) => { // a vertex array of some attributes, and its indices
    const made = gl.createVertexArray();
    gl.bindVertexArray(made);
    for (const [name, values, size, kind, whole] of fields) {
      const where = gl.getAttribLocation(of, name);
      if (where < 0) continue;
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(where);
      gl.vertexAttribPointer(where, size, kind, whole, 0, 0);
    }
    if (indices) {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
    }
    return made;
  };
  const body = held(solid, [["position", mesh.points, 3, gl.FLOAT, false], ["normal", mesh.normals, 3, gl.FLOAT, false],
    ["colour", mesh.colours, 3, gl.UNSIGNED_BYTE, true], ["uv", mesh.uv, 2, gl.FLOAT, false]], mesh.faces);
  const wires = held(line, [["position", mesh.points, 3, gl.FLOAT, false]], edges);
  const rays = held(line, [["position", lines, 3, gl.FLOAT, false]]);
  if (data.textured) await loadTexture(gl, data.texture);

  const home = { ...data.view, target: [0, 0, 0], fov: 0.6 };
  let now = {}, shown = { wires: false, cameras: false, shaded: data.shaded }, due = false;
  const place = view => {
    const far = data.radius / Math.sin(view.fov / 2) * 1.03;
    now = { distance: far, ...view };
    redraw();
  };
  const redraw = () => { if (!due) { due = true; requestAnimationFrame(draw); } };
  const eye = () => sum(now.target, now.back, now.distance);
  const matrix = () => {
    const aspect = canvas.width / canvas.height, small = 1 / Math.tan(now.fov / 2);
    const fx = aspect < 1 ? small : small / aspect, fy = aspect < 1 ? small * aspect : small;
    const reach = data.reach + Math.hypot(...now.target), near = Math.max(now.distance - reach, now.distance / 200);
    const far = now.distance + reach, a = (far + near) / (near - far), b = 2 * far * near / (near - far), e = eye();
    const { right: r, up: u, back: k } = now;
    const x = [...r, -dot(r, e)], y = [...u, -dot(u, e)], z = [...k, -dot(k, e)], m = [];
    for (let j = 0; j < 4; j++) m.push(fx * x[j], fy * y[j], a * z[j] + (j === 3 ? b : 0), -z[j]);
    return m;
  };
  const toned = name => { // a colour of the page's style
    const hex = getComputedStyle(box).getPropertyValue(name).trim();
    return [1, 3, 5].map(k => parseInt(hex.slice(k, k + 2), 16) / 255);
  };
  const draw = () => {
    due = false;
    const clip = matrix(), { right, up, back } = now;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const set = (of, name, value) => {
      const where = gl.getUniformLocation(of, name);
      if (typeof value === "boolean") gl.uniform1i(where, value); else gl["uniform" + (value.length === 16 ? "Matrix4fv" : value.length + "fv")](where, ...(value.length === 16 ? [false, value] : [value]));
    };
    gl.useProgram(solid);
    set(solid, "clip", clip);
    set(solid, "eye", eye());
    set(solid, "textured", data.textured);
    set(solid, "shaded", shown.shaded);
    set(solid, "key", unit(sum(sum(times(right, -0.55), up, 0.75), back, 0.65)));
    set(solid, "fill", unit(sum(sum(times(right, 0.9), up, -0.1), back, 0.5)));
    gl.enable(gl.POLYGON_OFFSET_FILL);
    gl.polygonOffset(1, 1);
    gl.bindVertexArray(body);
    gl.drawElements(gl.TRIANGLES, mesh.faces.length, gl.UNSIGNED_SHORT, 0);
    gl.useProgram(line);
    set(line, "clip", clip);
    if (shown.wires) {
      set(line, "ink", [0.05, 0.08, 0.14, 0.45]);
      gl.bindVertexArray(wires);
      gl.drawElements(gl.LINES, edges.length, gl.UNSIGNED_SHORT, 0);
    }
    if (shown.cameras) {
      set(line, "ink", [...toned("--accent"), 0.9]);
      gl.bindVertexArray(rays);
      gl.drawArrays(gl.LINES, 0, lines.length / 3);
    }
    names(clip);
    canvas.dataset.state = "ready";
  };

  // --- names of the cameras: all of few, of many the one that is pointed at
  const labels = cameras.length > 16 ? [] : cameras.map(c => {
    const label = document.createElement("span");
    label.className = "tip";
    label.textContent = c.name;
    box.querySelector(".stage").append(label);
    return label;
  });
  const onScreen = (clip, p) => {
    const q = [0, 1, 2, 3].map(r => clip[r] * p[0] + clip[4 + r] * p[1] + clip[8 + r] * p[2] + clip[12 + r]);
    if (q[3] <= 0) return null;
    return [(q[0] / q[3] + 1) / 2 * canvas.clientWidth, (1 - q[1] / q[3]) / 2 * canvas.clientHeight];
  };
  const move = (label, at) => {
    label.hidden = !at;
    if (at) label.style.transform = `translate(${Math.round(at[0])}px, ${Math.round(at[1])}px) translate(-50%, -140%)`;
  };
  const names = clip => labels.forEach((label, k) => move(label, shown.cameras ? onScreen(clip, cameras[k].eye) : null));
  const pointedAt = event => {
    if (!shown.cameras) return -1;
    const bounds = canvas.getBoundingClientRect(), clip = matrix();
    let best = -1, least = 18;
    cameras.forEach((c, k) => {
      const at = onScreen(clip, c.eye);
      const away = at ? Math.hypot(at[0] - event.clientX + bounds.left, at[1] - event.clientY + bounds.top) : 1e9;
      if (away < least) { least = away; best = k; }
    });
    return best;
  };

  // --- moving
  const orbit = (yaw, pitch) => {
    let { right, up, back } = now;
    [right, up, back] = [right, up, back].map(v => turned(v, data.up, yaw));
    const tilted = [up, back].map(v => turned(v, right, pitch)), before = dot(up, data.up);
    if (dot(tilted[0], data.up) > 0.03 || dot(tilted[0], data.up) > before) [up, back] = tilted;
    now = { ...now, right: unit(right), up: unit(up), back: unit(back) };
    redraw();
  };
  const pan = (dx, dy) => {
    const size = 2 * now.distance * Math.tan(now.fov / 2) / Math.min(canvas.clientWidth, canvas.clientHeight);
    now.target = sum(sum(now.target, now.right, -dx * size), now.up, dy * size);
    redraw();
  };
  const zoom = factor => {
    now.distance = Math.min(Math.max(now.distance * factor, data.radius * 0.05), data.reach * 12);
    redraw();
  };
  const lookFrom = k => {
    const c = cameras[k], distance = Math.max(dot(c.eye, c.back), 0.1);
    const aspect = canvas.width / canvas.height, half = aspect < 1 ? Math.max(c.halfx, c.halfy * aspect) : Math.max(c.halfy, c.halfx / aspect);
    now = { right: c.right, up: c.up, back: c.back, distance, target: sum(c.eye, c.back, -distance), fov: 2 * Math.atan(half) };
    redraw();
  };
  const pointers = new Map();
  let dragged = 0;
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    dragged = 0;
  });
  canvas.addEventListener("pointermove", event => {
    const before = pointers.get(event.pointerId);
    if (!before) {
      const k = labels.length ? -1 : pointedAt(event);
      if (k >= 0) tip.textContent = cameras[k].name;
      move(tip, k >= 0 ? onScreen(matrix(), cameras[k].eye) : null);
      return;
    }
    const after = [event.clientX, event.clientY], dx = after[0] - before[0], dy = after[1] - before[1];
    dragged += Math.abs(dx) + Math.abs(dy);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
      zoom(apart(before) / Math.max(apart(after), 1));
      pan(dx / 2, dy / 2);
    } else if (event.shiftKey || event.buttons & 6) pan(dx, dy);
    else orbit(-dx * 0.008, -dy * 0.008);
    pointers.set(event.pointerId, after);
  });
  const up = event => {
    if (dragged < 4 && event.type === "pointerup" && pointedAt(event) >= 0) choose(pointedAt(event));
    pointers.delete(event.pointerId);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("contextmenu", event => event.preventDefault());
  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    zoom(Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 100) * 0.0015));
  }, { passive: false });

  // --- buttons and keys
  const select = box.querySelector("select"), buttons = {};
  for (const button of box.querySelectorAll("button")) buttons[button.name] = button;
  const press = name => {
    shown[name] = !shown[name];
    if (name === "cameras" && shown.cameras) now.distance = Math.max(now.distance, data.reach / Math.sin(now.fov / 2));
    buttons[name].setAttribute("aria-pressed", shown[name]);
    redraw();
  };
  const choose = k => {
    select.value = String(k);
    lookFrom(k);
  };
  const reset = () => {
    if (select) select.value = "";
    place(home);
  };
  for (const name of ["wires", "cameras", "shaded"]) if (buttons[name]) {
    buttons[name].setAttribute("aria-pressed", shown[name]);
    buttons[name].addEventListener("click", () => press(name));
  }
  buttons.reset.addEventListener("click", reset);
  if (select) select.addEventListener("change", () => select.value === "" ? reset() : lookFrom(Number(select.value)));
  canvas.addEventListener("keydown", event => {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (way && event.shiftKey) pan(-20 * way[0], -20 * way[1]);
    else if (way) orbit(way[0] * 0.12, way[1] * 0.12);
    else if (event.key === "+" || event.key === "=") zoom(0.9);
    else if (event.key === "-") zoom(1.1);
    else if (event.key === "Home" || event.key === "r") reset();
    else if (event.key === "w") press("wires");
    else if (event.key === "c" && buttons.cameras) press("cameras");
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => {
    const fine = Math.min(devicePixelRatio || 1, 2);
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * fine));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * fine));
    draw();
  }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  box.classList.add("live");
  place(home);
};

const loadTexture = async (gl, source) => {
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  gl.generateMipmap(gl.TEXTURE_2D);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
};

for (const box of document.querySelectorAll(".viewer"))
  viewer(box, JSON.parse(document.getElementById(box.dataset.from).textContent)).catch(error => {
    box.classList.remove("live");
    box.querySelector(".why").textContent = `No 3-D view: ${error.message}. A picture instead:`;
  });
