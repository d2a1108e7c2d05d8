#include "attention_kernels.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "ck_pool.h"

static const ck_attention_kernels *current(void) { return CK_CURRENT_TABLE(ck_attention); }

// MARK: How the work is cut. From the sizes alone.

#define TASKS 16           // so many at least, where there is work for them
#define QUERIES_AT_ONCE 560  // eight blocks, for which keys and values are packed once

static int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

/// Parts of `size` elements each in multiples of `block`: enough of them for all items together to make TASKS.
static int64_t part_size(int64_t items, int64_t size, int64_t block)
{
    int64_t blocks = parts_of(size, block), wished = parts_of(TASKS, items), parts = wished < blocks ? wished : blocks;
    return parts_of(blocks, parts) * block;
}

static int64_t queries_of_task(const ck_attention *p)
{
    int64_t size = part_size(p->items, p->queries, ATTENTION_ROWS);
    return size < QUERIES_AT_ONCE ? size : QUERIES_AT_ONCE;
}

static int64_t keys_of_task(const ck_attention *p) { return part_size(p->items, p->keys, ATTENTION_KEYS); }

// MARK: Workspace. One piece of scratch memory for each slot, behind a flag for each that says whether it is taken.

static size_t rounded(int64_t bytes) { return ((size_t)bytes + 63) / 64 * 64; }

static size_t flags_size(const ck_attention *p) { return rounded(p->slots * (int64_t)sizeof(_Atomic int)); }

static size_t scratch_size(const ck_attention *p, int64_t element)
{
    int64_t width = ck_attention_padded(p->width, element), value_width = ck_attention_padded(p->value_width, element);
    int64_t rows = queries_of_task(p);
    int64_t elements = ATTENTION_ROWS * ATTENTION_STRIDE + ATTENTION_KEYS * (width + value_width) + rows * value_width;
    return rounded(elements * element + rows * 2 * (int64_t)sizeof(double));
}

static size_t gradient_scratch_size(const ck_attention *p, int64_t element)
{
    int64_t width = ck_attention_padded(p->width, element), value_width = ck_attention_padded(p->value_width, element);
    int64_t elements = 2 * ATTENTION_ROWS * ATTENTION_STRIDE + ATTENTION_KEYS * (3 * width + 2 * value_width);
    elements += ATTENTION_ROWS * (width + value_width) + p->queries;
    return rounded(elements * element);
}

/// What one part of the keys adds to dq of an item.
static size_t partial_size(const ck_attention *p, int64_t element)
{
    return rounded(p->queries * ck_attention_padded(p->width, element) * element);
}

static size_t workspace(const ck_attention *p, int64_t element)
{
    return p->items == 0 ? 0 : flags_size(p) + (size_t)p->slots * scratch_size(p, element);
}
size_t ck_attention_workspace_f32(const ck_attention *p) { return workspace(p, sizeof(float)); }
size_t ck_attention_workspace_f64(const ck_attention *p) { return workspace(p, sizeof(double)); }

static size_t gradient_workspace(const ck_attention *p, int64_t element)
{
    if (p->items == 0) return 0;
    int64_t parts = parts_of(p->keys, keys_of_task(p));
    // A sum that is whole at once needs no longer to live than its task.
    size_t sums = (size_t)(parts == 1 ? p->slots : p->items * parts) * partial_size(p, element);
    return flags_size(p) + (size_t)p->slots * gradient_scratch_size(p, element) + sums;
}
size_t ck_attention_grad_workspace_f32(const ck_attention *p) { return gradient_workspace(p, sizeof(float)); }
size_t ck_attention_grad_workspace_f64(const ck_attention *p) { return gradient_workspace(p, sizeof(double)); }

// MARK: Running

typedef struct attention_job {
    const ck_attention *p;
    const ck_attention_kernels *kernels;
    int type;
    int64_t size, parts;  // queries or keys of a task, tasks of an item
    size_t scratch, partial;
} attention_job;

static int64_t take_slot(const attention_job *job)
{
    _Atomic int *taken = job->p->workspace;
    for (;;) {
        for (int64_t slot = 0; slot < job->p->slots; slot++) {
            if (!atomic_exchange_explicit(&taken[slot], 1, memory_order_acquire)) return slot;
        }
        sched_yield();  // more threads than were foreseen
    }
}

static void give_slot(const attention_job *job, int64_t slot)
{
    _Atomic int *taken = job->p->workspace;
    atomic_store_explicit(&taken[slot], 0, memory_order_release);
}

static ck_attention_task make_task(const attention_job *job, int64_t index, int64_t count, int64_t slot)
{
    ck_attention_task task = {.p = job->p, .product = job->kernels->product[job->type], .item = index / job->parts};
    task.first = index % job->parts * job->size;
    task.end = task.first + job->size < count ? task.first + job->size : count;
    task.scratch = (char *)job->p->workspace + flags_size(job->p) + (size_t)slot * job->scratch;
    return task;
}

static void run_forward(void *context, int64_t index)
{
    const attention_job *job = context;
    int64_t slot = take_slot(job);
    ck_attention_task task = make_task(job, index, job->p->queries, slot);
    job->kernels->forward[job->type](&task);
    give_slot(job, slot);
}

static char *partial_at(const attention_job *job, int64_t index)
{
    return (char *)job->p->workspace + flags_size(job->p) + (size_t)job->p->slots * job->scratch + (size_t)index * job->partial;
}

static void run_backward(void *context, int64_t index)
{
    const attention_job *job = context;
    int64_t slot = take_slot(job);
    ck_attention_task task = make_task(job, index, job->p->keys, slot);
    task.dq = partial_at(job, job->parts == 1 ? slot : index);
    job->kernels->backward[job->type](&task);
    if (job->parts == 1) job->kernels->add_parts[job->type](job->p, task.item, task.dq, 1, 0);
    give_slot(job, slot);
}

static void run_adding(void *context, int64_t item)
{
    const attention_job *job = context;
    int64_t distance = (int64_t)(job->partial / (job->type ? sizeof(double) : sizeof(float)));
    job->kernels->add_parts[job->type](job->p, item, partial_at(job, item * job->parts), job->parts, distance);
}

static void forward(const ck_attention *p, int type, int64_t element)
{
    if (p->items == 0 || p->queries == 0) return;
    attention_job job = {.p = p, .kernels = current(), .type = type, .size = queries_of_task(p)};
    job.parts = parts_of(p->queries, job.size);
    job.scratch = scratch_size(p, element);
    memset(p->workspace, 0, flags_size(p));
    ck_parallel(p->items * job.parts, run_forward, &job);
}
void ck_attention_f32(const ck_attention *p) { forward(p, 0, sizeof(float)); }
void ck_attention_f64(const ck_attention *p) { forward(p, 1, sizeof(double)); }

static void backward(const ck_attention *p, int type, int64_t element)
{
    if (p->items == 0 || p->keys == 0) return;
    attention_job job = {.p = p, .kernels = current(), .type = type, .size = keys_of_task(p)};
    job.parts = parts_of(p->keys, job.size);
    job.scratch = gradient_scratch_size(p, element);
    job.partial = partial_size(p, element);
    memset(p->workspace, 0, flags_size(p));
    ck_parallel(p->items * job.parts, run_backward, &job);
    if (job.parts > 1) ck_parallel(p->items, run_adding, &job);
}
void ck_attention_grad_f32(const ck_attention *p) { backward(p, 0, sizeof(float)); }
void ck_attention_grad_f64(const ck_attention *p) { backward(p, 1, sizeof(double)); }
