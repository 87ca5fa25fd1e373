// Tuples read field by field. A call on small tensors is mostly the reading of its arguments, which pybind11's own
// conversion of std::tuple doubles.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>

namespace fastdaae {
namespace python {

// The shape of a sample: what stands before its last two sizes is planes.
struct ImageShape {
  int64_t planes = 1, height = 1, width = 1;
};

// Each reads an object, or says that it is of another kind or too large; Python's error is left set then.

inline bool read(PyObject* from, uintptr_t& to) {
  const unsigned long long number = PyLong_Check(from) ? PyLong_AsUnsignedLongLong(from) : ~0ull;
  to = static_cast<uintptr_t>(number);
  return number != ~0ull;
}

inline bool read(PyObject* from, int64_t& to) {
  to = PyLong_AsLongLong(from);
  return to != -1 || !PyErr_Occurred();
}

inline bool read(PyObject* from, double& to) {
  to = PyFloat_AsDouble(from);
  return to != -1.0 || !PyErr_Occurred();
}

inline bool read(PyObject* from, float& to) {
  double wide;
  const bool is_number = read(from, wide);
  to = static_cast<float>(wide);
  return is_number;
}

inline bool read(PyObject* from, bool& to) {
  to = from == Py_True;
  return to || from == Py_False;
}

// The characters stay the object's.
inline bool read(PyObject* from, std::string_view& to) {
  Py_ssize_t size = 0;
  const char* characters = PyUnicode_Check(from) ? PyUnicode_AsUTF8AndSize(from, &size) : nullptr;
  if (characters) to = {characters, static_cast<size_t>(size)};
  return characters;
}

inline bool read(PyObject* from, ImageShape& to) {
  if (!PyTuple_Check(from) && !PyList_Check(from)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(from); ++i) {
    to.planes *= to.height;
    to.height = to.width;
    if (!read(PySequence_Fast_GET_ITEM(from, i), to.width)) return false;
  }
  return true;
}

template <typename... Fields>
bool read(PyObject* from, std::tuple<Fields...>& to);

template <typename... Fields, size_t... place>
bool read_fields(PyObject* from, std::tuple<Fields...>& to, std::index_sequence<place...>) {
  return (read(PyTuple_GET_ITEM(from, static_cast<Py_ssize_t>(place)), std::get<place>(to)) && ...);
}

template <typename... Fields>
bool read(PyObject* from, std::tuple<Fields...>& to) {
  return PyTuple_Check(from) && PyTuple_GET_SIZE(from) == static_cast<Py_ssize_t>(sizeof...(Fields)) &&
         read_fields(from, to, std::index_sequence_for<Fields...>());
}

// What pybind11 asks of a type that it passes.
template <typename Fields>
struct FieldsReader {
  PYBIND11_TYPE_CASTER(Fields, pybind11::detail::const_name("tuple"));

  bool load(pybind11::handle from, bool) {
    if (read(from.ptr(), value)) return true;
    PyErr_Clear();
    return false;
  }
};

}  // namespace python
}  // namespace fastdaae

// Before any use of these types in a binding.
#define FASTDAAE_READ_FIELDS(Fields) \
  template <>                        \
  struct pybind11::detail::type_caster<Fields> : fastdaae::python::FieldsReader<Fields> {}
