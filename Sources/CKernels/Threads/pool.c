#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE  // sched_getaffinity
#endif

#include "ck_isa.h"
#include "ck_pool.h"
#include "waiting.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

// How it works: one thread at a time owns the pool and publishes one job. Everything about joining and leaving it is
// in one atomic word, `state`. A worker joins by adding itself to `active` while the job is open; the owner works on
// blocks too, closes the job when none is left, and waits until `active` is 0. Nobody waits for a worker to wake: one
// that comes late finds the job closed and goes back to waiting.
//
//   bits 0-14  active: workers inside the job      bit 15  the owner sleeps until active is 0
//   bits 16-31 limit: workers with an index below it may join; 0 when closed
//   bits 32-63 generation of the job
#define ACTIVE_MASK 0x7fffull
#define OWNER_SLEEPS 0x8000ull
#define LIMIT_SHIFT 16
#define LIMIT_MASK (0xffffull << LIMIT_SHIFT)
#define GENERATION_SHIFT 32

// A thread that waits stays awake a little, since kernels come in quick succession, then sleeps. With more threads
// than processors a waiting thread takes the processor from a working one.
#define SPIN_NANOSECONDS 30000
#define SPIN_NANOSECONDS_CROWDED 1000

#define CACHE_LINE 128

typedef struct worker {
    _Alignas(CACHE_LINE) _Atomic int parked;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
} worker;

static worker workers[CK_MAX_THREADS - 1];
static int started_workers;  // the owner's

static _Atomic int owned;
static _Alignas(CACHE_LINE) _Atomic uint64_t state;
static struct {
    void (*body)(void *context, int64_t block);
    void *context;
    int64_t blocks;
    int isa;    // what the owner's thread was told to use
    int wakes;  // whether sleepers are woken for it
} job;
static _Alignas(CACHE_LINE) _Atomic int64_t next_block;

static pthread_mutex_t owner_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t owner_wake = PTHREAD_COND_INITIALIZER;

static pthread_once_t configured = PTHREAD_ONCE_INIT;
static int processors = 1;
static _Atomic int thread_count = 1;

// Settings

static int count_processors(void) {
#if defined(__linux__)
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) == 0) return CPU_COUNT(&usable);
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

static int clamp_count(long count) { return count < 1 ? 1 : count > CK_MAX_THREADS ? CK_MAX_THREADS : (int)count; }

static void forget_workers(void);

static void configure(void) {
    processors = count_processors();
    const char *setting = getenv("CHAINRULE_THREADS");
    const long wished = setting ? strtol(setting, NULL, 10) : 0;
    atomic_store(&thread_count, clamp_count(wished > 0 ? wished : processors));
    pthread_atfork(NULL, NULL, forget_workers);
}

int ck_thread_count(void) {
    pthread_once(&configured, configure);
    return atomic_load_explicit(&thread_count, memory_order_relaxed);
}

void ck_set_thread_count(int count) {
    pthread_once(&configured, configure);
    atomic_store_explicit(&thread_count, clamp_count(count), memory_order_relaxed);
}

// Waiting

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t spin_time(void) {
    return ck_thread_count() > processors ? SPIN_NANOSECONDS_CROWDED : SPIN_NANOSECONDS;
}

/// Spins while `holds(argument)`, for a bounded time. Answers whether it stopped holding.
static int spin_while(int (*holds)(uint32_t argument, int index), uint32_t argument, int index) {
    const int64_t deadline = now() + spin_time();
    do {
        for (int turn = 0; turn < 16; turn++) {
            if (!holds(argument, index)) return 1;
            ck_relax();
        }
    } while (now() < deadline);
    return 0;
}

static int nothing_to_join(uint32_t seen_generation, int index) {
    const uint64_t current = atomic_load(&state);
    const int limit = (int)((current & LIMIT_MASK) >> LIMIT_SHIFT);
    return index >= limit || (uint32_t)(current >> GENERATION_SHIFT) == seen_generation;
}

static int workers_are_active(uint32_t unused_generation, int unused_index) {
    (void)unused_generation, (void)unused_index;
    return (atomic_load(&state) & ACTIVE_MASK) != 0;
}

// Working

static void run_blocks(void) {
    for (;;) {
        const int64_t block = atomic_fetch_add_explicit(&next_block, 1, memory_order_relaxed);
        if (block >= job.blocks) return;
        job.body(job.context, block);
    }
}

/// Wakes two sleepers, who wake two each: the owner need not wake them all one by one. Thread 0 is the owner and
/// thread i + 1 is worker i.
static void wake_next(int thread, int limit) {
    for (int index = 2 * thread; index <= 2 * thread + 1 && index < limit; index++) {
        worker *sleeper = &workers[index];
        // Sequential consistency, here and where a worker parks: it sees the job, or this sees that it is parked.
        if (!atomic_load(&sleeper->parked) || !atomic_exchange(&sleeper->parked, 0)) continue;
        pthread_mutex_lock(&sleeper->mutex);
        pthread_mutex_unlock(&sleeper->mutex);
        pthread_cond_signal(&sleeper->wake);
    }
}

static void park(worker *self, uint32_t seen_generation, int index) {
    pthread_mutex_lock(&self->mutex);
    for (;;) {
        atomic_store(&self->parked, 1);
        if (!nothing_to_join(seen_generation, index)) break;
        pthread_cond_wait(&self->wake, &self->mutex);
    }
    atomic_store(&self->parked, 0);
    pthread_mutex_unlock(&self->mutex);
}

/// Enters the job if it is still open, and remembers its generation.
static int join_job(uint32_t *seen_generation, int index, int *limit) {
    uint64_t current = atomic_load(&state);
    for (;;) {
        *limit = (int)((current & LIMIT_MASK) >> LIMIT_SHIFT);
        if (index >= *limit || (uint32_t)(current >> GENERATION_SHIFT) == *seen_generation) return 0;
        if (atomic_compare_exchange_weak(&state, &current, current + 1)) break;
    }
    *seen_generation = (uint32_t)(current >> GENERATION_SHIFT);
    return 1;
}

static void leave_job(void) {
    const uint64_t before = atomic_fetch_sub(&state, 1);
    if ((before & ACTIVE_MASK) != 1 || !(before & OWNER_SLEEPS)) return;
    pthread_mutex_lock(&owner_mutex);
    pthread_mutex_unlock(&owner_mutex);
    pthread_cond_signal(&owner_wake);
}

static void *work_forever(void *argument) {
    worker *self = argument;
    const int index = (int)(self - workers);
    uint32_t seen_generation = 0;
    for (;;) {
        if (!spin_while(nothing_to_join, seen_generation, index)) park(self, seen_generation, index);
        int limit;
        if (!join_job(&seen_generation, index, &limit)) continue;
        if (job.wakes) wake_next(index + 1, limit);
        ck_isa_force_here(job.isa);
        run_blocks();
        leave_job();
    }
    return NULL;
}

// Owning

/// Starts workers up to `wished`; answers how many there are (the system may refuse some).
static int start_workers(int wished) {
    if (started_workers >= wished) return wished;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the program's: its own threads take them
    while (started_workers < wished) {
        worker *self = &workers[started_workers];
        pthread_mutex_init(&self->mutex, NULL);
        pthread_cond_init(&self->wake, NULL);
        pthread_t thread;
        if (pthread_create(&thread, NULL, work_forever, self) != 0) break;
        pthread_detach(thread);
        started_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started_workers < wished ? started_workers : wished;
}

static void publish_job(int limit) {
    uint32_t generation = (uint32_t)(atomic_load(&state) >> GENERATION_SHIFT) + 1;
    if (generation == 0) generation = 1;  // 0 is what a new worker has seen
    atomic_store_explicit(&next_block, 0, memory_order_relaxed);
    atomic_store(&state, (uint64_t)generation << GENERATION_SHIFT | (uint64_t)limit << LIMIT_SHIFT);
    if (job.wakes) wake_next(0, limit);
}

static void close_job(void) {
    if ((atomic_fetch_and(&state, ~LIMIT_MASK) & ACTIVE_MASK) == 0) return;
    if (spin_while(workers_are_active, 0, 0)) return;
    if ((atomic_fetch_or(&state, OWNER_SLEEPS) & ACTIVE_MASK) == 0) return;
    pthread_mutex_lock(&owner_mutex);
    while (workers_are_active(0, 0)) pthread_cond_wait(&owner_wake, &owner_mutex);
    pthread_mutex_unlock(&owner_mutex);
}

/// A forked child has the memory of the pool but none of its threads.
static void forget_workers(void) {
    started_workers = 0;
    atomic_store(&state, 0);
    atomic_store(&owned, 0);
    for (int index = 0; index < CK_MAX_THREADS - 1; index++) atomic_store(&workers[index].parked, 0);
    pthread_mutex_init(&owner_mutex, NULL);
    pthread_cond_init(&owner_wake, NULL);
}

static void run(int64_t blocks, void (*body)(void *context, int64_t block), void *context, int wakes) {
    int limit = blocks > 1 ? ck_thread_count() - 1 : 0;
    if (!wakes && limit > 0 && limit >= processors) limit = 0;  // processors is known only once the count was asked
    if (limit > blocks - 1) limit = (int)(blocks - 1);
    int free_pool = 0;
    const int owner = limit > 0 && !atomic_load_explicit(&owned, memory_order_relaxed)
                      && atomic_compare_exchange_strong(&owned, &free_pool, 1);
    if (!owner) {
        for (int64_t block = 0; block < blocks; block++) body(context, block);
        return;
    }
    limit = start_workers(wakes || started_workers >= limit ? limit : started_workers);
    job.body = body;
    job.context = context;
    job.blocks = blocks;
    job.isa = ck_isa_forced_here();
    job.wakes = wakes;
    publish_job(limit);
    run_blocks();
    close_job();
    atomic_store(&owned, 0);
}

void ck_parallel(int64_t blocks, void (*body)(void *context, int64_t block), void *context) {
    run(blocks, body, context, 1);
}

void ck_parallel_awake(int64_t blocks, void (*body)(void *context, int64_t block), void *context) {
    run(blocks, body, context, 0);
}
