// The small languages inside flag values: pairs, shapes, pools, formats, types.
//
// Flags are split by our own reader (settings.cpp) and not by CLI11, which was tried (2.1.2) and
// reads these lines of the wild otherwise:
//   --saveEngine --fp16        takes "--fp16" for the file's name; here: needs a value
//   --calib=                   ends the command (114); an unset shell variable must count as not
//   given
//   --fp16=anything            ends the command (104); under --compat any value switches on
//   --warmUp=10ms, 1.5         end the command (104); under --compat they are 10 and 1
//   --warmUp=0x10, 010         are 16 and 8; trtexec reads 0 and 10
//   --warmUp=1 --warmUp=2      ends the command (114) or takes the last silently, nothing between
//   --fp61 --unknwon=1         are named last first, without a nearest flag
// and which release of trtexec knows a flag, what does nothing here and what is refused would still
// be ours to say. What is left for it is looking up a name. It reads TOML for --config.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/format.h"
#include "ir/graph.h"
#include "ir/shape.h"
#include "ir/type.h"

namespace dlaexec::bench {
struct Stability;
}

namespace dlaexec::cli {

/// The elements between commas. An empty one at the end vanishes; blanks stay.
std::vector<std::string> split_list(std::string_view text);

/// A name and a value joined by the last colon, so that names may hold colons; without a colon both
/// are the whole text. 'quoted' names end at the quote instead.
struct Pair {
  std::string name, value;
};
Pair split_pair(std::string_view text);
std::vector<Pair> split_pairs(std::string_view text);

/// "1x3x224x224"; also "[1,3,224,224]", "scalar" and nothing for rank 0. At most 8 dimensions.
ir::Dims parse_dims(std::string_view text);

/// Shapes by input name; of equal names the later one holds. @p flag is named in errors.
struct NamedDims {
  std::string name;
  ir::Dims dims;
};
std::vector<NamedDims> parse_shapes(std::string_view text, std::string_view flag);

/// Files by input's or output's name; of equal names the first one holds.
struct NamedFile {
  std::string name, path;
};
std::vector<NamedFile> named_files(std::string_view text);

/// Bytes of "0.5", "512M", "1G", "2MiB", "4096B"; MiB when no unit is given. @p flag is named in
/// errors.
int64_t parse_size(std::string_view text, std::string_view flag);

/// Sizes of --memPoolSize in bytes; absent: the default.
struct PoolSizes {
  std::optional<int64_t> workspace, dla_sram, dla_local_dram, dla_global_dram, tactic_shared_memory;
};
/// Before 10.3 trtexec took every number for MiB, whatever unit stood behind it.
enum class Units { Counted, Ignored };
PoolSizes parse_pools(std::string_view text, Units units = Units::Counted);

/// One entry of --inputIOFormats: a type and the layouts allowed.
struct IoFormat {
  ir::DataType type = ir::DataType::Float32;
  std::vector<ir::Format> formats;
};
/// trtexec 11 takes the types from the network: entries have layouts alone.
enum class IoTypes { Given, FromNetwork };
std::vector<IoFormat> parse_io_formats(std::string_view text, std::string_view flag,
                                       IoTypes types = IoTypes::Given);
/// As the echo of options prints it: "fp16:chw16", "int8:chw+chw4", "int8:+chw32".
std::string to_text(const IoFormat& format);

/// "fp32", "fp16", "int8" ...
ir::DataType parse_data_type(std::string_view text, std::string_view flag);

/// "layer:GPU,layer:DLA"
std::vector<std::pair<std::string, ir::Device>> parse_layer_devices(std::string_view text);
/// "layer:fp16,*:int8"
std::vector<std::pair<std::string, ir::DataType>> parse_layer_precisions(std::string_view text);
/// "layer:fp16+fp32"
std::vector<std::pair<std::string, std::vector<ir::DataType>>> parse_layer_output_types(
    std::string_view text);

/// One entry of a list like "+CUBLAS,-CUDNN".
struct SignedName {
  std::string name;
  bool on = false;
};
/// Every entry of @p text, which must have a sign and one of @p names, in whatever case; a name
/// with both signs is an Error. @p flag is named in errors.
std::vector<SignedName> parse_signed(std::string_view text, std::string_view flag,
                                     std::span<const std::string_view> names);

/// "in_memory:allow,temporary:deny": whether each kind of temporary file is allowed.
struct TemporaryFiles {
  bool in_memory = true, temporary = true;
};
TemporaryFiles parse_temporary_files(std::string_view text);

/// "1", "1%", or with least and most seconds "1:0.5:20".
bench::Stability parse_stability(std::string_view text);

/// "90,95,99.9", each within [0, 100].
std::vector<float> parse_percentiles(std::string_view text);

/// "5%" or "5": a part of one, 0.05.
double parse_percent(std::string_view text, std::string_view flag);

}  // namespace dlaexec::cli
