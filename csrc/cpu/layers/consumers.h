// Consumers: what happens to a tile of sums while it is in the first-level cache.
#pragma once

#include <algorithm>

#include "../noise/rows.h"
#include "activation.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

FASTDAAE_INLINE void store_numbers(const MutableMatrix& matrix, int64_t at, Float value, int64_t count) {
  if (matrix.type == Number::bfloat16) {
    store_half(static_cast<uint16_t*>(matrix.numbers) + at, value, count);
    return;
  }
  float* to = static_cast<float*>(matrix.numbers) + at;
  count >= kLanes ? store(to, value) : store_part(to, value, count);
}

// Lines of the output that a tile will write, asked for while the tile is computed.
FASTDAAE_INLINE void fetch_tile(const void* out, int64_t size, int64_t columns, int64_t first_row, int64_t rows,
                                int64_t first_column, int64_t width) {
  const char* at = static_cast<const char*>(out) + (first_row * columns + first_column) * size;
  for (int64_t i = 0; i < rows; ++i, at += columns * size) {
    for (int64_t byte = 0; byte < width * size; byte += 64) __builtin_prefetch(at + byte, 1, 3);
    __builtin_prefetch(at + width * size - 1, 1, 3);
  }
}

FASTDAAE_INLINE void fetch_tile(const MutableMatrix& out, int64_t columns, int64_t first_row, int64_t rows,
                                int64_t first_column, int64_t width) {
  fetch_tile(out.numbers, bytes_of(out.type), columns, first_row, rows, first_column, width);
}

FASTDAAE_INLINE Float load_bias(const float* bias, int64_t first, int64_t count) {
  if (!bias) return Float{};
  return count >= kLanes ? load(bias + first) : load_part(bias + first, count);
}

// out = activation(sums + bias).
struct ActivatedOutput {
  const float* bias;
  Activation activation;
  MutableMatrix out;
  int64_t columns;

  FASTDAAE_INLINE void fetch(int64_t first_row, int64_t rows, int64_t first_column, int64_t width) const {
    fetch_tile(out, columns, first_row, rows, first_column, width);
  }

  FASTDAAE_INLINE void take(const float* tile, float*, int64_t first_row, int64_t rows, int64_t first_column,
                            int64_t width, int64_t) const {
    with_activation(activation, [&](const auto& activated) {
      take_as(activated, tile, first_row, rows, first_column, width);
    });
  }

 private:
  template <typename Activated>
  void take_as(const Activated& activated, const float* tile, int64_t first_row, int64_t rows, int64_t first_column,
               int64_t width) const {
    for (int64_t v = 0; v < width; v += kLanes) {
      const Float shift = load_bias(bias, first_column + v, width - v);
      for (int64_t i = 0; i < rows; ++i) {
        const Float value = activated.of(load(tile + i * kTileColumns + v) + shift);
        store_numbers(out, (first_row + i) * columns + first_column + v, value, width - v);
      }
    }
  }
};

// noisy = the corrupted activation(sums + bias), and clean what it was before, where not null.
struct CorruptedOutput {
  const float* bias;
  Activation activation;
  Plan plan;
  NoiseAddress noise;
  float *clean, *noisy;
  int64_t columns;

  FASTDAAE_INLINE void fetch(int64_t first_row, int64_t rows, int64_t first_column, int64_t width) const {
    fetch_tile(noisy, 4, columns, first_row, rows, first_column, width);
    if (clean) fetch_tile(clean, 4, columns, first_row, rows, first_column, width);
  }

  FASTDAAE_INLINE void take(const float* tile, float* values, int64_t first_row, int64_t rows, int64_t first_column,
                            int64_t width, int64_t) const {
    static_assert(kTileColumns == kSpan, "a tile is a span wide");
    with_activation(activation, [&](const auto& activated) {
      activate(activated, tile, values, rows, first_column, width);
    });
    const int64_t at = first_row * columns + first_column;
    if (clean) copy_tile(values, rows, width, clean + at);
    corrupted_tile(values, plan, row_noise(noise, first_row, 0), first_column, rows, width, noisy + at, columns);
  }

 private:
  template <typename Activated>
  void activate(const Activated& activated, const float* tile, float* values, int64_t rows, int64_t first_column,
                int64_t width) const {
    for (int64_t v = 0; v < width; v += kLanes) {
      const Float shift = load_bias(bias, first_column + v, width - v);
      for (int64_t i = 0; i < rows * kTileColumns; i += kTileColumns) {
        store(values + i + v, activated.of(load(tile + i + v) + shift));
      }
    }
  }

  void copy_tile(const float* values, int64_t rows, int64_t width, float* out) const {
    for (int64_t i = 0; i < rows; ++i) {
      store_span(out + i * columns, load_span(values + i * kTileColumns, kSpan), width);
    }
  }
};

// out = activation(sums + bias), from tiles whose rows are the layer's outputs and whose columns are its inputs' rows.
struct TransposedOutput {
  const float* bias;
  Activation activation;
  MutableMatrix out;
  int64_t outputs;

  FASTDAAE_INLINE void fetch(int64_t first_row, int64_t rows, int64_t first_column, int64_t width) const {
    fetch_tile(out, outputs, first_column, width, first_row, rows);
  }

  FASTDAAE_INLINE void take(const float* tile, float*, int64_t first_row, int64_t rows, int64_t first_column,
                            int64_t width, int64_t) const {
    with_activation(activation, [&](const auto& activated) {
      take_as(activated, tile, first_row, rows, first_column, width);
    });
  }

 private:
  template <typename Activated>
  void take_as(const Activated& activated, const float* tile, int64_t first_row, int64_t rows, int64_t first_column,
               int64_t width) const {
    for (int64_t part = 0; part < rows; part += kLanes) {
      const Float shift = load_bias(bias, first_row + part, rows - part);
      for (int64_t v = 0; v < width; v += kLanes) {
        Float square[kLanes];
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) {
          square[i] = part + i < rows ? load(tile + (part + i) * kTileColumns + v) : Float{};
        }
        transpose(square);
        const int64_t count = std::min<int64_t>(kLanes, width - v);
        for (int64_t j = 0; j < count; ++j) {
          const int64_t at = (first_column + v + j) * outputs + first_row + part;
          store_numbers(out, at, activated.of(square[j] + shift), rows - part);
        }
      }
    }
  }
};

// out = the mean over the members of activation(sums + bias); saved keeps what the backward pass needs of each member.
struct MeanOutput {
  const float* bias;
  Activation activation;
  MutableMatrix out, saved;
  int64_t rows_of_member, columns, members;

  FASTDAAE_INLINE void fetch(int64_t first_row, int64_t rows, int64_t first_column, int64_t width) const {
    fetch_tile(out, columns, first_row, rows, first_column, width);
  }

  FASTDAAE_INLINE void take(const float* tile, float* kept, int64_t first_row, int64_t rows, int64_t first_column,
                            int64_t width, int64_t member) const {
    with_activation(activation, [&](const auto& activated) {
      take_as(activated, tile, kept, first_row, rows, first_column, width, member);
    });
  }

 private:
  template <typename Activated>
  void take_as(const Activated& activated, const float* tile, float* kept, int64_t first_row, int64_t rows,
               int64_t first_column, int64_t width, int64_t member) const {
    for (int64_t v = 0; v < width; v += kLanes) {
      const int64_t column = first_column + v, count = width - v;
      const Float shift = load_bias(bias, column, count);
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t at = i * kTileColumns + v;
        const Float value = activated.of(load(tile + at) + shift);
        if (saved.numbers) save(((member * rows_of_member) + first_row + i) * columns + column, value, count);
        const Float sum = member ? load(kept + at) + value : value;
        store(kept + at, sum);
        if (member + 1 == members) {
          store_numbers(out, (first_row + i) * columns + column, sum / static_cast<float>(members), count);
        }
      }
    }
  }

  FASTDAAE_INLINE void save(int64_t at, Float value, int64_t count) const {
    if (saved.type == Number::uint8) {
      const Float zero = {}, one = zero + 1.0f;
      store_bytes(static_cast<uint8_t*>(saved.numbers) + at, value > zero ? one : zero, count);
    } else {
      store_numbers(saved, at, value, count);
    }
  }
};

// out = sums, or out += sums.
struct PlainOutput {
  float* out;
  int64_t columns;
  bool adds;

  FASTDAAE_INLINE void fetch(int64_t first_row, int64_t rows, int64_t first_column, int64_t width) const {
    fetch_tile(out, 4, columns, first_row, rows, first_column, width);
  }

  FASTDAAE_INLINE void take(const float* tile, float*, int64_t first_row, int64_t rows, int64_t first_column,
                            int64_t width, int64_t) const {
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t v = 0; v < width; v += kLanes) {
        float* to = out + (first_row + i) * columns + first_column + v;
        const int64_t count = width - v;
        Float value = load(tile + i * kTileColumns + v);
        if (adds) value += count >= kLanes ? load(to) : load_part(to, count);
        count >= kLanes ? store(to, value) : store_part(to, value, count);
      }
    }
  }
};

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
