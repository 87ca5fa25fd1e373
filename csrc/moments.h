// Mean and squared deviations of a set, merged without cancellation (Chan, Golub and LeVeque 1983); host and device.
#pragma once

#include "philox.h"  // FASTDAAE_HD

namespace fastdaae {

// squares = sum of (x - mean)^2 over `count` values.
struct Moments {
  double count, mean, squares;
};

FASTDAAE_HD inline Moments merged(const Moments& a, const Moments& b) {
  const double count = a.count + b.count;
  if (count == 0.0) return a;
  const double difference = b.mean - a.mean, share = b.count / count;
  return {count, a.mean + difference * share, a.squares + b.squares + difference * difference * a.count * share};
}

}  // namespace fastdaae
