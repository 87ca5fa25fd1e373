// The chain in pairs of bf16 numbers, whose products are emulated: for processors without them.
#define FASTDAAE_ISA emulated
#define FASTDAAE_EMULATED_BF16

#include "../../csrc/cpu/chain/chain.cpp"
#include "../../csrc/cpu/machine.cpp"
#include "../../csrc/cpu/progress.cpp"

// One hidden layer of `hidden` units each way; x(steps) of every chain. Noise: salt and pepper, which rounds nothing.
extern "C" void half_chain(const float* decode_in, const float* decode_out, const float* encode_in,
                           const float* encode_out, const float* codes, int64_t rows, int64_t code, int64_t hidden,
                           int64_t pixels, int64_t steps, float* out) {
  using namespace fastdaae;
  const auto layer = [](const float* weight, int64_t inputs, int64_t outputs, Activation::Name activation) {
    return Layer{{weight, Number::float32}, nullptr, inputs, outputs, {activation}};
  };
  const Layer decoder[] = {layer(decode_in, code, hidden, Activation::relu),
                           layer(decode_out, hidden, pixels, Activation::sigmoid)};
  const Layer encoder[] = {layer(encode_in, pixels, hidden, Activation::relu),
                           layer(encode_out, hidden, code, Activation::none)};
  const Corruption corruption = {Kind::salt_and_pepper, 0.3, 0.0, 1.0};
  const NoiseAddress noise = {{5, 0}, 0, 4, 0};
  emulated::chain_kernels().run(
      {{decoder, 2}, {encoder, 2}, codes, rows, corruption, noise, true, &steps, 1, out}, 2);
}
