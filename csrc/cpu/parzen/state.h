// What is kept of each query while the samples stream past: the nearest, a sum per bandwidth, and the listed samples.
#pragma once

#include <cfloat>

#include "../../log_sum.h"
#include "../machine.h"
#include "../tile/centered.h"
#include "plan.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

constexpr int64_t kListed = 64;
constexpr double kVanishing = 50.0;
constexpr float kFar = 1e30f;  // beyond every scaled distance: no sample yet

// Tile distances lack |q|^2 and are scaled; exact ones are of the numbers compared.
struct Query {
  double square;            // |q|^2, scaled
  Care care;
  float nearest;            // tile distance
  float replaced_nearest;   // what `replaced` is relative to
  double settled_nearest;   // exact distance, what `settled` is relative to
  int64_t row;
  int64_t listed;
  int64_t samples[kListed];
  float distances[kListed];
};

// One query's sums per bandwidth: over all samples from the tiles, and of those settled the exact and the tiles' terms.
struct Sums {
  double* streamed;
  double* settled;
  double* replaced;
};

class States {
 public:
  States(int64_t count, int64_t bandwidths)
      : bandwidths_(bandwidths),
        queries_(static_cast<size_t>(count) * sizeof(Query)),
        sums_(static_cast<size_t>(3 * count * bandwidths) * sizeof(double)) {}

  Query& query(int64_t i) const { return queries_.as<Query>()[i]; }
  Sums sums(int64_t i) const {
    double* first = sums_.as<double>() + 3 * i * bandwidths_;
    return {first, first + bandwidths_, first + 2 * bandwidths_};
  }

  void start(int64_t i, int64_t row, double square, const Care& care) const {
    Query& made = query(i);
    made.square = square;
    made.care = care;
    made.nearest = made.replaced_nearest = kFar;
    made.settled_nearest = DBL_MAX;
    made.row = row;
    made.listed = 0;
    std::fill_n(sums(i).streamed, 3 * bandwidths_, 0.0);
  }

 private:
  int64_t bandwidths_;
  Scratch queries_, sums_;
};

struct Problem {
  const Plan& plan;
  const Points& queries;
  const Points& samples;
};

// Drops listed samples that are no longer near enough.
inline void thin_out(Query& query) {
  const float limit = query.nearest + query.care.reach;
  int64_t kept = 0;
  for (int64_t i = 0; i < query.listed; ++i) {
    if (query.distances[i] > limit) continue;
    query.samples[kept] = query.samples[i];
    query.distances[kept++] = query.distances[i];
  }
  query.listed = kept;
}

// sums[b] += exp(-distance rate_b) from the first settled bandwidth on; the narrower the faster it vanishes.
template <typename Rate>
FASTDAAE_INLINE void add_terms(const Plan& plan, const Query& query, double distance, Rate rate, double* sums) {
  for (size_t b = static_cast<size_t>(query.care.settled); b < plan.bandwidths.size(); ++b) {
    const double exponent = distance * rate(plan.bandwidths[b]);
    if (exponent > kVanishing) return;
    sums[b] += std::exp(-exponent);
  }
}

template <typename Rate>
FASTDAAE_INLINE void rescale(const Plan& plan, const Query& query, double fall, Rate rate, double* sums) {
  if (fall == 0.0) return;
  for (size_t b = static_cast<size_t>(query.care.settled); b < plan.bandwidths.size(); ++b) {
    sums[b] *= std::exp(-fall * rate(plan.bandwidths[b]));
  }
}

// Adds the listed samples' exact terms, and what the tiles gave for them.
inline void settle(const Problem& problem, Query& query, const Sums& sums) {
  const auto exact = [](const Bandwidth& one) { return one.rate; };
  const auto scaled = [](const Bandwidth& one) { return one.scaled; };
  double distances[kListed], nearest = query.settled_nearest;
  for (int64_t i = 0; i < query.listed; ++i) {
    if (i + 1 < query.listed) prefetch_row(problem.samples, query.samples[i + 1]);
    distances[i] = squared_distance(problem.queries, query.row, problem.samples, query.samples[i]);
    nearest = std::min(nearest, distances[i]);
  }
  const double near_tile = static_cast<double>(query.nearest);
  rescale(problem.plan, query, query.settled_nearest - nearest, exact, sums.settled);
  rescale(problem.plan, query, static_cast<double>(query.replaced_nearest) - near_tile, scaled, sums.replaced);
  for (int64_t i = 0; i < query.listed; ++i) {
    add_terms(problem.plan, query, distances[i] - nearest, exact, sums.settled);
    add_terms(problem.plan, query, static_cast<double>(query.distances[i]) - near_tile, scaled, sums.replaced);
  }
  query.settled_nearest = nearest;
  query.replaced_nearest = query.nearest;
  query.listed = 0;
}

inline void list_sample(const Problem& problem, Query& query, const Sums& sums, int64_t sample, float distance) {
  if (query.listed == kListed) {
    thin_out(query);
    if (query.listed > kListed / 2) settle(problem, query, sums);
  }
  query.samples[query.listed] = sample;
  query.distances[query.listed++] = distance;
}

// log of the sum over the samples seen of exp(-rate d), all samples listed being settled.
inline LogSum log_sum(const Plan& plan, const Query& query, const Sums& sums, int64_t b) {
  const Bandwidth& one = plan.bandwidths[static_cast<size_t>(b)];
  const double nearest = static_cast<double>(query.nearest);
  const LogSum streamed = {-one.scaled * (query.square + nearest), sums.streamed[b]};
  if (b < query.care.settled) return streamed;
  const LogSum settled = {-one.rate * query.settled_nearest, sums.settled[b]};
  if (!plan.keeps_far(query.care, b)) return settled;
  const double fall = static_cast<double>(query.replaced_nearest) - nearest;
  const double far = streamed.sum - sums.replaced[b] * std::exp(-fall * one.scaled);
  return far > 0.0 ? merged(settled, {streamed.largest, far}) : settled;
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
