// An organ in three dimensions without any library: surface, one movable cut, cells as dots. WebGL 2.
// Everything it draws stands in the page as compressed base64; nothing is fetched.
"use strict";

const VIEWER = {
  surface: {
    vertex: `#version 300 es
      uniform mat4 camera; uniform vec3 low, size, boxLow, boxSize;
      in vec3 position, normal; out vec3 place, lookup, facing;
      void main() {
        place = low + size * position; lookup = (place - boxLow) / boxSize; facing = normal;
        gl_Position = camera * vec4(place, 1.0);
      }`,
    fragment: `#version 300 es
      precision highp float; precision highp sampler3D;
      uniform sampler3D field; uniform sampler2D colors;
      uniform vec3 cutNormal, toward; uniform float cutAt; uniform bool glass;
      in vec3 place, lookup, facing; out vec4 color;
      void main() {
        bool removed = dot(place, cutNormal) > cutAt;
        if (removed != glass) discard;
        vec3 n = normalize(facing);
        if (glass) {
          float rim = pow(1.0 - abs(dot(n, toward)), 2.5);
          color = vec4(0.84, 0.89, 0.94, 0.05 + 0.5 * rim); return;
        }
        float level = texture(field, lookup).r;
        vec3 base = texture(colors, vec2((level * 255.0 + 0.5) / 256.0, 0.5)).rgb;
        color = vec4(base * (0.5 + 0.5 * abs(dot(n, toward))), 1.0);
      }`,
  },
  cut: {
    vertex: `#version 300 es
      uniform mat4 camera; uniform vec3 boxLow, boxSize;
      in vec3 position; out vec3 lookup;
      void main() { lookup = (position - boxLow) / boxSize; gl_Position = camera * vec4(position, 1.0); }`,
    fragment: `#version 300 es
      precision highp float; precision highp sampler3D;
      uniform sampler3D field, tissue; uniform sampler2D colors;
      in vec3 lookup; out vec4 color;
      void main() {
        if (any(lessThan(lookup, vec3(0.0))) || any(greaterThan(lookup, vec3(1.0)))) discard;
        if (texture(tissue, lookup).r < 0.5) discard;
        float level = texture(field, lookup).r;
        color = vec4(texture(colors, vec2((level * 255.0 + 0.5) / 256.0, 0.5)).rgb, 1.0);
      }`,
  },
  dots: {
    vertex: `#version 300 es
      uniform mat4 camera; uniform vec3 boxLow, boxSize, cutNormal; uniform float cutAt, depth, pixels;
      in vec3 position;
      void main() {
        vec3 place = boxLow + boxSize * position;
        float before = dot(place, cutNormal) - cutAt;
        gl_Position = before < -0.2 || before > depth ? vec4(2.0, 2.0, 2.0, 1.0) : camera * vec4(place, 1.0);
        gl_PointSize = pixels;
      }`,
    fragment: `#version 300 es
      precision highp float; uniform vec3 ink; out vec4 color;
      void main() {
        vec2 off = 2.0 * gl_PointCoord - 1.0; float r = dot(off, off);
        if (r > 1.0) discard;
        color = vec4(ink * (0.65 + 0.35 * sqrt(1.0 - r)), 1.0);
      }`,
  },
};

class OrganViewer {
  constructor(root, data) {
    this.root = root; this.data = data;
    this.canvas = root.querySelector("canvas");
    this.gl = this.canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
    this.turn = -0.5; this.tilt = 0.32; this.zoom = 1; this.cut = 0.5; this.frame = data[0].start; this.fieldIndex = 0;
    this.loaded = new Map();
  }

  async start() {
    const gl = this.gl;
    if (!gl) return false;
    this.programs = {};
    for (const [name, source] of Object.entries(VIEWER)) this.programs[name] = this.link(source);
    this.cutBuffer = gl.createBuffer();
    this.bind();
    await this.choose(0);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    return true;
  }

  link(source) {
    const gl = this.gl, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, source.vertex], [gl.FRAGMENT_SHADER, source.fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text); gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }

  // ---- data

  async bytes(text) {
    const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }

  async choose(index) {
    this.organ = this.data[index];
    if (!this.loaded.has(index)) this.loaded.set(index, await this.load(this.organ));
    this.ready = this.loaded.get(index);
    this.frame = Math.min(this.frame, this.organ.days.length - 1);
    const day = this.root.querySelector("[name=day]");
    day.max = this.organ.days.length - 1; day.value = this.frame;
    const field = this.root.querySelector("[name=field]");
    field.replaceChildren(...this.organ.fields.map((entry, number) => new Option(entry.label, number)));
    this.fieldIndex = Math.min(this.fieldIndex, this.organ.fields.length - 1);
    field.value = this.fieldIndex;
    this.tell(); this.draw();
  }

  async load(organ) {
    const gl = this.gl, mesh = organ.mesh, ready = { textures: [], dots: [] };
    const buffer = (kind, content) => {
      const made = gl.createBuffer();
      gl.bindBuffer(kind, made); gl.bufferData(kind, content, gl.STATIC_DRAW);
      return made;
    };
    const indices = new Uint32Array(await this.bytes(mesh.indices));
    gl.bindVertexArray(null);
    ready.positions = buffer(gl.ARRAY_BUFFER, new Uint16Array(await this.bytes(mesh.positions)));
    ready.normals = buffer(gl.ARRAY_BUFFER, new Int8Array(await this.bytes(mesh.normals)));
    ready.indices = buffer(gl.ELEMENT_ARRAY_BUFFER, indices);
    ready.count = indices.length;
    ready.tissue = this.volume(organ, new Uint8Array(await this.bytes(organ.tissue)));
    ready.colors = [];
    for (const field of organ.fields) {
      ready.colors.push(this.colorTable(field.colors));
      const frames = [];
      for (const text of field.frames) frames.push(this.volume(organ, new Uint8Array(await this.bytes(text))));
      ready.textures.push(frames);
    }
    for (const layer of organ.dots) {
      const frames = [];
      for (const text of layer.frames) {
        const places = new Uint16Array(await this.bytes(text));
        frames.push([buffer(gl.ARRAY_BUFFER, places), places.length / 3]);
      }
      ready.dots.push(frames);
    }
    return ready;
  }

  volume(organ, values) {
    const gl = this.gl, texture = gl.createTexture(), [nx, ny, nz] = organ.shape;
    gl.bindTexture(gl.TEXTURE_3D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.R8, nx, ny, nz, 0, gl.RED, gl.UNSIGNED_BYTE, values);
    for (const side of ["S", "T", "R"]) gl.texParameteri(gl.TEXTURE_3D, gl[`TEXTURE_WRAP_${side}`], gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_3D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    return texture;
  }

  colorTable(hex) {
    const gl = this.gl, texture = gl.createTexture();
    const values = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, values.length / 3, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, values);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    return texture;
  }

  // ---- picture

  camera() {
    const { low, size } = this.organ.mesh, middle = low.map((value, axis) => value + size[axis] / 2);
    const [c, s, ct, st] = [Math.cos(this.turn), Math.sin(this.turn), Math.cos(this.tilt), Math.sin(this.tilt)];
    const toward = [ct * s, -ct * c, st], right = [c, s, 0], up = [-st * s, st * c, ct];
    const aspect = this.canvas.width / this.canvas.height, flat = Math.hypot(size[0], size[1]);
    const high = (0.55 * Math.max(Math.hypot(size[2], 0.4 * flat), flat / aspect)) / this.zoom;
    const wide = high * aspect, deep = 4 * Math.hypot(...size);
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const row = (axis, scale) => [...axis.map((value) => value / scale), -dot(axis, middle) / scale];
    const rows = [row(right, wide), row(up, high), row(toward.map((value) => -value), deep), [0, 0, 0, 1]];
    return { matrix: rows[0].flatMap((_, column) => rows.map((line) => line[column])), toward, middle, high };
  }

  plane() {
    // The plane is normal to the shortest side of the organ, as in the stills; the slider moves it.
    const { low, size } = this.organ.mesh, axis = size.indexOf(Math.min(...size));
    const normal = [0, 0, 0], { toward } = this.camera(), sign = toward[axis] >= 0 ? 1 : -1;
    normal[axis] = sign;
    const share = sign > 0 ? this.cut : 1 - this.cut;
    return { axis, normal, at: sign * (low[axis] + (0.001 + 0.998 * share) * size[axis]) };
  }

  draw() {
    const gl = this.gl, ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(this.canvas.clientWidth * ratio), height = Math.round(this.canvas.clientHeight * ratio);
    if (!width || !this.ready) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width; this.canvas.height = height;
    }
    const view = this.camera(), plane = this.plane(), ready = this.ready, { boxLow, boxSize, mesh } = this.organ;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0.129, 0.145, 0.18, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    const shared = { camera: view.matrix, boxLow, boxSize, toward: view.toward, cutNormal: plane.normal, cutAt: plane.at };
    const bind = (unit, kind, texture) => { gl.activeTexture(gl.TEXTURE0 + unit); gl.bindTexture(kind, texture); };
    bind(0, gl.TEXTURE_3D, ready.textures[this.fieldIndex][this.frame]);
    bind(1, gl.TEXTURE_2D, ready.colors[this.fieldIndex]);
    bind(2, gl.TEXTURE_3D, ready.tissue);
    const surface = (glass) => {
      const program = this.use("surface", { ...shared, low: mesh.low, size: mesh.size, glass });
      this.attribute(program, "position", ready.positions, gl.UNSIGNED_SHORT);
      this.attribute(program, "normal", ready.normals, gl.BYTE);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, ready.indices);
      gl.drawElements(gl.TRIANGLES, ready.count, gl.UNSIGNED_INT, 0);
    };
    surface(false);
    this.drawCut(shared, plane);
    const pixels = Math.max(2.5, 0.011 * Math.min(width, height) * Math.sqrt(this.zoom));
    ready.dots.forEach((frames, number) => {
      const [places, count] = frames[this.frame];
      if (!count) return;
      const ink = this.organ.dots[number].color.match(/\w\w/g).map((pair) => parseInt(pair, 16) / 255);
      const program = this.use("dots", { ...shared, depth: this.organ.depth, pixels, ink });
      this.attribute(program, "position", places, gl.UNSIGNED_SHORT);
      gl.drawArrays(gl.POINTS, 0, count);
    });
    gl.enable(gl.BLEND); gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA); gl.depthMask(false);
    surface(true);
    gl.disable(gl.BLEND); gl.depthMask(true);
    this.scale(view);
    this.canvas.dataset.drawn = String(Number(this.canvas.dataset.drawn || 0) + 1);
  }

  drawCut(shared, plane) {
    const gl = this.gl, { boxLow, boxSize } = this.organ;
    const [a, b] = [0, 1, 2].filter((axis) => axis !== plane.axis), corners = [];
    for (const [s, t] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const corner = [0, 0, 0];
      corner[plane.axis] = plane.at * plane.normal[plane.axis];
      corner[a] = boxLow[a] + s * boxSize[a]; corner[b] = boxLow[b] + t * boxSize[b];
      corners.push(...corner);
    }
    const program = this.use("cut", shared);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.cutBuffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(corners), gl.DYNAMIC_DRAW);
    this.attribute(program, "position", this.cutBuffer, gl.FLOAT);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  use(name, values) {
    const gl = this.gl, program = this.programs[name];
    gl.useProgram(program);
    for (const [sampler, unit] of [["field", 0], ["colors", 1], ["tissue", 2]]) {
      const place = gl.getUniformLocation(program, sampler);
      if (place) gl.uniform1i(place, unit);
    }
    for (const [key, value] of Object.entries(values)) {
      const place = gl.getUniformLocation(program, key);
      if (!place) continue;
      if (typeof value === "boolean") gl.uniform1i(place, Number(value));
      else if (typeof value === "number") gl.uniform1f(place, value);
      else if (value.length === 16) gl.uniformMatrix4fv(place, false, value);
      else gl.uniform3fv(place, value);
    }
    return program;
  }

  attribute(program, name, buffer, kind) {
    const gl = this.gl, place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 3, kind, kind !== gl.FLOAT, 0, 0);
  }

  scale(view) {
    const mmPerPixel = (2 * view.high) / this.canvas.clientHeight, wanted = 0.25 * this.canvas.clientWidth * mmPerPixel;
    const power = 10 ** Math.floor(Math.log10(wanted));
    const length = [5, 2, 1].map((step) => step * power).find((value) => value <= wanted);
    const bar = this.root.querySelector(".scale-bar");
    bar.style.width = `${length / mmPerPixel}px`;
    bar.textContent = `${length} mm`;
  }

  // ---- hands

  tell() {
    const field = this.organ.fields[this.fieldIndex];
    const day = String(this.organ.days[this.frame]).replace("-", "−");
    this.root.querySelector(".day-now").textContent = `day ${day}`;
    this.root.querySelector("[name=day]").setAttribute("aria-valuetext", `day ${day}`);
    this.root.querySelector(".bar-name").textContent = field.label;
    this.root.querySelector(".bar-top").textContent = `≥ ${field.top}${field.unit ? ` ${field.unit}` : ""}`;
    const colors = field.colors.match(/.{6}/g), stops = [];
    for (let i = 0; i < colors.length; i += 15) stops.push(`#${colors[i]}`);
    this.root.querySelector(".bar").style.background = `linear-gradient(to right, ${stops.join(",")})`;
    const rows = this.organ.dots.map((layer) => {
      const row = document.createElement("li"), dot = document.createElement("span");
      dot.className = "swatch dot"; dot.style.background = layer.color;
      row.append(dot, `${layer.name}: ${layer.totals[this.frame]} (1 dot = ${layer.per_dot})`);
      return row;
    });
    this.root.querySelector(".dots").replaceChildren(...rows);
    this.canvas.setAttribute("aria-label",
      `${this.organ.name}, ${field.label} on day ${day}, cut open; drag or use the arrow keys to turn it`);
  }

  bind() {
    const root = this.root, on = (name, act) => {
      const input = root.querySelector(`[name=${name}]`);
      if (input) input.addEventListener("input", () => { act(Number(input.value)); });
    };
    on("day", (value) => { this.frame = value; this.tell(); this.draw(); });
    on("cut", (value) => { this.cut = value / 100; this.draw(); });
    on("field", (value) => { this.fieldIndex = value; this.tell(); this.draw(); });
    on("organ", (value) => { this.choose(value); });
    for (const [name, factor] of [["closer", 1.25], ["farther", 0.8]]) {
      root.querySelector(`[name=${name}]`).addEventListener("click", () => { this.rescale(factor); });
    }
    let held = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      held = [event.clientX, event.clientY]; this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      this.rotate((held[0] - event.clientX) / 120, (event.clientY - held[1]) / 120);
      held = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => { held = null; });
    this.canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // without it the page scrolls
      event.preventDefault(); this.rescale(Math.exp(-event.deltaY / 200));
    }, { passive: false });
    const keys = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.15], ArrowDown: [0, -0.15] };
    this.canvas.addEventListener("keydown", (event) => {
      if (!(event.key in keys)) return;
      event.preventDefault(); this.rotate(...keys[event.key]);
    });
  }

  rotate(turn, tilt) {
    this.turn += turn; this.tilt = Math.max(-1.5, Math.min(1.5, this.tilt + tilt)); this.draw();
  }

  rescale(factor) { this.zoom = Math.max(0.5, Math.min(8, this.zoom * factor)); this.draw(); }
}

async function startViewer(root) {
  const data = JSON.parse(document.getElementById("scene-data").textContent);
  const viewer = new OrganViewer(root, data);
  let drawn = false;
  try {
    drawn = "DecompressionStream" in window && (await viewer.start());
  } catch (error) {
    root.dataset.reason = String(error);
  }
  root.classList.toggle("without-3d", !drawn);
  root.dataset.state = drawn ? "drawn" : "still";
}

for (const root of document.querySelectorAll(".viewer")) startViewer(root);
