#include "lstm_kernels.h"

#define KERNELS ck_lstm_avx512
#define TEXT "lstm_isa.h"
#include "isa_avx512.h"
