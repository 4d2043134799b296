#include "ir/npy.h"

#include <charconv>
#include <cstring>

namespace dlaexec::ir {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct TypeCode {
  std::string_view code;
  DataType type;
};
constexpr TypeCode kTypes[] = {
    {"<f4", DataType::Float32}, {"<f2", DataType::Float16}, {"|i1", DataType::Int8},
    {"|u1", DataType::UInt8},   {"<i4", DataType::Int32},   {"<i8", DataType::Int64},
    {"|b1", DataType::Bool},
};

/// What follows "'key':" in the header, which is the text of a Python dict.
std::string_view field(std::string_view header, std::string_view key) {
  const size_t at = header.find(format("'{}'", key));
  if (at == std::string_view::npos) return {};
  const size_t colon = header.find(':', at);
  if (colon == std::string_view::npos) return {};
  header.remove_prefix(colon + 1);
  header.remove_prefix(std::min(header.size(), header.find_first_not_of(' ')));
  return header;
}

Dims parse_shape(std::string_view text, std::string_view name) {
  Dims dims;
  if (text.empty() || text[0] != '(')
    fail("'{}' is not a .npy file: its header names no shape", name);
  text.remove_prefix(1);
  while (true) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(" ,")));
    if (text.empty()) fail("'{}' is not a .npy file: its shape does not end", name);
    if (text[0] == ')') return dims;
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dim);
    if (error != std::errc() || dim < 0)
      fail("'{}' is not a .npy file: its shape is no list of sizes", name);
    dims.push_back(dim);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
}

Tensor from_doubles(Dims dims, std::span<const std::byte> bytes) {
  Tensor tensor(DataType::Float32, std::move(dims));
  for (size_t i = 0; i < static_cast<size_t>(tensor.count()); ++i) {
    double element = 0;
    std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
    tensor.mutable_as<float>()[i] = static_cast<float>(element);
  }
  return tensor;
}

/// Header text and the elements behind it.
struct Parts {
  std::string_view header;
  std::span<const std::byte> elements;
};

Parts split(std::span<const std::byte> bytes, std::string_view name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, kMagic.size()) != kMagic || text.size() < 12)
    fail("'{}' is not a .npy file: it does not begin with the magic of one", name);
  const bool short_header = text[6] == 1;  // version 1 counts in 2 bytes, later ones in 4
  const size_t start = short_header ? 10 : 12;
  size_t length = 0;
  for (size_t i = short_header ? 2 : 4; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(text[8 + i]);
  if (length > text.size() - start) fail("'{}' ends inside its header", name);
  return {text.substr(start, length), bytes.subspan(start + length)};
}

}  // namespace

Tensor read_npy(std::span<const std::byte> bytes, std::string_view name) {
  const auto [header, elements] = split(bytes, name);
  if (field(header, "fortran_order").substr(0, 4) == "True")
    fail("'{}' is in Fortran order; save it with numpy.ascontiguousarray", name);
  Dims dims = parse_shape(field(header, "shape"), name);
  const std::string_view described = field(header, "descr");
  const std::string_view code = described.size() > 4 ? described.substr(1, 3) : std::string_view();
  const auto require = [&, elements = elements](size_t element_bytes) {
    if (elements.size() / element_bytes < static_cast<size_t>(volume(dims)))
      fail("'{}' ends inside its elements: shape {} needs {} bytes, {} are there", name,
           to_text(dims), static_cast<size_t>(volume(dims)) * element_bytes, elements.size());
  };
  if (code == "<f8") {
    require(sizeof(double));
    return from_doubles(std::move(dims), elements);
  }
  for (const TypeCode& row : kTypes) {
    if (row.code != code) continue;
    require(size_bytes(row.type));
    return Tensor(row.type, std::move(dims), elements, nullptr).clone();
  }
  fail("'{}' holds elements of type '{}'; use one of f4, f8, f2, i1, u1, i4, i8, b1", name, code);
}

std::string write_npy(const Tensor& tensor) {
  const Tensor held =
      tensor.type() == DataType::BFloat16 ? tensor.converted(DataType::Float32) : tensor;
  std::string_view code;
  for (const TypeCode& row : kTypes)
    if (row.type == held.type()) code = row.code;
  std::string shape;
  for (const int64_t dim : held.dims()) shape += format("{}, ", dim);
  std::string header =
      format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", code, shape);
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11,
                ' ');  // the elements start at a multiple of 64
  header += '\n';
  std::string file(kMagic);
  file += std::string("\1\0", 2);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char*>(held.bytes().data()), held.size_bytes());
  return file;
}

}  // namespace dlaexec::ir
