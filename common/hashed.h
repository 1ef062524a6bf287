/*
 * uthash's tables, which end the process where there is no memory, as everything here does: uthash
 * by itself would exit in the middle of what is going on, with 255 and without a word.
 */
#ifndef COMMON_HASHED_H
#define COMMON_HASHED_H

#include <stdlib.h>

#define uthash_fatal(message) abort()
#include <uthash.h>

#endif
