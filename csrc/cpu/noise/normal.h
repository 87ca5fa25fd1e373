// Box-Muller on 32-bit words, written without branches, tables or library calls so that a loop over it vectorises.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "../../philox.h"

namespace fastdaae {

struct NormalPair {
  float cosine_part, sine_part;
};

FASTDAAE_INLINE float bits_to_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

FASTDAAE_INLINE uint32_t float_to_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// log(1 + t) for |t| <= 1/3, relative error 4e-8 (weighted minimax fit); t -> 0 loses nothing.
FASTDAAE_INLINE float log1p_reduced(float t) {
  float p = 0.142271979f;
  p = p * t - 0.151246051f;
  p = p * t + 0.139580215f;
  p = p * t - 0.164719065f;
  p = p * t + 0.200130885f;
  p = p * t - 0.250042551f;
  p = p * t + 0.3333318f;
  const float square = t * t;
  return t + (square * t * p - 0.5f * square);
}

// `yes` where mask is all ones, `no` where it is 0. Choices between floats would become branches: comparing them may trap.
FASTDAAE_INLINE uint32_t select(uint32_t mask, uint32_t yes, uint32_t no) { return no ^ ((yes ^ no) & mask); }

// ln((u + 1/2) 2^-32).
FASTDAAE_INLINE float log_uniform(uint32_t u) {
  // The distance to the nearer end of [0, 1] keeps all its bits: h itself below 1/2, 1 - h above.
  const uint32_t upper = 0u - (u >> 31);
  const uint32_t distance = u ^ upper;
  const float h = (static_cast<float>(static_cast<int32_t>(distance)) + 0.5f) * 0x1p-32f;

  // ln of 2^exponent (1 + t), |t| <= 1/3, where t = h scale + offset is exact: below, h = 2^exponent (1 + t);
  // above, 1 - h = 1 + t, or (1 + t) / 2 from h = 1/3 on.
  const int32_t lower_exponent = static_cast<int32_t>(float_to_bits(h) - 0x3F2AAAABu) >> 23;
  const uint32_t halved = 0u - static_cast<uint32_t>(distance > 0x55555555u);
  const uint32_t exponent = select(upper, halved, static_cast<uint32_t>(lower_exponent));
  const uint32_t offset = select(upper, 0u - halved, ~0u);
  const uint32_t scale = ((127u - exponent) << 23) ^ (upper & 0x80000000u);
  const float t = h * bits_to_float(scale) + static_cast<float>(static_cast<int32_t>(offset));
  return static_cast<float>(static_cast<int32_t>(exponent)) * 0.693147181f + log1p_reduced(t);
}

// cos and sin of int32(v) 2 pi 2^-32: quarter turns are split off in integers, so the reduction is exact.
FASTDAAE_INLINE NormalPair unit_circle(uint32_t v) {
  const uint32_t quarter = (v + 0x20000000u) >> 30;
  const int32_t rest = static_cast<int32_t>(v - (quarter << 30));
  const float x = static_cast<float>(rest) * 1.46291808e-9f;
  const float square = x * x;

  const float sine_tail = (-0.000195172997f * square + 0.00833217815f) * square - 0.166666549f;
  const float sine = x + x * square * sine_tail;
  const float cosine_tail = (2.44384508e-05f * square - 0.00138873675f) * square + 0.0416666469f;
  const float cosine = 1.0f + square * (square * cosine_tail - 0.5f);

  const uint32_t cosine_bits = float_to_bits(cosine), sine_bits = float_to_bits(sine);
  const uint32_t odd = 0u - (quarter & 1u);
  const uint32_t cosine_sign = ((quarter + 1u) & 2u) << 30;
  const uint32_t sine_sign = (quarter & 2u) << 30;
  return {bits_to_float(select(odd, sine_bits, cosine_bits) ^ cosine_sign),
          bits_to_float(select(odd, cosine_bits, sine_bits) ^ sine_sign)};
}

FASTDAAE_INLINE NormalPair box_muller(uint32_t u, uint32_t v) {
  const float radius = std::sqrt(-2.0f * log_uniform(u));
  const NormalPair direction = unit_circle(v);
  return {radius * direction.cosine_part, radius * direction.sine_part};
}

}  // namespace fastdaae
