/* Winograd's transforms for convolutions of 4 x 4 weights with stride 2; see winograd.py.
 *
 * Compiled with ROWS and COLUMNS (outputs of a tile, down and across), the matrices of both
 * (ROWS_BT, ROWS_AT, ROWS_G, COLUMNS_BT, ...) and, for bf16 elements, BF16. Arrays are dense, last
 * index fastest. A tile of outputs needs TALL x WIDE inputs of each phase (a, b): those in image
 * rows of parity a and columns of parity b. Each transform has its transpose beside it, which the
 * backward pass and the transposed convolution need.
 */
#include <stdint.h>
#include <string.h>

#define TALL (ROWS + 1)
#define WIDE (COLUMNS + 1)
#define LANES 16 /* channels at once */
#define EACH(i, n) for (long i = 0; i < (n); i++)
#define EACH_PHASE EACH(a, 2) EACH(b, 2)
#define EACH_CHANNEL(c, n) for (long c = 0; c < (n); c += LANES)

typedef float Vec __attribute__((vector_size(4 * LANES)));

static inline Vec load_float(const float *from) {
    Vec value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void store_float(float *to, Vec value) { memcpy(to, &value, sizeof value); }

#ifdef BF16
typedef uint16_t Element;
typedef uint16_t Half __attribute__((vector_size(2 * LANES)));
typedef uint32_t Word __attribute__((vector_size(4 * LANES)));

static inline Vec load(const Element *from) {
    Half half;
    memcpy(&half, from, sizeof half);
    return (Vec)(__builtin_convertvector(half, Word) << 16);
}

/* Rounds to nearest, ties to even. The NaNs that arithmetic makes stay NaN. */
static inline void store(Element *to, Vec value) {
    Word bits = (Word)value;
    Half half = __builtin_convertvector((bits + 0x7fff + ((bits >> 16) & 1)) >> 16, Half);
    memcpy(to, &half, sizeof half);
}
#else
typedef float Element;
#define load load_float
#define store store_float
#endif

static const float rows_BT[TALL][TALL] = ROWS_BT, rows_AT[ROWS][TALL] = ROWS_AT,
                   rows_G[TALL][2] = ROWS_G;
static const float columns_BT[WIDE][WIDE] = COLUMNS_BT, columns_AT[COLUMNS][WIDE] = COLUMNS_AT,
                   columns_G[WIDE][2] = COLUMNS_G;

/* out = matrix . in, and out = matrix^T . in; all is constant, so loops and zeros vanish */
#define APPLY(matrix, m, n, in, out)                                                               \
    EACH(i_, m) {                                                                                  \
        out[i_] = (Vec){0};                                                                        \
        EACH(j_, n) if (matrix[i_][j_] != 0) out[i_] += matrix[i_][j_] * in[j_];                   \
    }
#define APPLY_T(matrix, m, n, in, out)                                                             \
    EACH(i_, n) {                                                                                  \
        out[i_] = (Vec){0};                                                                        \
        EACH(j_, m) if (matrix[j_][i_] != 0) out[i_] += matrix[j_][i_] * in[j_];                   \
    }

/* The image row (or column) that is number i of phase a in tile s. */
static inline long position(long s, long i, long a, long outputs) {
    return 2 * (outputs * s + i) + a - 1;
}

/* x [batch, side, side, C] -> v [TALL WIDE, batch S T, 4 C], for S x T tiles an image */
void tiles(const Element *x, Element *v, long batch, long side, long C) {
    long S = side / 2 / ROWS, T = side / 2 / COLUMNS, plane = batch * S * T * 4 * C;
#pragma omp parallel for
    EACH(tile, batch * S * T) {
        long n = tile / (S * T), s = tile / T % S, t = tile % T;
        EACH_PHASE EACH_CHANNEL(c, C) {
            Vec half_done[TALL][WIDE];
            EACH(j, WIDE) {
                long w = position(t, j, b, COLUMNS);
                Vec in[TALL], out[TALL];
                EACH(i, TALL) {
                    long h = position(s, i, a, ROWS);
                    int inside = h >= 0 && h < side && w >= 0 && w < side;
                    in[i] = inside ? load(x + ((n * side + h) * side + w) * C + c) : (Vec){0};
                }
                APPLY(rows_BT, TALL, TALL, in, out)
                EACH(i, TALL) half_done[i][j] = out[i];
            }
            EACH(i, TALL) {
                Vec out[WIDE];
                APPLY(columns_BT, WIDE, WIDE, half_done[i], out)
                EACH(j, WIDE)
                    store(v + (i * WIDE + j) * plane + (tile * 4 + a * 2 + b) * C + c, out[j]);
            }
        }
    }
}

/* v -> x. Neighbouring tiles share a row (column) of inputs, the last one of the first: each pixel
 * is computed once, with its neighbours' share, by the tile in which it comes first. One more row
 * and column of tiles take the pixels after the last. */
void tiles_T(const Element *v, Element *x, long batch, long side, long C) {
    long S = side / 2 / ROWS, T = side / 2 / COLUMNS, plane = batch * S * T * 4 * C;
#pragma omp parallel for
    EACH(row, batch * (S + 1)) {
        long n = row / (S + 1), s = row % (S + 1);
        EACH(t, T + 1) EACH_PHASE EACH_CHANNEL(c, C) {
            Vec half_done[ROWS][WIDE + 1]; /* at WIDE: the last column of the tile to the left */
            EACH(j, WIDE + 1) {
                long tile_column = j < WIDE ? t : t - 1, number = j < WIDE ? j : COLUMNS;
                int inside = tile_column >= 0 && tile_column < T;
                const Element *from = v + number * plane +
                                      (((n * S + s) * T + tile_column) * 4 + a * 2 + b) * C + c;
                Vec in[TALL], out[TALL];
                EACH(i, TALL) in[i] = inside && s < S ? load(from + i * WIDE * plane) : (Vec){0};
                APPLY_T(rows_BT, TALL, TALL, in, out)
                if (inside && s > 0) /* the last row of the tile above */
                    out[0] += load(from + ROWS * WIDE * plane - T * 4 * C) * rows_BT[ROWS][ROWS];
                EACH(i, ROWS) half_done[i][j] = out[i];
            }
            EACH(i, ROWS) {
                long h = position(s, i, a, ROWS);
                Vec out[WIDE];
                APPLY_T(columns_BT, WIDE, WIDE, half_done[i], out)
                out[0] += half_done[i][WIDE] * columns_BT[COLUMNS][COLUMNS];
                EACH(j, COLUMNS) {
                    long w = position(t, j, b, COLUMNS);
                    if (h >= 0 && h < side && w >= 0 && w < side)
                        store(x + ((n * side + h) * side + w) * C + c, out[j]);
                }
            }
        }
    }
}

/* m [TALL WIDE, batch S T, K] -> y [batch, side, side, K], side = S ROWS = T COLUMNS */
void outputs(const Element *m, Element *y, long batch, long side, long K) {
    long S = side / ROWS, T = side / COLUMNS, plane = batch * S * T * K;
#pragma omp parallel for
    EACH(tile, batch * S * T) {
        long n = tile / (S * T), s = tile / T % S, t = tile % T;
        EACH_CHANNEL(k, K) {
            Vec half_done[ROWS][WIDE];
            EACH(j, WIDE) {
                Vec in[TALL], out[ROWS];
                EACH(i, TALL) in[i] = load(m + (i * WIDE + j) * plane + tile * K + k);
                APPLY(rows_AT, ROWS, TALL, in, out)
                EACH(i, ROWS) half_done[i][j] = out[i];
            }
            EACH(i, ROWS) {
                Vec out[COLUMNS];
                APPLY(columns_AT, COLUMNS, WIDE, half_done[i], out)
                long h = ROWS * s + i, w = COLUMNS * t;
                EACH(j, COLUMNS) store(y + ((n * side + h) * side + w + j) * K + k, out[j]);
            }
        }
    }
}

/* y -> m */
void outputs_T(const Element *y, Element *m, long batch, long side, long K) {
    long S = side / ROWS, T = side / COLUMNS, plane = batch * S * T * K;
#pragma omp parallel for
    EACH(tile, batch * S * T) {
        long n = tile / (S * T), s = tile / T % S, t = tile % T;
        EACH_CHANNEL(k, K) {
            Vec half_done[TALL][COLUMNS];
            EACH(j, COLUMNS) {
                long h = ROWS * s, w = COLUMNS * t + j;
                Vec in[ROWS], out[TALL];
                EACH(i, ROWS) in[i] = load(y + ((n * side + h + i) * side + w) * K + k);
                APPLY_T(rows_AT, ROWS, TALL, in, out)
                EACH(i, TALL) half_done[i][j] = out[i];
            }
            EACH(i, TALL) {
                Vec out[WIDE];
                APPLY_T(columns_AT, COLUMNS, WIDE, half_done[i], out)
                EACH(j, WIDE) store(m + (i * WIDE + j) * plane + tile * K + k, out[j]);
            }
        }
    }
}

/* w float [K, 4, 4, C] -> u [TALL WIDE, K, 4 C] */
void weights(const float *w, Element *u, long K, long C) {
    long plane = K * 4 * C;
#pragma omp parallel for
    EACH(k, K) EACH_PHASE EACH_CHANNEL(c, C) {
        Vec half_done[TALL][2];
        EACH(j, 2) {
            Vec in[2], out[TALL];
            EACH(i, 2) in[i] = load_float(w + ((k * 4 + 2 * i + a) * 4 + 2 * j + b) * C + c);
            APPLY(rows_G, TALL, 2, in, out)
            EACH(i, TALL) half_done[i][j] = out[i];
        }
        EACH(i, TALL) {
            Vec out[WIDE];
            APPLY(columns_G, WIDE, 2, half_done[i], out)
            EACH(j, WIDE) store(u + (i * WIDE + j) * plane + (k * 4 + a * 2 + b) * C + c, out[j]);
        }
    }
}

/* u -> w */
void weights_T(const Element *u, float *w, long K, long C) {
    long plane = K * 4 * C;
#pragma omp parallel for
    EACH(k, K) EACH_PHASE EACH_CHANNEL(c, C) {
        Vec half_done[2][WIDE];
        EACH(j, WIDE) {
            const Element *from = u + j * plane + (k * 4 + a * 2 + b) * C + c;
            Vec in[TALL], out[2];
            EACH(i, TALL) in[i] = load(from + i * WIDE * plane);
            APPLY_T(rows_G, TALL, 2, in, out)
            EACH(i, 2) half_done[i][j] = out[i];
        }
        EACH(i, 2) {
            Vec out[2];
            APPLY_T(columns_G, WIDE, 2, half_done[i], out)
            EACH(j, 2) store_float(w + ((k * 4 + 2 * i + a) * 4 + 2 * j + b) * C + c, out[j]);
        }
    }
}

/* Three channels are too few for transforms: there the matrix product is over patches. */
enum { RGB = 3, PATCH = 4 * RGB };

static inline float to_float(Element value) {
#ifdef BF16
    uint32_t bits = (uint32_t)value << 16;
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
#else
    return value;
#endif
}

static inline Element from_float(float number) {
#ifdef BF16
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
#else
    return number;
#endif
}

/* x [batch, side, side, 3] -> p [batch, side/2, side/2, 4, 4, 3], what each output is made from */
void patches(const Element *x, Element *p, long batch, long side) {
    long half = side / 2;
#pragma omp parallel for
    EACH(row, batch * half) {
        Element line[(side + 2) * RGB]; /* of the image, with zeros on both sides */
        memset(line, 0, sizeof line);
        EACH(i, 4) {
            long n = row / half, h = 2 * (row % half) + i - 1;
            if (h < 0 || h >= side)
                memset(line, 0, sizeof line);
            else
                memcpy(line + RGB, x + (n * side + h) * side * RGB, side * RGB * sizeof *x);
            EACH(t, half)
                memcpy(p + ((row * half + t) * 4 + i) * PATCH, line + 2 * t * RGB,
                       PATCH * sizeof *p);
        }
    }
}

/* p -> x */
void patches_T(const Element *p, Element *x, long batch, long side) {
    long half = side / 2;
#pragma omp parallel for
    EACH(row, batch * side) {
        long n = row / side, h = row % side;
        float line[(side + 2) * RGB];
        memset(line, 0, sizeof line);
        for (long i = (h + 1) % 2; i < 4; i += 2) {
            long s = (h + 1 - i) / 2;
            if (h + 1 < i || s >= half) continue;
            EACH(t, half) {
                const Element *from = p + (((n * half + s) * half + t) * 4 + i) * PATCH;
                EACH(c, PATCH) line[2 * t * RGB + c] += to_float(from[c]);
            }
        }
        EACH(c, side * RGB) x[row * side * RGB + c] = from_float(line[RGB + c]);
    }
}
