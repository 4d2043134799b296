#include "accuracy/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <minizip/zip.h>
#include <png.h>

#include "base/file.h"
#include "ir/npy.h"
#include "ir/text.h"
#include "support/paths.h"

namespace dlaexec::accuracy {
namespace {

using testing::HasSubstr;

void write_png(const std::string& path, int width, int height, const std::vector<uint8_t>& rgb) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  ASSERT_TRUE(png_image_write_to_file(&image, path.c_str(), 0, rgb.data(), 0, nullptr));
}

std::string sentence(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Picture, EachChannelIsScaledInItsOrder) {
  const std::string path = test::temporary_dir() + "/a.png";
  write_png(path, 2, 1, {10, 20, 30, 40, 50, 60});
  const Preprocess how = parse_preprocess("bgr,scale:1/10,mean:1+2+3,std:2");
  const ir::Tensor tensor = preprocess(read_picture(path), how, 3, 1, 2);
  EXPECT_THAT(tensor.to_floats(), testing::ElementsAre(1.0f, 2.5f, 0.0f, 1.5f, -1.0f, 0.5f));
}

TEST(Picture, IsCroppedInTheMiddleUnlessStretched) {
  Picture picture{4, 2, {}};
  for (const int x : {0, 100, 200, 50, 0, 100, 200, 50})
    for (int c = 0; c < 3; ++c) picture.rgb.push_back(static_cast<uint8_t>(x));
  const auto middle = preprocess(picture, {}, 1, 2, 2).to_floats();
  EXPECT_NEAR(middle[0], 100, 1e-3);
  EXPECT_NEAR(middle[1], 200, 1e-3);
  Preprocess stretched;
  stretched.stretch = true;
  const auto pressed = preprocess(picture, stretched, 1, 2, 2).to_floats();
  EXPECT_GT(pressed[1], pressed[0]);
  EXPECT_LT(pressed[1], 150);  // 200 and 50 took part
}

TEST(Picture, BadWordsOfPreprocessingNameWhatIsAllowed) {
  EXPECT_THAT(sentence([] { parse_preprocess("mean:1+2"); }), HasSubstr("'mean:1+2'"));
  EXPECT_THAT(sentence([] { parse_preprocess("rgb,blur:3"); }), HasSubstr("allowed: rgb"));
  EXPECT_THAT(sentence([] { parse_preprocess("std:0"); }), HasSubstr("'std:0'"));
}

TEST(Picture, AFileThatIsNoPictureIsNamed) {
  const std::string path = test::temporary_dir() + "/no.png";
  write_file(path, "\x89PNG but not really");
  EXPECT_THAT(sentence([&] { read_picture(path); }), HasSubstr("no.png"));
  write_file(path, std::string("\xff\xd8\xff\xe0 cut off", 14));
  EXPECT_THAT(sentence([&] { read_picture(path); }), HasSubstr("no.png"));
}

class DatasetFiles : public testing::Test {
 protected:
  std::string folder_ = test::temporary_dir();
  Feed x_{"x", ir::DataType::Float32, {1, 3, 2, 2}};
  Feed y_{"y", ir::DataType::Int64, {1, 2}};
};

TEST_F(DatasetFiles, AFolderGivesItsFilesInOrder) {
  write_png(folder_ + "/b.png", 2, 2, std::vector<uint8_t>(12, 7));
  write_file(folder_ + "/a.npy", ir::write_npy(ir::seeded(ir::DataType::Float32, {2, 3, 2, 2}, 1)));
  write_file(folder_ + "/labels.json", "{}");
  const Dataset set(folder_, {x_}, {});
  ASSERT_EQ(set.size(), 3u);
  const auto all = ir::seeded(ir::DataType::Float32, {2, 3, 2, 2}, 1).to_floats();
  EXPECT_EQ(set.load(1)[0].to_floats(), std::vector<float>(all.begin() + 12, all.end()));
  EXPECT_EQ(set.load(2)[0].to_floats(), std::vector<float>(12, 7.0f));
  const std::vector<ir::Tensor> batch = set.load_batch(0, 3);
  EXPECT_EQ(batch[0].dims(), (ir::Dims{3, 3, 2, 2}));
  EXPECT_EQ(batch[0].to_floats()[35], 7.0f);
}

TEST_F(DatasetFiles, AManifestNamesInputsAndLabels) {
  write_file(folder_ + "/x.npy", ir::write_npy(ir::seeded(ir::DataType::Float32, {3, 2, 2}, 1)));
  write_file(folder_ + "/y.bin", std::string(16, '\1'));
  write_file(folder_ + "/set.txt", "# comment\nx=x.npy y=y.bin 7\n\n");
  const Dataset set(folder_ + "/set.txt", {x_, y_}, {});
  ASSERT_EQ(set.size(), 1u);
  EXPECT_EQ(set.sample(0).label, 7);
  EXPECT_EQ(set.load(0)[1].to_ints()[0], 0x0101010101010101);
}

TEST_F(DatasetFiles, AnArchiveHoldsAnArrayPerInput) {
  const std::string path = folder_ + "/set.npz";
  zipFile archive = zipOpen(path.c_str(), APPEND_STATUS_CREATE);
  const auto add = [&](const char* name, const ir::Tensor& tensor) {
    const std::string bytes = ir::write_npy(tensor);
    zipOpenNewFileInZip(archive, name, nullptr, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED, 6);
    zipWriteInFileInZip(archive, bytes.data(), static_cast<unsigned>(bytes.size()));
    zipCloseFileInZip(archive);
  };
  add("x.npy", ir::seeded(ir::DataType::Float32, {2, 3, 2, 2}, 1));
  add("y.npy", ir::Tensor::of<int64_t>({2, 2}, {1, 2, 3, 4}));
  zipClose(archive, nullptr);
  const Dataset set(path, {x_, y_}, {});
  ASSERT_EQ(set.size(), 2u);
  EXPECT_THAT(set.load(1)[1].to_ints(), testing::ElementsAre(3, 4));
  const Feed other{"z", ir::DataType::Float32, {1}};
  EXPECT_THAT(sentence([&] { Dataset(path, {other}, {}); }), HasSubstr("it has: x, y"));
  std::string damaged = read_file(path);
  damaged[80] = static_cast<char>(damaged[80] ^ 1);
  write_file(path, damaged);
  EXPECT_THAT(sentence([&] { Dataset(path, {x_, y_}, {}); }), HasSubstr("damaged"));
}

TEST_F(DatasetFiles, WhatDoesNotFitIsNamed) {
  EXPECT_THAT(sentence([&] { Dataset(folder_ + "/none", {x_}, {}); }), HasSubstr("no such file"));
  EXPECT_THAT(sentence([&] { Dataset(folder_, {x_}, {}); }), HasSubstr("holds no sample"));
  write_file(folder_ + "/a.npy", ir::write_npy(ir::seeded(ir::DataType::Float32, {5}, 1)));
  EXPECT_THAT(sentence([&] { Dataset(folder_, {x_}, {}); }),
              HasSubstr("input 'x' takes f32 1x3x2x2"));
  EXPECT_THAT(sentence([&] { Dataset(folder_, {x_, y_}, {}); }), HasSubstr("2 inputs (x, y)"));
  write_file(folder_ + "/a.raw", std::string(49, '\0'));
  EXPECT_THAT(sentence([&] { Dataset(folder_ + "/a.raw", {x_}, {}); }),
              HasSubstr("has 49 bytes, which is no whole number of samples of 48 bytes"));
  write_file(folder_ + "/set.txt", "z=a.npy\n");
  EXPECT_THAT(sentence([&] { Dataset(folder_ + "/set.txt", {x_}, {}); }),
              HasSubstr("no input 'z'"));
}

}  // namespace
}  // namespace dlaexec::accuracy
