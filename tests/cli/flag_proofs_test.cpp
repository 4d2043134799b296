// Every flag that works has a test of what it does.
#include <gtest/gtest.h>

#include <map>

#include "base/file.h"
#include "flag.h"
#include "support/paths.h"

namespace dlaexec::cli {
namespace {

struct Proof {
  Flag flag;
  const char *file, *suite, *test;
};
constexpr Proof kProofs[] = {
#define PROOF(flag, file, suite, test) {Flag::flag, file, suite, test},
#include "flag_proofs.def"
};

TEST(FlagProofs, EveryFlagThatWorksHasOne) {
  std::map<Flag, int> count;
  for (const Proof& proof : kProofs) ++count[proof.flag];
  for (const FlagInfo& flag : all_flags())
    EXPECT_EQ(count[flag.flag] > 0, flag.effect <= Effect::Old)
        << "--" << flag.name << " works and has no row in flag_proofs.def, or the other way round";
}

TEST(FlagProofs, NameTestsThatExistBesideTheFlag) {
  for (const Proof& proof : kProofs) {
    const std::string text = read_file(test::source_dir() + "/tests/" + proof.file);
    const std::string name(info(proof.flag).name);
    const std::string test = std::string("(") + proof.suite + ", " + proof.test + ")";
    EXPECT_TRUE(*proof.suite == '\0' || text.find(test) != std::string::npos)
        << proof.file << " has no test " << test;
    EXPECT_TRUE(text.find("--" + name) != std::string::npos ||
                text.find("Flag::" + name) != std::string::npos)
        << proof.file << " does not name --" << name;
  }
}

}  // namespace
}  // namespace dlaexec::cli
