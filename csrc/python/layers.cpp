#include "arguments.h"

namespace fastdaae {
namespace python {

void define_layers(py::module_&) {}

}  // namespace python
}  // namespace fastdaae
