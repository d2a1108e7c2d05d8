#include "ck_thread.h"

_Thread_local ck_thread_state ck_this_thread;
uint64_t ck_sequence_counter;

#if defined(__has_feature) && __has_feature(thread_sanitizer)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void ck_lock_taken(const void *lock) { __tsan_acquire((void *)lock); }
void ck_lock_given_back(const void *lock) { __tsan_release((void *)lock); }
#else
void ck_lock_taken(const void *lock) { (void)lock; }
void ck_lock_given_back(const void *lock) { (void)lock; }
#endif
