// Powers of two, lane by lane, in about a dozen instructions; and the hyperbolic tangent made of them.
#pragma once

#include "vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// 2^f for |f| <= 1/2, within 2e-7 of the value; 2^0 is exactly 1.
FASTDAAE_INLINE Float exp2_near_zero(Float f) {
  Float p = broadcast(0x1.5bbap-10f);
  p = p * f + broadcast(0x1.3cea88p-7f);
  p = p * f + broadcast(0x1.c6b754p-5f);
  p = p * f + broadcast(0x1.ebf9bcp-3f);
  p = p * f + broadcast(0x1.62e42ap-1f);
  return p * f + broadcast(1.0f);
}

// 2^x within 2e-7 of the value; from 128 on infinity. Below -126 it stays at 2^-126, the least number that is not a
// slow subnormal one. NaN gives NaN.
FASTDAAE_INLINE Float exp2_of(Float x) {
#if defined(__AVX512F__)
  const Float floored = _mm512_max_ps(broadcast(-126.0f), x);
  const Float whole = _mm512_roundscale_ps(floored, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // infinity - infinity would be NaN, which this instruction avoids
  const Float part = _mm512_reduce_ps(floored, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm512_scalef_ps(exp2_near_zero(part), whole);
#else
  const Float limited = smaller(broadcast(128.0f), larger(broadcast(-126.0f), x));
  // 1.5 2^23 leaves no bits behind the point, and the whole number in the lowest ones
  const Float shifted = limited + broadcast(0x1.8p23f);
  const Float value = exp2_near_zero(limited - (shifted - broadcast(0x1.8p23f)));
  const Float power = bits_as<Float>(bits_as<Word>(value) + (bits_as<Word>(shifted) << 23));
  return x == x ? power : x;
#endif
}

// tanh x for 0 <= x <= 0.625: x + x^3 p(x^2), p a minimax fit of the relative error (Remez), 4.4e-9 before rounding.
FASTDAAE_INLINE Float tanh_near_zero(Float x) {
  const Float square = x * x;
  Float p = broadcast(-0x1.75e1ccp-8f);
  p = multiply_add(p, square, broadcast(0x1.52269cp-6f));
  p = multiply_add(p, square, broadcast(-0x1.b83c5ap-5f));
  p = multiply_add(p, square, broadcast(0x1.110726p-3f));
  p = multiply_add(p, square, broadcast(-0x1.555532p-2f));
  return multiply_add(x * square, p, x);
}

// tanh x within 4 units of the last place; 1 from 9.02 on. NaN gives NaN, -0 gives -0.
FASTDAAE_INLINE Float tanh_of(Float x) {
  const Word sign = bits_as<Word>(x) & 0x80000000u;
  const Float distance = bits_as<Float>(bits_as<Word>(x) ^ sign);
  const Float far = 1.0f - 2.0f / (exp2_of(distance * 2.88539008f) + 1.0f);  // 2 log2 e
  const Float value = distance < 0.625f ? tanh_near_zero(distance) : far;
  return bits_as<Float>(bits_as<Word>(value) | sign);
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
