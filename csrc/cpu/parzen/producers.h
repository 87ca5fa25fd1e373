// What is multiplied: numbers about the samples' mean in float32, or bytes as they stand, exactly. Both give panels of
// `depth` words, and tiles of scaled products.
#pragma once

#include "../tile/bytes.h"
#include "../tile/centered.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

struct CenteredFloats {
  using Step = SingleFloats;
  static constexpr Summation kSummation = Summation::by_block;
  CenteredRow queries, samples;

  int64_t depth() const { return samples.points.columns; }
  SquareSums pack_query(int64_t row, int64_t place, float* row_panel, uint32_t*) const {
    return pack_row(queries, row, place, row_panel);
  }
  void pack_samples(int64_t first, int64_t count, float* column_panel, double* squares) const {
    pack_columns(samples, first, count, column_panel, squares);
  }
  void finish_tile(int64_t, const uint32_t*, float*) const {}
};

struct WholeBytes {
  using Step = ByteQuads;
  static constexpr Summation kSummation = Summation::chained;
  const Points &queries, &samples;
  double scale;

  int64_t depth() const { return byte_words(samples.columns); }
  SquareSums pack_query(int64_t row, int64_t place, float* row_panel, uint32_t* sum) const {
    const auto* from = static_cast<const uint8_t*>(row_of(queries, row));
    const ByteSums sums = byte_sums(from, queries.columns);
    pack_byte_row(from, queries.columns, place, row_panel);
    *sum = sums.plain;
    return {sums.square * scale * scale, 0.0};
  }
  void pack_samples(int64_t first, int64_t count, float* column_panel, double* squares) const {
    const auto* from = static_cast<const uint8_t*>(row_of(samples, first));
    pack_byte_columns(from, count, samples.columns, column_panel);
    for (int64_t i = 0; i < count; ++i) {
      squares[i] = byte_sums(from + i * samples.columns, samples.columns).square * scale * scale;
    }
  }
  void finish_tile(int64_t rows, const uint32_t* sums, float* tile) const {
    to_float_products(rows, sums, static_cast<float>(scale * scale), tile);
  }
};

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
