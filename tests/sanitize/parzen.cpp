#include "points.h"

namespace fastdaae {
namespace sanitize {

namespace {

// log of the mean over the samples of their normal densities at a query, as the formula says.
double direct(const AnyPoints& queries, int64_t query, const AnyPoints& samples, double h) {
  std::vector<double> exponents;
  double largest = -HUGE_VAL, sum = 0.0;
  for (int64_t i = 0; i < samples.rows(); ++i) {
    exponents.push_back(-squared_distance(queries, query, samples, i) / (2.0 * h * h));
    largest = std::fmax(largest, exponents.back());
  }
  for (double exponent : exponents) sum += std::exp(exponent - largest);
  const auto count = static_cast<double>(samples.rows()), columns = static_cast<double>(samples.columns());
  return largest + std::log(sum / count) - columns * std::log(h * std::sqrt(2.0 * M_PI));
}

void drive(const Engine& engine, const AnyPoints& queries, const AnyPoints& samples, int threads) {
  const Numbers<double> bandwidths(4, [](int64_t i) { return i == 0 ? 0.3 : i == 1 ? 2.0 : i == 2 ? 0.05 : 0.3; });
  Numbers<double> out(bandwidths.size() * queries.rows());
  engine.parzen.log_density(queries.points(), samples.points(), bandwidths.data(), bandwidths.size(), out.data(),
                            threads);
  const int64_t step = 1 + queries.rows() / 4;
  for (int64_t b = 0; b < bandwidths.size(); ++b) {
    for (int64_t i = 0; i < queries.rows(); ++i) {
      const double got = out.data()[b * queries.rows() + i];
      require_that(std::isfinite(got), "log_density is finite", engine.isa);
      if (i % step && i + 1 < queries.rows()) continue;
      const double expected = direct(queries, i, samples, bandwidths.data()[b]);
      require_near(got, expected, 1e-3 + 1e-6 * std::fabs(expected), "log_density", engine.isa);
    }
  }
}

void drive_exp2(const Engine& engine) {
  for (int64_t count : {1, 3, 15, 16, 17, 33}) {
    const Numbers<float> x(count, [](int64_t i) { return -5.0f * pseudo_random(i); });
    Numbers<float> out(count);
    engine.parzen.exp2(x.data(), count, out.data());
    for (int64_t i = 0; i < count; ++i) {
      require_near(out.data()[i], std::exp2(static_cast<double>(x.data()[i])), 1e-6, "exp2", engine.isa);
    }
  }
}

}  // namespace

void drive_parzen(const Engine& engine, int threads) {
  Choices choose;
  const auto points = [&](int64_t rows, int64_t columns, int64_t seed) {
    return AnyPoints(rows, columns, choose, seed);
  };
  for (int64_t columns : {1, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200}) {
    for (int64_t rows : {1, 3, 13, 14, 15, 33}) {
      for (int64_t samples : {1, 31, 33, 100}) {
        drive(engine, points(rows, columns, 1), points(samples, columns, 2), threads);
      }
    }
  }
  for (int repeat = 0; repeat < 4; ++repeat) {
    drive(engine, points(15, 1100, 1), points(65, 1100, 2), threads);  // deeper than a chunk of the depth
    drive(engine, points(3, 5, 1), points(8300, 5, 2), threads);       // more than a chunk of samples
    drive(engine, points(200, 3, 1), points(300, 3, 2), threads);      // several groups, and lists that overflow
  }
  drive_exp2(engine);
}

}  // namespace sanitize
}  // namespace fastdaae
