/*
 * fund spend --batch: a CSV file of spends, pipelined. Each row's id comes from its `ref`, so that
 * the same file again doubles nothing, even with rows inserted.
 */
#ifndef CLIENT_BATCH_H
#define CLIENT_BATCH_H

#include "fund.h"

enum exit_status batch_run(struct fund *fund, const char *path, const char *budget, bool dry_run);

#endif
