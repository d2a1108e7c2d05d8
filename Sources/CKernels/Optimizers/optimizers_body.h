/// The kernels of optimizers_kernels.h for one element type: included by both_reals.h. The
/// roundings follow PyTorch's: x.add(y, alpha: a) is one fused step where the machine fuses, the rest are separate.

CK_INLINE VECTOR T(parameters_at)(const void *array, int64_t i, int64_t end)
{
    const REAL *from = (const REAL *)array + i;
    return i + LANES <= end ? T(load)(from) : T(load_part)(from, end - i, 0);
}
CK_INLINE void T(put_parameters)(void *array, int64_t i, int64_t end, VECTOR value)
{
    REAL *to = (REAL *)array + i;
    if (i + LANES <= end) T(store)(to, value);
    else T(store_part)(to, end - i, value);
}

static void T(sgd)(int64_t first, int64_t end, const ck_sgd_step *step)
{
    const ck_sgd *config = step->config;
    VECTOR decay = T(splat)((REAL)config->weight_decay), momentum = T(splat)((REAL)config->momentum);
    VECTOR fresh = T(splat)((REAL)(1 - config->dampening)), rate = T(splat)((REAL)-config->learning_rate);
    int decays = config->weight_decay != 0, remembers = config->momentum != 0;
    for (int64_t i = first; i < end; i += LANES) {
        VECTOR p = T(parameters_at)(step->parameter, i, end), g = T(parameters_at)(step->gradient, i, end);
        if (decays) g = MADD(decay, p, g);
        if (remembers) {
            VECTOR buffer = g;
            if (!config->first) buffer = MADD(fresh, g, momentum * T(parameters_at)(step->buffer, i, end));
            T(put_parameters)(step->buffer, i, end, buffer);
            g = config->nesterov ? MADD(momentum, buffer, g) : buffer;
        }
        T(put_parameters)(step->parameter, i, end, MADD(rate, g, p));
    }
}

/// start + weight (end - start), from the nearer of the two.
CK_INLINE VECTOR T(interpolate)(VECTOR start, VECTOR end, REAL weight)
{
    VECTOR difference = end - start;
    return weight < (REAL)0.5 ? MADD(T(splat)(weight), difference, start)
                              : MADD(T(splat)(weight - 1), difference, end);
}

static void T(adam)(int64_t first, int64_t end, const ck_adam_step *step)
{
    const ck_adam *config = step->config;
    REAL fresh_m = (REAL)(1 - config->beta1), fresh_v = (REAL)(1 - config->beta2), beta2 = (REAL)config->beta2;
    REAL correction = (REAL)step->second_correction, step_size = (REAL)-step->step_size, eps = (REAL)config->eps;
    REAL shrink = (REAL)(1 - config->learning_rate * config->weight_decay);
    VECTOR decay = T(splat)((REAL)config->weight_decay);
    int decays = config->weight_decay != 0;
    for (int64_t i = first; i < end; i += LANES) {
        VECTOR p = T(parameters_at)(step->parameter, i, end), g = T(parameters_at)(step->gradient, i, end);
        if (decays && config->decoupled) p *= shrink;
        else if (decays) g = MADD(decay, p, g);
        VECTOR m = T(interpolate)(T(parameters_at)(step->m, i, end), g, fresh_m);
        VECTOR v = T(parameters_at)(step->v, i, end) * beta2 + fresh_v * g * g;
        T(put_parameters)(step->m, i, end, m);
        T(put_parameters)(step->v, i, end, v);
        if (config->amsgrad) {
            v = T(max)(T(parameters_at)(step->maximum, i, end), v);
            T(put_parameters)(step->maximum, i, end, v);
        }
        VECTOR denominator = T(sqrt)(v) / correction + eps;
        T(put_parameters)(step->parameter, i, end, p + step_size * m / denominator);
    }
}
