// Exact products of bytes where the processor has them: four numbers that follow one another along the depth share a
// 32-bit word of a panel. The instruction multiplies bytes by signed bytes, so columns are packed less 128, and
// q s = q (s - 128) + 128 sum(q) is put right in whole numbers, before anything is rounded.
#pragma once

#include "../points.h"
#include "pack.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

constexpr int64_t kWordBytes = 4;
constexpr int64_t kByteColumns = 32768;  // sums of so many products of bytes stay below 2^31

inline int64_t byte_words(int64_t columns) { return (columns + kWordBytes - 1) / kWordBytes; }

#if defined(__AVX512VNNI__) || defined(FASTDAAE_EMULATED_BYTES)
constexpr bool kByteProducts = true;
// One step of product.h over four bytes; the words of a tile are whole numbers until `to_float_products`.
struct ByteQuads {
  static FASTDAAE_INLINE Word row_word(const float* at) {
    uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return broadcast(word);
  }
  static FASTDAAE_INLINE Float add_product(Float sum, Word row, Float column) {
#if defined(FASTDAAE_EMULATED_BYTES)
    Int total = bits_as<Int>(sum);
    for (int low = 0; low < 32; low += 8) {
      total += bits_as<Int>((row >> low) & 255u) * (bits_as<Int>(bits_as<Word>(column) << (24 - low)) >> 24);
    }
    return bits_as<Float>(total);
#else
    // not the intrinsic: around it GCC 12 copies every accumulator at every step, at a third of the speed
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(row), "v"(column));
    return sum;
#endif
  }
  static FASTDAAE_INLINE Float added(Float a, Float b) { return bits_as<Float>(bits_as<Int>(a) + bits_as<Int>(b)); }
};
#else
constexpr bool kByteProducts = false;
using ByteQuads = SingleFloats;
#endif

// Whether two sets are multiplied as bytes.
inline bool multiplies_bytes(const Points& a, const Points& b) {
  return kByteProducts && a.type == Number::uint8 && b.type == Number::uint8 && a.columns <= kByteColumns;
}

struct ByteSums {
  uint32_t plain, square;
};

inline ByteSums byte_sums(const uint8_t* row, int64_t columns) {
  ByteSums sums = {0, 0};
  for (int64_t k = 0; k < columns; ++k) {
    sums.plain += row[k];
    sums.square += static_cast<uint32_t>(row[k]) * row[k];
  }
  return sums;
}

// A row of bytes as row `place` of a row panel.
inline void pack_byte_row(const uint8_t* row, int64_t columns, int64_t place, float* row_panel) {
  constexpr int64_t block = kDepthBlock * kWordBytes;
  for (int64_t k = 0; k < columns; k += block) {
    const int64_t count = columns - k < block ? columns - k : block;
    auto* const to = reinterpret_cast<unsigned char*>(row_panel + row_panel_at(place, k / kWordBytes));
    std::memcpy(to, row + k, static_cast<size_t>(count));
    std::memset(to + count, 0, static_cast<size_t>(byte_words(count) * kWordBytes - count));
  }
}

// `count` rows of bytes, `columns` apart, as the columns of a column panel.
inline void pack_byte_columns(const uint8_t* rows, int64_t count, int64_t columns, float* column_panel) {
  constexpr int64_t block = kDepthBlock * kWordBytes;
  alignas(kVectorBytes) float words[kTileColumns][kDepthBlock];
  const float* from[kTileColumns];
  for (int i = 0; i < kTileColumns; ++i) from[i] = i < count ? words[i] : nullptr;
  for (int64_t k = 0; k < columns; k += block) {
    const int64_t used = columns - k < block ? columns - k : block;
    for (int64_t i = 0; i < count; ++i) {
      auto* const to = reinterpret_cast<unsigned char*>(words[i]);
      const uint8_t* const row = rows + i * columns + k;
      for (int64_t b = 0; b < used; ++b) to[b] = row[b] ^ 0x80u;
      for (int64_t b = used; b < byte_words(used) * kWordBytes; ++b) to[b] = 0;  // multiplied by a row's zeros
    }
    pack_columns_of_rows(from, byte_words(used), column_panel + k / kWordBytes * kTileColumns);
  }
}

// The products of a tile, complete along the depth, as floats times `scale`; sums [rows] are those of the rows' bytes.
FASTDAAE_INLINE void to_float_products(int64_t rows, const uint32_t* sums, float scale, float* tile) {
  for (int64_t i = 0; i < rows; ++i) {
    const Int offset = bits_as<Int>(broadcast(sums[i] * 128u));
    for (int v = 0; v < kTileVectors; ++v, tile += kLanes) {
      store(tile, __builtin_convertvector(load<Int>(tile) + offset, Float) * scale);
    }
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
