// Which element an index means: positions along the dimensions, taken from the innermost outwards.
#pragma once

/// The position along a dimension of @p size; @p index goes on with what lies outside of it.
__device__ __forceinline__ long long take_position(long long& index, int size) {
  if ((index >> 31) == 0) {  // most of the time 32-bit division will do
    const unsigned all = static_cast<unsigned>(index);
    const unsigned outside = all / static_cast<unsigned>(size);
    index = outside;
    return all - outside * static_cast<unsigned>(size);
  }
  const long long position = index % size;
  index /= size;
  return position;
}
