/*
 * Tables on stdout. libsmartcols stays behind this header.
 *
 * Rows are printed in chunks, so that memory stays bounded however many come; the heading stands
 * once.
 */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct column {
	const char *heading;
	bool right;		/* aligned to the right: numbers */
	bool wrap;		/* folded on a terminal that is too narrow */
};

struct table;

/* `columns` must outlive the table. */
struct table *table_new(const struct column *columns, size_t count);

/* Begins the next row; what is in cells not set stays empty. */
void table_row(struct table *table);

/* The text is copied; what cannot be printed is shown as \xNN. */
void table_cell(struct table *table, size_t column, const char *text);

/* The same; the buf is emptied. */
void table_take(struct table *table, size_t column, struct buf *text);

/* No row was begun yet. */
bool table_empty(const struct table *table);

/* Prints what is left and frees the table. Takes NULL. */
void table_end(struct table *table);

#endif
