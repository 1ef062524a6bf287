/*
 * The clocks, in microseconds: CLOCK_REALTIME since 1970, CLOCK_MONOTONIC and its like since some
 * moment that stays the same while a process runs.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_us(clockid_t id);

#endif
