// Pictures from PNG and JPEG files, and what is done to them before a network sees them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/tensor.h"

namespace dlaexec::accuracy {

/// 8-bit RGB, row after row; pictures without colour have three equal channels.
struct Picture {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;
};

/// Reads a PNG or JPEG file, told apart by content. Throws an Error that names the file.
Picture read_picture(const std::string& path);

enum class ChannelOrder : uint8_t { Rgb, Bgr };

/// From a picture to a network input, in this order: resize, crop, channel order, then per channel
/// (x * scale - mean) / deviation, with x in [0, 255].
struct Preprocess {
  ChannelOrder order = ChannelOrder::Rgb;
  /// The shorter side becomes this long, the picture keeping its shape; 0: the picture is scaled to
  /// just cover what is cropped.
  int64_t resize = 0;
  /// True: the picture is pressed into the input's size, and nothing is cropped.
  bool stretch = false;
  float scale = 1;
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> deviation{1, 1, 1};
};

/// Reads --calibPreprocess: a list such as "bgr,resize:256,scale:1/255,mean:0.485+0.456+0.406,
/// std:0.229+0.224+0.225"; "imagenet" stands for torchvision's scale, mean and std, "stretch" for
/// no crop. mean and std take one number for all channels or three. Throws a Usage error that says
/// what is allowed.
Preprocess parse_preprocess(std::string_view text);

/// A Float32 tensor [1, C, height, width] with C of 1 (luma) or 3.
ir::Tensor preprocess(const Picture& picture, const Preprocess& how, int64_t channels,
                      int64_t height, int64_t width);

}  // namespace dlaexec::accuracy
