#include <string.h>

#include "ck_pool.h"
#include "integers_kernels.h"

// Elements that take some tens of microseconds.
#define BLOCK 65536
#define DIVISION_BLOCK 8192
// Multiplications.
#define PRODUCT_BLOCK (1 << 18)

static const uint8_t widths[] = {
    [CK_UINT8] = 1, [CK_INT8] = 1, [CK_INT16] = 2, [CK_INT32] = 4, [CK_INT64] = 8, [CK_FLOAT] = 4, [CK_DOUBLE] = 8,
    [CK_BOOLEAN] = 1,
};

static const ck_integer_kernels *current(void) { return CK_CURRENT_TABLE(ck_integers); }

static void run_pairs(ck_row_kernel kernel, uint8_t out_width, uint8_t width, int64_t block, const ck_loop *loop, void *out,
                      const void *a, const void *b)
{
    ck_row_operation operation = {
        .kernel = kernel, .operands = 3, .width = {out_width, width, width}, .may_broadcast = 1 << 1 | 1 << 2,
        .block = block,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)a, (void *)b});
}
void ck_integers(ck_integer_binary op, ck_number type, const ck_loop *loop, void *out, const void *a, const void *b)
{
    int divides = op >= CK_INTEGER_FLOOR_DIVIDE && op <= CK_INTEGER_FMOD;
    run_pairs(current()->binary[op][type], widths[type], widths[type], divides ? DIVISION_BLOCK : BLOCK, loop, out, a, b);
}
void ck_compare_integers(ck_comparison op, ck_number type, const ck_loop *loop, uint8_t *out, const void *a, const void *b)
{
    run_pairs(current()->compare[op][type], 1, widths[type], BLOCK, loop, out, a, b);
}

void ck_convert_numbers(ck_number from, ck_number to, const ck_loop *loop, void *out, const void *x)
{
    ck_row_operation operation = {
        .kernel = current()->convert[from][to], .operands = 2, .width = {widths[to], widths[from]}, .block = BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)x});
}

// MARK: Reductions

typedef struct reduction {
    ck_integer_reduce_kernel kernel;
    int64_t outer, length, inner, items;  // items of the outer axis in a block
    int64_t width;
    char *out;
    const char *x;
} reduction;

static void reduce_block(void *context, int64_t block)
{
    const reduction *r = context;
    int64_t first = block * r->items, end = first + r->items < r->outer ? first + r->items : r->outer;
    for (int64_t i = first; i < end; i++)
        r->kernel(r->length, r->inner, r->out + i * r->inner * r->width, r->x + i * r->length * r->inner * r->width);
}
void ck_reduce_integers(ck_integer_reduction op, ck_number type, int64_t outer, int64_t length, int64_t inner, void *out,
                        const void *x)
{
    reduction r = {
        .kernel = current()->reduce[op][type], .outer = outer, .length = length, .inner = inner, .width = widths[type],
        .out = out, .x = x,
    };
    int64_t each = length * inner < 1 ? 1 : length * inner;
    r.items = each >= BLOCK ? 1 : BLOCK / each;
    ck_parallel((outer + r.items - 1) / r.items, reduce_block, &r);
}

// MARK: Products

typedef struct product {
    int64_t m, n, k, a_row, a_column, b_row, rows;
    const int64_t *a, *b;
    int64_t *c;
    const ck_integer_kernels *kernels;
} product;

static void product_block(void *context, int64_t block)
{
    const product *p = context;
    int64_t first = block * p->rows, end = first + p->rows < p->m ? first + p->rows : p->m;
    for (int64_t i = first; i < end; i++)
        p->kernels->product_row(p->n, p->k, p->a + i * p->a_row, p->a_column, p->b, p->b_row, p->c + i * p->n);
}
void ck_integer_product(int64_t m, int64_t n, int64_t k, const int64_t *a, int64_t a_row, int64_t a_column,
                        const int64_t *b, int64_t b_row, int64_t *c)
{
    product p = {
        .m = m, .n = n, .k = k, .a_row = a_row, .a_column = a_column, .b_row = b_row, .a = a, .b = b, .c = c,
        .kernels = current(),
    };
    p.rows = n * k >= PRODUCT_BLOCK ? 1 : PRODUCT_BLOCK / (n * k + 1) + 1;
    ck_parallel((m + p.rows - 1) / p.rows, product_block, &p);
}

int ck_has_byte(const uint8_t *bytes, int64_t count, uint8_t byte)
{
    return count > 0 && memchr(bytes, byte, (size_t)count) != 0;
}
