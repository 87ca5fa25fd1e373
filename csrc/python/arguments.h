// What the Python bindings share: addresses arrive as integers (absent: 0), sizes as int64, choices as words; nothing
// here knows torch.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <tuple>
#include <vector>

#include "../cpu/engine.h"
#include "fields.h"
#include "words.h"

namespace fastdaae {
namespace python {

namespace py = pybind11;

using Address = std::uintptr_t;
using Text = std::string_view;

// (address, type)
using NumbersArguments = std::tuple<Address, Text>;
// (address, type, rows, index, state)
using SourceArguments = std::tuple<Address, Text, int64_t, Address, Address>;
// fastdaae.draw.Draw: (kind, amount, low, high, image, copies, row_offset, site, ahead, patch_height, patch_width,
// patches)
using DrawArguments = std::tuple<Text, double, double, double, ImageShape, int64_t, int64_t, int64_t, int64_t, int64_t,
                                 int64_t, int64_t>;
// (weight, bias, inputs, outputs, activation, slope)
using LayerArguments = std::tuple<NumbersArguments, Address, int64_t, int64_t, Text, float>;
// (address, type, rows, columns)
using PointsArguments = std::tuple<Address, Text, int64_t, int64_t>;
// (grad, saved, activation, slope, shared, scale, copies, rows, outputs)
using GradientArguments =
    std::tuple<NumbersArguments, NumbersArguments, Text, float, bool, float, int64_t, int64_t, int64_t>;

}  // namespace python
}  // namespace fastdaae

FASTDAAE_READ_FIELDS(fastdaae::python::NumbersArguments);
FASTDAAE_READ_FIELDS(fastdaae::python::SourceArguments);
FASTDAAE_READ_FIELDS(fastdaae::python::DrawArguments);
FASTDAAE_READ_FIELDS(fastdaae::python::LayerArguments);
FASTDAAE_READ_FIELDS(fastdaae::python::PointsArguments);
FASTDAAE_READ_FIELDS(fastdaae::python::GradientArguments);

namespace fastdaae {
namespace python {

template <typename T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

inline Number checked_number(const char* name, Text type, std::initializer_list<Number> taken) {
  const Number number = meaning_of(name, type, kNumbers);
  const bool fits = std::find(taken.begin(), taken.end(), number) != taken.end();
  if (!fits) throw std::invalid_argument(std::string(name) + " cannot be of " + std::string(type));
  return number;
}

inline Activation checked_activation(Text name, float slope) {
  require(slope >= 0.0f && std::isfinite(slope), "slope must be >= 0 and finite, got ", slope);
  return {meaning_of("activation", name, kActivations), slope};
}

// What is drawn, and where.
struct DrawnAt {
  Corruption corruption;
  NoiseAddress noise;
  int64_t copies;
};

// Of rows of so many columns.
inline Corruption checked_corruption(const DrawArguments& draw, int64_t columns) {
  const auto& [kind, amount, low, high, image, copies, row_offset, site, ahead, height, width, count] = draw;
  const Patches patches = {image.planes, image.height, image.width, height, width, count};
  const Corruption corruption = {meaning_of("kind", kind, kKinds), amount, low, high, patches};
  if (corruption.kind != Kind::patches) return corruption;
  require(image.planes * image.height * image.width == columns, "image must have ", columns, " numbers, got ",
          image.planes, " x ", image.height, " x ", image.width);
  require_between("patch_height", height, 1, image.height);
  require_between("patch_width", width, 1, image.width);
  require(count >= 0, "patches must be >= 0, got ", count);
  return corruption;
}

inline DrawnAt checked_draw(const DrawArguments& draw, int64_t columns, Address state) {
  const Corruption corruption = checked_corruption(draw, columns);
  const int64_t copies = std::get<5>(draw), row_offset = std::get<6>(draw), site = std::get<7>(draw);
  require_between("copies", copies, 1, 65536);
  require_between("site", site, 0, 65535);
  NoiseAddress noise = {{0, 0}, 0, static_cast<uint32_t>(site), row_offset};
  if (const auto* words = pointer<const int64_t>(state)) {
    noise.key = {static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1])};
    noise.step = static_cast<uint32_t>(static_cast<uint64_t>(words[2]) + static_cast<uint64_t>(std::get<8>(draw)));
  } else {
    require(corruption.kind == Kind::none, "noise needs a state, got none");
  }
  return {corruption, noise, copies};
}

inline Extent checked_extent(int64_t rows, int64_t columns, int64_t copies) {
  require(rows >= 0 && columns >= 0, "rows and columns must be >= 0, got ", rows, " and ", columns);
  return {rows, columns, copies};
}

inline Source checked_source(const SourceArguments& source, const Extent& extent) {
  const auto [x, type, x_rows, index, state] = source;
  const auto* positions = pointer<const int64_t>(index);
  if (!positions) {
    require(extent.rows <= x_rows, "rows must be <= ", x_rows, ", the rows of x, got ", extent.rows);
  } else {
    const int64_t bad = first_index_out_of_range(positions, extent.rows, x_rows);
    if (bad >= 0) {
      throw std::out_of_range("index must be in 0.." + std::to_string(x_rows - 1) + ", the rows of x, got " +
                              std::to_string(positions[bad]) + " at position " + std::to_string(bad));
    }
  }
  return {pointer<const void>(x), checked_number("x", type, {Number::float32, Number::uint8}), positions,
          extent.columns};
}

// Rows that are corrupted on their way in.
inline LayerInput checked_input(const SourceArguments& source, int64_t rows, int64_t columns,
                                const DrawArguments& draw) {
  const DrawnAt drawn = checked_draw(draw, columns, std::get<4>(source));
  const Extent extent = checked_extent(rows, columns, drawn.copies);
  return {checked_source(source, extent), drawn.corruption, drawn.noise, extent};
}

inline Matrix checked_matrix(const char* name, const NumbersArguments& numbers) {
  return {pointer<const void>(std::get<0>(numbers)),
          checked_number(name, std::get<1>(numbers), {Number::float32, Number::bfloat16})};
}

inline Layer checked_layer(const LayerArguments& arguments) {
  const auto& [weight, bias, inputs, outputs, activation, slope] = arguments;
  require(inputs >= 0 && outputs >= 0, "inputs and outputs must be >= 0, got ", inputs, " and ", outputs);
  return {checked_matrix("weight", weight), pointer<const float>(bias), inputs, outputs,
          checked_activation(activation, slope)};
}

void define_corruption(py::module_& m);
void define_random(py::module_& m);
void define_chain(py::module_& m);
void define_layers(py::module_& m);
void define_parzen(py::module_& m);
void define_neighbors(py::module_& m);
void define_cuda(py::module_& m);

}  // namespace python
}  // namespace fastdaae
