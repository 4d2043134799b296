#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "base/error.h"

namespace dlaexec {
namespace {

class File : public testing::Test {
 protected:
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / format("dlaexec-file-{}", ::getpid());
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
};

TEST_F(File, IsReadBackAsWritten) {
  const std::string content("a\0b\n", 4);
  write_file(path("x"), content);
  EXPECT_EQ(read_file(path("x")), content);
  EXPECT_EQ(MappedFile(path("x")).bytes().size(), 4u);
  write_file(path("x"), "");
  EXPECT_EQ(read_file(path("x")), "");
  EXPECT_TRUE(MappedFile(path("x")).bytes().empty());
}

TEST_F(File, FailedWriteNamesThePathAndLeavesNothing) {
  const std::string missing = path("no/such/folder");
  EXPECT_THROW(require_writable(missing), Error);
  try {
    write_file(missing, "x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.sentence().find(missing), std::string::npos);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(File, SeveralAreWrittenToOneFolderAtOnce) {
  std::vector<std::future<void>> writers;
  for (int i = 0; i < 8; ++i)
    writers.push_back(std::async(std::launch::async, [&, i] {
      for (int again = 0; again < 20; ++again)
        write_file(path(format("file{}", i).c_str()), format("content {}", i));
    }));
  for (auto& writer : writers) writer.get();
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(read_file(path(format("file{}", i).c_str())), format("content {}", i));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 8);
}

TEST_F(File, AnImpossibleNameIsKnownBeforeItIsWritten) {
  EXPECT_THROW(require_writable(path(std::string(300, 'x').c_str())), Error);
  EXPECT_THROW(require_writable(path("x/y")), Error);
  write_file(path("x"), "");
  EXPECT_THROW(require_writable(path("x/y")), Error);  // x is no folder
  EXPECT_NO_THROW(require_writable(path("x")));
}

TEST_F(File, IsWrittenWhereALinkLeads) {
  std::filesystem::create_directory(folder_ / "runs");
  write_file(path("runs/first"), "old");
  std::filesystem::create_symlink("runs/first", folder_ / "latest");
  write_file(path("latest"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "latest"));
  EXPECT_EQ(read_file(path("runs/first")), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "runs"), {}), 1);
}

TEST_F(File, IsReadFromAPipeWhoseWriterIsGone) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto size = std::async([&] { return MappedFile(pipe).bytes().size(); });
  // A reader that waits wakes up after this thread has closed its end.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  write_file(pipe, "abc");
  if (size.wait_for(std::chrono::seconds(5)) != std::future_status::ready) {
    ADD_FAILURE() << "it waits for a second writer";
    ::close(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK));  // here it is
  }
  EXPECT_EQ(size.get(), 3u);
}

TEST_F(File, MissingFileIsAnError) {
  EXPECT_THROW(read_file(path("missing")), Error);
  EXPECT_THROW(MappedFile(path("missing")), Error);
  EXPECT_THROW(read_file(folder_.string()), Error);
}

}  // namespace
}  // namespace dlaexec
