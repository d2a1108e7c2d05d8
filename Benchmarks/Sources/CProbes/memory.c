#include "CProbes.h"

#include <stdatomic.h>

uint64_t probe_read(const uint64_t *from, size_t count) {
    uint64_t sums[8] = {0};
    for (size_t i = 0; i + 8 <= count; i += 8) {
        for (int j = 0; j < 8; j++) sums[j] += from[i + j];
    }
    uint64_t total = 0;
    for (int j = 0; j < 8; j++) total += sums[j];
    return total;
}

void probe_hand_over(int64_t *line, int is_first, int64_t rounds) {
    _Atomic int64_t *at = (_Atomic int64_t *)line;
    for (int64_t turn = is_first ? 0 : 1; turn < 2 * rounds; turn += 2) {
        while (atomic_load(at) != turn) {
        }
        atomic_store(at, (turn + 1) % (2 * rounds));
    }
}
