#include "grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "bench/measure.h"

namespace dlaexec::cli {
namespace {

using testing::HasSubstr;

template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::Usage);
    return error.what();
  }
}

TEST(Grammar, PairsSplitAtTheLastColon) {
  EXPECT_EQ(split_pair("input:0:1x3").name, "input:0");
  EXPECT_EQ(split_pair("input:0:1x3").value, "1x3");
  EXPECT_EQ(split_pair("plain").name, "plain");
  EXPECT_EQ(split_pair("plain").value, "plain");
  EXPECT_EQ(split_pair("'in:0':C:\\x").name, "in:0");
  EXPECT_EQ(split_pair("'in:0':C:\\x").value, "C:\\x");
  EXPECT_EQ(split_pair("'in:0'").value, "");
  EXPECT_THAT(error_of([] { split_pair("'in:0:1"); }), HasSubstr("has 1 quotes"));
}

TEST(Grammar, ListsDropAnEmptyEndAndKeepBlanks) {
  EXPECT_EQ(split_list("a, b,"), (std::vector<std::string>{"a", " b"}));
  EXPECT_TRUE(split_list("").empty());
}

TEST(Grammar, ShapesComeInThreeSpellings) {
  EXPECT_EQ(parse_dims("1x3x224x224"), (ir::Dims{1, 3, 224, 224}));
  EXPECT_EQ(parse_dims("[1,3,8]"), (ir::Dims{1, 3, 8}));
  EXPECT_EQ(parse_dims("scalar"), ir::Dims{});
  EXPECT_EQ(parse_dims(""), ir::Dims{});
  EXPECT_EQ(parse_dims("7"), ir::Dims{7});
}

TEST(Grammar, WrongShapesSayWhichPartIsWrong) {
  EXPECT_THAT(error_of([] { parse_dims("1xx3"); }), HasSubstr("'' where a number must stand"));
  EXPECT_THAT(error_of([] { parse_dims("1X3"); }), HasSubstr("'1X3' has '1X3'"));
  EXPECT_THAT(error_of([] { parse_dims("1x-3"); }), HasSubstr("'-3'"));
  EXPECT_THAT(error_of([] { parse_dims("1x2x3x4x5x6x7x8x9"); }), HasSubstr("9 dimensions"));
  EXPECT_THAT(error_of([] { parse_dims("99999999999999999999"); }), HasSubstr("number"));
  EXPECT_THAT(error_of([] { parse_shapes("1x3", "--shapes"); }), HasSubstr("write INPUT:"));
  EXPECT_THAT(error_of([] { parse_shapes("in:1x?", "--optShapes"); }),
              HasSubstr("while reading --optShapes"));
}

TEST(Grammar, NamedShapesTakeColonsBracketsAndTheLaterOfTwo) {
  const auto shapes = parse_shapes("input_tensor:0:2x3,b:[4,5],b:6", "--shapes");
  ASSERT_EQ(shapes.size(), 2u);
  EXPECT_EQ(shapes[0].name, "input_tensor:0");
  EXPECT_EQ(shapes[0].dims, (ir::Dims{2, 3}));
  EXPECT_EQ(shapes[1].dims, ir::Dims{6});
}

// Whatever is printed is read back: names with colons, commas aside, and any dimensions.
TEST(Grammar, ShapesSurviveTheirText) {
  std::mt19937 random(7);
  const std::string letters = "abc:/._-0 ";
  for (int round = 0; round < 500; ++round) {
    std::string name = "n";
    for (size_t i = random() % 8; i > 0; --i) name += letters[random() % letters.size()];
    ir::Dims dims(1 + random() % 8);
    for (auto& dim : dims) dim = static_cast<int64_t>(random() % 100000);
    const auto shapes = parse_shapes(name + ":" + ir::to_text(dims), "--shapes");
    ASSERT_EQ(shapes.size(), 1u);
    EXPECT_EQ(shapes[0].name, name);
    EXPECT_EQ(shapes[0].dims, dims);
  }
}

// No text whatever may do anything but parse or end in a usage error.
TEST(Grammar, AnyTextParsesOrIsRefused) {
  std::mt19937 random(8);
  const std::string letters = "x:,+'[]0189.-*aDLGPUfpint%@ ";
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (size_t i = random() % 16; i > 0; --i) text += letters[random() % letters.size()];
    error_of([&] { parse_shapes(text, "--shapes"); });
    error_of([&] { parse_pools(text); });
    error_of([&] { parse_io_formats(text, "--inputIOFormats"); });
    error_of([&] { parse_layer_devices(text); });
    error_of([&] { parse_layer_output_types(text); });
    error_of([&] { parse_percentiles(text); });
    error_of([&] { parse_percent(text, "--maxRegression"); });
  }
}

TEST(Grammar, PoolSizesKnowTheirUnits) {
  EXPECT_EQ(parse_size("512", "f"), int64_t{512} << 20);
  EXPECT_EQ(parse_size("0.5", "f"), 1 << 19);
  EXPECT_EQ(parse_size("4096B", "f"), 4096);
  EXPECT_EQ(parse_size("3K", "f"), 3 << 10);
  EXPECT_EQ(parse_size("2MiB", "f"), 2 << 20);
  EXPECT_EQ(parse_size("1G", "f"), 1 << 30);
  EXPECT_THAT(error_of([] { parse_size("1T", "--memPoolSize"); }), HasSubstr("has size '1T'"));
  EXPECT_THAT(error_of([] { parse_size("-1", "--memPoolSize"); }), HasSubstr("0 or more"));
  EXPECT_THAT(error_of([] { parse_size("", "--memPoolSize"); }), HasSubstr("has size ''"));
}

TEST(Grammar, DlaSramIsRoundedDownToAPowerOfTwo) {
  const PoolSizes pools = parse_pools("workspace:64,dlaSRAM:0.75,dlaLocalDRAM:3K");
  EXPECT_EQ(pools.workspace, int64_t{64} << 20);
  EXPECT_EQ(pools.dla_sram, 1 << 19);
  EXPECT_EQ(pools.dla_local_dram, 3 << 10);
  EXPECT_FALSE(pools.dla_global_dram);
  EXPECT_EQ(parse_pools("dlaSRAM:4G").dla_sram, 1 << 30);
  EXPECT_THAT(error_of([] { parse_pools("sram:1"); }), HasSubstr("known pools are workspace"));
}

TEST(Grammar, IoFormatsJoinLayoutsWithPlus) {
  const auto formats = parse_io_formats("int8:chw+chw4+chw32,fp16:dla_linear", "f");
  ASSERT_EQ(formats.size(), 2u);
  EXPECT_EQ(formats[0].formats.size(), 3u);
  EXPECT_EQ(formats[1].type, ir::DataType::Float16);
  EXPECT_EQ(to_text(formats[0]), "int8:chw+chw4+chw32");
  EXPECT_EQ(to_text(formats[1]), "fp16:+dla_linear");
  EXPECT_EQ(parse_io_formats("int8:hwc4", "f")[0].formats[0], ir::Format::DlaHwc4);
  EXPECT_THAT(error_of([] { parse_io_formats("chw", "--inputIOFormats"); }),
              HasSubstr("write TYPE:FORMAT"));
  EXPECT_THAT(error_of([] { parse_io_formats("fp16:nchw", "f"); }), HasSubstr("known formats are"));
  EXPECT_THAT(error_of([] { parse_io_formats("half:chw", "f"); }), HasSubstr("known types are"));
}

TEST(Grammar, LayerListsKeepTheLaterOfTwoEqualNames) {
  const auto devices = parse_layer_devices("/a/Conv:0:DLA,b:GPU,b:DLA");
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].first, "/a/Conv:0");
  EXPECT_EQ(devices[1].second, ir::Device::Dla);
  EXPECT_THAT(error_of([] { parse_layer_devices("a:dla"); }), HasSubstr("give GPU or DLA"));
  EXPECT_EQ(parse_layer_precisions("*:fp16")[0].first, "*");
  EXPECT_EQ(parse_layer_output_types("a:fp16+fp32")[0].second.size(), 2u);
}

TEST(Grammar, PercentilesLieBetween0And100) {
  EXPECT_EQ(parse_percentiles("0,99.9,100"), (std::vector<float>{0, 99.9f, 100}));
  EXPECT_THAT(error_of([] { parse_percentiles("101"); }), HasSubstr("'101'"));
  EXPECT_THAT(error_of([] { parse_percentiles("nan"); }), HasSubstr("'nan'"));
  EXPECT_THAT(error_of([] { parse_percentiles(""); }), HasSubstr("empty"));
  EXPECT_DOUBLE_EQ(parse_percent("5%", "f"), 0.05);
  EXPECT_DOUBLE_EQ(parse_percent("0.5", "f"), 0.005);
  EXPECT_THAT(error_of([] { parse_percent("%", "--maxRegression"); }), HasSubstr("as 5%"));
}

TEST(Grammar, StabilityHasAPercentageAndTwoTimes) {
  const bench::Stability plain = parse_stability("2%");
  EXPECT_DOUBLE_EQ(plain.half_width, 0.02);
  EXPECT_EQ(plain.least_ms, 0);
  EXPECT_EQ(plain.most_ms, 60000);
  const bench::Stability full = parse_stability("1:0.5:20");
  EXPECT_DOUBLE_EQ(full.half_width, 0.01);
  EXPECT_EQ(full.least_ms, 500);
  EXPECT_EQ(full.most_ms, 20000);
  for (const char* wrong : {"", "0", "x", "1:", "1:5:2", "1:1:1:1", "1:-1"})
    EXPECT_THAT(error_of([&] { parse_stability(wrong); }), HasSubstr("as ")) << wrong;
}

TEST(Grammar, SignedNamesNeedOneSignAndAKnownName) {
  constexpr std::string_view kNames[] = {"CUBLAS", "CUDNN"};
  const auto parse = [&](std::string_view text) { return parse_signed(text, "--f", kNames); };
  const std::vector<SignedName> entries = parse("+cublas,-CUDNN");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "CUBLAS");
  EXPECT_TRUE(entries[0].on);
  EXPECT_FALSE(entries[1].on);
  for (const char* wrong : {"CUBLAS", "+CUBLAS,-CUBLAS", "+cufft", ",+CUBLAS"})
    EXPECT_THROW(parse(wrong), Error) << wrong;
}

TEST(Grammar, TemporaryFilesAreAllowedOrDenied) {
  EXPECT_TRUE(parse_temporary_files("").in_memory);
  const TemporaryFiles files = parse_temporary_files("in_memory:deny,temporary:allow");
  EXPECT_FALSE(files.in_memory);
  EXPECT_TRUE(files.temporary);
  EXPECT_THROW(parse_temporary_files("disk:deny"), Error);
  EXPECT_THROW(parse_temporary_files("temporary:maybe"), Error);
}

}  // namespace
}  // namespace dlaexec::cli
