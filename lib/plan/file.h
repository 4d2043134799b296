// A plan as a file: a header, a table of sections, the sections.
//
// All numbers are little-endian. Reading the header takes these lines of Python:
//
//     import struct, sys
//     data = open(sys.argv[1], "rb").read()
//     magic, version, flags, count, _, size, table_hash, header_hash =
//     struct.unpack_from("<8sIIIIQQQ", data) assert magic == b"dlaxplan", "not a plan"
//     print("format", version, "flags", flags, "bytes", size)
//     for i in range(count):
//         kind, index, offset, length, checksum = struct.unpack_from("<IIQQQ", data, 64 + 32 * i)
//         print(["?", "structure", "weights", "loadable", "device code"][kind], index, offset,
//         length, f"{checksum:016x}")
//
// The header takes 64 bytes: what the lines above name (the fifth number is 0), then zeros. Its
// hashes are XXH3-64: one of the table, one of the 40 bytes of the header before it. Each section
// starts at a multiple of 64 and has its own hash in the table. The structure section is a protobuf
// message (plan.proto); all others are raw, so that they are used where they are mapped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace dlaexec::plan {

/// Raised when a reader of the version before would misread a file.
inline constexpr uint32_t kFormatVersion = 1;

/// Bits of the header's flags.
inline constexpr uint32_t kHasLoadables = 1;  ///< running it takes an emulated DLA

enum class SectionKind : uint32_t { Structure = 1, Weights = 2, Loadable = 3, DeviceCode = 4 };

/// One row of the section table.
struct Section {
  SectionKind kind = SectionKind::Structure;
  uint32_t index = 0;  ///< counts the sections of one kind
  uint64_t offset = 0, size = 0, hash = 0;
};

/// The header and the table of a plan file.
struct Header {
  uint32_t format_version = 0, flags = 0;
  uint64_t file_size = 0;
  std::vector<Section> sections;
};

/// How much of a file is compared with its checksums before use.
enum class Check {
  Everything,
  Structure,  ///< not the weights and loadables: enough to list what is in the file
};

/// The bytes of a plan file; the same plan gives the same bytes.
std::string to_bytes(const Plan& plan);

/// How many bytes that are, without making them.
uint64_t bytes_in_file(const Plan& plan);

/// Reads and checks the header and the table. A file that is no plan or is damaged, and one of
/// another format version (Fault::PlanMismatch), end in an Error.
Header read_header(std::span<const std::byte> bytes);

/// The plan in @p bytes, which @p owner keeps alive: weights and loadables stay where they are, or
/// in a copy when the bytes do not start at a multiple of 64. Any damage ends in an Error.
Plan from_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                Check check = Check::Everything);

/// Writes @p plan to @p path, or nothing at all and throws.
void save(const Plan& plan, const std::string& path);

/// Maps the plan at @p path; weights and loadables are used from the mapped file.
Plan load(const std::string& path, Check check = Check::Everything);

}  // namespace dlaexec::plan
