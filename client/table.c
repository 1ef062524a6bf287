#include "table.h"

#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lazy.h"

#define CHUNK_ROWS 2000

static struct {
	__typeof__(scols_new_table) *new_table;
	__typeof__(scols_unref_table) *unref_table;
	__typeof__(scols_print_table) *print_table;
	__typeof__(scols_table_enable_noheadings) *enable_noheadings;
	__typeof__(scols_table_new_column) *new_column;
	__typeof__(scols_table_new_line) *new_line;
	__typeof__(scols_line_set_data) *set_data;
} scols;

static const struct lazy_name scols_names[] = {
	{ "scols_new_table", &scols.new_table },
	{ "scols_unref_table", &scols.unref_table },
	{ "scols_print_table", &scols.print_table },
	{ "scols_table_enable_noheadings", &scols.enable_noheadings },
	{ "scols_table_new_column", &scols.new_column },
	{ "scols_table_new_line", &scols.new_line },
	{ "scols_line_set_data", &scols.set_data },
	{ NULL, NULL }
};

struct table {
	const struct column *columns;
	size_t count, rows;
	bool headed;			/* the heading has been printed */
	struct libscols_table *chunk;
	struct libscols_line *line;	/* the row being filled, owned by chunk */
};

/* Out of memory is the only thing that can go wrong here. */
static void must(int result)
{
	if (result < 0)
		abort();
}

static void chunk_begin(struct table *table)
{
	size_t i;

	table->chunk = scols.new_table();
	if (!table->chunk)
		abort();
	must(scols.enable_noheadings(table->chunk, table->headed));
	for (i = 0; i < table->count; i++) {
		const struct column *column = &table->columns[i];
		int flags = (column->right ? SCOLS_FL_RIGHT : 0) | (column->wrap ? SCOLS_FL_WRAP : 0);

		if (!scols.new_column(table->chunk, column->heading, 0, flags))
			abort();
	}
	table->rows = 0;
}

static void chunk_end(struct table *table)
{
	if (table->rows)
		must(scols.print_table(table->chunk));
	scols.unref_table(table->chunk);
	table->headed = true;
}

/* Words are UTF-8, also where the locale was not set. */
static void locale_use(void)
{
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}

struct table *table_new(const struct column *columns, size_t count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		abort();
	lazy_load("libsmartcols.so.1", scols_names);
	locale_use();
	table->columns = columns;
	table->count = count;
	chunk_begin(table);
	return table;
}

void table_row(struct table *table)
{
	if (table->rows == CHUNK_ROWS) {
		chunk_end(table);
		chunk_begin(table);
	}
	table->line = scols.new_line(table->chunk, NULL);
	if (!table->line)
		abort();
	table->rows++;
}

void table_cell(struct table *table, size_t column, const char *text)
{
	must(scols.set_data(table->line, column, text));
}

void table_take(struct table *table, size_t column, struct buf *text)
{
	table_cell(table, column, text->data ? text->data : "");
	buf_clear(text);
}

bool table_empty(const struct table *table)
{
	return !table->headed && !table->rows;
}

void table_end(struct table *table)
{
	if (!table)
		return;
	chunk_end(table);
	free(table);
}
