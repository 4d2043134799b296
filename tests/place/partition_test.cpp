#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "place/placement.h"
#include "quant/quant.h"
#include "support/golden.h"
#include "support/net.h"

namespace dlaexec::place {
namespace {

using ir::Device;
using ir::Graph;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Wishes {
  bool int8 = false;
  std::string platform = "agx-orin-64";
  std::map<std::string, Device> devices = {};
};

Options options_for(const Wishes& wishes) {
  Options options;
  options.platform = &dla::platform(wishes.platform);
  options.edition = dla::default_edition(options.platform->generation);
  options.default_device = Device::Dla;
  options.layer_devices = wishes.devices;
  options.gpu_fallback = true;
  return options;
}

/// What a build does up to the placement.
Placement place(Graph& graph, const Wishes& wishes, const Options& options) {
  choose_devices(graph, options);
  quant::Options precisions;
  precisions.fp16 = !wishes.int8;
  precisions.int8 = wishes.int8;
  precisions.dla = dla::Target{options.platform->generation, options.edition, {}};
  quant::assign(graph, precisions);
  return partition(graph, options);
}

std::string logged(const Placement& placement) {
  log::Capture lines;
  log_placement(placement);
  return lines.text();
}

std::vector<std::string> segment_names(const Placement& placement) {
  std::vector<std::string> names;
  for (const Segment& segment : placement.segments) names.push_back(segment.name);
  return names;
}

std::vector<std::string> on_gpu(const Placement& placement) {
  std::vector<std::string> names;
  for (const LayerPlacement& layer : placement.layers)
    if (layer.device == Device::Gpu) names.push_back(layer.type + ":" + layer.layer);
  return names;
}

std::string placed(std::string_view network, bool int8) {
  Graph graph = test::network(network);
  const Wishes wishes{int8};
  return logged(place(graph, wishes, options_for(wishes)));
}

TEST(Partition, PlacesResNet50AsTensorRtDoes) {
  for (const bool int8 : {false, true}) {
    Graph graph = test::network("resnet50");
    const Wishes wishes{int8};
    const Placement placement = place(graph, wishes, options_for(wishes));
    EXPECT_THAT(segment_names(placement),
                ElementsAre("{ForeignNode[conv1...layer4.2.relu3]}", "{ForeignNode[fc]}"));
    EXPECT_THAT(on_gpu(placement), ElementsAre("REDUCE:avgpool", "SHUFFLE:flatten"));
    EXPECT_THAT(logged(placement), HasSubstr("avgpool: DLA cores do not support AVG Reduce"));
  }
}

TEST(Partition, MatchesTheGoldenPlacements) {
  for (const char* network : {"resnet50", "mobilenet_v2", "vgg16", "unet"}) {
    test::expect_golden(format("placement/{}-fp16.txt", network), placed(network, false));
    test::expect_golden(format("placement/{}-int8.txt", network), placed(network, true));
  }
}

}  // namespace
}  // namespace dlaexec::place
