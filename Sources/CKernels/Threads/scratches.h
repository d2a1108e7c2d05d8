/// Memory for threads and not for blocks, so that it stays in a cache: a bit for each piece that is in use. The number of pieces does
/// not ask how many threads there are, for that may change; on large machines some wait.
#ifndef CK_SCRATCHES_H
#define CK_SCRATCHES_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { CK_MOST_SCRATCHES = 16 };

/// The number of a piece of `count`, which is the caller's until it leaves it.
static inline int64_t ck_take_scratch(_Atomic unsigned *taken, int64_t count) {
    for (;;) {
        for (int64_t i = 0; i < count; i++) {
            if (!(atomic_fetch_or(taken, 1u << i) & 1u << i)) return i;
        }
        sched_yield();
    }
}

static inline void ck_leave_scratch(_Atomic unsigned *taken, int64_t scratch) { atomic_fetch_and(taken, ~(1u << scratch)); }

#endif
