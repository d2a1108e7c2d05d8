#include "CProbes.h"

uint64_t probe_read(const uint64_t *from, size_t count) {
    uint64_t sums[8] = {0};
    for (size_t i = 0; i + 8 <= count; i += 8) {
        for (int j = 0; j < 8; j++) sums[j] += from[i + j];
    }
    uint64_t total = 0;
    for (int j = 0; j < 8; j++) total += sums[j];
    return total;
}
