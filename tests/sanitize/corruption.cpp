#include "driver.h"

namespace fastdaae {
namespace sanitize {

namespace {

const NoiseAddress kAddress = {{7u, 9u}, 0xFFFFFFFFu, 3u, (int64_t{1} << 32) - 2};

void drive(const Engine& engine, Kind kind, int64_t rows, int64_t columns, int64_t copies, bool bytes, int threads) {
  const Numbers<float> x = random_numbers(rows * columns);
  const Numbers<uint8_t> pixels(rows * columns, [](int64_t i) { return i * 37 % 256; });
  const Numbers<int64_t> index(rows, [rows](int64_t i) { return rows - 1 - i; });
  const void* values = bytes ? static_cast<const void*>(pixels.data()) : x.data();
  const Source source = {values, bytes ? Number::uint8 : Number::float32, bytes ? index.data() : nullptr, columns};
  const int64_t height = columns % 7 == 0 ? 7 : columns % 3 == 0 ? 3 : 1, width = columns / height;
  const Corruption corruption = {kind, 0.5, 0.0, 1.0, {1, height, width, (height + 1) / 2, (width + 1) / 2, 3}};
  const Extent extent = {rows, columns, copies};
  Numbers<float> out(copies * rows * columns), dx(rows * columns);
  engine.corruption.corrupt(source, corruption, kAddress, extent, out.data(), threads);
  require_finite(out, "corrupt is finite", engine.isa);
  engine.corruption.corrupt_backward(out.data(), source, corruption, kAddress, extent, dx.data(), threads);
  require_finite(dx, "corrupt_backward is finite", engine.isa);
}

void drive_draws(const Engine& engine, int64_t rows, int64_t columns, int64_t copies, int threads) {
  const int64_t count = copies * rows * columns;
  const Extent extent = {rows, columns, copies};
  const Numbers<float> zeros(count);
  Numbers<float> normals(count), noise(count);
  Numbers<uint32_t> words(count);
  Numbers<double> uniforms(count);
  engine.random.words(kAddress, extent, words.data(), threads);
  engine.random.uniforms(kAddress, extent, uniforms.data(), threads);
  engine.random.normals(kAddress, extent, normals.data(), threads);
  const Source source = {zeros.data(), Number::float32, nullptr, columns};
  engine.corruption.corrupt(source, {Kind::gaussian, 1.0, 0.0, 0.0}, kAddress, extent, noise.data(), threads);
  for (int64_t i = 0; i < count; ++i) {
    const double uniform = (static_cast<double>(words.data()[i]) + 0.5) * 0x1p-32;
    require_that(uniforms.data()[i] == uniform, "a uniform is that of its word", engine.isa);
    require_that(normals.data()[i] == noise.data()[i], "a normal is the noise of a zero", engine.isa);
  }
}

}  // namespace

void drive_corruption(const Engine& engine, int threads) {
  for (Kind kind : {Kind::none, Kind::gaussian, Kind::clipped_gaussian, Kind::masking, Kind::salt_and_pepper,
                    Kind::patches}) {
    for (int64_t rows : {1, 3}) {
      for (int64_t columns : {1, 3, 4, 15, 16, 17, 63, 64, 65, 129, 784}) {
        for (bool bytes : {false, true}) drive(engine, kind, rows, columns, 2, bytes, threads);
        drive_draws(engine, rows, columns, 2, threads);
      }
    }
    drive(engine, kind, 100, 784, 1, false, threads);  // enough for several threads
    drive_draws(engine, 100, 784, 1, threads);
  }
}

}  // namespace sanitize
}  // namespace fastdaae
