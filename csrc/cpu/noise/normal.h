// Box-Muller on vectors of 32-bit words, without branches, tables or library calls. Each lane depends on its words alone.
#pragma once

#include "../tile/vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// a b + c, rounded once where the instruction set can: named, so that no compiler decides it differently in two places.
FASTDAAE_INLINE Float multiply_add(Float a, Float b, Float c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

FASTDAAE_INLINE Float multiply_add(Float a, float b, float c) { return multiply_add(a, broadcast(b), broadcast(c)); }

// Coefficients from the highest power down.
template <int count>
FASTDAAE_INLINE Float polynomial(Float x, const float (&coefficients)[count]) {
  Float sum = broadcast(coefficients[0]);
#pragma GCC unroll 8
  for (int i = 1; i < count; ++i) sum = multiply_add(sum, x, broadcast(coefficients[i]));
  return sum;
}

FASTDAAE_INLINE Float as_float(Int x) { return __builtin_convertvector(x, Float); }

// -2 ln f for f = (u + 1/2) 2^-32, which is never 0.
FASTDAAE_INLINE Float squared_radius(Word u) {
  // The distance to the nearer end of [0, 1] keeps all its bits.
  const Int upper = bits_as<Int>(u) >> 31;
  const Float twice_distance = multiply_add(as_float(bits_as<Int>(u) ^ upper), 0x1p-31f, 0x1p-32f);
  const Float twice_f = upper ? 2.0f - twice_distance : twice_distance;

  // f = 2^exponent (1 - s / 2), |s| <= 2/3, and s is exact: 2 (1 - f) itself where the exponent is 0.
  const Word exponent_bits = (bits_as<Word>(twice_f) - 0x3FAAAAABu) & 0xFF800000u;
  const Float rest = 2.0f - bits_as<Float>(bits_as<Word>(twice_f) - exponent_bits);
  const Float s = exponent_bits == 0 ? twice_distance : rest;

  // -2 ln(1 - s / 2) = s + s^2 q(s), weighted minimax fit, relative error of the whole 2e-8; s -> 0 loses nothing.
  const Float q = polynomial(s, {0.0005854128f, 0.0011983971f, 0.0021505386f, 0.005134478f, 0.012518116f, 0.031258125f,
                                 0.083331935f, 0.24999987f});
  const Float of_rest = multiply_add(s * s, q, s);
  constexpr float kTwoLogarithmsOf2 = 1.386294361f * 0x1p-23f;  // per unit of the exponent's bits
  return multiply_add(as_float(bits_as<Int>(exponent_bits)), broadcast(-kTwoLogarithmsOf2), of_rest);
}

struct NormalPair {
  Float cosine_part, sine_part;
};

// Radius sqrt(-2 ln((u + 1/2) 2^-32)), angle int32(v) 2 pi 2^-32.
FASTDAAE_INLINE NormalPair box_muller(Word u, Word v) {
  // Half turns are split off in integers, exactly, and turn the sign of both parts: z is -1 to 1, in quarter turns.
  const Word doubled = v << 1;
  const Float z = as_float(bits_as<Int>(doubled)) * 0x1p-31f;
  const Word sign = (v ^ doubled) & 0x80000000u;
  const Float radius = bits_as<Float>(bits_as<Word>(square_root(squared_radius(u))) ^ sign);

  // sin(pi z / 2) and cos(pi z / 2), minimax fits, errors 8e-9 and 1e-9.
  const Float square = z * z;
  const Float sine =
      z * polynomial(square, {0.000149284f, -0.004668948f, 0.07968618f, -0.6459628f, 1.5707963f});
  const Float cosine = polynomial(
      square, {-2.340213e-05f, 0.0009167334f, -0.0208619f, 0.25366908f, -1.2337005f, 1.0f});
  return {radius * cosine, radius * sine};
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
