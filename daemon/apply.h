/*
 * Entries into the books: only what may follow what is there (rules.h), and out of them again.
 * Pure, as the books are.
 */
#ifndef DAEMON_APPLY_H
#define DAEMON_APPLY_H

#include "books.h"

/* NULL, and the entry is in the books; or a static sentence
 * saying why it cannot follow, and nothing changed. */
const char *books_apply(struct books *books, const struct entry *entry);

/* All so far is durable; or, what was applied since is not
 * and never will be: the books are as they were then. */
void books_keep(struct books *books);
void books_undo(struct books *books);

#endif
