#include "ir/dla_formats.h"

namespace dlaexec::ir {

bool is_dla_format(Format format, DataType type, Edge edge) {
  if (type != DataType::Float16 && type != DataType::Int8) return false;
  if (format == Format::DlaHwc4) return edge == Edge::Input;
  return format == Format::DlaLinear || format == cut_format(type);
}

Format cut_format(DataType type) {
  switch (type) {
    case DataType::Float16:
      return Format::Chw16;
    case DataType::Int8:
      return Format::Chw32;
    default:
      return Format::Linear;
  }
}

Format at_dla(Format format) { return format == Format::Chw4 ? Format::DlaHwc4 : format; }

}  // namespace dlaexec::ir
