"use strict";

// z of a seed, and the face of a z: what `ganface sample` draws, in a browser.

const LANES = 8; // channels that `block` computes at a time

// The numbers of a seed, as PyTorch's CPU generator gives them: MT19937 of Matsumoto and Nishimura
// 1998. Of a seed the lower 32 bits count.
class Mt19937 {
  constructor(seed) {
    this.state = new Uint32Array(624);
    this.state[0] = seed;
    for (let i = 1; i < 624; i++) {
      const before = this.state[i - 1];
      this.state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
    this.at = 624;
  }

  next() {
    const s = this.state;
    if (this.at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (s[i] & 0x80000000) | (s[(i + 1) % 624] & 0x7fffffff);
        s[i] = s[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = s[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }
}

// torch.randn(n, generator=torch.Generator().manual_seed(seed)): Float32Array [n].
// By Box and Muller 1958. PyTorch takes sixteen numbers at a time where there are so many, and the
// last sixteen anew if some were left over.
function randn(seed, n) {
  const random = new Mt19937(seed);
  const z = new Float32Array(n);
  if (n < 16) {
    const uniform = () => {
      const high = random.next() & 0x1fffff;
      return (high * 2 ** 32 + random.next()) / 2 ** 53;
    };
    for (let i = 0; i < n; i += 2) {
      const angle = 2 * Math.PI * uniform();
      const radius = Math.sqrt(-2 * Math.log1p(-uniform()));
      z[i] = radius * Math.cos(angle);
      if (i + 1 < n) z[i + 1] = radius * Math.sin(angle);
    }
    return z;
  }
  const fill = (from, to) => {
    for (let i = from; i < to; i++) z[i] = (random.next() & 0xffffff) / 2 ** 24;
  };
  const transform = (from) => {
    for (let i = from; i < from + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - z[i]));
      const angle = 2 * Math.PI * z[i + 8];
      z[i] = radius * Math.cos(angle);
      z[i + 8] = radius * Math.sin(angle);
    }
  };
  fill(0, n);
  for (let i = 0; i + 16 <= n; i += 16) transform(i);
  if (n % 16) {
    fill(n - 16, n);
    transform(n - 16);
  }
  return z;
}

// The tensors of a safetensors file, as Float32Arrays (or Uint8Arrays) with a `shape`, and its
// metadata.
function readTensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
  const { __metadata__: meta, ...described } = header;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(described)) {
    const data = bytes.slice(8 + size + data_offsets[0], 8 + size + data_offsets[1]);
    if (dtype === "U8") tensors[name] = data;
    else if (dtype === "F32") tensors[name] = new Float32Array(data.buffer);
    else tensors[name] = fromHalves(new Uint16Array(data.buffer));
    tensors[name].shape = shape;
  }
  return { tensors, meta };
}

// float16 -> float32. The exponent's bias is 15 in one, 127 in the other.
function fromHalves(halves) {
  const numbers = new Float32Array(halves.length);
  const bits = new Uint32Array(numbers.buffer);
  for (let i = 0; i < halves.length; i++) {
    bits[i] = ((halves[i] & 0x8000) << 16) | ((halves[i] & 0x7fff) << 13);
    numbers[i] *= 2 ** 112;
  }
  return numbers;
}

// G in eval mode. Images lie in memory with their channels last, a border of zeros around them, and
// channels that are multiples of LANES.
class Generator {
  constructor(tensors, kernel) {
    this.tensors = tensors;
    this.z_dim = tensors["first"].shape[0];
    // How many layers read z: the first, and those that modulate
    this.places = 1 + Object.keys(tensors).filter((name) => name.endsWith(".hidden.weight")).length;
    const padded = (channels) => Math.ceil(channels / LANES) * LANES;
    this.layers = [];
    let side = 4;
    for (let i = 1; tensors[`conv.${i}`]; i++) {
      const weight = tensors[`conv.${i}`];
      const [inputs, outputs] = weight.shape;
      this.layers.push({ weight, side, inputs, outputs, from: padded(inputs), to: padded(outputs) });
      side *= 2;
    }
    this.size = side;

    // Addresses in one block of memory, which the kernel sees
    let end = 0;
    const take = (numbers) => {
      const at = end;
      end += 4 * numbers;
      return at;
    };
    for (const layer of this.layers) {
      layer.x = take((layer.side + 2) ** 2 * layer.from);
      layer.w = take(16 * layer.from * layer.to);
      layer.scale = take(2 * layer.to); // of each LANES channels scales, then shifts
    }
    this.image = take((side + 2) ** 2 * LANES);
    try {
      const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 2 ** 16) });
      const module = new WebAssembly.Module(kernel);
      this.block = new WebAssembly.Instance(module, { page: { memory } }).exports.block;
      this.numbers = new Float32Array(memory.buffer);
    } catch {
      // Not in this browser: the same in JavaScript, some twenty-five times slower
      this.numbers = new Float32Array(end / 4);
      this.block = (...given) => block(this.numbers, ...given);
    }
    this.layers.forEach((layer) => this.lay(layer));
  }

  // Weights [inputs, outputs, 4, 4] of a transposed convolution, or 3 × 3 ones of nearest-and-convolve,
  // in the order in which `block` reads them: for each of the 2 × 2 pixels that a pixel becomes, and
  // each LANES outputs: the 2 × 2 taps of each input.
  lay({ weight, inputs, from, to, w, outputs }) {
    const k = weight.shape[2];
    const of = (input, output, i, j) => weight[((input * outputs + output) * k + i) * k + j];
    const tap = (input, output, i, j) => {
      if (k === 4) return of(input, output, i, j);
      let sum = 0; // each pixel made 2 × 2 first
      for (const a of [i - 1, i]) {
        for (const b of [j - 1, j]) {
          if (a >= 0 && a < 3 && b >= 0 && b < 3) sum += of(input, output, a, b);
        }
      }
      return sum;
    };
    let at = w / 4;
    for (let phase = 0; phase < 4; phase++) {
      const rows = phase >> 1 ? [2, 0] : [3, 1];
      const columns = phase & 1 ? [2, 0] : [3, 1];
      for (let first = 0; first < to; first += LANES) {
        for (const i of rows) {
          for (const j of columns) {
            for (let input = 0; input < from; input++) {
              for (let lane = 0; lane < LANES; lane++, at++) {
                const there = input < inputs && first + lane < outputs;
                this.numbers[at] = there ? tap(input, first + lane, i, j) : 0;
              }
            }
          }
        }
      }
    }
  }

  // latents: of each layer that reads one z [z_dim], followed by the labels of a G that knows some.
  // Returns ImageData.
  draw([latent, ...others]) {
    const { tensors, numbers, layers } = this;

    // z -> [4, 4, channels]
    const first = tensors["first"];
    const channels = first.shape[1];
    const x = new Float32Array(channels * 16);
    for (let i = 0; i < this.z_dim; i++) {
      for (let j = 0, at = i * x.length; j < x.length; j++) x[j] += latent[i] * first[at + j];
    }
    const start = this.normalisation(0, others[0], channels);
    const { x: base, from } = layers[0];
    for (let pixel = 0; pixel < 16; pixel++) {
      const to = base / 4 + (((pixel >> 2) + 1) * 6 + (pixel & 3) + 1) * from;
      for (let c = 0; c < channels; c++) {
        numbers[to + c] = Math.max(0, x[c * 16 + pixel] * start.scale[c] + start.shift[c]);
      }
    }

    // Each layer doubles the side
    layers.forEach((layer, i) => {
      const next = layers[i + 1];
      this.normalise(layer, next && this.normalisation(i + 1, others[i + 1], layer.outputs));
      this.double(layer, next ? next.x : this.image, next ? 0 : -Infinity);
    });

    const image = new ImageData(this.size, this.size);
    for (let pixel = 0; pixel < this.size ** 2; pixel++) {
      const row = Math.floor(pixel / this.size) + 1;
      const at = this.image / 4 + (row * (this.size + 2) + (pixel % this.size) + 1) * LANES;
      for (let c = 0; c < 3; c++) {
        image.data[4 * pixel + c] = Math.round((Math.tanh(numbers[at + c]) + 1) * 127.5);
      }
      image.data[4 * pixel + 3] = 255;
    }
    return image;
  }

  // What BatchNorm, and what modulates it, does to each channel: x · scale + shift.
  normalisation(i, latent, channels) {
    const of = (name) => this.tensors[`norm.${i}.${name}`];
    const scale = Float32Array.from(of("scale"));
    const shift = Float32Array.from(of("shift"));
    if (of("hidden.weight")) {
      const relu = linear(latent, of("hidden.weight"), of("hidden.bias")).map((h) => Math.max(0, h));
      const modulation = linear(relu, of("modulation.weight"), of("modulation.bias"));
      for (let c = 0; c < channels; c++) {
        scale[c] *= 1 + modulation[c];
        shift[c] = shift[c] * (1 + modulation[c]) + modulation[channels + c];
      }
    }
    return { scale, shift };
  }

  normalise({ scale: at, to }, normalisation) {
    for (let c = 0; c < to; c++) {
      const place = at / 4 + 2 * LANES * Math.floor(c / LANES) + (c % LANES);
      this.numbers[place] = normalisation ? (normalisation.scale[c] ?? 0) : 1;
      this.numbers[place + LANES] = normalisation ? (normalisation.shift[c] ?? 0) : 0;
    }
  }

  // [side, side, from] -> [2 · side, 2 · side, to]: each pixel becomes 2 × 2, of its neighbours too
  double({ x, w, scale, side, from, to }, y, least) {
    const pixel = 4 * from;
    const row = (side + 2) * pixel;
    const out = 4 * to;
    const width = (2 * side + 2) * out;
    const group = 4 * from * LANES * 4; // bytes of the weights that one call reads
    for (let phase = 0; phase < 4; phase++) {
      const down = phase >> 1;
      const right = phase & 1;
      for (let part = 0; part < to / LANES; part++) {
        const weights = w + (phase * (to / LANES) + part) * group;
        const scales = scale + part * 2 * LANES * 4;
        for (let i = 0; i < side; i++) {
          const above = x + (i + down) * row + right * pixel;
          const below = y + (2 * i + down + 1) * width + (right + 1) * out + part * LANES * 4;
          for (let j = 0; j < side; j += 4) {
            this.block(above + j * pixel, pixel, row, 2 * pixel, weights, scales, least,
              below + 2 * j * out, 2 * out);
          }
        }
      }
    }
  }
}

// weight [outputs, inputs], bias [outputs]
function linear(x, weight, bias) {
  const inputs = weight.shape[1];
  return bias.map((b, output) => {
    let sum = b;
    for (let i = 0, at = output * inputs; i < inputs; i++) sum += x[i] * weight[at + i];
    return sum;
  });
}

// What kernel.wat does: the products of 2 × 2 taps (two rows of `taps` bytes, `row` bytes apart) of 4
// pixels with weights for 8 channels. All addresses are in bytes.
function block(numbers, x, pixel, row, taps, w, scale, least, y, step) {
  for (let p = 0; p < 4; p++) {
    for (let lane = 0; lane < LANES; lane++) {
      let sum = 0;
      let weight = w / 4 + lane;
      for (const line of [x, x + row]) {
        const from = (line + p * pixel) / 4;
        for (let i = from; i < from + taps / 4; i++, weight += LANES) {
          sum += numbers[i] * numbers[weight];
        }
      }
      const at = scale / 4 + lane;
      const value = sum * numbers[at] + numbers[at + LANES];
      numbers[(y + p * step) / 4 + lane] = Math.max(least, value);
    }
  }
}
