// Rectangles that are filled: which columns of a row they cover is known from the row's noise alone.
#pragma once

#include <algorithm>

#include "words.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Fills what the rectangle at (top, left) covers of columns first..last-1, which stand from `out` on.
inline void fill_rectangle(const Patches& patches, int64_t top, int64_t left, int64_t first, int64_t last, float fill,
                           float* out) {
  const int64_t plane_size = patches.image_height * patches.image_width;
  for (int64_t plane = first / plane_size * plane_size; plane < last; plane += plane_size) {
    // rows of the image that the columns reach
    const int64_t above = std::max<int64_t>(0, first - plane) / patches.image_width;
    const int64_t below = (std::min(last - plane, plane_size) - 1) / patches.image_width;
    const int64_t end = std::min(top + patches.height, below + 1);
    for (int64_t y = std::max(top, above); y < end; ++y) {
      const int64_t start = plane + y * patches.image_width + left;
      const int64_t from = std::max(start, first), to = std::min(start + patches.width, last);
      if (from < to) std::fill(out + (from - first), out + (to - first), fill);
    }
  }
}

// 0..count-1 by a word.
FASTDAAE_INLINE int64_t place_of(uint32_t word, int64_t count) {
  return static_cast<int64_t>((static_cast<uint64_t>(word) * static_cast<uint64_t>(count)) >> 32);
}

// Fills the rectangles of a row in its columns first..first+count-1, which stand from `out` on. Rectangle r lies where
// the words of columns 2r and 2r+1 say: a counter's four words place two.
inline void fill_patches(const Patches& patches, const RowNoise& noise, int64_t first, int64_t count, float fill,
                         float* out) {
  const int64_t tops = patches.image_height - patches.height + 1, lefts = patches.image_width - patches.width + 1;
  for (int64_t r = 0; r < patches.count; r += 2) {
    const auto pair = static_cast<uint32_t>(r / 2);
    const PhiloxWords w = philox4x32({pair, noise.row, noise.copy_and_site, noise.step}, noise.key);
    fill_rectangle(patches, place_of(w.w0, tops), place_of(w.w1, lefts), first, first + count, fill, out);
    if (r + 1 == patches.count) return;
    fill_rectangle(patches, place_of(w.w2, tops), place_of(w.w3, lefts), first, first + count, fill, out);
  }
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
