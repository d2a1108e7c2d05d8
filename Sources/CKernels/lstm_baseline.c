#include "lstm_kernels.h"

#define KERNELS ck_lstm_baseline
#define TEXT "lstm_isa.h"
#include "isa_baseline.h"
