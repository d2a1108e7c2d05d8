#include "ck_recurrent.h"

#include "ck_pool.h"
#include "recurrent_kernels.h"

enum { LSTM_GATES = 4, GRU_GATES = 3 };

static const ck_recurrent_kernels *current(void) { return CK_CURRENT_TABLE(ck_recurrent); }

static size_t element_size(const ck_recurrence *p) { return p->is_double ? sizeof(double) : sizeof(float); }

/// The packed weights. The widest block of any instruction set rounds the units up.
static size_t workspace(const ck_recurrence *p, int64_t gates)
{
    int64_t widest = 128 / (int64_t)element_size(p);
    return (size_t)((p->hidden + widest - 1) / widest * widest * gates * p->hidden) * element_size(p);
}

size_t ck_lstm_workspace(const ck_recurrence *p) { return workspace(p, LSTM_GATES); }
size_t ck_gru_workspace(const ck_recurrence *p) { return workspace(p, GRU_GATES); }

typedef struct packing_job {
    const ck_recurrent_pass *pass;
    ck_recurrent_packing packing;
} packing_job;

typedef struct step_job {
    const ck_recurrent_pass *pass;
    ck_recurrent_step step;
} step_job;

static void run_packing(void *context, int64_t block)
{
    const packing_job *job = context;
    job->pass->pack(&job->packing, block);
}

static void run_step(void *context, int64_t block)
{
    const step_job *job = context;
    job->pass->step(&job->step, block);
}

/// Row `row` of an array with `width` elements in a row; of none, none.
static void *at(const ck_recurrence *p, const void *array, int64_t row, int64_t width)
{
    return array ? (char *)array + (size_t)(row * width) * element_size(p) : 0;
}

enum direction { FORWARD, BACKWARD };

static void run(const ck_recurrence *p, const ck_recurrent_pass *pass, int64_t gates, enum direction direction)
{
    int64_t blocks = (p->hidden + pass->units - 1) / pass->units, width = gates * p->hidden;
    packing_job packing = {pass, {p->hidden, gates, pass->units, p->weight, p->workspace}};
    ck_parallel(blocks, run_packing, &packing);
    step_job job = {pass, {.batch = p->batch, .hidden = p->hidden, .packed = p->workspace}};
    ck_recurrent_step *step = &job.step;
    step->table = p->table;
    step->bias = p->bias;
    step->state_bias = p->state_bias;
    step->before_grad = p->before_grad;
    for (int64_t done = 0; done < p->steps; done++) {
        int64_t passed = direction == FORWARD ? done : p->steps - 1 - done;
        int64_t time = p->reversed ? p->steps - 1 - passed : passed;
        int64_t row = time * p->batch, before = p->reversed ? row + p->batch : row - p->batch;
        step->places = p->places ? p->places + row : 0;
        step->gates = at(p, p->gates, row, width);
        step->cells = at(p, p->cells, row, p->hidden);
        step->outputs = at(p, p->outputs, row, p->hidden);
        step->output_before = passed > 0 ? at(p, p->outputs, before, p->hidden) : p->output_before;
        step->cell_before = passed > 0 ? at(p, p->cells, before, p->hidden) : p->cell_before;
        step->output_grads = at(p, p->output_grads, row, p->hidden);
        step->cells_grads = at(p, p->cells_grads, row, p->hidden);
        step->gate_grads = at(p, p->gate_grads, row, width);
        step->input_grads = at(p, p->input_grads, row, width);
        ck_parallel(blocks, run_step, &job);
        step->next_grads = step->gate_grads;
    }
}

void ck_lstm(const ck_recurrence *p) { run(p, &current()->lstm_forward[p->is_double], LSTM_GATES, FORWARD); }
void ck_lstm_grad(const ck_recurrence *p) { run(p, &current()->lstm_backward[p->is_double], LSTM_GATES, BACKWARD); }
void ck_gru(const ck_recurrence *p) { run(p, &current()->gru_forward[p->is_double], GRU_GATES, FORWARD); }
void ck_gru_grad(const ck_recurrence *p) { run(p, &current()->gru_backward[p->is_double], GRU_GATES, BACKWARD); }
