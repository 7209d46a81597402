
// The page: its state lives in the address, every control changes the state and then draws.

const MOST = 400; // faces in the grid
const MUTATION = 0.6; // of this angle, in radians, a mutated z turns away from where it was
const BUSY = 12; // milliseconds of drawing before the browser may answer the user again
const LEG = 2500; // milliseconds of a walk from one face to the other

const element = (id) => document.getElementById(id);

function bytes(base64) {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
  return found;
}

const { tensors, meta } = readTensors(bytes(MODEL));
const model = JSON.parse(meta.page);
const G = new Generator(tensors, bytes(KERNEL));
const attributes = Object.entries(model.labels);
const labelValues = attributes.flatMap(([, values]) => values).length;

const DEFAULTS = { seeds: "0-23", hold: "0", to: "", way: 0, truncation: 1, moves: {}, labels: {} };
let state;
let language = navigator.language.startsWith("zh") ? "zh" : "en";

const WORDS = {
  __proto__: null, // a label may be called "constructor"
  jacobian: "方向 ", sefa: "方向 ", hair: "头发", background: "背景", eye: "眼睛", skin: "皮肤", mouth: "嘴",
  brightness: "亮度", redness: "偏红", yellowness: "偏黄", darkness: "深浅", turn: "转头",
  tilt: "歪头", sharpness: "清晰度", hue: "色相", lightness: "明度", style: "发型", fringe: "刘海",
  tie: "扎发", opening: "张开", length: "长度", roundness: "圆度",
  slant: "斜度", loose: "散开", twintails: "双马尾", ponytail: "马尾", parted: "分缝", straight: "齐",
  swept: "斜", blush: "腮红", glasses: "眼镜", eyes: "眼睛", face: "脸", smile: "微笑", light: "光",
  accent: "饰色", accessory: "饰物", bow: "蝴蝶结", flower: "花", band: "发箍", ears: "猫耳",
  collar: "领子", shirt: "衬衫", sailor: "水手", scarf: "围巾", cloth: "衣服", closed: "闭", wink: "眨",
  open: "睁", none: "无", round: "圆", square: "方",
};
const SAID = {
  step: ["after {} updates", "训练 {} 步"],
  seed: ["seed {}", "种子 {}"],
  between: ["from {} to {}, {} %", "从 {} 到 {}，{} %"],
  choose: ["Click the face to walk to.", "点一张要走向的脸。"],
  copied: ["Link copied.", "链接已复制。"],
  notCopied: ["Copy the address of this page.", "请复制本页的地址。"],
  way: ["how far from one face to the other", "从一张脸到另一张脸走了多远"],
  play: ["play the walk", "播放"],
  wrong: ["{}: write seeds such as 0-23,99, up to {} faces.", "{}：请写成 0-23,99 这样的种子，最多 {} 张脸。"],
  asIs: ["as it comes", "随种子"],
  truncation: ["truncation ψ", "截断 ψ"],
};

function say(key, ...values) {
  return SAID[key][language === "zh" ? 1 : 0].replace(/\{\}/g, () => values.shift());
}

function nameOf(words) {
  if (words === "truncation") return say(words);
  const parts = words.split(/[-_]/);
  return language === "zh" ? parts.map((word) => WORDS[word] ?? word).join("") : parts.join(" ");
}

// --- Faces and their latents: a face is a seed, or a chain of seeds such as 7~12

const low = (seed) => Number(BigInt(seed) & 0xffffffffn);
const points = new Map();

function zOf(face) {
  let z = points.get(face);
  if (!z) {
    const [first, ...rest] = face.split("~").map((seed) => randn(low(seed), G.z_dim));
    const [near, far] = [Math.cos(MUTATION), Math.sin(MUTATION)];
    z = rest.reduce((a, b) => a.map((value, i) => near * value + far * b[i]), first);
    points.set(face, z);
  }
  return z;
}

// The labels of a face: those of the image that its seed stands for, and those that are asked for
function labelsOf(face) {
  const numbers = new Float32Array(labelValues);
  let at = 0;
  attributes.forEach(([name, values], column) => {
    const row = low(face.split("~")[0]) % tensors.examples.shape[0];
    const own = tensors.examples[row * attributes.length + column];
    const asked = values.indexOf(state.labels[name]) + 1;
    if (asked || own) numbers[at + (asked || own) - 1] = 1;
    at += values.length;
  });
  return numbers;
}

// What the layers of G that read z draw from, for z and labels, as the sliders say
function latentsOf(z, labels) {
  return Array.from({ length: G.places }, (_, place) => {
    const latent = new Float32Array(G.z_dim + labelValues);
    for (let i = 0; i < G.z_dim; i++) latent[i] = z[i] * state.truncation;
    model.directions.forEach((name, k) => {
      const far = state.moves[name] ?? 0;
      const first = (k * G.places + place) * G.z_dim;
      if (far) for (let i = 0; i < G.z_dim; i++) latent[i] += far * tensors.directions[first + i];
    });
    latent.set(labels, G.z_dim);
    return latent;
  });
}

const imageOf = (face) => G.draw(latentsOf(zOf(face), labelsOf(face)));

// At t on the arc from a to b, as `ganface interpolate` walks; labels go straight
function between(a, b, t) {
  const mix = (x, y) => x.map((value, i) => (1 - t) * value + t * y[i]);
  return G.draw(latentsOf(slerp(zOf(a), zOf(b), t), mix(labelsOf(a), labelsOf(b))));
}

function slerp(a, b, t) {
  const length = (z) => Math.hypot(...z);
  const [lengthA, lengthB] = [length(a), length(b)];
  const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, dot / (lengthA * lengthB))));
  if (!(Math.sin(angle) >= 1e-5)) return a.map((value, i) => (1 - t) * value + t * b[i]);
  const [from, to] = [Math.sin((1 - t) * angle) / lengthA, Math.sin(t * angle) / lengthB];
  const scale = ((1 - t) * lengthA + t * lengthB) / Math.sin(angle);
  return a.map((value, i) => (from * value + to * b[i]) * scale);
}

// --- The address

// "0-3,99,7~12" -> the faces, or null if that is not how they are written
function parseFaces(text) {
  const faces = [];
  for (const part of text.split(",").map((each) => each.trim())) {
    const range = /^(\d{1,19})-(\d{1,19})$/.exec(part);
    if (range) {
      const [first, last] = [BigInt(range[1]), BigInt(range[2])];
      if (last < first || last - first >= MOST) return null;
      for (let seed = first; seed <= last; seed++) faces.push(String(seed));
    } else if (/^\d{1,19}(~\d{1,19})*$/.test(part)) faces.push(part);
    else return null;
  }
  return faces.length <= MOST ? faces : null;
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  state = { ...DEFAULTS, moves: {}, labels: {} };
  if (parseFaces(given.get("seeds") ?? "")) state.seeds = given.get("seeds");
  const faces = parseFaces(state.seeds);
  const one = (name, otherwise) => {
    const faces = parseFaces(given.get(name) ?? "");
    return faces && faces.length === 1 ? faces[0] : otherwise;
  };
  const number = (text, lowest, highest, otherwise) =>
    text?.trim() && isFinite(text)
      ? Math.min(highest, Math.max(lowest, Number(text))) : otherwise;
  state.hold = one("hold", faces[0]);
  state.to = one("to", "");
  state.way = number(given.get("way"), 0, 1, 0);
  state.truncation = number(given.get("truncation"), 0, 1.5, 1);
  for (const name of model.directions) {
    const far = number(given.get(`move.${name}`), -4, 4, 0);
    if (far) state.moves[name] = far;
  }
  for (const [name, values] of attributes) {
    const value = given.get(`label.${name}`);
    if (values.includes(value)) state.labels[name] = value;
  }
}

let written = null;
let writing = 0;

// Once the user pauses: browsers bear with few changes of the address a second
function writeAddressSoon() {
  clearTimeout(writing);
  writing = setTimeout(writeAddress, 250);
}

function writeAddress() {
  const told = new URLSearchParams({ seeds: state.seeds, hold: state.hold });
  if (state.to) {
    told.set("to", state.to);
    told.set("way", state.way.toFixed(3));
  }
  if (state.truncation !== 1) told.set("truncation", state.truncation);
  for (const [name, far] of Object.entries(state.moves)) if (far) told.set(`move.${name}`, far);
  for (const [name, value] of Object.entries(state.labels)) told.set(`label.${name}`, value);
  written = `#${told}`;
  // Not by history.replaceState, which some browsers refuse to pages from the disk
  if (location.hash !== written) location.replace(written);
}

// --- Drawing

const cells = new Map(); // face -> its button in the grid
let round = 0; // of drawing the grid; a newer one ends an older one

function put(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = canvas.height = image.width;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function drawLarge() {
  const image = state.to ? between(state.hold, state.to, state.way) : imageOf(state.hold);
  put(element("large"), image);
  const [from, to] = [state.hold, state.to].map((face) => say("seed", face));
  const text = state.to ? say("between", from, to, Math.round(100 * state.way)) : from;
  element("name").textContent = text;
  element("large").setAttribute("aria-label", text);
}

const pause = (milliseconds) => new Promise((go) => setTimeout(go, milliseconds));

async function drawGrid() {
  const mine = ++round;
  let since = performance.now();
  if (state.to) {
    put(element("from"), imageOf(state.hold));
    put(element("to"), imageOf(state.to));
  }
  for (const [face, button] of cells) {
    put(button.firstChild, imageOf(face));
    if (performance.now() - since > BUSY) {
      await pause(0);
      if (mine !== round) return;
      since = performance.now();
    }
  }
  element("grid").dataset.drawn = mine;
}

function layGrid() {
  const grid = element("grid");
  cells.clear();
  for (const face of parseFaces(state.seeds)) {
    if (cells.has(face)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.face = face;
    button.append(document.createElement("canvas"));
    // Not twice: the first of a double click may have chosen where to walk
    button.onclick = (event) => event.detail > 1 || choose(face);
    cells.set(face, button);
  }
  grid.replaceChildren(...cells.values());
}

function show() {
  for (const [face, button] of cells) {
    button.setAttribute("aria-pressed", face === state.hold);
    button.setAttribute("aria-label", say("seed", face));
    button.title = say("seed", face);
    button.classList.toggle("to", face === state.to);
  }
  element("seeds").value = state.seeds;
  element("walk").hidden = !state.to;
  element("way").value = state.way;
  for (const input of element("sliders").querySelectorAll("[data-name]")) {
    const name = input.dataset.name;
    const value = input.dataset.label ? state.labels[name] ?? ""
      : name === "truncation" ? state.truncation : state.moves[name] ?? 0;
    input.value = value;
    if (input.nextSibling?.tagName === "OUTPUT") input.nextSibling.value = Number(value).toFixed(1);
  }
  drawLarge();
  writeAddressSoon();
}

function redraw() {
  show();
  drawGrid();
}

// --- What one can do

function choose(face) {
  if (walking()) {
    setWalking(false);
    if (face === state.hold) return;
    Object.assign(state, { to: face, way: 0 });
    redraw();
    play(true);
    return;
  }
  play(false);
  Object.assign(state, { hold: face, to: "", way: 0 });
  show();
}

function setSeeds(text) {
  const faces = parseFaces(text);
  if (!faces) {
    tell(say("wrong", text.slice(0, 60), MOST));
    return;
  }
  tell("");
  play(false);
  Object.assign(state, { seeds: text, hold: faces[0], to: "", way: 0 });
  layGrid();
  redraw();
}

function newFaces() {
  const first = Math.floor(Math.random() * 1e6);
  setSeeds(`${first}-${first + cells.size - 1}`);
}

function mutate() {
  const face = state.hold;
  const length = Math.max(1, cells.size - 1);
  const seeds = Array.from({ length }, () => Math.floor(Math.random() * 1e6));
  setSeeds([face, ...seeds.map((seed) => `${face}~${seed}`)].join(","));
}

const walking = () => element("walking").getAttribute("aria-pressed") === "true";

function setWalking(on) {
  element("walking").setAttribute("aria-pressed", on);
  tell(on ? say("choose") : "");
}

function tell(text) {
  element("said").textContent = text;
}

let playing = 0; // the frame that is asked for

function play(on) {
  cancelAnimationFrame(playing);
  playing = 0;
  const go = on && state.to !== "";
  element("play").setAttribute("aria-pressed", go);
  element("play").textContent = go ? "❚❚" : "▶";
  if (!go) {
    if (state.to) writeAddressSoon();
    return;
  }
  // There and back, on and on, from where it stands
  let phase = state.way;
  let before = performance.now();
  const frame = (now) => {
    phase = (phase + (now - before) / LEG) % 2;
    before = now;
    state.way = phase < 1 ? phase : 2 - phase;
    element("way").value = state.way;
    drawLarge();
    playing = requestAnimationFrame(frame);
  };
  playing = requestAnimationFrame(frame);
}

function reset() {
  Object.assign(state, { truncation: 1, moves: {}, labels: {} });
  redraw();
}

function save(canvas, name) {
  canvas.toBlob((blob) => {
    const anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(blob);
    anchor.download = `${name}.png`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
  });
}

// Faces in whole multiples of their size, about `side` pixels each
function sheet(images, columns, side) {
  const zoom = Math.max(1, Math.round(side / G.size));
  const canvas = document.createElement("canvas");
  const cell = zoom * G.size;
  const gap = images.length > 1 ? 4 : 0;
  canvas.width = columns * (cell + gap) + gap;
  canvas.height = Math.ceil(images.length / columns) * (cell + gap) + gap;
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  images.forEach((image, i) => {
    const [x, y] = [i % columns, Math.floor(i / columns)].map((n) => gap + n * (cell + gap));
    context.drawImage(image, x, y, cell, cell);
  });
  return canvas;
}

const saveFace = () => {
  const to = state.to ? `-to-${state.to}-${Math.round(100 * state.way)}` : "";
  save(sheet([element("large")], 1, 512), `face-${state.hold}${to}`);
};
const saveGrid = async () => {
  while (Number(element("grid").dataset.drawn) !== round) await pause(BUSY);
  const canvases = [...cells.values()].map((button) => button.firstChild);
  const name = state.seeds.length > 40 ? `${state.hold}-and-more` : state.seeds;
  save(sheet(canvases, Math.ceil(Math.sqrt(canvases.length)), 128), `faces-${name}`);
};

async function copyLink() {
  writeAddress();
  let copied = true;
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    // Not every browser lets every page do that; the old way takes a selected text
    const text = document.createElement("textarea");
    text.value = location.href;
    document.body.append(text);
    text.select();
    copied = document.execCommand("copy");
    text.remove();
  }
  tell(say(copied ? "copied" : "notCopied"));
}

function laySliders() {
  const rows = [];
  const label = (name, input) => {
    const text = document.createElement("label");
    text.dataset.words = name;
    text.htmlFor = input.id = `control-${name}`;
    input.dataset.name = name;
    rows.push(text, input);
  };
  const slider = (name, lowest, highest, set) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: lowest, max: highest, step: 0.1 });
    input.oninput = () => {
      set(Number(input.value));
      redraw();
    };
    label(name, input);
    rows.push(document.createElement("output"));
  };
  for (const [name, values] of attributes) {
    const select = document.createElement("select");
    select.dataset.label = "yes";
    select.append(new Option("", ""), ...values.map((value) => new Option(value, value)));
    select.onchange = () => {
      if (select.value) state.labels[name] = select.value;
      else delete state.labels[name];
      redraw();
    };
    label(name, select);
  }
  for (const name of model.directions) slider(name, -4, 4, (far) => (state.moves[name] = far));
  slider("truncation", 0, 1.5, (psi) => (state.truncation = psi));
  element("sliders").replaceChildren(...rows);
}

function speak(to) {
  language = to;
  document.documentElement.lang = to === "zh" ? "zh" : "en";
  for (const button of document.querySelectorAll("[data-to]")) {
    button.setAttribute("aria-pressed", button.dataset.to === to);
  }
  element("model").textContent = say("step", model.step.toLocaleString("en"));
  for (const text of document.querySelectorAll("[data-words]")) {
    text.textContent = nameOf(text.dataset.words);
  }
  for (const select of document.querySelectorAll("select")) select[0].text = say("asIs");
  for (const id of ["way", "play"]) element(id).setAttribute("aria-label", say(id));
  setWalking(walking());
  show();
}

const KEYS = {
  n: newFaces, m: mutate, w: () => setWalking(!walking()), p: () => play(!playing), r: reset,
  s: saveFace, g: saveGrid, l: copyLink,
  Escape: () => {
    setWalking(false);
    play(false);
    Object.assign(state, { to: "", way: 0 });
    show();
  },
};

// By an arrow key from face to face in the grid
function step(key, from) {
  const buttons = [...cells.values()];
  const columns = getComputedStyle(element("grid")).gridTemplateColumns.split(" ").length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  const at = buttons.indexOf(from);
  if (!by) return false;
  buttons[at < 0 ? 0 : at + by]?.focus();
  return true;
}

function listen() {
  const actions = {
    new: newFaces, mutate, walking: KEYS.w, reset, face: saveFace, sheet: saveGrid, link: copyLink,
    play: KEYS.p,
  };
  for (const [id, action] of Object.entries(actions)) element(id).onclick = action;
  for (const button of document.querySelectorAll("[data-to]")) {
    button.onclick = () => speak(button.dataset.to);
  }
  element("seeds").onchange = (event) => setSeeds(event.target.value);
  element("way").oninput = (event) => {
    play(false);
    state.way = Number(event.target.value);
    show();
  };
  const resize = () =>
    document.documentElement.style.setProperty("--cell", `${element("size").value}px`);
  element("size").value = matchMedia("(max-width: 48rem)").matches ? 72 : 100;
  element("size").oninput = resize;
  resize();
  document.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/text|select/.test(event.target.type)) return; // letters are theirs
    if (event.target.tagName !== "INPUT" && step(event.key, event.target)) event.preventDefault();
    else KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key]?.();
  };
  window.onhashchange = () => {
    if (location.hash !== written) start();
  };
}

function start() {
  play(false);
  readAddress();
  layGrid();
  redraw();
}

document.title = element("title").textContent = model.name;
readAddress();
laySliders();
listen();
layGrid();
speak(language);
drawGrid();
