/*
 * A CSV file of spends: its rows, read and checked whole before anything is done with one.
 *
 * RFC 4180, strict; UTF-8, with a byte order mark or without; at most 64 MiB. The first line names
 * the columns, in any order, each once; ref, amount and reason must be among them. Each row has
 * these three, its ref is its own, and its words are fit for the ledger. Amounts are not looked at:
 * what they mean depends on a budget's currency.
 */
#ifndef CLIENT_SHEET_H
#define CLIENT_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum sheet_column { REF, AMOUNT, REASON, CUSTOMER, CATEGORY, INCIDENT, BUDGET, CURRENCY, COLUMNS };

extern const char *const sheet_columns[COLUMNS];

struct sheet_row {
	char *cell[COLUMNS];		/* NULL: empty or not there */
	size_t line;			/* of the file, from 1 */
	int64_t amount;			/* the caller's */
};

struct sheet {
	enum sheet_column order[COLUMNS];	/* of the file's columns */
	size_t columns, column;
	size_t line;			/* that is being read */
	struct sheet_row *rows, current;
	size_t count, room;
	bool headed, failed;		/* failed: the rest of the file makes no sense */
	size_t wrong;			/* rows that do not make sense by themselves */
};

/* Reads it to its end. false after telling what is wrong,
 * line by line; the sheet is to be released either way. */
bool sheet_read(struct sheet *ret, FILE *file);
void sheet_release(struct sheet *sheet);

bool sheet_has(const struct sheet *sheet, enum sheet_column column);

/* One more row is wrong, as the caller finds: tells of it, unless many were told of. */
void sheet_wrong(struct sheet *sheet, const struct sheet_row *row, const char *problem);

/* Were any rows wrong? If so, says that nothing was sent. */
bool sheet_wrong_tell(const struct sheet *sheet);

#endif
