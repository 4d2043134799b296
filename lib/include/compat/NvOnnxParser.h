// See NvInfer.h beside this file.
#pragma once

#include "NvInfer.h"

namespace nvonnxparser = dlaexec;
