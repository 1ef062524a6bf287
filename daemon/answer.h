/*
 * Entries and budgets as the interface's JSON.
 */
#ifndef DAEMON_ANSWER_H
#define DAEMON_ANSWER_H

#include "books.h"
#include "common/memo.h"

/* `key` NULL: as an array's element. */
void answer_entry(struct buf *out, const char *key, const struct entry *entry,
		  const struct memo *words);

/* The same of an entry whose common fields (entry_format_common) are formatted already. */
void answer_common(struct buf *out, const char *key, const struct entry *entry,
		   const struct span *common, const struct memo *words);
void answer_budget(struct buf *out, const char *key, const struct books *books,
		   const struct budget *budget);

#endif
