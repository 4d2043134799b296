#include "ir/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/text.h"

namespace dlaexec::ir {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(Npy, EveryTypeAndRankIsReadBackAsWritten) {
  for (size_t i = 0; i < kEnumText<DataType>.size(); ++i) {
    const auto type = static_cast<DataType>(i);
    if (type == DataType::BFloat16) continue;
    for (const Dims& dims : {Dims{}, Dims{0}, Dims{7}, Dims{2, 3, 4}}) {
      const Tensor tensor = seeded(type, dims, 3);
      const std::string file = write_npy(tensor);
      EXPECT_EQ((file.size() - tensor.size_bytes()) % 64, 0u);
      const Tensor again = read_npy(bytes_of(file), "x");
      EXPECT_EQ(again.type(), type);
      EXPECT_EQ(again.dims(), dims);
      EXPECT_EQ(again.to_floats(), tensor.to_floats());
    }
  }
}

TEST(Npy, EveryTruncationIsAnErrorThatNamesTheFile) {
  const std::string file = write_npy(seeded(DataType::Float32, {2, 3}, 1));
  for (size_t length = 0; length < file.size(); ++length) {
    try {
      read_npy(bytes_of(file.substr(0, length)), "short.npy");
      FAIL() << length;
    } catch (const Error& error) {
      EXPECT_THAT(error.sentence(), testing::HasSubstr("short.npy"));
    }
  }
}

TEST(Npy, FortranOrderAndForeignTypesAreRefusedWithWhatToDo) {
  std::string file = write_npy(seeded(DataType::Float32, {2, 3}, 1));
  std::string fortran = file;
  fortran.replace(fortran.find("False"), 5, "True ");
  EXPECT_THROW(read_npy(bytes_of(fortran), "x"), Error);
  std::string complex_type = file;
  complex_type.replace(complex_type.find("<f4"), 3, "<c8");
  EXPECT_THROW(read_npy(bytes_of(complex_type), "x"), Error);
}

}  // namespace
}  // namespace dlaexec::ir
