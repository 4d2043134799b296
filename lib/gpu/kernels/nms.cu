// The best boxes of each class of each image that do not overlap better ones.
//   kCentre   boxes are centre and size, x first; otherwise two corners, y first
// best_boxes takes candidates in order of score, a list of some thousands at a time, so that the
// list fits shared memory however many there are; it ends when enough are kept. Overlaps that
// floats cannot tell are doubles without contraction, so that every device keeps the boxes that the
// host keeps.
#include "nms_params.h"
#include "types.cuh"

using dlaexec::gpu::Frame;
using dlaexec::gpu::NmsParams;

namespace {

constexpr int kThreads = dlaexec::gpu::kNmsThreads;
constexpr int kList = 4096, kBins = 2048, kBinBits = 11, kBatch = 4;
constexpr int kNear = 512;                   // kept boxes of a row that lie in shared memory
constexpr int kChunk = 64;                   // candidates that are compared with each other at once
constexpr int kSharers = kThreads / kChunk;  // threads of a candidate of the chunk

using Key = unsigned long long;
constexpr Key kNoKey = ~Key{0};

/// One block's shared memory.
struct Work {
  union {
    Key keys[kList];
    struct {
      int bins[kBins];
      int sums[kThreads];
    };
  };
  Frame near[kNear];
  Frame frames[kChunk];
  int boxes[kChunk];
  Key covers[kChunk];        // by candidate of the chunk: which later ones it covers
  Key dead, coverers, keep;  // candidates of the chunk
  int count, bin, before;
};

/// Better candidates have smaller keys: by score, equal ones by position.
__device__ __forceinline__ Key key_of(float score, int box) {
  const unsigned bits = score == 0 ? 0u : static_cast<unsigned>(__float_as_int(score));
  const unsigned rising = bits >> 31 ? ~bits : bits | 0x80000000u;
  return static_cast<Key>(~rising) << 32 | static_cast<unsigned>(box);
}

/// Calls @p visit(keys, count) with the keys of candidates, up to kBatch a thread at a time.
template <class Visit>
__device__ __forceinline__ void for_candidates(const NmsParams& p, const float* scores, Key from,
                                               Key to, Visit visit) {
  for (int first = threadIdx.x; first < p.candidates; first += kBatch * kThreads) {
    float score[kBatch];
    Key keys[kBatch];
    int count = 0;
#pragma unroll
    for (int i = 0; i < kBatch; ++i) {
      const int box = first + i * kThreads;
      score[i] = box < p.candidates ? scores[box] : p.score;
    }
    bool any = false;
#pragma unroll
    for (int i = 0; i < kBatch; ++i) any |= score[i] > p.score;
    if (!any) continue;
#pragma unroll
    for (int i = 0; i < kBatch; ++i) {
      const Key key = key_of(score[i], first + i * kThreads);
      const bool taken = score[i] > p.score && key >= from && key < to;
      keys[i] = taken ? key : kNoKey;
      count += taken;
    }
    if (count > 0) visit(keys, count);
  }
}

/// Lists the candidates whose keys are in [from, to), as far as there is room; tells how many they
/// are.
__device__ int collect(Work& work, const NmsParams& p, const float* scores, Key from, Key to) {
  __syncthreads();
  if (threadIdx.x == 0) work.count = 0;
  __syncthreads();
  for_candidates(p, scores, from, to, [&](const Key(&keys)[kBatch], int count) {
    int at = atomicAdd(&work.count, count);
#pragma unroll
    for (int i = 0; i < kBatch; ++i)
      if (keys[i] != kNoKey) {
        if (at < kList) work.keys[at] = keys[i];
        ++at;
      }
  });
  __syncthreads();
  return work.count;
}

/// Finds the first bin with which more than kList keys are counted; what comes before fits.
__device__ void find_full_bin(Work& work) {
  constexpr int kEach = kBins / kThreads;
  const int t = threadIdx.x;
  int mine = 0;
  for (int i = 0; i < kEach; ++i) mine += work.bins[t * kEach + i];
  work.sums[t] = mine;
  __syncthreads();
  for (int distance = 1; distance < kThreads; distance *= 2) {
    const int other = t >= distance ? work.sums[t - distance] : 0;
    __syncthreads();
    work.sums[t] += other;
    __syncthreads();
  }
  int before = work.sums[t] - mine;
  for (int i = 0; i < kEach; ++i) {
    const int with = before + work.bins[t * kEach + i];
    if (before <= kList && with > kList) {
      work.bin = t * kEach + i;
      work.before = before;
    }
    before = with;
  }
  __syncthreads();
}

/// The end of a range from @p from that holds as many keys as fit a list, or nearly; there are
/// more. A bin that is too full by itself is divided again: in the end each key has its own.
__device__ Key divide(Work& work, const NmsParams& p, const float* scores, Key from) {
  Key low = 0;
  for (int shift = 64 - kBinBits;; shift -= kBinBits) {
    for (int i = threadIdx.x; i < kBins; i += kThreads) work.bins[i] = 0;
    __syncthreads();
    for_candidates(p, scores, from, kNoKey, [&](const Key(&keys)[kBatch], int) {
#pragma unroll
      for (int i = 0; i < kBatch; ++i)
        if (keys[i] != kNoKey && keys[i] >= low && (keys[i] - low) >> shift < kBins)
          atomicAdd(&work.bins[(keys[i] - low) >> shift], 1);
    });
    __syncthreads();
    find_full_bin(work);
    low += static_cast<Key>(work.bin) << shift;
    const bool fits = work.before > 0;
    __syncthreads();
    if (fits) return low;
  }
}

/// Sorts the first @p count keys of the list.
__device__ void sort(Work& work, int count) {
  int size = 2;
  while (size < count) size *= 2;
  for (int i = count + threadIdx.x; i < size; i += kThreads) work.keys[i] = kNoKey;
  __syncthreads();
  for (int run = 2; run <= size; run *= 2)
    for (int distance = run / 2; distance > 0; distance /= 2) {
      for (int i = threadIdx.x; i < size / 2; i += kThreads) {
        const int a = 2 * i - (i & (distance - 1)), b = a + distance;
        const Key low = work.keys[a], high = work.keys[b];
        if ((low > high) == ((a & run) == 0)) {
          work.keys[a] = high;
          work.keys[b] = low;
        }
      }
      __syncthreads();
    }
}

/// As in the definition: what is no number stays so.
template <class T>
__device__ __forceinline__ T lower(T a, T b) {
  return b < a ? b : a;
}
template <class T>
__device__ __forceinline__ T higher(T a, T b) {
  return a < b ? b : a;
}

/// The edges of a box; of centre and size in doubles, which hold them exactly but for one rounding.
struct Edges {
  double low_y, low_x, high_y, high_x;
  __device__ double area() const { return __dmul_rn(high_y - low_y, high_x - low_x); }
};

__device__ __forceinline__ Edges around(const float* b) {
  const double half_y = b[3] / 2.0, half_x = b[2] / 2.0;
  return {b[1] - half_y, b[0] - half_x, b[1] + half_y, b[0] + half_x};
}

/// A box as floats: exactly, or a little larger.
template <bool kCentre>
__device__ __forceinline__ Frame frame_of(const float* b) {
  if constexpr (kCentre) {
    const Edges edges = around(b);
    return {__double2float_rd(edges.low_y), __double2float_rd(edges.low_x),
            __double2float_ru(edges.high_y), __double2float_ru(edges.high_x)};
  }
  return {lower(b[0], b[2]), lower(b[1], b[3]), higher(b[0], b[2]), higher(b[1], b[3])};
}

/// What two boxes share of their union.
__device__ double share(const Edges& a, const Edges& b) {
  const double height = lower(a.high_y, b.high_y) - higher(a.low_y, b.low_y);
  const double width = lower(a.high_x, b.high_x) - higher(a.low_x, b.low_x);
  if (height <= 0 || width <= 0) return 0;
  const double both = __dmul_rn(height, width);
  return both / (a.area() + b.area() - both);
}

/// True if two boxes have a part in common, by floats: most have none.
__device__ __forceinline__ bool meet(const Frame& a, const Frame& b) {
  return !(lower(a.high_y, b.high_y) <= higher(a.low_y, b.low_y) ||
           lower(a.high_x, b.high_x) <= higher(a.low_x, b.low_x));
}

__device__ __forceinline__ Edges exactly(const Frame& f) {
  return {f.low_y, f.low_x, f.high_y, f.high_x};
}

enum class Answer { No, Yes, Unknown };

/// Whether boxes that meet share more than @p overlap of their union, if it is not so close that
/// rounding may decide: many devices take 32 to 64 times as long for doubles. Frames are off by a
/// unit in the last place of the largest coordinate, so that sides are by three; there is slack for
/// eight.
__device__ __forceinline__ Answer by_floats(const Frame& f, const Frame& g, float overlap) {
  const float f_height = f.high_y - f.low_y, f_width = f.high_x - f.low_x;
  const float g_height = g.high_y - g.low_y, g_width = g.high_x - g.low_x;
  const float sizes = f_height * f_width + g_height * g_width;
  const float both = (lower(f.high_y, g.high_y) - higher(f.low_y, g.low_y)) *
                     (lower(f.high_x, g.high_x) - higher(f.low_x, g.low_x));
  const float largest =
      fmaxf(fmaxf(fmaxf(fabsf(f.low_y), fabsf(f.high_y)), fmaxf(fabsf(f.low_x), fabsf(f.high_x))),
            fmaxf(fmaxf(fabsf(g.low_y), fabsf(g.high_y)), fmaxf(fabsf(g.low_x), fabsf(g.high_x))));
  const float sides = f_height + f_width + g_height + g_width;
  const float slack =
      (1 + fabsf(overlap)) * (0x1p-20f * (largest * sides + sizes) + 0x1p-40f * largest * largest);
  const float more = both - overlap * (sizes - both);
  if (!(sizes - both > 1e-30f)) return Answer::Unknown;
  return more > slack ? Answer::Yes : more < -slack ? Answer::No : Answer::Unknown;
}

/// True if box @p a shares too much with box @p b, which are at @p f and @p g.
template <bool kCentre>
__device__ __forceinline__ bool is_covered(const NmsParams& p, const float* boxes, const int& a,
                                           const Frame& f, const int& b, const Frame& g) {
  if (!meet(f, g)) return 0 > p.overlap;
  const Answer answer = by_floats(f, g, static_cast<float>(p.overlap));
  if (answer != Answer::Unknown) return answer == Answer::Yes;
  if constexpr (kCentre) return share(around(boxes + 4ll * a), around(boxes + 4ll * b)) > p.overlap;
  return share(exactly(f), exactly(g)) > p.overlap;
}

/// Tells whether one of the kept boxes covers a candidate; each of kSharers threads asks its part.
template <bool kCentre>
__device__ __forceinline__ bool is_covered_by_kept(const Work& work, const NmsParams& p,
                                                   const float* boxes, long long row, int kept,
                                                   int i, int part) {
  constexpr int kAhead = 2;  // frames that are read at once
  const Frame frame = work.frames[i];
  const int* indices = p.kept + row * p.most;
  const Frame* far = p.frames + row * p.most;
  for (int first = part; first < kept; first += kAhead * kSharers) {
    Frame frames[kAhead];
#pragma unroll
    for (int n = 0; n < kAhead; ++n) {
      const int k = first + n * kSharers;
      if (k < kept) frames[n] = k < kNear ? work.near[k] : far[k];
    }
#pragma unroll
    for (int n = 0; n < kAhead; ++n) {
      const int k = first + n * kSharers;
      if (k < kept && is_covered<kCentre>(p, boxes, work.boxes[i], frame, indices[k], frames[n]))
        return true;
    }
  }
  return false;
}

/// Compares the candidates of a chunk with the boxes kept so far and with each other.
template <bool kCentre>
__device__ void compare(Work& work, const NmsParams& p, const float* boxes, long long row, int kept,
                        int size) {
  const int i = threadIdx.x / kSharers, part = threadIdx.x % kSharers;
  if (i >= size) return;
  if (is_covered_by_kept<kCentre>(work, p, boxes, row, kept, i, part))
    atomicOr(&work.dead, Key{1} << i);
  Key covers = 0;
  for (int j = i + 1 + part; j < size; j += kSharers)
    if (is_covered<kCentre>(p, boxes, work.boxes[j], work.frames[j], work.boxes[i], work.frames[i]))
      covers |= Key{1} << j;
  if (covers == 0) return;
  atomicOr(&work.covers[i], covers);
  atomicOr(&work.coverers, Key{1} << i);
}

/// Decides by one thread which candidates of a chunk are kept, at most @p room: best first, each
/// that is still there takes away those that it covers.
__device__ __forceinline__ void decide(Work& work, int size, int room) {
  Key left = (size == kChunk ? kNoKey : (Key{1} << size) - 1) & ~work.dead;
  for (Key coverers = work.coverers; coverers &= left;) {
    const int i = __ffsll(static_cast<long long>(coverers)) - 1;
    left &= ~work.covers[i];
    coverers &= coverers - 1;
  }
  while (__popcll(left) > room) left &= ~(Key{1} << (63 - __clzll(static_cast<long long>(left))));
  work.keep = left;
}

/// Keeps boxes of the list, which holds @p count, behind those that are kept; tells how many there
/// are then.
template <bool kCentre>
__device__ int keep_from_list(Work& work, const NmsParams& p, const float* boxes, long long row,
                              int count, int kept) {
  const int t = threadIdx.x;
  int box = 0;
  Frame frame{};
  const auto read = [&](int at) {
    if (t >= kChunk || at >= count) return;
    box = static_cast<int>(static_cast<unsigned>(work.keys[at]));
    frame = frame_of<kCentre>(boxes + 4ll * box);
  };
  read(t);
  for (int first = 0; first < count && kept < p.most; first += kChunk) {
    const int size = min(kChunk, count - first);
    if (t < size) {
      work.boxes[t] = box;
      work.frames[t] = frame;
      work.covers[t] = 0;
    }
    if (t == 0) work.dead = work.coverers = 0;
    __syncthreads();
    read(first + kChunk + t);  // is there by the next turn
    compare<kCentre>(work, p, boxes, row, kept, size);
    __syncthreads();
    if (t == 0) decide(work, size, p.most - kept);
    __syncthreads();
    const Key keep = work.keep;
    if (t < size && (keep >> t & 1)) {
      const int at = kept + __popcll(keep & ((Key{1} << t) - 1));
      p.kept[row * p.most + at] = work.boxes[t];
      (at < kNear ? work.near[at] : p.frames[row * p.most + at]) = work.frames[t];
    }
    kept += __popcll(keep);
    __syncthreads();
  }
  return kept;
}

}  // namespace

/// Grid: rows blocks of kThreads.
template <bool kCentre>
__global__ void __launch_bounds__(kThreads) best_boxes(const __grid_constant__ NmsParams p) {
  release_next();
  wait_for_inputs();
  __shared__ Work work;
  const long long row = blockIdx.x;
  const float* scores = p.scores + row * p.candidates;
  const float* boxes = p.boxes + row / p.classes * p.candidates * 4;
  int kept = 0;
  Key from = 0;
  for (bool is_last = false; !is_last && kept < p.most;) {
    int count = collect(work, p, scores, from, kNoKey);
    is_last = count <= kList;
    if (!is_last) {
      const Key to = divide(work, p, scores, from);
      count = collect(work, p, scores, from, to);
      from = to;
    }
    sort(work, count);
    kept = keep_from_list<kCentre>(work, p, boxes, row, count, kept);
  }
  if (threadIdx.x == 0) p.counts[row] = kept;
}

/// Writes the kept boxes of all rows one behind the other. Grid: rows blocks of 128.
__global__ void __launch_bounds__(128) list_boxes(const __grid_constant__ NmsParams p) {
  release_next();
  wait_for_inputs();
  __shared__ int total;
  const int row = static_cast<int>(blockIdx.x), t = threadIdx.x;
  if (t == 0) total = 0;
  __syncthreads();
  int mine = 0;
  for (int i = t; i < row; i += 128) mine += p.counts[i];
  atomicAdd(&total, mine);
  __syncthreads();
  const int before = total, count = p.counts[row];
  for (int i = t; i < count; i += 128) {
    long long* to = p.out + 3ll * (before + i);
    to[0] = row / p.classes;
    to[1] = row % p.classes;
    to[2] = p.kept[static_cast<long long>(row) * p.most + i];
  }
  if (row == p.rows - 1 && t == 0) *p.count = before + count;
}
