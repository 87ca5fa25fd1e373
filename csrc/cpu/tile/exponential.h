// Powers of two, lane by lane, in about a dozen instructions.
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

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
