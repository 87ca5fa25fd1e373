#include "driver.h"

namespace fastdaae {
namespace sanitize {

namespace {

// A network of fully connected layers with weights of its own.
struct Weights {
  explicit Weights(const std::vector<int64_t>& sizes, Activation last) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      weights.push_back(random_numbers(sizes[i] * sizes[i + 1]));
      biases.push_back(random_numbers(sizes[i + 1]));
    }
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      const bool ends = i + 2 == sizes.size();
      layers.push_back({weights[i].data(), i % 2 ? nullptr : biases[i].data(), sizes[i], sizes[i + 1],
                        ends ? last : Activation::relu});
    }
  }
  DenseNetwork network() const { return {layers.data(), static_cast<int64_t>(layers.size())}; }
  std::vector<Numbers<float>> weights, biases;
  std::vector<DenseLayer> layers;
};

void drive(const Engine& engine, int64_t rows, std::vector<int64_t> sizes, Precision precision, int threads) {
  const Weights decoder(sizes, Activation::sigmoid);
  const Weights encoder({sizes.rbegin(), sizes.rend()}, Activation::none);
  const Numbers<float> codes = random_numbers(rows * sizes.front());
  const Numbers<int64_t> keep(2, [](int64_t i) { return 2 * i; });
  Numbers<float> out(2 * rows * sizes.back());
  const NoiseAddress address = {{1u, 2u}, 0xFFFFFFFFu, 1u, 5};
  engine.chain.run({decoder.network(), encoder.network(), codes.data(), rows, {Kind::gaussian, 0.5, 0.0, 0.0}, address, precision,
                    keep.data(), 2, out.data()},
                   threads);
  require_finite(out, "the chain is finite", engine.isa);
}

}  // namespace

void drive_chain(const Engine& engine, int threads) {
  for (int64_t rows : {1, 13, 15, 97}) {
    for (Precision precision : {Precision::float32, Precision::bf16}) {
      drive(engine, rows, {1, 1}, precision, threads);
      drive(engine, rows, {3, 31, 65, 129}, precision, threads);
      drive(engine, rows, {10, 33, 200}, precision, threads);
    }
  }
}

}  // namespace sanitize
}  // namespace fastdaae
