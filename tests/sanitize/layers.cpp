#include "layers.h"

namespace fastdaae {
namespace sanitize {

namespace {

constexpr NoiseAddress kAddress = {{3u, 5u}, 7u, 2u, 11};

// A batch of inputs: bytes that are gathered, or floats; and what the corruption makes of them.
struct Batch {
  Batch(const Engine& engine, const Shape& s, Choices& choose)
      : bytes(s.rows * s.columns, [](int64_t i) { return i * 37 % 256; }),
        floats(random_numbers(s.rows * s.columns)),
        index(s.rows, [&](int64_t i) { return s.rows - 1 - i; }),
        corrupted(s.copies * s.rows * s.columns) {
    const bool as_bytes = choose.toss(), gathers = choose.toss();
    const void* values = as_bytes ? static_cast<const void*>(bytes.data()) : floats.data();
    const auto kind = static_cast<Kind>(choose.below(5));
    input = {{values, as_bytes ? Number::uint8 : Number::float32, gathers ? index.data() : nullptr, s.columns},
             {kind, 0.25, 0.0, 1.0}, kAddress, {s.rows, s.columns, s.copies}};
    engine.corruption.corrupt(input.source, input.corruption, kAddress, input.extent, corrupted.data(), 1);
  }
  Numbers<uint8_t> bytes;
  Numbers<float> floats;
  Numbers<int64_t> index;
  Numbers<float> corrupted;
  LayerInput input;
};

void drive_linear(const Engine& engine, const Shape& s, Choices& choose, int threads) {
  const Batch batch(engine, s, choose);
  const Weights weights(s, choose);
  Typed out(s.copies * s.rows * s.outputs, float_or_half(choose));
  engine.layers.linear(batch.input, weights.layer, weights.half, out.mutable_matrix(), threads);
  for (int64_t i = 0; i < s.copies * s.rows; ++i) {
    for (int64_t o = 0; o < s.outputs; ++o) {
      const Sum sum = weights.sum(batch.corrupted.data() + i * s.columns, o);
      const double expected = activated(sum.value, weights.layer.activation);
      require_near(out.at(i * s.outputs + o), expected, sum.error + out.rounding(expected), "linear", engine.isa);
    }
  }
}

void drive_linear_mean(const Engine& engine, const Shape& s, Choices& choose, int threads) {
  const Numbers<float> input = random_numbers(s.copies * s.rows * s.columns);
  const Weights weights(s, choose);
  const Layer& layer = weights.layer;
  const int64_t count = s.rows * s.outputs;
  const Number type = saved_type(layer.activation, choose);
  const bool saves = choose.toss(), as_bytes = type == Number::uint8;
  Typed out(count, float_or_half(choose)), saved(s.copies * count, type);
  engine.layers.linear_mean(input.data(), s.copies, s.rows, layer, weights.half, out.mutable_matrix(),
                            saves ? saved.mutable_matrix() : MutableMatrix{nullptr, Number::float32}, threads);
  for (int64_t i = 0; i < count; ++i) {
    double mean = 0.0, error = 0.0;
    for (int64_t c = 0; c < s.copies; ++c) {
      const Sum sum = weights.sum(input.data() + (c * s.rows + i / s.outputs) * s.columns, i % s.outputs);
      const double one = activated(sum.value, layer.activation), kept = saved.at(c * count + i);
      mean += one / static_cast<double>(s.copies);
      error = std::fmax(error, sum.error);
      if (!saves) continue;
      const bool clear = std::fabs(sum.value) > sum.error;
      if (as_bytes) require_that(!clear || kept == (sum.value > 0.0 ? 1.0f : 0.0f), "saved bytes", engine.isa);
      if (!as_bytes) require_near(kept, one, sum.error + saved.rounding(one), "saved", engine.isa);
    }
    require_near(out.at(i), mean, error + out.rounding(mean), "linear_mean", engine.isa);
  }
}

// In one pass as in two, to the bit.
void drive_linear_corrupt(const Engine& engine, const Shape& s, Choices& choose, int threads) {
  const Numbers<float> input = random_numbers(s.rows * s.columns);
  const Weights weights(s, choose);
  const int64_t count = s.rows * s.outputs;
  const Patches patches = {1, 1, s.outputs, 1, (s.outputs + 1) / 2, 3};
  const Corruption corruption = {static_cast<Kind>(choose.below(6)), 0.25, 0.0, 1.0, patches};
  Numbers<float> expected(count), noise(count), clean(count), noisy(count);
  const LayerInput plain = {{input.data(), Number::float32, nullptr, s.columns}, {Kind::none, 0.0, 0.0, 0.0}, kAddress,
                            {s.rows, s.columns, 1}};
  engine.layers.linear(plain, weights.layer, weights.half, {expected.data(), Number::float32}, threads);
  engine.corruption.corrupt({expected.data(), Number::float32, nullptr, s.outputs}, corruption, kAddress,
                            {s.rows, s.outputs, 1}, noise.data(), threads);
  const bool keeps = choose.toss();
  engine.layers.linear_corrupt(input.data(), s.rows, weights.layer, weights.half, corruption, kAddress,
                               keeps ? clean.data() : nullptr, noisy.data(), threads);
  for (int64_t i = 0; i < count; ++i) {
    require_that(noisy.data()[i] == noise.data()[i], "one pass corrupts like two", engine.isa);
    require_that(!keeps || clean.data()[i] == expected.data()[i], "one pass keeps what it corrupts", engine.isa);
  }
}

// What the backward pass starts from.
struct Gradients {
  Gradients(const Shape& s, Choices& choose)
      : activation(any_activation(choose)),
        shared(choose.toss()),
        grad((shared ? 1 : s.copies) * s.rows * s.outputs, float_or_half(choose),
             [](int64_t i) { return pseudo_random(i + 5) - 0.5f; }),
        saved(s.copies * s.rows * s.outputs, saved_type(activation, choose),
              [&](int64_t i) { return rectifies(activation) ? (i % 3 ? 1.0f : 0.0f) : pseudo_random(i + 17); }),
        half(choose.toss()) {
    const float scale = choose.toss() ? 1.0f : 0.5f;
    gradient = {grad.matrix(), saved.matrix(), activation, shared, scale, s.copies, s.rows, s.outputs};
  }

  float at(int64_t pair, int64_t output) const {
    const LayerGradient& g = gradient;
    const float above = g.scale * grad.at((shared ? pair % g.rows : pair) * g.outputs + output);
    const float y = saved.at(pair * g.outputs + output);
    switch (activation.name) {
      case Activation::none:
        return above;
      case Activation::relu:
        return y > 0.0f ? above : 0.0f;
      case Activation::sigmoid:
        return above * y * (1.0f - y);
      case Activation::leaky_relu:
        return y > 0.0f ? above : activation.slope * above;
      case Activation::tanh:
        return above * (1.0f - y) * (1.0f + y);
    }
    return NAN;
  }
  Activation activation;
  bool shared;
  Typed grad, saved;
  bool half;
  LayerGradient gradient;
};

void drive_weight_gradient(const Engine& engine, const Shape& s, Choices& choose, int threads) {
  const Batch batch(engine, s, choose);
  const Gradients gradients(s, choose);
  const int64_t pairs = s.copies * s.rows;
  const bool biased = choose.toss();
  Numbers<float> weight_grad(s.outputs * s.columns), bias_grad(s.outputs);
  engine.layers.weight_gradient(batch.input, gradients.gradient, gradients.half, weight_grad.data(),
                                biased ? bias_grad.data() : nullptr, threads);
  for (int64_t o = 0; o < s.outputs; ++o) {
    Numbers<float> column(pairs, [&](int64_t pair) { return gradients.at(pair, o); });
    Sum bias;
    for (int64_t i = 0; i < pairs; ++i) bias.add(column.data()[i], 1.0f);
    bias.round(pairs, gradients.half);
    if (biased) require_near(bias_grad.data()[o], bias.value, bias.error, "bias gradient", engine.isa);
    for (int64_t k = 0; k < s.columns; ++k) {
      Sum sum;
      for (int64_t i = 0; i < pairs; ++i) sum.add(column.data()[i], batch.corrupted.data()[i * s.columns + k]);
      sum.round(pairs, gradients.half);
      require_near(weight_grad.data()[o * s.columns + k], sum.value, sum.error, "weight gradient", engine.isa);
    }
  }
}

void drive_input_gradient(const Engine& engine, const Shape& s, Choices& choose, int threads) {
  const Gradients gradients(s, choose);
  const Weights weights(s, choose);
  const bool sums = choose.toss();
  const int64_t count = sums ? s.rows : s.copies * s.rows, terms = sums ? s.copies : 1;
  Numbers<float> input_grad(count * s.columns);
  engine.layers.input_gradient(gradients.gradient, weights.weight.matrix(), s.columns, sums, gradients.half,
                               input_grad.data(), threads);
  for (int64_t i = 0; i < count; ++i) {
    std::vector<Sum> row(static_cast<size_t>(s.columns));
    for (int64_t o = 0; o < terms * s.outputs; ++o) {
      const int64_t output = o % s.outputs;
      const float grad = gradients.at(i + o / s.outputs * s.rows, output);
      for (int64_t k = 0; k < s.columns; ++k) {
        row[static_cast<size_t>(k)].add(grad, weights.weight.at(output * s.columns + k));
      }
    }
    for (int64_t k = 0; k < s.columns; ++k) {
      Sum& sum = row[static_cast<size_t>(k)];
      sum.round(terms * s.outputs, gradients.half);
      require_near(input_grad.data()[i * s.columns + k], sum.value, sum.error, "input gradient", engine.isa);
    }
  }
}

void drive(const Engine& engine, const Shape& shape, Choices& choose, int threads) {
  drive_linear(engine, shape, choose, threads);
  drive_linear_mean(engine, shape, choose, threads);
  drive_linear_corrupt(engine, shape, choose, threads);
  drive_weight_gradient(engine, shape, choose, threads);
  drive_input_gradient(engine, shape, choose, threads);
}

}  // namespace

void drive_layers(const Engine& engine, int threads) {
  Choices choose;
  for (int64_t rows : {1, 3, 13, 14, 15, 33}) {
    for (int64_t columns : {1, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200, 300}) {
      for (int64_t outputs : {1, 10, 31, 32, 33, 100}) {
        drive(engine, {rows, columns, outputs, 1 + choose.below(3)}, choose, threads);
      }
    }
  }
  for (int repeat = 0; repeat < 8; ++repeat) {
    drive(engine, {0, 5, 7, 2}, choose, threads);
    drive(engine, {3, 5, 0, 2}, choose, threads);
    drive(engine, {3, 0, 7, 2}, choose, threads);
    drive(engine, {5, 65, 1100, 1}, choose, threads);   // outputs enough for every thread to pack its own
    drive(engine, {2100, 3, 33, 1}, choose, threads);   // rows that do not fit one chunk, nor one piece of a gradient
    drive(engine, {64, 129, 100, 2}, choose, threads);  // enough for several threads
  }
}

}  // namespace sanitize
}  // namespace fastdaae
