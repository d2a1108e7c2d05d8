/// Dot products with rows of a weight, for one of its types: included with Q(name), WEIGHT (the element) and AS_FLOATS(p), the
/// floats that a vector of elements at p stands for.

/// The products of x with `rows` rows of the weight (the others of the four are 0), which share what is read of x.
CK_INLINE four_v Q(dot_rows)(const int rows, int64_t k, const float *x, const WEIGHT *weight)
{
    f32v sum[4][CHAINS];
    UNROLL for (int j = 0; j < 4; j++) {
        UNROLL for (int c = 0; c < CHAINS; c++) sum[j][c] = splat_f32(0);
    }
    int64_t p = 0;
    for (; p + CHAINS * CK_F32_LANES <= k; p += CHAINS * CK_F32_LANES) {
        UNROLL for (int c = 0; c < CHAINS; c++) {
            const int64_t at = p + c * CK_F32_LANES;
            const f32v from_x = load_f32(x + at);
            UNROLL for (int j = 0; j < rows; j++) {
                // The rows after these: four streams that end after a few lines each are not foreseen by the machine.
                if (c == 0) __builtin_prefetch(weight + (j + 4) * k + at);
                sum[j][c] = MADD(AS_FLOATS(weight + j * k + at), from_x, sum[j][c]);
            }
        }
    }
    for (; p < k; p += CK_F32_LANES) {
        const int64_t count = k - p < CK_F32_LANES ? k - p : CK_F32_LANES;
        float some_x[CK_F32_LANES] = {0};
        memcpy(some_x, x + p, (size_t)count * sizeof *x);
        UNROLL for (int j = 0; j < rows; j++) {
            WEIGHT some[CK_F32_LANES] = {0};
            memcpy(some, weight + j * k + p, (size_t)count * sizeof *some);
            sum[j][0] = MADD(AS_FLOATS(some), load_f32(some_x), sum[j][0]);
        }
    }
    return sums_of_lanes(sum[0][0] + sum[0][1], sum[1][0] + sum[1][1], sum[2][0] + sum[2][1], sum[3][0] + sum[3][1]);
}

/// `rows` columns of y, from row `row` of the weight on.
CK_INLINE void Q(columns)(const int rows, int64_t row, const ck_quantized_linear *call)
{
    const WEIGHT *weight = (const WEIGHT *)call->weight + row * call->k;
    four_v scale = 1, bias = 0;
    if (call->scale) memcpy(&scale, call->scale + row, (size_t)rows * sizeof(float));
    if (call->bias) memcpy(&bias, call->bias + row, (size_t)rows * sizeof(float));
    for (int64_t i = 0; i < call->m; i++) {
        const four_v y = Q(dot_rows)(rows, call->k, call->x + i * call->k, weight) * scale + bias;
        memcpy(call->y + i * call->n + row, &y, (size_t)rows * sizeof(float));
    }
}

static void Q(linear)(int64_t first, int64_t end, const ck_quantized_linear *call)
{
    int64_t row = first;
    for (; row + 4 <= end; row += 4) Q(columns)(4, row, call);
    for (; row < end; row++) Q(columns)(1, row, call);
}
