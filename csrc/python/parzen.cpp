#include "arguments.h"

namespace fastdaae {
namespace python {

void define_parzen(py::module_&) {}

}  // namespace python
}  // namespace fastdaae
