#include "arguments.h"

namespace fastdaae {
namespace python {

void define_neighbors(py::module_&) {}

}  // namespace python
}  // namespace fastdaae
