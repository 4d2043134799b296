#include "gpu/device.h"

#include "base/error.h"
#include "gpu/lowered.h"

namespace dlaexec::gpu {
namespace {

// CUdevice_attribute values that are read below.
constexpr int kClockRate = 13, kMultiprocessors = 16, kEcc = 32, kMemoryClockRate = 36,
              kMemoryBusWidth = 37, kL2Size = 38, kMajor = 75, kMinor = 76,
              kSharedPerMultiprocessor = 81, kSharedPerBlock = 97;
constexpr int kMaxDynamicShared = 8;  // CUfunction_attribute
constexpr int kSharedPercent = 9;     // likewise: of a multiprocessor's memory, the rest is cache
constexpr int kLargeClusters = 14;    // likewise

// Facts for building without the device: one common board of each architecture, from NVIDIA's
// architecture papers and the CUDA programming guide's table of shared memory.
const Target kTargets[] = {
    {"sm_75", 75, 40, 64 << 10, 4 << 20, 320e9},       // T4
    {"sm_80", 80, 108, 163 << 10, 40 << 20, 1555e9},   // A100
    {"sm_86", 86, 84, 99 << 10, 6 << 20, 600e9},       // A10
    {"sm_87", 87, 16, 163 << 10, 4 << 20, 204.8e9},    // Jetson AGX Orin
    {"sm_89", 89, 58, 99 << 10, 48 << 20, 300e9},      // L4
    {"sm_90a", 90, 132, 227 << 10, 50 << 20, 4.8e12},  // H200
};

int attribute(int device, int which) {
  int value = 0;
  check(driver().device_attribute(&value, which, device), "reading a fact of the device");
  return value;
}

int device_at(int ordinal) {
  const Driver& cuda = driver();
  int count = 0, device = 0;
  check(cuda.device_count(&count), "counting devices");
  if (ordinal < 0 || ordinal >= count)
    fail(Fault::Usage, "--device={} is not there: this machine has {} CUDA device(s), from 0 to {}",
         ordinal, count, count - 1);
  check(cuda.device_get(&device, ordinal), "opening the device");
  return device;
}

std::string name_of(int device) {
  char name[256] = {};
  check(driver().device_name(name, sizeof name - 1, device), "reading the device's name");
  return name;
}

std::string uuid_of(int device) {
  unsigned char bytes[16] = {};
  check(driver().device_uuid(bytes, device), "reading the device's UUID");
  std::string text = "GPU";
  for (size_t i = 0; i < sizeof bytes; ++i) {
    const bool begins_group = i == 0 || i == 4 || i == 6 || i == 8 || i == 10;
    text += format("{}{:02x}", begins_group ? "-" : "", bytes[i]);
  }
  return text;
}

int64_t memory_of(int device) {
  size_t bytes = 0;
  check(driver().device_memory(&bytes, device), "reading the size of device memory");
  return static_cast<int64_t>(bytes);
}

}  // namespace

std::string Target::architecture_name() const {
  return format("sm_{}{}", architecture, architecture == 90 ? "a" : "");
}

std::span<const Target> known_targets() { return kTargets; }

Target target_of(const std::string& architecture) {
  for (const Target& target : kTargets)
    if (target.name == architecture) return target;
  fail(Fault::Usage, "'{}' is no GPU architecture that kernels are written for; choose one of {}",
       architecture, join(kTargets, ", ", [](const Target& target) { return target.name; }));
}

DeviceFacts facts_of(int ordinal) {
  const int device = device_at(ordinal);
  DeviceFacts facts;
  facts.name = name_of(device);
  facts.uuid = uuid_of(device);
  facts.major = attribute(device, kMajor);
  facts.minor = attribute(device, kMinor);
  facts.multiprocessors = attribute(device, kMultiprocessors);
  facts.memory_bytes = memory_of(device);
  facts.shared_bytes = attribute(device, kSharedPerMultiprocessor);
  facts.bus_bits = attribute(device, kMemoryBusWidth);
  facts.corrects_errors = attribute(device, kEcc) != 0;
  facts.clock_khz = attribute(device, kClockRate);
  facts.memory_clock_khz = attribute(device, kMemoryClockRate);
  return facts;
}

namespace {

/// Kernels for sm_90 and later are launched in clusters and fed by the copy engine.
void require_driver_for(const Target& target) {
  const Driver& cuda = driver();
  if (target.architecture < 90 ||
      (cuda.launch_with_attributes && cuda.encode_tiled && cuda.encode_im2col))
    return;
  fail(
      "the CUDA driver is too old for {} (sm_{}); install one of CUDA 12 or later, or run on the "
      "host with --device=cpu",
      target.name, target.architecture);
}

}  // namespace

Context::Context(int ordinal) {
  device_ = device_at(ordinal);
  memory_bytes_ = memory_of(device_);
  target_.name = name_of(device_);
  target_.architecture = attribute(device_, kMajor) * 10 + attribute(device_, kMinor);
  require_driver_for(target_);
  target_.multiprocessors = attribute(device_, kMultiprocessors);
  target_.shared_bytes = attribute(device_, kSharedPerBlock);
  target_.l2_bytes = attribute(device_, kL2Size);
  clock_khz_ = attribute(device_, kClockRate);
  memory_clock_khz_ = attribute(device_, kMemoryClockRate);
  memory_bus_bits_ = attribute(device_, kMemoryBusWidth);
  target_.bytes_per_second = 2e3 * memory_clock_khz_ * memory_bus_bits_ / 8;  // double data rate
  check(driver().context_retain(&context_, device_), "opening a context on the device");
  make_current();
}

Context::~Context() {
  if (context_) check_quietly(driver().context_release(device_), "closing the device's context");
}

void Context::make_current() const {
  check(driver().context_set_current(context_), "making the device current");
}

Buffer::Buffer(size_t bytes, Kind kind) : bytes_(bytes) {
  const size_t wanted = bytes > 0 ? bytes : 1;
  const Result result = kind == Kind::Managed
                            ? driver().memory_allocate_managed(&address_, wanted, 1)
                            : driver().memory_allocate(&address_, wanted);
  if (result) check(result, format("allocating {} bytes of device memory", wanted).c_str());
}

Buffer::~Buffer() {
  if (address_) check_quietly(driver().memory_free(address_), "freeing device memory");
}

PinnedBuffer::PinnedBuffer(size_t bytes) : bytes_(bytes) {
  void* memory = nullptr;
  check(driver().host_allocate(&memory, bytes > 0 ? bytes : 1, 0), "allocating pinned host memory");
  memory_ = static_cast<std::byte*>(memory);
}

PinnedBuffer::~PinnedBuffer() {
  if (memory_) check_quietly(driver().host_free(memory_), "freeing pinned host memory");
}

EncodedMap encode(const BoxMap& map, Address address) {
  // CUtensorMapDataType, CUtensorMapSwizzle, CUtensorMapL2promotion; elements outside read zero.
  const int type = map.type == ir::DataType::Float16 ? 6 : 0;
  const int swizzle = map.swizzle_bytes == 128 ? 3 : map.swizzle_bytes == 64 ? 2 : 1;
  constexpr int kPromotion = 2, kNoInterleave = 0, kZeros = 0;
  const Driver& cuda = driver();
  EncodedMap encoded;
  const uint32_t rank = static_cast<uint32_t>(map.dims.size());
  void* const tensor = reinterpret_cast<void*>(address);
  if (map.lower.empty())
    check(cuda.encode_tiled(encoded.bytes, type, rank, tensor, map.dims.data(), map.strides.data(),
                            map.box.data(), map.steps.data(), kNoInterleave, swizzle, kPromotion,
                            kZeros),
          "describing a tensor to the copy engine");
  else
    check(cuda.encode_im2col(encoded.bytes, type, rank, tensor, map.dims.data(), map.strides.data(),
                             map.lower.data(), map.upper.data(), map.box[0], map.box[1],
                             map.steps.data(), kNoInterleave, swizzle, kPromotion, kZeros),
          "describing patches of a tensor to the copy engine");
  return encoded;
}

Event::Event() { check(driver().event_create(&handle_, 0), "creating an event"); }

Event::~Event() {
  if (handle_) check_quietly(driver().event_destroy(handle_), "destroying an event");
}

void Event::synchronize() const {
  check(driver().event_synchronize(handle_), "waiting for an event");
}

std::chrono::duration<float, std::milli> elapsed(const Event& from, const Event& to) {
  float milliseconds = 0;
  check(driver().event_elapsed(&milliseconds, from.handle(), to.handle()),
        "reading the time between two events");
  return std::chrono::duration<float, std::milli>(milliseconds);
}

Stream::Stream() {
  constexpr unsigned kNonBlocking = 1;
  check(driver().stream_create(&handle_, kNonBlocking), "creating a stream");
}

Stream::~Stream() {
  if (handle_) check_quietly(driver().stream_destroy(handle_), "destroying a stream");
}

void Stream::record(const Event& event) const {
  check(driver().event_record(event.handle(), handle_), "recording an event");
}

void Stream::wait(const Event& event) const {
  check(driver().stream_wait_event(handle_, event.handle(), 0), "making a stream wait");
}

void Stream::synchronize() const {
  check(driver().stream_synchronize(handle_), "waiting for the device");
}

void Stream::upload(Address to, std::span<const std::byte> from) const {
  if (!from.empty())
    check(driver().copy_to_device(to, from.data(), from.size(), handle_), "copying to the device");
}

void Stream::download(std::span<std::byte> to, Address from) const {
  if (!to.empty())
    check(driver().copy_to_host(to.data(), from, to.size(), handle_), "copying from the device");
}

void Stream::fill(Address to, uint8_t byte, size_t bytes) const {
  if (bytes > 0) check(driver().fill_bytes(to, byte, bytes, handle_), "filling device memory");
}

Module::Module(std::span<const std::byte> cubin, const std::string& function, const Needs& needs) {
  const Driver& cuda = driver();
  check(cuda.module_load(&module_, cubin.data()), "loading a kernel");
  check(cuda.module_function(&function_, module_, function.c_str()), "looking up a kernel");
  // 48 kB go without asking, what the kernel declares itself counted in: which is less than 16.
  if (needs.shared_bytes > 32 << 10)
    check(cuda.function_set_attribute(function_, kMaxDynamicShared, needs.shared_bytes),
          "giving a kernel its shared memory");
  // A multiprocessor parts its memory anew only when it is idle: where one kernel asks for another
  // part than the one before, it cannot start early. Long ones may want the cache instead.
  if (needs.is_short)
    check(cuda.function_set_attribute(function_, kSharedPercent, 100),
          "giving a kernel's multiprocessors their shared memory");
  if (needs.cluster > 8)  // more than every device of the architecture promises
    check(cuda.function_set_attribute(function_, kLargeClusters, 1),
          "giving a kernel its clusters");
}

Module::~Module() {
  if (module_) check_quietly(driver().module_unload(module_), "unloading a kernel");
}

CapturedGraph::~CapturedGraph() {
  if (executable_)
    check_quietly(driver().graph_executable_destroy(executable_), "destroying a CUDA graph");
}

void CapturedGraph::begin(const Stream& stream) {
  constexpr int kThreadLocal = 1;
  check(driver().stream_begin_capture(stream.handle(), kThreadLocal), "recording a CUDA graph");
}

void CapturedGraph::end(const Stream& stream) {
  Handle graph = nullptr;
  check(driver().stream_end_capture(stream.handle(), &graph), "recording a CUDA graph");
  const Result result = driver().graph_instantiate(&executable_, graph, 0);
  check_quietly(driver().graph_destroy(graph), "destroying a recorded CUDA graph");
  check(result, "making a CUDA graph ready");
}

void CapturedGraph::abandon(const Stream& stream) noexcept {
  Handle graph = nullptr;
  if (driver().stream_end_capture(stream.handle(), &graph) == 0 && graph)
    check_quietly(driver().graph_destroy(graph), "destroying a recorded CUDA graph");
}

void CapturedGraph::launch(const Stream& stream) const {
  check(driver().graph_launch(executable_, stream.handle()), "launching a CUDA graph");
}

}  // namespace dlaexec::gpu
