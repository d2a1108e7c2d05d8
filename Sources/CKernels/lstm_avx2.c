#include "lstm_kernels.h"

#define KERNELS ck_lstm_avx2
#define TEXT "lstm_isa.h"
#include "isa_avx2.h"
