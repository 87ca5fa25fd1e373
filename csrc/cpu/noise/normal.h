// Box-Muller on vectors of 32-bit words, without branches, tables or library calls: a lane depends on its words alone.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "../tile/vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Coefficients from the highest power down; several polynomials side by side, because one alone waits for itself.
template <int spans, int count>
FASTDAAE_INLINE void polynomials(const Float* x, const float (&coefficients)[count], Float* sum) {
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) sum[s] = broadcast(coefficients[0]);
#pragma GCC unroll 8
  for (int i = 1; i < count; ++i) {
#pragma GCC unroll 4
    for (int s = 0; s < spans; ++s) sum[s] = multiply_add(sum[s], x[s], broadcast(coefficients[i]));
  }
}

FASTDAAE_INLINE Float root(Float x) {
#if defined(__SSE2__) && !defined(__AVX2__)
  return _mm_sqrt_ps(x);
#else
  return square_root(x);
#endif
}

FASTDAAE_INLINE Float as_float(Int x) { return __builtin_convertvector(x, Float); }

// f = 2^exponent (1 - rest / 2) for f = (u + 1/2) 2^-32, which is never 0; |rest| <= 2/3, and rest is exact.
struct ReducedUniform {
  Float exponent, rest;  // the exponent in units of 2^-23
};

FASTDAAE_INLINE ReducedUniform reduced_uniform(Word u) {
  // The distance to the nearer end of [0, 1] keeps all its bits.
  const Int upper = bits_as<Int>(u) >> 31;
  const Float twice_distance = multiply_add(as_float(bits_as<Int>(u) ^ upper), 0x1p-31f, 0x1p-32f);
  const Float twice_f = upper ? 2.0f - twice_distance : twice_distance;
  const Word exponent_bits = (bits_as<Word>(twice_f) - 0x3FAAAAABu) & 0xFF800000u;
  const Float below = 2.0f - bits_as<Float>(bits_as<Word>(twice_f) - exponent_bits);
  const Float rest = upper ? multiply_add(twice_distance, 2.0f, -2.0f) : below;  // 1 - f had been rounded
  return {as_float(bits_as<Int>(exponent_bits)), exponent_bits == 0 ? twice_distance : rest};
}

struct NormalPair {
  Float cosine_part, sine_part;
};

// sqrt(-2 ln f), f = (u + 1/2) 2^-32, without its sign.
template <int spans>
FASTDAAE_INLINE void radii(const Word* u, Float* radius) {
  Float exponent[spans], rest[spans], tail[spans];
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    const ReducedUniform f = reduced_uniform(u[s]);
    exponent[s] = f.exponent;
    rest[s] = f.rest;
  }
  // -2 ln(1 - rest / 2) = rest + rest^2 tail(rest): weighted minimax fit, relative error 2e-8; nothing is lost near 0.
  polynomials<spans>(rest, {0.0005854128f, 0.0011983971f, 0.0021505386f, 0.005134478f, 0.012518116f, 0.031258125f,
                            0.083331935f, 0.24999987f}, tail);
  const Float scale = broadcast(-1.386294361f * 0x1p-23f);  // -2 ln 2
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    radius[s] = root(multiply_add(exponent[s], scale, multiply_add(rest[s] * rest[s], tail[s], rest[s])));
  }
}

// Radius sqrt(-2 ln((u + 1/2) 2^-32)), angle int32(v) 2 pi 2^-32.
template <int spans>
FASTDAAE_INLINE void box_muller(const Word* u, const Word* v, NormalPair* normals) {
  Float radius[spans], angle[spans], square[spans], sine[spans], cosine[spans];
  radii<spans>(u, radius);
  // Quarter turns are split off in integers, exactly.
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    const Word quarters = (v[s] + 0x20000000u) & 0xC0000000u;
    angle[s] = as_float(bits_as<Int>(v[s] - quarters)) * 1.46291808e-9f;
    square[s] = angle[s] * angle[s];
  }
  polynomials<spans>(square, {-0.000195172997f, 0.00833217815f, -0.166666549f}, sine);
  polynomials<spans>(square, {2.44384508e-05f, -0.00138873675f, 0.0416666469f, -0.5f, 1.0f}, cosine);
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    const Float straight = multiply_add(angle[s] * square[s], sine[s], angle[s]);
    const Word turned = v[s] + 0x20000000u;
    const Int odd = (turned & 0x40000000u) != 0;
    const Float along = odd ? straight : cosine[s], across = odd ? cosine[s] : straight;
    const Word along_sign = (v[s] + 0x60000000u) & 0x80000000u, across_sign = turned & 0x80000000u;
    normals[s] = {bits_as<Float>(bits_as<Word>(radius[s] * along) ^ along_sign),
                  bits_as<Float>(bits_as<Word>(radius[s] * across) ^ across_sign)};
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
