#include "cpu/layout.h"

#include "base/error.h"

namespace dlaexec::cpu {

ImageDims image_dims(const ir::Dims& dims) {
  DLAEXEC_CHECK(can_block(dims));
  ImageDims image{dims[0], dims[1], 1, 1};
  if (dims.size() == 4) image.height = dims[2];
  if (dims.size() >= 3) image.width = dims.back();
  return image;
}

int64_t size_bytes(const ir::Dims& dims, Layout layout) {
  const int64_t element = static_cast<int64_t>(ir::size_bytes(layout.storage));
  if (layout.order == Order::Linear) return ir::volume(dims) * element;
  const ImageDims image = image_dims(dims);
  return image.batch * image.blocks() * image.pixels() * kBlock * element;
}

}  // namespace dlaexec::cpu
