#ifndef CK_THREAD_H
#define CK_THREAD_H

#include <stdint.h>

/// What the calling thread is doing: scopes that Swift enters and leaves in pairs. C because a thread-local variable
/// costs one load here, and a dictionary look-up in Swift.
typedef struct ck_thread_state {
    int32_t gradient_disabled;    // depth of no-grad scopes; recording only at 0
    int32_t anomaly_detection;    // depth of scopes that stop at the first NaN or infinity
    void *_Nullable error_scope;  // the innermost catchingErrors scope, unretained, or null
    void *_Nullable context;      // the innermost named context (a module's path), unretained, or null
    void *_Nullable generator;    // what stands in for the default random generator, unretained, or null
    void *_Nullable recorder;     // what writes the operations down for a compiled function, unretained, or null
    void *_Nullable planned_memory;  // where the tensors of the plan that runs have their places, unretained, or null
} ck_thread_state;

extern _Thread_local ck_thread_state ck_this_thread;

static inline ck_thread_state *_Nonnull ck_current_thread(void) { return &ck_this_thread; }

/// A number greater than all it gave before, to any thread.
extern uint64_t ck_sequence_counter;

static inline uint64_t ck_next_sequence(void) { return __atomic_add_fetch(&ck_sequence_counter, 1, __ATOMIC_RELAXED); }

/// Tell the thread sanitizer that a lock was taken or is about to be given back: it cannot see those of Swift's standard
/// library, which is built without it. They do nothing in other builds.
void ck_lock_taken(const void *_Nonnull lock);
void ck_lock_given_back(const void *_Nonnull lock);

#endif
