// log(sum of exponentials) as a running (largest exponent, sum relative to it).
#pragma once

#include <cmath>

#include "philox.h"  // FASTDAAE_INLINE

namespace fastdaae {

// sum_i exp(x_i) = sum * exp(largest); nothing yet: largest = -infinity, sum = 0.
struct LogSum {
  double largest, sum;
};

FASTDAAE_INLINE LogSum empty_log_sum() { return {-HUGE_VAL, 0.0}; }

FASTDAAE_INLINE LogSum merged(LogSum a, LogSum b) {
  if (a.largest < b.largest) {
    const LogSum swapped = a;
    a = b;
    b = swapped;
  }
  // Equal exponents include two empty sums, whose difference would be NaN.
  return {a.largest, a.sum + (a.largest == b.largest ? b.sum : b.sum * exp(b.largest - a.largest))};
}

FASTDAAE_INLINE double log_of(LogSum total) { return total.largest + log(total.sum); }

}  // namespace fastdaae
