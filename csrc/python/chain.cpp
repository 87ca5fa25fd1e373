#include <pybind11/stl.h>

#include <tuple>
#include <vector>

#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

// (weight, bias or 0, inputs, outputs, activation)
using LayerArguments = std::tuple<Address, Address, int64_t, int64_t, int>;

std::vector<DenseLayer> checked_layers(const char* name, const std::vector<LayerArguments>& given) {
  require(!given.empty(), std::string(name) + " must have at least one layer, got none");
  std::vector<DenseLayer> layers;
  for (const auto& [weight, bias, inputs, outputs, activation] : given) {
    require_between("activation", activation, 0, 2);
    require(inputs > 0 && outputs > 0, std::string(name) + " must have layers with inputs and outputs > 0, got " +
                                           std::to_string(inputs) + " and " + std::to_string(outputs));
    require(layers.empty() || layers.back().outputs == inputs,
            std::string(name) + " must have layers that fit each other, got " + std::to_string(inputs) + " inputs");
    layers.push_back({pointer<const float>(weight), pointer<const float>(bias), inputs, outputs,
                      static_cast<Activation>(activation)});
  }
  return layers;
}

void sample_chain(const std::vector<LayerArguments>& decoder, const std::vector<LayerArguments>& encoder,
                  Address codes, int64_t rows, Address state, int64_t row_offset, int64_t site, int kind, double a,
                  double low, double high, bool half, const std::vector<int64_t>& keep, Address out, int threads) {
  const auto decode = checked_layers("decoder", decoder), encode = checked_layers("encoder", encoder);
  require(decode.back().outputs == encode.front().inputs && encode.back().outputs == decode.front().inputs,
          "encoder must take what decoder returns and return what it takes, got " +
              std::to_string(encode.front().inputs) + " inputs and " + std::to_string(encode.back().outputs) +
              " outputs");
  for (size_t i = 0; i < keep.size(); ++i) {
    require(keep[i] >= 0 && (i == 0 || keep[i] > keep[i - 1]), "keep must be ascending steps >= 0");
  }
  if (rows <= 0 || keep.empty()) return;
  engine().chain.run({{decode.data(), static_cast<int64_t>(decode.size())},
                      {encode.data(), static_cast<int64_t>(encode.size())},
                      pointer<const float>(codes),
                      rows,
                      checked_corruption(kind, a, low, high),
                      checked_address(state, row_offset, 0, site),
                      half ? Precision::bf16 : Precision::float32,
                      keep.data(),
                      static_cast<int64_t>(keep.size()),
                      pointer<float>(out)},
                     std::max(1, threads));
}

}  // namespace

void define_chain(py::module_& m) {
  m.def("sample_chain", &sample_chain, py::call_guard<py::gil_scoped_release>());
}

}  // namespace python
}  // namespace fastdaae
