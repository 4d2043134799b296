#include "plan/file.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "plan/structure.h"

namespace dlaexec::plan {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie");

constexpr char kMagic[] = {'d', 'l', 'a', 'x', 'p', 'l', 'a', 'n'};
constexpr uint64_t kAlignment = 64;

/// The first bytes of a plan file.
struct FileHeader {
  char magic[8];
  uint32_t format_version, flags, section_count, zero;
  uint64_t file_size, table_hash;
  uint64_t header_hash;  ///< of the members before
  char zeros[16];
};
static_assert(sizeof(FileHeader) == 64);
constexpr size_t kHashedHeader = offsetof(FileHeader, header_hash);

/// A row of the table.
struct FileSection {
  uint32_t kind, index;
  uint64_t offset, size, hash;
};
static_assert(sizeof(FileSection) == 32);

uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> pattern, Args&&... args) {
  fail("the plan is damaged: {}; build it again",
       format_text(pattern, fmt::make_format_args(args...)));
}

/// What a file that is no plan looks like, for the person who gave it.
struct Lookalike {
  std::string_view start;
  std::string_view what;
};
constexpr Lookalike kLookalikes[] = {
    {"ftrt", "a TensorRT engine; dlaexec builds its own plans with --onnx and --saveEngine"},
    {"\x08", "an ONNX model, it seems; give it with --onnx"},
    {"\xff"
     "DLALOAD",
     "a DLA standalone loadable; run it with --runLoadable. Cannot deserialize serialized engine "
     "built with EngineCapability::kDLA_STANDALONE"},
};

[[noreturn]] void refuse_lookalike(std::span<const std::byte> bytes) {
  if (bytes.empty()) fail("the file is empty; a plan comes from --saveEngine");
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Lookalike& lookalike : kLookalikes)
    if (start.starts_with(lookalike.start)) fail("the file is not a plan but {}", lookalike.what);
  fail("the file is not a plan of dlaexec; a plan comes from --saveEngine");
}

FileHeader read_fixed_header(std::span<const std::byte> bytes) {
  FileHeader header{};
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0)
    refuse_lookalike(bytes);
  if (bytes.size() < sizeof header)
    refuse("it is cut short after {} bytes, within its header", bytes.size());
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.format_version != kFormatVersion)
    fail(Fault::PlanMismatch,
         "the plan has format version {}, this dlaexec reads version {}; build the plan again, or "
         "run it with the version that made it",
         header.format_version, kFormatVersion);
  if (header.file_size != bytes.size())
    refuse("it has {} bytes where its header says {}", bytes.size(), header.file_size);
  if (hash64(bytes.first(kHashedHeader)) != header.header_hash)
    refuse("its header does not match its checksum");
  return header;
}

/// The sections follow the table in its order, without overlap; between them lie zeros only.
void require_layout(const Header& header, std::span<const std::byte> bytes) {
  uint64_t end = sizeof(FileHeader) + header.sections.size() * sizeof(FileSection);
  const auto require_zeros = [&](uint64_t from, uint64_t to) {
    for (uint64_t at = from; at < to; ++at)
      if (bytes[at] != std::byte{0}) refuse("byte {}, between its sections, is not 0", at);
  };
  require_zeros(kHashedHeader + sizeof(uint64_t), sizeof(FileHeader));
  for (const Section& section : header.sections) {
    if (section.offset != aligned(end) || section.offset > bytes.size() ||
        section.size > bytes.size() - section.offset)
      refuse("a section lies at byte {}, outside its place", section.offset);
    require_zeros(end, section.offset);
    end = section.offset + section.size;
  }
  if (end != bytes.size()) refuse("{} bytes follow its last section", bytes.size() - end);
}

/// One structure, one weights section, then loadables and after them device code, each counted
/// from 0.
void require_kinds(const std::vector<Section>& sections) {
  size_t first_code = 2;
  while (first_code < sections.size() && sections[first_code].kind == SectionKind::Loadable)
    ++first_code;
  for (size_t i = 0; i < sections.size(); ++i) {
    const SectionKind wanted = i == 0           ? SectionKind::Structure
                               : i == 1         ? SectionKind::Weights
                               : i < first_code ? SectionKind::Loadable
                                                : SectionKind::DeviceCode;
    if (sections[i].kind != wanted ||
        sections[i].index != (i < 2 ? 0 : i - (i < first_code ? 2 : first_code)))
      refuse("section {} is of kind {}, number {}", i, static_cast<uint32_t>(sections[i].kind),
             sections[i].index);
  }
  if (sections.size() < 2) refuse("it has {} sections, not 2 or more", sections.size());
}

template <class T>
std::string_view raw(const T& item) {
  return {reinterpret_cast<const char*>(&item), sizeof item};
}

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The table of a file whose sections have these sizes, the last @p codes of them device code;
/// hashes are still 0.
std::vector<FileSection> lay_out(const std::vector<uint64_t>& sizes, size_t codes) {
  std::vector<FileSection> table;
  uint64_t end = sizeof(FileHeader) + sizes.size() * sizeof(FileSection);
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto number = static_cast<uint32_t>(i);
    const auto first_code = static_cast<uint32_t>(sizes.size() - codes);
    const SectionKind kind = number >= first_code ? SectionKind::DeviceCode : SectionKind::Loadable;
    table.push_back({i < 2 ? number + 1 : static_cast<uint32_t>(kind),
                     i < 2                  ? 0
                     : number >= first_code ? number - first_code
                                            : number - 2,
                     aligned(end), sizes[i], 0});
    end = table.back().offset + sizes[i];
  }
  return table;
}

ir::Tensor aligned_copy(std::span<const std::byte> bytes) {
  ir::Tensor copy(ir::DataType::UInt8, {std::ssize(bytes)});
  std::memcpy(copy.mutable_bytes().data(), bytes.data(), bytes.size());
  return copy;
}

/// Writes table and header in front of the sections, which are in place.
void seal(std::string& bytes, std::vector<FileSection>& table, uint32_t flags) {
  std::string rows;
  for (FileSection& row : table) {
    row.hash = hash64(as_bytes(bytes).subspan(row.offset, row.size));
    rows += raw(row);
  }
  FileHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.format_version = kFormatVersion;
  header.flags = flags;
  header.section_count = static_cast<uint32_t>(table.size());
  header.file_size = bytes.size();
  header.table_hash = hash64(rows);
  header.header_hash = hash64(raw(header).substr(0, kHashedHeader));
  bytes.replace(0, sizeof header, raw(header));
  bytes.replace(sizeof header, rows.size(), rows);
}

std::vector<FileSection> table_of(const Plan& plan, const std::string& structure,
                                  const WeightLayout& weights) {
  std::vector<uint64_t> sizes = {structure.size(), weights.size()};
  for (const Loadable& loadable : plan.loadables) sizes.push_back(loadable.bytes.size());
  for (const DeviceCode& code : plan.device_code) sizes.push_back(code.bytes.size());
  return lay_out(sizes, plan.device_code.size());
}

uint64_t end_of(const std::vector<FileSection>& table) {
  return table.back().offset + table.back().size;
}

}  // namespace

uint64_t bytes_in_file(const Plan& plan) {
  WeightLayout weights;
  const std::string structure = encode_structure(plan, weights);
  return end_of(table_of(plan, structure, weights));
}

std::string to_bytes(const Plan& plan) {
  WeightLayout weights;
  const std::string structure = encode_structure(plan, weights);
  std::vector<FileSection> table = table_of(plan, structure, weights);
  std::string bytes(end_of(table), '\0');
  const auto at = [&](size_t section) {
    return reinterpret_cast<std::byte*>(bytes.data() + table[section].offset);
  };
  std::memcpy(at(0), structure.data(), structure.size());
  weights.copy_to(at(1));
  for (size_t i = 0; i < plan.loadables.size(); ++i)
    std::memcpy(at(i + 2), plan.loadables[i].bytes.data(), plan.loadables[i].bytes.size());
  for (size_t i = 0; i < plan.device_code.size(); ++i)
    std::memcpy(at(i + 2 + plan.loadables.size()), plan.device_code[i].bytes.data(),
                plan.device_code[i].bytes.size());
  seal(bytes, table, uses_dla(plan) ? kHasLoadables : 0);
  return bytes;
}

Header read_header(std::span<const std::byte> bytes) {
  const FileHeader fixed = read_fixed_header(bytes);
  const uint64_t table_size = uint64_t{fixed.section_count} * sizeof(FileSection);
  if (table_size > bytes.size() - sizeof fixed)
    refuse("its table of {} sections is longer than the file", fixed.section_count);
  const auto rows = bytes.subspan(sizeof fixed, table_size);
  if (hash64(rows) != fixed.table_hash) refuse("its section table does not match its checksum");

  Header header{fixed.format_version, fixed.flags, fixed.file_size, {}};
  for (uint32_t i = 0; i < fixed.section_count; ++i) {
    FileSection row{};
    std::memcpy(&row, rows.data() + i * sizeof row, sizeof row);
    header.sections.push_back(
        {static_cast<SectionKind>(row.kind), row.index, row.offset, row.size, row.hash});
  }
  require_kinds(header.sections);
  require_layout(header, bytes);
  return header;
}

Plan from_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, Check check) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment != 0) {
    const auto copy = std::make_shared<ir::Tensor>(aligned_copy(bytes));
    return from_bytes(copy->bytes(), copy, check);
  }
  const Header header = read_header(bytes);
  const auto section = [&](size_t i) {
    const Section& row = header.sections[i];
    const auto content = bytes.subspan(row.offset, row.size);
    const bool wanted = check == Check::Everything || row.kind == SectionKind::Structure;
    if (wanted && hash64(content) != row.hash)
      refuse("section {} at byte {} does not match its checksum", i, row.offset);
    return content;
  };
  const auto structure = section(0);
  Plan plan = decode_structure(structure, {section(1), owner});
  if (plan.loadables.size() + plan.device_code.size() != header.sections.size() - 2 ||
      uses_dla(plan) != ((header.flags & kHasLoadables) != 0))
    refuse("its structure names {} loadables and {} pieces of device code, its table has {}",
           plan.loadables.size(), plan.device_code.size(), header.sections.size() - 2);
  for (size_t i = 0; i < plan.loadables.size(); ++i) {
    if (header.sections[i + 2].kind != SectionKind::Loadable)
      refuse("section {} is no loadable, where its structure names one", i + 2);
    plan.loadables[i].bytes = section(i + 2);
    plan.loadables[i].owner = owner;
  }
  for (size_t i = 0; i < plan.device_code.size(); ++i) {
    plan.device_code[i].bytes = section(i + 2 + plan.loadables.size());
    plan.device_code[i].owner = owner;
  }
  return plan;
}

void save(const Plan& plan, const std::string& path) { write_file(path, to_bytes(plan)); }

Plan load(const std::string& path, Check check) {
  return in_context([&] { return format("reading plan '{}'", path); },
                    [&] {
                      const MappedFile file(path);
                      return from_bytes(file.bytes(), file.owner(), check);
                    });
}

}  // namespace dlaexec::plan
