#include "plan/file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "plan/small_plan.h"
#include "support/paths.h"

namespace dlaexec::plan {
namespace {

Plan read(const std::string& bytes, Check check = Check::Everything) {
  const auto owner = std::make_shared<std::string>(bytes);
  return from_bytes(std::as_bytes(std::span(owner->data(), owner->size())), owner, check);
}

/// The Error that reading @p bytes ends in, if it does.
std::optional<Error> error_of(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST(PlanFile, GivesBackEverythingThatWasSaved) {
  const Plan saved = small_plan();
  const std::string bytes = to_bytes(saved);
  const Plan loaded = read(bytes);
  EXPECT_EQ(ir::print(loaded.graph), ir::print(saved.graph));
  ASSERT_EQ(loaded.loadables.size(), 1u);
  EXPECT_EQ(loaded.loadables[0].name, saved.loadables[0].name);
  EXPECT_TRUE(std::equal(loaded.loadables[0].bytes.begin(), loaded.loadables[0].bytes.end(),
                         saved.loadables[0].bytes.begin(), saved.loadables[0].bytes.end()));
  EXPECT_EQ(to_bytes(loaded), bytes);  // and so with the metadata
}

TEST(PlanFile, HasTheSameBytesForTheSamePlan) {
  EXPECT_EQ(to_bytes(small_plan()), to_bytes(small_plan()));
}

TEST(PlanFile, TellsItsSizeBeforeItIsMade) {
  EXPECT_EQ(bytes_in_file(small_plan()), to_bytes(small_plan()).size());
}

TEST(PlanFile, UsesWeightsWhereTheyAreMapped) {
  const std::string path = test::temporary_dir() + "/net.plan";
  save(small_plan(), path);
  const Plan loaded = load(path);
  const auto weights = loaded.graph.value(*loaded.graph.find_value("w")).constant->bytes();
  const auto loadable = loaded.loadables[0].bytes;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weights.data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(loadable.data()) % 64, 0u);
  // Both lie in one mapping: their distance is that of their sections in the file.
  const MappedFile file(path);
  const Header header = read_header(file.bytes());
  EXPECT_EQ(loadable.data() - weights.data(),
            static_cast<ptrdiff_t>(header.sections[2].offset - header.sections[1].offset));
}

TEST(PlanFile, KeepsSharedWeightsOnce) {
  Plan plan = small_plan();
  const size_t before = to_bytes(plan).size();
  const ir::Tensor shared = ir::Tensor::zeros(ir::DataType::Float32, {1024});
  plan.graph.add_constant("once", shared);
  const size_t with_one = to_bytes(plan).size();
  plan.graph.add_constant("twice", shared.reshaped({32, 32}));
  EXPECT_GE(with_one, before + 4096);
  EXPECT_LT(to_bytes(plan).size(), with_one + 256);
}

TEST(PlanFile, RefusesEveryFlippedByte) {
  const std::string good = to_bytes(small_plan());
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      EXPECT_TRUE(error_of(bad)) << "byte " << i << " flipped by " << flip;
    }
  }
}

TEST(PlanFile, RefusesEveryTruncation) {
  const std::string good = to_bytes(small_plan());
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_TRUE(error_of(good.substr(0, size))) << size;
  EXPECT_TRUE(error_of(good + '\0'));
}

TEST(PlanFile, SaysWhatIsWrongWithAFile) {
  const std::string good = to_bytes(small_plan());
  EXPECT_STREQ(error_of("")->what(), "the file is empty; a plan comes from --saveEngine");
  EXPECT_STREQ(error_of("ftrt....")->what(),
               "the file is not a plan but a TensorRT engine; dlaexec builds its own plans with "
               "--onnx and --saveEngine");
  EXPECT_STREQ(error_of("hello, world")->what(),
               "the file is not a plan of dlaexec; a plan comes from --saveEngine");
  EXPECT_EQ(error_of(good.substr(0, good.size() / 2))->sentence(),
            format("the plan is damaged: it has {} bytes where its header says {}; build it again",
                   good.size() / 2, good.size()));
  std::string altered = good;
  altered[good.size() / 2] = static_cast<char>(altered[good.size() / 2] ^ 1);
  EXPECT_NE(error_of(altered)->sentence().find("does not match its checksum"), std::string::npos);
}

TEST(PlanFile, OfAnotherFormatVersionIsAPlanMismatch) {
  std::string bytes = to_bytes(small_plan());
  bytes[8] = 99;
  const auto error = error_of(bytes);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fault(), Fault::PlanMismatch);
  EXPECT_EQ(error->sentence(),
            "the plan has format version 99, this dlaexec reads version 1; build the plan again, "
            "or run it with the version that made it");
}

/// @p bytes after a change of its structure section, with all checksums made right again: what a
/// forger would write.
std::string forged(std::string bytes, size_t byte, uint8_t flip) {
  const auto view = [&](size_t offset, size_t size) {
    return std::string_view(bytes).substr(offset, size);
  };
  const auto put = [&](size_t offset, uint64_t word) {
    std::memcpy(bytes.data() + offset, &word, sizeof word);
  };
  uint64_t offset = 0, size = 0;
  std::memcpy(&offset, bytes.data() + 64 + 8, 8);
  std::memcpy(&size, bytes.data() + 64 + 16, 8);
  uint32_t count = 0;
  std::memcpy(&count, bytes.data() + 16, 4);
  bytes[offset + byte] = static_cast<char>(bytes[offset + byte] ^ flip);
  put(64 + 24, hash64(view(offset, size)));
  put(32, hash64(view(64, count * 32)));
  put(40, hash64(view(0, 40)));
  return bytes;
}

TEST(PlanFile, WithForgedChecksumsIsReadOrRefusedButNeverCrashes) {
  const std::string good = to_bytes(small_plan());
  const Header header = read_header(std::as_bytes(std::span(good.data(), good.size())));
  int refused = 0;
  for (size_t i = 0; i < header.sections[0].size; ++i)
    for (const uint8_t flip : {0x01, 0x02, 0x10, 0x80})
      refused += error_of(forged(good, i, flip)).has_value();
  EXPECT_GT(refused, 100);  // what still makes sense, such as another name, may pass
}

TEST(PlanFile, ThatCannotBeWrittenLeavesNothingBehind) {
  const std::string folder = test::temporary_dir();
  EXPECT_THROW(save(small_plan(), folder + "/missing/net.plan"), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(PlanFile, NamesThePathThatItCouldNotRead) {
  const std::string path = test::temporary_dir() + "/text.plan";
  write_file(path, "hello");
  try {
    load(path);
    FAIL() << "a text file was read as a plan";
  } catch (const Error& error) {
    EXPECT_EQ(error.context().back(), "reading plan '" + path + "'");
  }
}

TEST(PlanFile, CanBeListedWithoutLookingAtTheWeights) {
  std::string bytes = to_bytes(small_plan());
  const Header header = read_header(std::as_bytes(std::span(bytes.data(), bytes.size())));
  bytes[header.sections[1].offset] ^= 1;
  EXPECT_TRUE(error_of(bytes));
  EXPECT_EQ(read(bytes, Check::Structure).graph.nodes.size(), small_plan().graph.nodes.size());
}

}  // namespace
}  // namespace dlaexec::plan
