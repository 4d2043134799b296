// Lets code written for TensorRT compile against dlaexec unchanged: put this folder on the include
// path.
#pragma once

#include "dlaexec/dlaexec.h"

namespace nvinfer1 = dlaexec;
