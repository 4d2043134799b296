// Loadable to bytes and back. The structure is written by walking fields(), so a new field needs no
// line here, only a new kVersion.
#include <cstring>
#include <type_traits>

#include "base/error.h"
#include "base/hash.h"
#include "dla/loadable.h"

namespace dlaexec::dla {
namespace {

constexpr uint64_t kMagic = 0x4441'4f4c'414c'44ff;  // "\xff" "DLALOAD" as little-endian bytes
constexpr uint32_t kVersion = 2;

/// The first bytes of a loadable; the structure and the weights follow, each aligned to 64 bytes.
struct Header {
  uint64_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t reserved = 0;
  uint64_t structure_bytes = 0;
  uint64_t structure_hash = 0;
  uint64_t weights_bytes = 0;
  uint64_t weights_hash = 0;
  uint64_t header_hash = 0;  ///< of the bytes before it
};
static_assert(sizeof(Header) == 56);

uint64_t hash_of(const Header& header) {
  return hash64(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, header_hash)));
}

constexpr size_t aligned(size_t size) { return (size + 63) / 64 * 64; }

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <class T>
inline constexpr bool kIsVariant = false;
template <class... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;

class Writer {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (Number<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      put(static_cast<uint32_t>(value.size()));
      bytes_ += value;
    } else if constexpr (kIsVector<T>) {
      put(static_cast<uint32_t>(value.size()));
      for (const auto& item : value) put(item);
    } else if constexpr (kIsVariant<T>) {
      put(static_cast<uint8_t>(value.index()));
      std::visit([&](const auto& held) { put(held); }, value);
    } else {
      T::fields(value, [&](const char*, const auto& field) { put(field); });
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      uint8_t byte = 0;
      get(byte);
      if (byte > 1) fail("the loadable is damaged: a yes-or-no field holds {}", byte);
      value = byte != 0;
    } else if constexpr (std::is_enum_v<T>) {
      std::memcpy(&value, take(sizeof value).data(), sizeof value);
      if (static_cast<size_t>(value) >= ir::kEnumText<T>.size())
        fail("the loadable is damaged: a field holds {}, past '{}'", static_cast<size_t>(value),
             ir::kEnumText<T>.back());
    } else if constexpr (Number<T>) {
      std::memcpy(&value, take(sizeof value).data(), sizeof value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      const auto text = take(length());
      value.assign(reinterpret_cast<const char*>(text.data()), text.size());
    } else if constexpr (kIsVector<T>) {
      const uint32_t count = length();  // every item takes a byte or more, so this bounds memory
      value.clear();
      for (uint32_t i = 0; i < count; ++i) get(value.emplace_back());
    } else if constexpr (kIsVariant<T>) {
      get_variant(value, std::make_index_sequence<std::variant_size_v<T>>());
    } else {
      T::fields(value, [&](const char*, auto& field) { get(field); });
    }
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> take(size_t count) {
    if (count > bytes_.size())
      fail("the loadable is damaged: its structure ends {} bytes early", count - bytes_.size());
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  uint32_t length() {
    uint32_t count = 0;
    get(count);
    if (count > bytes_.size())
      fail("the loadable is damaged: a list of {} items in {} bytes", count, bytes_.size());
    return count;
  }
  template <class Variant, size_t... Index>
  void get_variant(Variant& value, std::index_sequence<Index...>) {
    uint8_t index = 0;
    get(index);
    const bool known = ((Index == index && (get(value.template emplace<Index>()), true)) || ...);
    if (!known) fail("the loadable is damaged: unit {} of {}", index, sizeof...(Index));
  }

  std::span<const std::byte> bytes_;
};

Header read_header(std::span<const std::byte> bytes) {
  Header header;
  uint64_t magic = 0;
  if (bytes.size() >= sizeof magic) std::memcpy(&magic, bytes.data(), sizeof magic);
  if (magic != kMagic)
    fail("these {} bytes are not a DLA loadable; a plan is loaded with --loadEngine", bytes.size());
  if (bytes.size() < sizeof header)
    fail("the loadable is truncated: {} bytes, its header alone takes {}", bytes.size(),
         sizeof header);
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.header_hash != hash_of(header))
    fail("the loadable is damaged: its header's checksum does not match; build it again");
  if (header.version != kVersion)
    fail("the loadable has format version {}; this program reads version {}; build it again",
         header.version, kVersion);
  return header;
}

}  // namespace

std::string serialize(const Loadable& loadable) {
  Writer structure;
  structure.put(loadable);
  const std::span<const std::byte> weights = loadable.weights.bytes();

  Header header;
  header.structure_bytes = structure.bytes().size();
  header.structure_hash = hash64(structure.bytes());
  header.weights_bytes = weights.size();
  header.weights_hash = hash64(weights);
  header.header_hash = hash_of(header);

  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.resize(aligned(bytes.size()));
  bytes += structure.bytes();
  bytes.resize(aligned(bytes.size()));
  bytes.append(reinterpret_cast<const char*>(weights.data()), weights.size());
  return bytes;
}

Loadable deserialize(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const Header header = read_header(bytes);
  const size_t structure_at = aligned(sizeof header);
  const size_t available = bytes.size();
  if (header.structure_bytes > available || header.weights_bytes > available ||
      aligned(structure_at + header.structure_bytes) + header.weights_bytes != available)
    fail("the loadable is truncated or has bytes too many: {} bytes, its header says {}", available,
         aligned(structure_at + header.structure_bytes) + header.weights_bytes);
  const auto structure = bytes.subspan(structure_at, header.structure_bytes);
  const auto weights = bytes.last(header.weights_bytes);
  if (hash64(structure) != header.structure_hash || hash64(weights) != header.weights_hash)
    fail("the loadable is damaged: its content's checksum does not match; build it again");

  Loadable loadable;
  Reader reader(structure);
  reader.get(loadable);
  if (!reader.at_end()) fail("the loadable is damaged: its structure has bytes too many");
  const ir::Dims dims{static_cast<int64_t>(weights.size())};
  loadable.weights = ir::Tensor(ir::DataType::Int8, dims, weights, owner);
  const bool is_aligned = reinterpret_cast<uintptr_t>(weights.data()) % 16 == 0;
  if (owner == nullptr || !is_aligned) loadable.weights = loadable.weights.clone();
  verify(loadable);
  return loadable;
}

}  // namespace dlaexec::dla
