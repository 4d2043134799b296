#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
// jpeglib.h needs size_t and FILE declared before it.
#include <jpeglib.h>

#include "accuracy/image.h"
#include "base/file.h"

namespace dlaexec::accuracy {
namespace {

Picture read_png(const std::string& bytes, const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    fail("cannot read the picture '{}': {}", path, image.message);
  image.format = PNG_FORMAT_RGB;
  Picture picture{image.width, image.height, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
  const png_color black{0, 0, 0};
  const bool read = png_image_finish_read(&image, &black, picture.rgb.data(), 0, nullptr) != 0;
  const std::string reason = image.message;
  png_image_free(&image);
  if (!read) fail("cannot read the picture '{}': {}", path, reason);
  return picture;
}

/// libjpeg reports through a call that must not return: it jumps back to the reader.
struct JpegErrors {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char reason[JMSG_LENGTH_MAX];
};

extern "C" void dlaexec_jpeg_failed(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  (*info->err->format_message)(info, errors->reason);
  std::longjmp(errors->back, 1);
}
extern "C" void dlaexec_jpeg_silent(j_common_ptr) {}

/// Decodes into @p picture; false with a reason in @p errors. Holds nothing that a jump would leak.
bool decode_jpeg(const std::string& bytes, Picture& picture, JpegErrors& errors) {
  jpeg_decompress_struct info;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = dlaexec_jpeg_failed;
  errors.base.output_message = dlaexec_jpeg_silent;
  if (setjmp(errors.back)) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  picture.width = info.output_width;
  picture.height = info.output_height;
  picture.rgb.resize(static_cast<size_t>(picture.width * picture.height * 3));
  while (info.output_scanline < info.output_height) {
    unsigned char* row = picture.rgb.data() + size_t{info.output_scanline} * info.output_width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

Picture read_jpeg(const std::string& bytes, const std::string& path) {
  Picture picture;
  JpegErrors errors;
  if (!decode_jpeg(bytes, picture, errors))
    fail("cannot read the picture '{}': {}", path, errors.reason);
  return picture;
}

}  // namespace

Picture read_picture(const std::string& path) {
  const std::string bytes = read_file(path);
  if (bytes.compare(0, 4, "\x89PNG") == 0) return read_png(bytes, path);
  if (bytes.compare(0, 2, "\xff\xd8") == 0) return read_jpeg(bytes, path);
  fail("'{}' is no PNG or JPEG picture", path);
}

}  // namespace dlaexec::accuracy
