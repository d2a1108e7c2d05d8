/// Waiting for another thread, awake.
#ifndef CK_WAITING_H
#define CK_WAITING_H

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

/// A moment of a loop that waits.
static inline void ck_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");  // `yield` does nothing on most cores
#endif
}

/// Waits, in a block of a job, until `count` is `least`: for blocks before it, which others have in hand.
static inline void ck_wait_for(_Atomic int64_t *count, int64_t least) {
    for (int turn = 1; atomic_load(count) < least; turn++) {
        ck_relax();
        if (turn % 1024 == 0) sched_yield();  // they may need this processor
    }
}

#endif
