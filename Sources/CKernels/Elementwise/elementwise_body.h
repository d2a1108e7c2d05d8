/// The kernels of elementwise_kernels.h for one element type: included by both_reals.h.

// MARK: Cheap operations: the loop itself is what costs.

// A row's last vector may overlap the one before; it is read first, for the output may be the input.
#define DEFINE_LIGHT_UNARY(name, expression)                                                     \
    static void T(unary_##name)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)broadcast, (void)parameter;                                                        \
        REAL *out = p[0];                                                                        \
        const REAL *in = p[1];                                                                   \
        VECTOR x;                                                                                \
        if (count < LANES) {                                                                     \
            x = T(load_part)(in, count, 0);                                                      \
            T(store_part)(out, count, expression);                                               \
            return;                                                                              \
        }                                                                                        \
        VECTOR last = T(load)(in + count - LANES);                                               \
        int64_t i = 0;                                                                           \
        for (; i + LANES <= count; i += LANES) {                                                 \
            x = T(load)(in + i);                                                                 \
            T(store)(out + i, expression);                                                       \
        }                                                                                        \
        if (i == count) return;                                                                  \
        x = last;                                                                                \
        T(store)(out + count - LANES, expression);                                               \
    }

#define LIGHT_LOOP(load_a, load_b, expression)                                                   \
    for (; i + LANES <= count; i += LANES) {                                                     \
        VECTOR a = load_a, b = load_b;                                                           \
        T(store)(out + i, expression);                                                           \
    }
#define DEFINE_LIGHT_BINARY(name, expression)                                                    \
    static void T(binary_##name)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)parameter;                                                                         \
        REAL *out = p[0];                                                                        \
        const REAL *left = p[1], *right = p[2];                                                  \
        int one_left = broadcast >> 1 & 1, one_right = broadcast >> 2 & 1;                       \
        if (count < LANES) {                                                                     \
            VECTOR a = one_left ? T(splat)(*left) : T(load_part)(left, count, 1);                \
            VECTOR b = one_right ? T(splat)(*right) : T(load_part)(right, count, 1);             \
            T(store_part)(out, count, expression);                                               \
            return;                                                                              \
        }                                                                                        \
        VECTOR last_a = one_left ? T(splat)(*left) : T(load)(left + count - LANES);              \
        VECTOR last_b = one_right ? T(splat)(*right) : T(load)(right + count - LANES);           \
        int64_t i = 0;                                                                           \
        if (!broadcast) LIGHT_LOOP(T(load)(left + i), T(load)(right + i), expression)            \
        else if (!one_left) LIGHT_LOOP(T(load)(left + i), last_b, expression)                    \
        else if (!one_right) LIGHT_LOOP(last_a, T(load)(right + i), expression)                  \
        else LIGHT_LOOP(last_a, last_b, expression)                                              \
        if (i == count) return;                                                                  \
        VECTOR a = last_a, b = last_b;                                                           \
        T(store)(out + count - LANES, expression);                                               \
    }

// MARK: Costly operations: the expression stands once, and a short row goes through a vector in memory.

#define DEFINE_HEAVY_UNARY(name, expression)                                                     \
    static void T(unary_##name)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)broadcast, (void)parameter;                                                        \
        REAL *out = p[0], whole[LANES];                                                          \
        const REAL *in = p[1];                                                                   \
        int64_t full = count < LANES ? LANES : count;                                            \
        if (count < LANES) {                                                                     \
            T(store)(whole, T(load_part)(in, count, 1));                                         \
            in = out = whole;                                                                    \
        }                                                                                        \
        VECTOR last = T(load)(in + full - LANES);                                                \
        for (int64_t i = 0; i < full; i += LANES) {                                              \
            int64_t at = i + LANES <= full ? i : full - LANES;                                   \
            VECTOR x = at == i ? T(load)(in + i) : last;                                         \
            T(store)(out + at, expression);                                                      \
        }                                                                                        \
        if (count < LANES) T(store_part)(p[0], count, T(load)(whole));                           \
    }

#define DEFINE_HEAVY_BINARY(name, expression)                                                    \
    static void T(binary_##name)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)parameter;                                                                         \
        REAL *out = p[0], whole[2][LANES];                                                       \
        const REAL *left = p[1], *right = p[2];                                                  \
        int one_left = broadcast >> 1 & 1, one_right = broadcast >> 2 & 1;                       \
        int64_t full = count < LANES ? LANES : count;                                            \
        if (count < LANES) {                                                                     \
            T(store)(whole[0], one_left ? T(splat)(*left) : T(load_part)(left, count, 1));       \
            T(store)(whole[1], one_right ? T(splat)(*right) : T(load_part)(right, count, 1));    \
            left = out = whole[0], right = whole[1];                                             \
            one_left = one_right = 0;                                                            \
        }                                                                                        \
        VECTOR last_a = one_left ? T(splat)(*left) : T(load)(left + full - LANES);               \
        VECTOR last_b = one_right ? T(splat)(*right) : T(load)(right + full - LANES);            \
        for (int64_t i = 0; i < full; i += LANES) {                                              \
            int64_t at = i + LANES <= full ? i : full - LANES;                                   \
            VECTOR a = one_left || at != i ? last_a : T(load)(left + i);                         \
            VECTOR b = one_right || at != i ? last_b : T(load)(right + i);                       \
            T(store)(out + at, expression);                                                      \
        }                                                                                        \
        if (count < LANES) T(store_part)(p[0], count, T(load)(whole[0]));                        \
    }

/// f(x) and f'(x) in one go.
#define DEFINE_WITH_SLOPE(name)                                                                  \
    static void T(with_slope_##name)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)broadcast, (void)parameter;                                                        \
        REAL *value = p[0], *slope = p[1], whole[2][LANES];                                      \
        const REAL *in = p[2];                                                                   \
        int64_t full = count < LANES ? LANES : count;                                            \
        if (count < LANES) {                                                                     \
            T(store)(whole[0], T(load_part)(in, count, 1));                                      \
            in = value = whole[0], slope = whole[1];                                             \
        }                                                                                        \
        VECTOR last = T(load)(in + full - LANES), derivative;                                    \
        for (int64_t i = 0; i < full; i += LANES) {                                              \
            int64_t at = i + LANES <= full ? i : full - LANES;                                   \
            VECTOR y = T(name##_with_slope)(at == i ? T(load)(in + i) : last, &derivative);      \
            T(store)(value + at, y);                                                             \
            T(store)(slope + at, derivative);                                                    \
        }                                                                                        \
        if (count >= LANES) return;                                                              \
        T(store_part)(p[0], count, T(load)(whole[0]));                                           \
        T(store_part)(p[1], count, T(load)(whole[1]));                                           \
    }

// MARK: Comparisons

#define DEFINE_COMPARE(name, operator)                                                           \
    static void T(compare_##name)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)parameter;                                                                         \
        uint8_t *out = p[0];                                                                     \
        const REAL *left = p[1], *right = p[2];                                                  \
        int one_left = broadcast >> 1 & 1, one_right = broadcast >> 2 & 1;                       \
        VECTOR a = T(splat)(*left), b = T(splat)(*right);                                        \
        int64_t i = 0;                                                                           \
        for (; i + LANES <= count; i += LANES) {                                                 \
            if (!one_left) a = T(load)(left + i);                                                \
            if (!one_right) b = T(load)(right + i);                                              \
            T(bytes) flags = __builtin_convertvector(a operator b, T(bytes)) & 1;                   \
            memcpy(out + i, &flags, LANES);                                                      \
        }                                                                                        \
        for (; i < count; i++) out[i] = left[one_left ? 0 : i] operator right[one_right ? 0 : i]; \
    }

// MARK: The operations

DEFINE_LIGHT_UNARY(neg, T(neg)(x))
DEFINE_LIGHT_UNARY(abs, T(abs)(x))
DEFINE_LIGHT_UNARY(sign, x > 0 ? (VECTOR)1 : x < 0 ? (VECTOR)-1 : (VECTOR)0)
DEFINE_LIGHT_UNARY(square, x *x)
DEFINE_LIGHT_UNARY(cube, x *x *x)
DEFINE_LIGHT_UNARY(sqrt, T(sqrt)(x))
DEFINE_LIGHT_UNARY(rsqrt, 1 / T(sqrt)(x))
DEFINE_LIGHT_UNARY(reciprocal, 1 / x)
DEFINE_LIGHT_UNARY(inverse_square, (1 / x) * (1 / x))
DEFINE_LIGHT_UNARY(floor, T(floor)(x))
DEFINE_LIGHT_UNARY(ceil, T(ceil)(x))
DEFINE_LIGHT_UNARY(round, T(round)(x))
DEFINE_LIGHT_UNARY(trunc, T(trunc)(x))
DEFINE_LIGHT_UNARY(relu, T(at_least)(x, 0))
DEFINE_HEAVY_UNARY(exp, T(exp)(x))
DEFINE_HEAVY_UNARY(exp2, T(exp2)(x))
DEFINE_HEAVY_UNARY(expm1, T(expm1)(x))
DEFINE_HEAVY_UNARY(log, T(log)(x))
DEFINE_HEAVY_UNARY(log2, T(log2)(x))
DEFINE_HEAVY_UNARY(log10, T(log10)(x))
DEFINE_HEAVY_UNARY(log1p, T(log1p)(x))
DEFINE_HEAVY_UNARY(sin, T(sin)(x))
DEFINE_HEAVY_UNARY(cos, T(cos)(x))
DEFINE_HEAVY_UNARY(tan, T(tan)(x))
DEFINE_HEAVY_UNARY(asin, T(asin)(x))
DEFINE_HEAVY_UNARY(acos, T(acos)(x))
DEFINE_HEAVY_UNARY(atan, T(atan)(x))
DEFINE_HEAVY_UNARY(sinh, T(sinh)(x))
DEFINE_HEAVY_UNARY(cosh, T(cosh)(x))
DEFINE_HEAVY_UNARY(tanh, T(tanh)(x))
DEFINE_HEAVY_UNARY(asinh, T(asinh)(x))
DEFINE_HEAVY_UNARY(acosh, T(acosh)(x))
DEFINE_HEAVY_UNARY(atanh, T(atanh)(x))
DEFINE_HEAVY_UNARY(sigmoid, T(sigmoid)(x))
DEFINE_HEAVY_UNARY(erf, T(erf)(x))
DEFINE_HEAVY_UNARY(erfc, T(erfc)(x))
DEFINE_HEAVY_UNARY(erfinv, T(erfinv)(x))
DEFINE_HEAVY_UNARY(lgamma, T(lgamma)(x))
DEFINE_HEAVY_UNARY(digamma, T(digamma)(x))
DEFINE_HEAVY_UNARY(gelu, T(gelu)(x))
DEFINE_HEAVY_UNARY(gelu_tanh, T(gelu_tanh)(x))
DEFINE_HEAVY_UNARY(silu, T(silu)(x))
DEFINE_HEAVY_UNARY(softplus, T(softplus)(x))

CK_INLINE VECTOR T(bounded)(VECTOR x, const double *bounds)
{
    REAL upper = (REAL)bounds[1];
    VECTOR raised = T(at_least)(x, (REAL)bounds[0]);
    return raised > upper ? (VECTOR)upper : raised;
}
CK_INLINE VECTOR T(where_inside)(VECTOR dy, VECTOR x, const double *bounds)
{
    VECTOR raised = bounds[0] == -INFINITY ? dy : x > (REAL)bounds[0] ? dy : (VECTOR)0;
    return bounds[1] == INFINITY ? raised : x < (REAL)bounds[1] ? raised : (VECTOR)0;
}
CK_INLINE VECTOR T(finite)(VECTOR x, const double *numbers)
{
    VECTOR y = x == (REAL)INFINITY ? (VECTOR)(REAL)numbers[1] : x == (REAL)-INFINITY ? (VECTOR)(REAL)numbers[2] : x;
    return x != x ? (VECTOR)(REAL)numbers[0] : y;
}
DEFINE_LIGHT_UNARY(clamp, T(bounded)(x, parameter))
DEFINE_LIGHT_UNARY(nan_to_num, T(finite)(x, parameter))
DEFINE_LIGHT_BINARY(clamp_grad, T(where_inside)(a, b, parameter))

DEFINE_LIGHT_BINARY(add, a + b)
DEFINE_LIGHT_BINARY(sub, a - b)
DEFINE_LIGHT_BINARY(mul, a *b)
DEFINE_LIGHT_BINARY(div, a / b)
DEFINE_LIGHT_BINARY(trunc_divide, T(trunc)(a / b))
DEFINE_LIGHT_BINARY(maximum, T(max)(a, b))
DEFINE_LIGHT_BINARY(minimum, T(min)(a, b))
DEFINE_LIGHT_BINARY(prelu, a > 0 ? a : a * b)
DEFINE_LIGHT_BINARY(relu_grad, b <= 0 ? (VECTOR)0 : a)
DEFINE_LIGHT_BINARY(tanh_grad, a * (1 - b * b))
DEFINE_LIGHT_BINARY(sigmoid_grad, a * (1 - b) * b)
CK_INLINE VECTOR T(log_add_exp)(VECTOR a, VECTOR b)
{
    VECTOR larger = T(max)(a, b), rest = T(log1p)(T(exp)(T(neg)(T(abs)(a - b))));
    return T(abs)(larger) == (VECTOR)INFINITY ? larger : larger + rest;
}

DEFINE_HEAVY_BINARY(power, T(power)(a, b))
DEFINE_HEAVY_BINARY(atan2, T(atan2)(a, b))
DEFINE_HEAVY_BINARY(hypot, T(hypot)(a, b))
DEFINE_HEAVY_BINARY(fmod, T(fmod)(a, b))
DEFINE_HEAVY_BINARY(remainder, T(remainder)(a, b))
DEFINE_HEAVY_BINARY(floor_divide, T(floor_divide)(a, b))
DEFINE_HEAVY_BINARY(xlogy, ((a == 0) & (b == b)) ? (VECTOR)0 : a * T(log)(b))
DEFINE_HEAVY_BINARY(log_add_exp, T(log_add_exp)(a, b))
DEFINE_HEAVY_BINARY(gelu_grad, a *T(gelu_slope)(b))
DEFINE_HEAVY_BINARY(gelu_tanh_grad, a *T(gelu_tanh_slope)(b))
DEFINE_HEAVY_BINARY(silu_grad, a *T(silu_slope)(b))

DEFINE_WITH_SLOPE(gelu)
DEFINE_WITH_SLOPE(gelu_tanh)
DEFINE_WITH_SLOPE(silu)

DEFINE_COMPARE(eq, ==)
DEFINE_COMPARE(ne, !=)
DEFINE_COMPARE(lt, <)
DEFINE_COMPARE(le, <=)
DEFINE_COMPARE(gt, >)
DEFINE_COMPARE(ge, >=)

/// a + (scale b) c
static void T(muladd)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter)
{
    REAL *out = p[0];
    const REAL *in[3] = {p[1], p[2], p[3]}, scale = (REAL) * (const double *)parameter;
    VECTOR x[3], last[3];
    int64_t end = count < LANES ? count : LANES;
    for (int k = 0; k < 3; k++) {
        if (broadcast >> (k + 1) & 1) last[k] = T(splat)(*in[k]);
        else if (count < LANES) last[k] = T(load_part)(in[k], count, 0);
        else last[k] = T(load)(in[k] + count - end);
    }
    VECTOR final = MADD(last[1] * scale, last[2], last[0]);
    if (count < LANES) {
        T(store_part)(out, count, final);
        return;
    }
    for (int k = 0; k < 3; k++) x[k] = last[k];
    for (int64_t i = 0; i + LANES <= count; i += LANES) {
        for (int k = 0; k < 3; k++)
            if (!(broadcast >> (k + 1) & 1)) x[k] = T(load)(in[k] + i);
        T(store)(out + i, MADD(x[1] * scale, x[2], x[0]));
    }
    T(store)(out + count - LANES, final);
}

#undef DEFINE_LIGHT_UNARY
#undef DEFINE_LIGHT_BINARY
#undef LIGHT_LOOP
#undef DEFINE_HEAVY_UNARY
#undef DEFINE_HEAVY_BINARY
#undef DEFINE_WITH_SLOPE
#undef DEFINE_COMPARE
