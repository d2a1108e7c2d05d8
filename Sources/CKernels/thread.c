#include "ck_thread.h"

_Thread_local ck_thread_state ck_this_thread;
uint64_t ck_sequence_counter;
