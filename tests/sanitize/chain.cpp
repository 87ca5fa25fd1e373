#include "driver.h"

namespace fastdaae {
namespace sanitize {

namespace {

// A network of fully connected layers with weights of its own.
struct Weights {
  explicit Weights(const std::vector<int64_t>& sizes, Activation::Name last, Activation::Name inner) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      weights.push_back(random_numbers(sizes[i] * sizes[i + 1]));
      biases.push_back(random_numbers(sizes[i + 1]));
    }
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      const bool ends = i + 2 == sizes.size();
      layers.push_back({{weights[i].data(), Number::float32}, i % 2 ? nullptr : biases[i].data(), sizes[i],
                        sizes[i + 1], {ends ? last : inner, 0.1f}});
    }
  }
  Network network() const { return {layers.data(), static_cast<int64_t>(layers.size())}; }
  std::vector<Numbers<float>> weights, biases;
  std::vector<Layer> layers;
};

void drive(const Engine& engine, int64_t rows, std::vector<int64_t> sizes, bool half, int threads) {
  const Weights decoder(sizes, Activation::sigmoid, half ? Activation::relu : Activation::leaky_relu);
  const Weights encoder({sizes.rbegin(), sizes.rend()}, Activation::none, Activation::tanh);
  const Numbers<float> codes = random_numbers(rows * sizes.front());
  const Numbers<int64_t> keep(2, [](int64_t i) { return 2 * i; });
  Numbers<float> out(2 * rows * sizes.back());
  const NoiseAddress address = {{1u, 2u}, 0xFFFFFFFFu, 1u, 5};
  engine.chain.run({decoder.network(), encoder.network(), codes.data(), rows, {Kind::gaussian, 0.5, 0.0, 0.0}, address,
                    half, keep.data(), 2, out.data()},
                   threads);
  require_finite(out, "the chain is finite", engine.isa);
}

}  // namespace

void drive_chain(const Engine& engine, int threads) {
  for (int64_t rows : {1, 13, 15, 97}) {
    for (bool half : {false, true}) {
      drive(engine, rows, {1, 1}, half, threads);
      drive(engine, rows, {3, 31, 65, 129}, half, threads);
      drive(engine, rows, {10, 33, 200}, half, threads);
    }
  }
}

}  // namespace sanitize
}  // namespace fastdaae
