// What one call knows before its first product: the bandwidths, and which rounding errors they can bear.
//
// Let u = 2^-24. A tile's squared distance is |s|^2 - 2 q s, to which |q|^2 is added in float64. With m the largest
// norm of a sample, W the root of the weighted sum of SquareSums (M: the samples' largest), and b the depth blocks, it
// is wrong by at most
//
//     E = u (5 (|q| + m)^2 + 2 (W M + (b + 1) |q| m)) 1.01
//
// 5: the cast to float32 (2), the sample's norm, the subtraction, the limit it is compared with; W M: the partial sums
// of each chain of multiply-adds; b: the sums of blocks, added one by one; 1: products that are rounded apart, without
// a fused instruction; 1.01: the terms in u^2. Products of bytes are exact: the 5 alone is left, in which their one
// rounding takes the place of the casts. With rate = 1 / 2h^2, no exponent moves by more than e = rate E, nor does the
// log-sum-exp. Where e is more than `allowed`, 0.8 of the promise 1e-3 + 1e-6 |log p| (that |log p| >=
// D log(h sqrt(2 pi)) is known beforehand), the samples within `reach` of the nearest are listed and settled by direct
// float64 differences. The others are farther than reach - 2 E from it, so that together they weigh at most
// N exp(-rate (reach - 2 E)) of the whole. Kept as the tiles gave them, they are wrong by the factor exp(e) - 1 at
// most; left out, by 1:
//
//     reach = 2 E + (log N + log((exp(e) - 1) / allowed)) / rate      e <= 1/2: kept
//     reach = 2 E + (log N + 9) / rate                                else: left out
//
// All of this holds for the nearest so far in place of the nearest, which only lists more.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../tile/product.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

constexpr double kUnit = 0x1p-24;
constexpr double kBeyond = 9.0;    // what is left out weighs at most exp(-9) = 1.3e-4
constexpr double kKeptUpTo = 0.5;  // the largest exponent error with which far samples are worth keeping

struct Norms {
  double norm, weighted;  // |x|, and the root of the weighted sum
};

// One bandwidth; distances below are squared, those of the tiles scaled.
struct Bandwidth {
  double rate;      // 1 / 2h^2, for the direct differences
  double scaled;    // the same for the tiles' distances
  double allowed;   // nats that rounding may cost
  double log_mass;  // log N + D log(h sqrt(2 pi))
  float binary;     // the scaled rate in base 2
  float reach;      // beyond the nearest by more than this, a sample weighs nothing
  int64_t place;    // among the bandwidths as given
};

// What the rounding of one query's distances asks for.
struct Care {
  double error;     // E in the tiles' units
  int64_t settled;  // bandwidths from this one on, in the plan's order, are settled by direct differences
  float reach;      // samples within this of the nearest are listed; -infinity: none
};

// b + 1 of the bound.
inline double rounded_sums(int64_t columns) {
  return static_cast<double>((columns + kDepthBlock - 1) / kDepthBlock + 1);
}

struct Plan {
  int64_t columns;
  double sums;  // of products that are rounded one by one; 0 where products are exact, whose weighted norms are 0 too
  double log_count;
  Norms samples;                      // the largest, scaled
  std::vector<Bandwidth> bandwidths;  // widest first

  bool keeps_far(const Care& care, int64_t b) const {
    return care.error * bandwidths[static_cast<size_t>(b)].scaled <= kKeptUpTo;
  }

  double listed_within(double error, const Bandwidth& one) const {
    const double exponent = error * one.scaled;
    const double beyond = exponent > kKeptUpTo ? kBeyond : std::log(std::expm1(exponent) / one.allowed);
    return 2.0 * error + std::max(0.0, log_count + beyond) / one.scaled;
  }

  double squared_distance_error(const Norms& query) const {
    const double both = query.norm + samples.norm;
    const double product = query.weighted * samples.weighted + sums * query.norm * samples.norm;
    // the last term: beneath 2^-126 float32 loses digits
    return 1.01 * kUnit * (5.0 * both * both + 2.0 * product) + static_cast<double>(columns) * 0x1p-120;
  }

  Care care(const Norms& query) const {
    const double error = squared_distance_error(query);
    const int64_t count = static_cast<int64_t>(bandwidths.size());
    Care made = {error, count, -HUGE_VALF};
    double reach = 0.0;
    while (made.settled > 0) {
      const Bandwidth& one = bandwidths[static_cast<size_t>(made.settled - 1)];
      if (error * one.scaled <= one.allowed) break;
      reach = std::max(reach, listed_within(error, one));
      --made.settled;
    }
    if (made.settled < count) made.reach = static_cast<float>(reach * 1.000001);
    return made;
  }
};

// The numbers compared are the values times `unit`, and those of the tiles these times `scale`.
struct Units {
  double unit, scale;
};

inline Plan make_plan(const Points& samples, const Norms& largest, double sums, const Units& units,
                      const double* bandwidths, int64_t count) {
  Plan plan = {samples.columns, sums, std::log(static_cast<double>(samples.rows)), largest, {}};
  const double columns = static_cast<double>(samples.columns);
  for (int64_t b = 0; b < count; ++b) {
    const double h = bandwidths[b], log_volume = columns * std::log(h * std::sqrt(2.0 * M_PI));
    Bandwidth one = {};
    one.rate = std::min(0.5 / (h * units.unit) / (h * units.unit), 1e300);
    one.scaled = std::min(one.rate / units.scale / units.scale, 1e300);
    one.allowed = 0.8 * (1e-3 + 1e-6 * std::max(0.0, log_volume));
    one.log_mass = plan.log_count + log_volume;
    // a rate beyond float32 belongs to a bandwidth that direct differences settle, one below it to equal weights
    one.binary = static_cast<float>(std::max(1e-37, std::min(one.scaled * M_LOG2E, 1e30)));
    one.reach = static_cast<float>(std::min((plan.log_count + kBeyond) / one.scaled, 1e30));
    one.place = b;
    plan.bandwidths.push_back(one);
  }
  std::sort(plan.bandwidths.begin(), plan.bandwidths.end(),
            [](const Bandwidth& a, const Bandwidth& b) { return a.rate < b.rate; });
  return plan;
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
