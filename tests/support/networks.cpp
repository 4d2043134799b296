// Published networks as graphs.
#include "base/error.h"
#include "support/net.h"

namespace dlaexec::test {
namespace {

using namespace ir;
using Id = Net::Id;

Id bottleneck(Net& net, const std::string& name, Id x, int64_t width, int64_t stride) {
  Id y = net.relu(name + ".relu1", net.conv(name + ".conv1", x, width, 1));
  y = net.relu(name + ".relu2", net.conv(name + ".conv2", y, width, 3, {stride, 1}));
  y = net.conv(name + ".conv3", y, 4 * width, 1);
  const bool projects = stride != 1 || net.dims(x)[1] != 4 * width;
  const Id shortcut = projects ? net.conv(name + ".down", x, 4 * width, 1, {stride}) : x;
  return net.relu(name + ".relu3", net.add(name + ".add", y, shortcut));
}

Graph resnet50(int64_t batch) {
  Net net;
  Id x =
      net.relu("relu1", net.conv("conv1", net.input("image", {batch, 3, 224, 224}), 64, 7, {2, 3}));
  x = net.pool("maxpool", PoolKind::Max, x, 3, 2, 1);
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < blocks[stage]; ++block)
      x = bottleneck(net, format("layer{}.{}", stage + 1, block), x, int64_t{64} << stage,
                     stage > 0 && block == 0 ? 2 : 1);
  x = net.flatten("flatten", net.global_average("avgpool", x));
  net.output(net.gemm("fc", x, 1000));
  return net.graph;
}

Id clip6(Net& net, const std::string& name, Id x) {
  return net.activation(name, x, ActivationKind::Clip, 0, 6);
}

Id inverted_residual(Net& net, const std::string& name, Id x, int64_t maps, int64_t expand,
                     int64_t stride) {
  const int64_t channels = net.dims(x)[1], hidden = channels * expand;
  Id y = x;
  if (expand != 1) y = clip6(net, name + ".clip1", net.conv(name + ".expand", y, hidden, 1));
  y = clip6(net, name + ".clip2",
            net.conv(name + ".depthwise", y, hidden, 3, {stride, 1, 1, hidden}));
  y = net.conv(name + ".project", y, maps, 1);
  return stride == 1 && channels == maps ? net.add(name + ".add", x, y) : y;
}

Graph mobilenet_v2(int64_t batch) {
  Net net;
  Id x = clip6(net, "clip0",
               net.conv("conv0", net.input("image", {batch, 3, 224, 224}), 32, 3, {2, 1}));
  const int rows[][4] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                         {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  int index = 0;
  for (const auto& [expand, maps, repeats, stride] : rows)
    for (int i = 0; i < repeats; ++i)
      x = inverted_residual(net, format("block{}", index++), x, maps, expand, i == 0 ? stride : 1);
  x = clip6(net, "clip_last", net.conv("conv_last", x, 1280, 1));
  x = net.flatten("flatten", net.global_average("avgpool", x));
  net.output(net.gemm("classifier", x, 1000));
  return net.graph;
}

Graph vgg16(int64_t batch) {
  Net net;
  Id x = net.input("image", {batch, 3, 224, 224});
  const int stages[][2] = {{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}};
  int stage = 1;
  for (const auto& [maps, layers] : stages) {
    for (int i = 1; i <= layers; ++i) {
      const std::string suffix = format("{}_{}", stage, i);
      x = net.relu("relu" + suffix, net.conv("conv" + suffix, x, maps, 3, {1, 1}));
    }
    x = net.pool(format("pool{}", stage++), PoolKind::Max, x, 2, 2);
  }
  x = net.relu("relu6", net.conv("fc6", x, 4096, 7));
  x = net.relu("relu7", net.conv("fc7", x, 4096, 1));
  net.output(net.conv("fc8", x, 1000, 1));
  return net.graph;
}

Id double_conv(Net& net, const std::string& name, Id x, int64_t maps) {
  x = net.relu(name + ".relu1", net.conv(name + ".conv1", x, maps, 3, {1, 1}));
  return net.relu(name + ".relu2", net.conv(name + ".conv2", x, maps, 3, {1, 1}));
}

Graph unet(int64_t batch) {
  Net net;
  std::vector<Id> skips;
  Id x = net.input("image", {batch, 3, 128, 128});
  for (int level = 0; level < 4; ++level) {
    skips.push_back(double_conv(net, format("down{}", level), x, int64_t{32} << level));
    x = net.pool(format("pool{}", level), PoolKind::Max, skips.back(), 2, 2);
  }
  x = double_conv(net, "bottom", x, 512);
  for (int level = 3; level >= 0; --level) {
    x = net.deconv(format("up{}", level), x, int64_t{32} << level, 2, {2});
    x = net.concat(format("join{}", level), {skips[static_cast<size_t>(level)], x});
    x = double_conv(net, format("up{}", level), x, int64_t{32} << level);
  }
  net.output(net.conv("head", x, 2, 1));
  return net.graph;
}

}  // namespace

Graph network(std::string_view name, int64_t batch) {
  if (name == "resnet50") return resnet50(batch);
  if (name == "mobilenet_v2") return mobilenet_v2(batch);
  if (name == "vgg16") return vgg16(batch);
  if (name == "unet") return unet(batch);
  fail("no test network is called '{}'", name);
}

}  // namespace dlaexec::test
