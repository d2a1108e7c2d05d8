/// The kernels of channels_kernels.h where the channels of a place are neighbours, for one element type: included behind channels_body.h.
///
/// Rows go by as many as the second cache holds with ease, strips of channels within them: memory is read as it lies, and the sums of
/// a strip stay in registers.

#define NEAR_BYTES 65536
#define AHEAD_BYTES 4096
/// Vectors of a strip: as many as registers hold with their sums.
#if CK_VECTOR_BYTES == 64
#define STRIP 4
#else
#define STRIP 2
#endif

/// Channels c on of rows row..<end_row, `vectors` of them, up to `end`.
typedef void (*T(strip_kernel))(const ck_channel_arrays *a, const ck_channel_block *b, int64_t c, int64_t end, int vectors,
                                int64_t row, int64_t end_row);

CK_INLINE void T(by_strips)(T(strip_kernel) strip, const ck_channel_arrays *a, const ck_channel_block *b)
{
    int64_t first = b->channel, end = first + b->channels, end_row = b->row + b->rows;
    int64_t near = NEAR_BYTES / (int64_t)sizeof(REAL) / b->channels;
    if (near < 8) near = 8;
    for (int64_t row = b->row; row < end_row; row += near) {
        int64_t last = row + near < end_row ? row + near : end_row, c = first;
        for (; c + STRIP * LANES <= end; c += STRIP * LANES) strip(a, b, c, INT64_MAX, STRIP, row, last);
        for (; c < end; c += LANES) strip(a, b, c, end, 1, row, last);
    }
}

/// Column c on of a row. Asks for the same of a row `ahead` elements on: with strips in between the machine guesses late.
CK_INLINE VECTOR T(column_of)(const REAL *row, int64_t c, int64_t end, int64_t ahead)
{
    T(ask_for)(row + c, ahead);
    return T(columns_at)(row, c, end, 0);
}
CK_INLINE int64_t T(ahead)(const ck_channel_arrays *a)
{
    int64_t rows = AHEAD_BYTES / (int64_t)sizeof(REAL) / a->channels;
    return (rows > 0 ? rows : 1) * a->channels;
}

/// Two sums in double for each channel of a vector.
typedef struct T(two_sums) { f64v first[PARTS], second[PARTS]; } T(two_sums);

CK_INLINE double *T(sums_at)(const ck_channel_block *b, int64_t c) { return b->sums + (c - b->channel); }
CK_INLINE T(two_sums) T(load_sums)(const double *at, int64_t stride)
{
    T(two_sums) sums;
    for (int h = 0; h < PARTS; h++) {
        sums.first[h] = load_f64(at + h * CK_F64_LANES);
        sums.second[h] = load_f64(at + stride + h * CK_F64_LANES);
    }
    return sums;
}
CK_INLINE void T(store_sums)(double *at, int64_t stride, const T(two_sums) *sums)
{
    for (int h = 0; h < PARTS; h++) {
        store_f64(at + h * CK_F64_LANES, sums->first[h]);
        store_f64(at + stride + h * CK_F64_LANES, sums->second[h]);
    }
}
/// Those of all blocks, in order.
CK_INLINE T(two_sums) T(total_sums)(const ck_channel_block *b, int64_t c)
{
    T(two_sums) total = {0};
    for (int64_t block = 0; block < b->blocks; block++) {
        T(two_sums) sums = T(load_sums)(T(sums_at)(b, c) + block * 2 * b->stride, b->stride);
        for (int h = 0; h < PARTS; h++) {
            total.first[h] += sums.first[h];
            total.second[h] += sums.second[h];
        }
    }
    return total;
}

// MARK: y

CK_INLINE void T(norm_sum_strip)(const ck_channel_arrays *a, const ck_channel_block *b, int64_t c, int64_t end, int vectors,
                                 int64_t row, int64_t end_row)
{
    VECTOR start[STRIP];
    T(two_sums) sums[STRIP];
    for (int v = 0; v < vectors; v++) {
        start[v] = T(columns_at)(a->x, c + v * LANES, end, 0);
        sums[v] = T(load_sums)(T(sums_at)(b, c + v * LANES), b->stride);
    }
    int64_t ahead = T(ahead)(a);
    for (; row < end_row; row++) {
        const REAL *x = (const REAL *)a->x + row * a->channels;
        for (int v = 0; v < vectors; v++) {
            VECTOR here = T(column_of)(x, c + v * LANES, end, ahead);
            for (int h = 0; h < PARTS; h++) {
                f64v deviation = WIDEN(here, h) - WIDEN(start[v], h);
                sums[v].first[h] += deviation;
                sums[v].second[h] = MADD(deviation, deviation, sums[v].second[h]);
            }
        }
    }
    for (int v = 0; v < vectors; v++) T(store_sums)(T(sums_at)(b, c + v * LANES), b->stride, &sums[v]);
}
static void T(norm_sum)(const ck_channel_arrays *a, const ck_channel_block *b) { T(by_strips)(T(norm_sum_strip), a, b); }

/// Leaves scale and shift in place of the sums.
static void T(norm_finish)(const ck_channel_arrays *a, const ck_channel_block *b)
{
    double count = (double)a->batch;
    int64_t end = b->channel + b->channels;
    for (int64_t c = b->channel; c < end; c += LANES) {
        T(two_sums) total = T(total_sums)(b, c), factors;
        VECTOR start = T(columns_at)(a->x, c, end, 0), weight = T(splat)(1), bias = T(splat)(0);
        if (a->weight) weight = T(columns_at)(a->weight, c, end, 0);
        if (a->bias) bias = T(columns_at)(a->bias, c, end, 0);
        f64v exact[PARTS], rstd[PARTS], variance[PARTS];
        for (int h = 0; h < PARTS; h++) {
            f64v shift = total.first[h] / count;
            exact[h] = WIDEN(start, h) + shift;
            variance[h] = at_least_f64(total.second[h] / count - shift * shift, 0);
            rstd[h] = 1 / sqrt_f64(variance[h] + a->eps);
        }
        VECTOR mean = NARROW(exact);
        for (int h = 0; h < PARTS; h++) {
            factors.first[h] = rstd[h] * WIDEN(weight, h);
            factors.second[h] = WIDEN(bias, h) - (exact[h] - WIDEN(mean, h)) * factors.first[h];
        }
        T(put_columns)(a->mean, c, end, mean);
        T(put_columns)(a->rstd, c, end, NARROW(rstd));
        T(put_columns)(a->variance, c, end, NARROW(variance));
        T(store_sums)(T(sums_at)(b, c), b->stride, &factors);
    }
}

CK_INLINE void T(norm_write_strip)(const ck_channel_arrays *a, const ck_channel_block *b, int64_t c, int64_t end, int vectors,
                                   int64_t row, int64_t end_row)
{
    VECTOR mean[STRIP], scale[STRIP], shift[STRIP];
    for (int v = 0; v < vectors; v++) {
        T(two_sums) factors = T(load_sums)(T(sums_at)(b, c + v * LANES), b->stride);
        mean[v] = T(columns_at)(a->mean, c + v * LANES, end, 0);
        scale[v] = NARROW(factors.first);
        shift[v] = NARROW(factors.second);
    }
    int64_t ahead = T(ahead)(a);
    for (; row < end_row; row++) {
        int64_t offset = row * a->channels;
        for (int v = 0; v < vectors; v++) {
            VECTOR x = T(column_of)((const REAL *)a->x + offset, c + v * LANES, end, ahead);
            VECTOR y = MADD(x - mean[v], scale[v], shift[v]);
            if (a->added) y += T(column_of)((const REAL *)a->added + offset, c + v * LANES, end, ahead);
            if (a->rectified) y = T(at_least)(y, 0);
            T(put_columns)((REAL *)a->out + offset, c + v * LANES, end, y);
        }
    }
}
static void T(norm_write)(const ck_channel_arrays *a, const ck_channel_block *b) { T(by_strips)(T(norm_write_strip), a, b); }

// MARK: dx, as norm_grad_runs

CK_INLINE void T(grad_sum_strip)(const ck_channel_arrays *a, const ck_channel_block *b, int64_t c, int64_t end, int vectors,
                                 int64_t row, int64_t end_row)
{
    REAL *passed = a->y ? a->added_grad ? a->added_grad : a->out : 0;
    VECTOR mean[STRIP];
    T(two_sums) sums[STRIP];
    for (int v = 0; v < vectors; v++) {
        mean[v] = T(columns_at)(a->mean, c + v * LANES, end, 0);
        sums[v] = T(load_sums)(T(sums_at)(b, c + v * LANES), b->stride);
    }
    int64_t ahead = T(ahead)(a);
    for (; row < end_row; row++) {
        int64_t offset = row * a->channels;
        for (int v = 0; v < vectors; v++) {
            VECTOR g = T(column_of)((const REAL *)a->dy + offset, c + v * LANES, end, ahead);
            VECTOR d = T(column_of)((const REAL *)a->x + offset, c + v * LANES, end, ahead) - mean[v];
            if (passed) {
                VECTOR y = T(column_of)((const REAL *)a->y + offset, c + v * LANES, end, ahead);
                g = y <= 0 ? (VECTOR)0 : g;
                T(put_columns)(passed + offset, c + v * LANES, end, g);
            }
            for (int h = 0; h < PARTS; h++) {
                sums[v].first[h] += WIDEN(g, h);
                sums[v].second[h] = MADD(WIDEN(g, h), WIDEN(d, h), sums[v].second[h]);
            }
        }
    }
    for (int v = 0; v < vectors; v++) T(store_sums)(T(sums_at)(b, c + v * LANES), b->stride, &sums[v]);
}
static void T(grad_sum)(const ck_channel_arrays *a, const ck_channel_block *b) { T(by_strips)(T(grad_sum_strip), a, b); }

/// Leaves shift and slope in place of the sums.
static void T(grad_finish)(const ck_channel_arrays *a, const ck_channel_block *b)
{
    double count = (double)a->batch;
    int64_t end = b->channel + b->channels;
    for (int64_t c = b->channel; c < end; c += LANES) {
        T(two_sums) total = T(total_sums)(b, c), factors;
        VECTOR kept = T(columns_at)(a->rstd, c, end, 0), weight = T(splat)(1);
        if (a->weight) weight = T(columns_at)(a->weight, c, end, 0);
        f64v weight_grad[PARTS];
        for (int h = 0; h < PARTS; h++) {
            f64v rstd = WIDEN(kept, h), share = rstd * WIDEN(weight, h) / count;
            weight_grad[h] = total.second[h] * rstd;
            factors.first[h] = -share * total.first[h];
            factors.second[h] = -share * rstd * weight_grad[h];
        }
        T(put_columns)(a->bias_grad, c, end, NARROW(total.first));
        T(put_columns)(a->weight_grad, c, end, NARROW(weight_grad));
        T(store_sums)(T(sums_at)(b, c), b->stride, &factors);
    }
}

CK_INLINE void T(grad_write_strip)(const ck_channel_arrays *a, const ck_channel_block *b, int64_t c, int64_t end, int vectors,
                                   int64_t row, int64_t end_row)
{
    const REAL *gradient = a->y ? a->added_grad ? a->added_grad : a->out : a->dy;
    VECTOR mean[STRIP], scale[STRIP], shift[STRIP], slope[STRIP];
    for (int v = 0; v < vectors; v++) {
        T(two_sums) factors = T(load_sums)(T(sums_at)(b, c + v * LANES), b->stride);
        mean[v] = T(columns_at)(a->mean, c + v * LANES, end, 0);
        scale[v] = T(columns_at)(a->rstd, c + v * LANES, end, 0);
        if (a->weight) scale[v] *= T(columns_at)(a->weight, c + v * LANES, end, 0);
        shift[v] = NARROW(factors.first);
        slope[v] = NARROW(factors.second);
    }
    int64_t ahead = T(ahead)(a);
    for (; row < end_row; row++) {
        int64_t offset = row * a->channels;
        for (int v = 0; v < vectors; v++) {
            VECTOR g = T(column_of)(gradient + offset, c + v * LANES, end, ahead);
            VECTOR d = T(column_of)((const REAL *)a->x + offset, c + v * LANES, end, ahead) - mean[v];
            T(put_columns)((REAL *)a->out + offset, c + v * LANES, end, MADD(g, scale[v], MADD(d, slope[v], shift[v])));
        }
    }
}
static void T(grad_write)(const ck_channel_arrays *a, const ck_channel_block *b) { T(by_strips)(T(grad_write_strip), a, b); }

#undef NEAR_BYTES
#undef AHEAD_BYTES
#undef STRIP
