#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

std::vector<Layer> checked_layers(const char* name, const std::vector<LayerArguments>& given) {
  require(!given.empty(), name, " must have at least one layer, got none");
  std::vector<Layer> layers;
  for (const LayerArguments& one : given) {
    const Layer layer = checked_layer(one);
    require(layer.inputs > 0 && layer.outputs > 0, name, " must have layers with inputs and outputs > 0, got ",
            layer.inputs, " and ", layer.outputs);
    require(layers.empty() || layers.back().outputs == layer.inputs, name,
            " must have layers that fit each other, got ", layer.inputs, " inputs");
    layers.push_back(layer);
  }
  return layers;
}

void sample_chain(const std::vector<LayerArguments>& decoder, const std::vector<LayerArguments>& encoder,
                  Address codes, int64_t rows, Address state, const DrawArguments& draw, bool half,
                  const std::vector<int64_t>& keep, Address out, int threads) {
  const auto decode = checked_layers("decoder", decoder), encode = checked_layers("encoder", encoder);
  require(decode.back().outputs == encode.front().inputs && encode.back().outputs == decode.front().inputs,
          "encoder must take what decoder returns and return what it takes, got ", encode.front().inputs,
          " inputs and ", encode.back().outputs, " outputs");
  for (size_t i = 0; i < keep.size(); ++i) {
    require(keep[i] >= 0 && (i == 0 || keep[i] > keep[i - 1]), "keep must be ascending steps >= 0");
  }
  const DrawnAt drawn = checked_draw(draw, decode.back().outputs, state);
  require(drawn.copies == 1, "a chain draws one copy, got copies = ", drawn.copies);
  if (rows <= 0 || keep.empty()) return;
  engine().chain.run({{decode.data(), static_cast<int64_t>(decode.size())},
                      {encode.data(), static_cast<int64_t>(encode.size())},
                      pointer<const float>(codes),
                      rows,
                      drawn.corruption,
                      drawn.noise,
                      half,
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
