#ifndef CPROBES_H
#define CPROBES_H

#include <stddef.h>
#include <stdint.h>

/// Runs `rounds` rounds of independent fused multiply-adds on float vectors and returns how many floating-point operations that was.
/// `width` is the vector's width in bytes: 16, 32 (AVX2 + FMA) or 64 (AVX-512). The caller knows that the machine has it.
double probe_multiply_adds(int width, long rounds);

/// Reads memory once and returns something of it, so that the reading is not dropped.
uint64_t probe_read(const uint64_t *from, size_t count);

/// Two threads hand a line of memory to and fro, `rounds` times; the line is 0 before and after.
void probe_hand_over(int64_t *line, int is_first, int64_t rounds);

/// How often this process has asked for memory on the heap so far; -1 where that can't be counted.
long probe_allocations(void);

#endif
