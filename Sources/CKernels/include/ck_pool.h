#ifndef CK_POOL_H
#define CK_POOL_H

#include <stdint.h>

/// Runs `body(context, block)` for every block in 0..<blocks, on the calling thread and the pool's workers, and
/// returns when all are done. The caller decides the blocks from the size of the work alone, never from the number
/// of threads, so that a result does not depend on it. A call from inside a body, or while another thread has the
/// pool, runs on the caller alone.
void ck_parallel(int64_t blocks, void (*body)(void *context, int64_t block), void *context);

/// The same for work of a few microseconds, less than it takes to wake a thread: only workers that are awake, for they have worked just
/// before, take a part.
void ck_parallel_awake(int64_t blocks, void (*body)(void *context, int64_t block), void *context);

/// The number of threads that share the work, the caller included. Starts as `CHAINRULE_THREADS`, else the number of
/// processors this process may use.
int ck_thread_count(void);
/// Sets it (1 and up; values above CK_MAX_THREADS are taken as that).
void ck_set_thread_count(int count);

#define CK_MAX_THREADS 256

#endif
