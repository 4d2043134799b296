// One CUDA device and what lives on it, each an owner whose destructor never throws and logs.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpu/driver.h"

namespace dlaexec::gpu {

/// What kernels are chosen by; known without a device for the architectures of the table.
struct Target {
  std::string name;      ///< "NVIDIA H200", or the architecture when no device stands behind it
  int architecture = 0;  ///< 87 for sm_87, 90 for sm_90a
  int multiprocessors = 0;
  int shared_bytes = 0;  ///< that one block may ask for
  int64_t l2_bytes = 0;
  double bytes_per_second = 0;  ///< device memory's peak
  /// The name that NVRTC and plans use: "sm_87", "sm_90a".
  std::string architecture_name() const;
  /// cp.async and tf32 tensor cores.
  bool is_ampere() const { return architecture >= 80; }
  /// wgmma, clusters and bulk copies.
  bool is_hopper() const { return architecture == 90; }
};

/// The target for building without a device: "sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90a".
/// Throws an Error that lists them when @p architecture is another.
Target target_of(const std::string& architecture);

/// Architectures that target_of() knows, oldest first.
std::span<const Target> known_targets();

/// What people are told of a device.
struct DeviceFacts {
  std::string name;
  std::string uuid;  ///< as nvidia-smi writes it: "GPU-00112233-4455-6677-8899-aabbccddeeff"
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  int64_t memory_bytes = 0;
  int shared_bytes = 0;  ///< of one multiprocessor
  int bus_bits = 0;
  bool corrects_errors = false;  ///< ECC
  int clock_khz = 0, memory_clock_khz = 0;
};

/// The facts of device @p ordinal, read without opening it. Throws an Error when it is not there.
DeviceFacts facts_of(int ordinal);

/// A device in use: its primary context, current on the thread that made it.
class Context {
 public:
  /// Throws an Error when there is no driver or no such device.
  explicit Context(int ordinal = 0);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Target& target() const { return target_; }
  int64_t memory_bytes() const { return memory_bytes_; }
  int clock_khz() const { return clock_khz_; }
  int memory_clock_khz() const { return memory_clock_khz_; }
  int memory_bus_bits() const { return memory_bus_bits_; }
  int ordinal() const { return device_; }
  /// Makes it current on the calling thread.
  void make_current() const;

 private:
  int device_ = 0;
  Handle context_ = nullptr;
  Target target_;
  int64_t memory_bytes_ = 0;
  int clock_khz_ = 0, memory_clock_khz_ = 0, memory_bus_bits_ = 0;
};

/// Device memory.
class Buffer {
 public:
  enum class Kind { Device, Managed };
  Buffer() = default;
  /// Uninitialized; throws an Error that names the size when there is not enough.
  explicit Buffer(size_t bytes, Kind kind = Kind::Device);
  ~Buffer();
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Address address() const { return address_; }
  size_t size() const { return bytes_; }

 private:
  Address address_ = 0;
  size_t bytes_ = 0;
};

/// Page-locked host memory, which copies run from at full speed and without blocking.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(size_t bytes);
  ~PinnedBuffer();
  PinnedBuffer(PinnedBuffer&& other) noexcept { *this = std::move(other); }
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  std::span<std::byte> bytes() const { return {memory_, bytes_}; }

 private:
  std::byte* memory_ = nullptr;
  size_t bytes_ = 0;
};

struct BoxMap;

/// What the copy engine is told of a tensor, as kernels expect it among their parameters.
struct alignas(64) EncodedMap {
  std::byte bytes[128];
};
EncodedMap encode(const BoxMap& map, Address address);

class Event {
 public:
  Event();
  ~Event();
  Event(Event&& other) noexcept { std::swap(handle_, other.handle_); }
  Event& operator=(Event&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Handle handle() const { return handle_; }
  void synchronize() const;

 private:
  Handle handle_ = nullptr;
};

/// Time on the device between two events that have happened.
std::chrono::duration<float, std::milli> elapsed(const Event& from, const Event& to);

/// A queue of work on the device.
class Stream {
 public:
  Stream();
  ~Stream();
  Stream(Stream&& other) noexcept { std::swap(handle_, other.handle_); }
  Stream& operator=(Stream&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Handle handle() const { return handle_; }
  void record(const Event& event) const;
  void wait(const Event& event) const;
  void synchronize() const;
  void upload(Address to, std::span<const std::byte> from) const;
  void download(std::span<std::byte> to, Address from) const;
  void fill(Address to, uint8_t byte, size_t bytes) const;

 private:
  Handle handle_ = nullptr;
};

/// A cubin on the device with the one function that it was made for.
class Module {
 public:
  /// The most that any launch of a kernel may ask for.
  struct Needs {
    int shared_bytes = 0;  ///< of dynamic memory
    int cluster = 1;       ///< blocks of one
    /// No launch is of more than a few blocks for each multiprocessor.
    bool is_short = true;
    friend bool operator==(const Needs&, const Needs&) = default;
  };
  /// Loads @p cubin and looks up @p function in it.
  Module(std::span<const std::byte> cubin, const std::string& function, const Needs& needs);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  Handle function() const { return function_; }

 private:
  Handle module_ = nullptr;
  Handle function_ = nullptr;
};

/// Work recorded from a stream, launched again as a whole.
class CapturedGraph {
 public:
  /// Runs @p work, which must only enqueue on @p stream, and keeps what it enqueued.
  template <class Work>
  CapturedGraph(const Stream& stream, Work&& work) {
    begin(stream);
    try {
      work();
    } catch (...) {
      abandon(stream);
      throw;
    }
    end(stream);
  }
  ~CapturedGraph();
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;
  void launch(const Stream& stream) const;

 private:
  void begin(const Stream& stream);
  void end(const Stream& stream);
  void abandon(const Stream& stream) noexcept;
  Handle executable_ = nullptr;
};

}  // namespace dlaexec::gpu
