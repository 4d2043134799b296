#include "dla/format.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"
#include "ir/dla_formats.h"

namespace dlaexec::dla {
namespace {

using ir::DataType;
using ir::Format;

constexpr Generation kBoth[] = {Generation::Xavier, Generation::Orin};

int64_t line_bytes(Format format, DataType type, int64_t c, int64_t w, Generation generation) {
  return layout_of(format, type, {1, c, w, w}, generation).line;
}

TEST(Format, LinearLinesAreMultiplesOf64BytesOnBothGenerations) {
  struct Row {
    int64_t c, w, int8, fp16;
  };
  for (const Generation generation : kBoth)
    for (const Row row : {Row{3, 224, 256, 448}, Row{3, 100, 128, 256}, Row{3, 13, 64, 64},
                          Row{1, 224, 256, 448}, Row{1, 100, 128, 256}, Row{1, 13, 64, 64}}) {
      EXPECT_EQ(line_bytes(Format::DlaLinear, DataType::Int8, row.c, row.w, generation), row.int8);
      EXPECT_EQ(line_bytes(Format::DlaLinear, DataType::Float16, row.c, row.w, generation),
                row.fp16);
    }
}

TEST(Format, Hwc4LinesAreMultiplesOf32BytesOnXavierAnd64OnOrin) {
  struct Row {
    int64_t c, w, int8_xavier, int8_orin, fp16_xavier, fp16_orin;
  };
  for (const Row row : {Row{3, 224, 896, 896, 1792, 1792}, Row{3, 100, 416, 448, 800, 832},
                        Row{3, 13, 64, 64, 128, 128}, Row{1, 224, 224, 256, 448, 448},
                        Row{1, 100, 128, 128, 224, 256}, Row{1, 13, 32, 64, 32, 64}}) {
    const auto line = [&](DataType type, Generation generation) {
      return line_bytes(Format::DlaHwc4, type, row.c, row.w, generation);
    };
    EXPECT_EQ(line(DataType::Int8, Generation::Xavier), row.int8_xavier) << row.c << ' ' << row.w;
    EXPECT_EQ(line(DataType::Int8, Generation::Orin), row.int8_orin) << row.c << ' ' << row.w;
    EXPECT_EQ(line(DataType::Float16, Generation::Xavier), row.fp16_xavier)
        << row.c << ' ' << row.w;
    EXPECT_EQ(line(DataType::Float16, Generation::Orin), row.fp16_orin) << row.c << ' ' << row.w;
  }
}

TEST(Format, OffsetsAndSizesAreThoseOfTheSpecification) {
  const Nchw image{1, 3, 100, 100};
  const Layout xavier = layout_of(Format::DlaHwc4, DataType::Int8, image, Generation::Xavier);
  EXPECT_EQ(xavier.offset(0, 2, 5, 7), 2110);
  EXPECT_EQ(size_bytes(xavier, image), 41600);
  const Layout orin = layout_of(Format::DlaHwc4, DataType::Int8, image, Generation::Orin);
  EXPECT_EQ(orin.offset(0, 2, 5, 7), 2270);
  EXPECT_EQ(size_bytes(orin, image), 44800);

  for (const Generation generation : kBoth) {
    const auto at = [&](Format format, DataType type, const Nchw& dims) {
      return layout_of(format, type, dims, generation);
    };
    const Nchw big{1, 3, 224, 224};
    EXPECT_EQ(at(Format::DlaLinear, DataType::Float16, big).offset(0, 2, 5, 7), 202958);
    EXPECT_EQ(at(Format::DlaLinear, DataType::Int8, big).offset(0, 2, 5, 7), 115975);
    const Nchw features{1, 48, 56, 56};
    EXPECT_EQ(at(Format::Chw32, DataType::Int8, features).offset(0, 40, 5, 7), 109544);
    EXPECT_EQ(size_bytes(at(Format::Chw32, DataType::Int8, features), features), 200704);
    const Nchw few{1, 20, 7, 7};
    EXPECT_EQ(at(Format::Chw16, DataType::Float16, few).offset(0, 17, 3, 4), 2370);
    EXPECT_EQ(size_bytes(at(Format::Chw16, DataType::Float16, few), few), 3136);
  }
}

TEST(Format, TheNextImageStartsWhereThePaddedOneEnds) {
  for (const Format format : {Format::DlaLinear, Format::DlaHwc4, Format::Chw32}) {
    const Layout one = layout_of(format, DataType::Int8, {1, 3, 5, 13}, Generation::Orin);
    const Layout two = layout_of(format, DataType::Int8, {2, 3, 5, 13}, Generation::Orin);
    EXPECT_EQ(two.offset(1, 0, 0, 0), size_bytes(one, {1, 3, 5, 13}));
  }
}

TEST(Format, PackedTensorsComeBackAsTheyWere) {
  const ir::Dims dims{2, 3, 5, 7};
  std::vector<int8_t> ramp(2 * 3 * 5 * 7);
  std::iota(ramp.begin(), ramp.end(), int8_t{-100});
  const ir::Tensor int8 = ir::Tensor::of(dims, ramp);
  const ir::Tensor half = int8.converted(DataType::Float16);
  for (const Generation generation : kBoth)
    for (const ir::Tensor& tensor : {int8, half})
      for (const Format format :
           {Format::DlaLinear, Format::DlaHwc4, ir::cut_format(tensor.type())}) {
        const Layout layout = layout_of(format, tensor.type(), nchw_of(dims), generation);
        std::vector<std::byte> packed(static_cast<size_t>(size_bytes(layout, nchw_of(dims))));
        pack(tensor, layout, tensor.type(), 1, packed);
        const ir::Tensor back = unpack(packed, layout, tensor.type(), dims);
        EXPECT_TRUE(std::ranges::equal(back.bytes(), tensor.bytes())) << ir::text(format);
      }
}

TEST(Format, PaddingIsZero) {
  const ir::Tensor ones = ir::Tensor::of<int8_t>({1, 3, 1, 2}, {1, 1, 1, 1, 1, 1});
  const Layout layout = layout_of(Format::Chw32, DataType::Int8, {1, 3, 1, 2}, Generation::Orin);
  std::vector<std::byte> packed(64, std::byte{9});
  pack(ones, layout, DataType::Int8, 1, packed);
  EXPECT_EQ(std::accumulate(packed.begin(), packed.end(), 0,
                            [](int sum, std::byte b) { return sum + static_cast<int>(b); }),
            6);
}

TEST(Format, FloatsAreQuantizedWhilePacking) {
  const ir::Tensor floats = ir::Tensor::of<float>({1, 1, 1, 4}, {0.25f, 0.75f, 100.0f, -1e6f});
  const Layout layout =
      layout_of(Format::DlaLinear, DataType::Int8, {1, 1, 1, 4}, Generation::Orin);
  std::vector<std::byte> packed(64);
  pack(floats, layout, DataType::Int8, 0.5f, packed);
  const ir::Tensor back = unpack(packed, layout, DataType::Int8, {1, 1, 1, 4});
  EXPECT_EQ(std::vector<int8_t>(back.as<int8_t>().begin(), back.as<int8_t>().end()),
            (std::vector<int8_t>{0, 2, 127, -128}));
}

TEST(Format, WhatTheDlaDoesNotHaveIsRefusedWithWhatItHas) {
  const auto sentence = [](auto&& body) -> std::string {
    try {
      body();
    } catch (const Error& error) {
      return error.sentence();
    }
    return "";
  };
  EXPECT_EQ(
      sentence([] {
        layout_of(Format::Chw16, DataType::Int8, {1, 16, 1, 1}, Generation::Orin);
      }),
      "format chw16 of i8 does not exist on the DLA; it has dla_linear and dla_hwc4 of f16 or "
      "i8, chw16 of f16, chw32 of i8");
  EXPECT_EQ(sentence([] {
              layout_of(Format::DlaHwc4, DataType::Int8, {1, 2, 1, 1}, Generation::Orin);
            }),
            "a dla_hwc4 tensor has 2 channels; the format takes 1, 3 or 4");
  EXPECT_EQ(sentence([] {
              nchw_of({1, 2, 3});
            }),
            "a tensor of shape 1x2x3 has rank 3; the DLA takes [N,C,H,W] or [N,C]");
}

}  // namespace
}  // namespace dlaexec::dla
