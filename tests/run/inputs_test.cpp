#include "run/inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "dla/format.h"
#include "ir/npy.h"
#include "ir/text.h"
#include "support/paths.h"

namespace dlaexec::run {
namespace {

TEST(RandomInput, IsWhatGnuDrawsFromTheMinimalStandardGenerator) {
#ifdef __GLIBCXX__
  std::minstd_rand0 generator;
  std::uniform_real_distribution<float> real(-1, 1);
  const ir::Tensor reals = random_input(ir::DataType::Float32, {1000});
  for (const float element : reals.as<float>()) ASSERT_EQ(element, real(generator));
  std::minstd_rand0 again;
  std::uniform_int_distribution<int> integer(-128, 127);
  const ir::Tensor integers = random_input(ir::DataType::Int8, {1000});
  for (const int8_t element : integers.as<int8_t>()) ASSERT_EQ(element, integer(again));
#else
  GTEST_SKIP() << "needs GNU's C++ library to compare with";
#endif
}

TEST(RandomInput, StaysInTheRangeOfItsType) {
  const auto halves = random_input(ir::DataType::Float16, {5000}, 7).to_floats();
  for (const float element : halves) {
    ASSERT_GE(element, -1);
    ASSERT_LE(element, 1);  // rounding to FP16 may reach 1
  }
  const auto bytes = random_input(ir::DataType::UInt8, {5000}, 7).to_ints();
  EXPECT_EQ(*std::min_element(bytes.begin(), bytes.end()), 0);
  EXPECT_EQ(*std::max_element(bytes.begin(), bytes.end()), 255);
  const auto flags = random_input(ir::DataType::Bool, {100}, 7).to_ints();
  EXPECT_GT(std::count(flags.begin(), flags.end(), 1), 20);
  EXPECT_GT(std::count(flags.begin(), flags.end(), 0), 20);
}

TEST(RandomInput, DependsOnItsSeedAlone) {
  const auto first = random_input(ir::DataType::Float32, {100}, 3).to_floats();
  EXPECT_EQ(random_input(ir::DataType::Float32, {100}, 3).to_floats(), first);
  EXPECT_NE(random_input(ir::DataType::Float32, {100}, 4).to_floats(), first);
}

TEST(RandomInput, OfWhatIsLookedUpInTablesIsARowThatTheyHave) {
  const ir::Graph graph =
      ir::parse(R"(graph @g(%tokens: i64[1,64], %kinds: i32[1,64], %mask: i64[1,64]) {
    const %words = f32[30,4] seed(1)
    const %two = f32[2,4] seed(2)
    %wide = cast(%kinds) {to=i64} : i64[1,64]
    %a = gather(%words, %tokens) {axis=0} : f32[1,64,4]
    %b = gather(%words, %wide) {axis=0} : f32[1,64,4]
    %c = gather(%two, %wide) {axis=0} : f32[1,64,4]
    %n = shape(%tokens) {start=0, end=2} : i64[2]
    %real = cast(%mask) {to=f32} : f32[1,64]
    %m = unary(%real) {kind=neg} : f32[1,64]
    return %a, %b, %c, %n, %m
  })");
  EXPECT_EQ(table_rows(graph, graph.inputs[0]), 30);
  EXPECT_EQ(table_rows(graph, graph.inputs[1]), 2);
  EXPECT_EQ(table_rows(graph, graph.inputs[2]), std::nullopt);
  for (const size_t input : {0, 1})
    for (const int64_t row : random_input_for(graph, graph.inputs[input], {1, 64}).to_ints()) {
      EXPECT_GE(row, 0);
      EXPECT_LT(row, *table_rows(graph, graph.inputs[input]));
    }
  EXPECT_EQ(random_input_for(graph, graph.inputs[0], {1, 64}).to_ints(),
            random_rows(ir::DataType::Int64, {1, 64}, 30).to_ints());
  EXPECT_EQ(random_input_for(graph, graph.inputs[2], {1, 64}).to_ints(),
            random_input(ir::DataType::Int64, {1, 64}).to_ints());
}

TEST(LoadInput, ReadsRawBytes) {
  const std::string path = test::temporary_dir() + "/input.raw";
  const ir::Tensor wanted = random_input(ir::DataType::Float32, {2, 3}, 5);
  const auto bytes = wanted.bytes();
  write_file(path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) + "tail");
  const Binding binding{"x", ir::DataType::Float32, ir::shape_of({2, 3}), ir::Format::Linear};
  const ir::Tensor got = load_input(path, binding, {2, 3}, dla::Generation::Orin);
  EXPECT_EQ(got.to_floats(), wanted.to_floats());
}

TEST(LoadInput, ReadsWhatNumpyWrote) {
  const std::string path = test::temporary_dir() + "/input.npy";
  const ir::Tensor wanted = random_input(ir::DataType::Float32, {2, 3}, 5);
  write_file(path, ir::write_npy(wanted));
  const Binding binding{"x", ir::DataType::Float32, ir::shape_of({2, 3}), ir::Format::Linear};
  EXPECT_EQ(load_input(path, binding, {2, 3}, dla::Generation::Orin).to_floats(),
            wanted.to_floats());
  try {
    load_input(path, binding, {3, 2}, dla::Generation::Orin);
    FAIL() << "a file of another shape was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(),
              "'" + path + "' holds 2x3 f32 as NumPy writes it; input 'x' is 3x2 f32 chw");
  }
}

TEST(LoadInput, ReadsTheBindingsFormat) {
  const std::string path = test::temporary_dir() + "/input.raw";
  const ir::Tensor wanted = random_input(ir::DataType::Int8, {1, 3, 4, 5}, 5);
  const dla::Nchw dims{1, 3, 4, 5};
  const dla::Layout layout =
      dla::layout_of(ir::Format::DlaHwc4, ir::DataType::Int8, dims, dla::Generation::Xavier);
  std::string bytes(static_cast<size_t>(dla::size_bytes(layout, dims)), '\0');
  dla::pack(wanted, layout, ir::DataType::Int8, 1,
            std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
  write_file(path, bytes);
  const Binding binding{"x", ir::DataType::Int8, ir::shape_of({1, 3, 4, 5}), ir::Format::DlaHwc4};
  EXPECT_EQ(load_input(path, binding, {1, 3, 4, 5}, dla::Generation::Xavier).to_ints(),
            wanted.to_ints());
}

TEST(LoadInput, SaysHowManyBytesAreMissing) {
  const std::string path = test::temporary_dir() + "/input.raw";
  write_file(path, "12345");
  const Binding binding{"x", ir::DataType::Float32, ir::shape_of({2, 3}), ir::Format::Linear};
  try {
    load_input(path, binding, {2, 3}, dla::Generation::Orin);
    FAIL() << "a short file was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(), "'" + path + "' has 5 bytes; input 'x' of 2x3 f32 chw needs 24");
  }
}

}  // namespace
}  // namespace dlaexec::run
