#include "vector_math_baseline.h"

#define KERNELS ck_lstm_baseline
#include "lstm_isa.h"
