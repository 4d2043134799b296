#include "gpu/code.h"

#include <charconv>
#include <cstring>

#include "base/error.h"

namespace dlaexec::gpu {
namespace {

// A text head, one fact a line, then the machine code of all kernels in the same order:
//   dlaexec device code 1
//   architecture <name>
//   device <name>
//   tactic <problem> | <tactic>
//   kernel <file> | <expression> | <function> | <registers> | <spill bytes> | <bytes>
//   (empty line)
constexpr std::string_view kHead = "dlaexec device code 1";
constexpr std::string_view kSeparator = " | ";

[[noreturn]] void refuse() { fail("the plan's device code is damaged; build the plan again"); }

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields;
  for (;;) {
    const size_t end = line.find(kSeparator);
    fields.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + kSeparator.size());
  }
}

template <class Number>
Number number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse();
  return value;
}

/// Reads one line of the head into @p code; the kernel's size in bytes, if it is one.
size_t read_fact(std::string_view line, Code& code) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) refuse();
  const std::string_view name = line.substr(0, space), rest = line.substr(space + 1);
  const std::vector<std::string> fields = split(rest);
  if (name == "architecture") {
    code.architecture = rest;
  } else if (name == "device") {
    code.device = rest;
  } else if (name == "floats" && rest == "full") {
    code.full_floats = true;
  } else if (name == "tactic" && fields.size() == 2) {
    code.tactics[fields[0]] = fields[1];
  } else if (name == "kernel" && fields.size() == 6) {
    code.cubins.push_back(
        {{fields[0], fields[1]}, fields[2], number<int>(fields[3]), number<int>(fields[4]), {}});
    return number<size_t>(fields[5]);
  } else {
    refuse();
  }
  return 0;
}

}  // namespace

std::string to_bytes(const Code& code) {
  std::string bytes =
      format("{}\narchitecture {}\ndevice {}\n", kHead, code.architecture, code.device);
  if (code.full_floats) bytes += "floats full\n";
  for (const auto& [problem, tactic] : code.tactics)
    bytes += format("tactic {}{}{}\n", problem, kSeparator, tactic);
  for (const Cubin& cubin : code.cubins)
    bytes +=
        format("kernel {} | {} | {} | {} | {} | {}\n", cubin.kernel.file, cubin.kernel.expression,
               cubin.function, cubin.registers, cubin.spill_bytes, cubin.code.size());
  bytes += '\n';
  for (const Cubin& cubin : code.cubins) bytes += cubin.code;
  return bytes;
}

Code code_from_bytes(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Code code;
  std::vector<size_t> sizes;
  bool first = true;
  for (;;) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) refuse();
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) break;
    if (std::exchange(first, false)) {
      if (line != kHead) refuse();
      continue;
    }
    const size_t kernels = code.cubins.size();
    const size_t size = read_fact(line, code);
    if (code.cubins.size() > kernels) sizes.push_back(size);
  }
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] > text.size()) refuse();
    code.cubins[i].code = text.substr(0, sizes[i]);
    text.remove_prefix(sizes[i]);
  }
  if (!text.empty()) refuse();
  return code;
}

LowerOptions options_from(const Code& code) {
  LowerOptions options;
  options.full_floats = code.full_floats;
  options.choose = [&code](const std::string& problem, const std::vector<std::string>&) {
    const auto known = code.tactics.find(problem);
    return known == code.tactics.end() ? std::string() : known->second;
  };
  return options;
}

}  // namespace dlaexec::gpu
