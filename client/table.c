#include "table.h"

#include <langinfo.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

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
	__typeof__(scols_print_table_to_string) *print_to_string;
	__typeof__(scols_table_get_line) *get_line;
	__typeof__(scols_line_get_column_data) *get_data;
	__typeof__(scols_column_get_width) *get_width;
	__typeof__(scols_column_set_safechars) *set_safechars;
	__typeof__(scols_column_set_wrapfunc) *set_wrapfunc;
	__typeof__(scols_wrapnl_chunksize) *chunksize;
	__typeof__(scols_wrapnl_nextchunk) *nextchunk;
} scols;

static const struct lazy_name scols_names[] = {
	{ "scols_new_table", &scols.new_table },
	{ "scols_unref_table", &scols.unref_table },
	{ "scols_print_table", &scols.print_table },
	{ "scols_table_enable_noheadings", &scols.enable_noheadings },
	{ "scols_table_new_column", &scols.new_column },
	{ "scols_table_new_line", &scols.new_line },
	{ "scols_line_set_data", &scols.set_data },
	{ "scols_print_table_to_string", &scols.print_to_string },
	{ "scols_table_get_line", &scols.get_line },
	{ "scols_line_get_column_data", &scols.get_data },
	{ "scols_column_get_width", &scols.get_width },
	{ "scols_column_set_safechars", &scols.set_safechars },
	{ "scols_column_set_wrapfunc", &scols.set_wrapfunc },
	{ "scols_wrapnl_chunksize", &scols.chunksize },
	{ "scols_wrapnl_nextchunk", &scols.nextchunk },
	{ NULL, NULL }
};

struct table {
	const struct column *columns;
	size_t count, rows;
	bool headed;			/* the heading has been printed */
	struct libscols_table *chunk;
	struct libscols_line *line;	/* the row being filled, owned by chunk */
	struct libscols_column *wrapped; /* the column that wraps, owned
					  * by chunk; NULL: none does */
	size_t wrapped_at;		/* its index */
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

	table->wrapped = NULL;
	table->chunk = scols.new_table();
	if (!table->chunk)
		abort();
	must(scols.enable_noheadings(table->chunk, table->headed));
	for (i = 0; i < table->count; i++) {
		const struct column *column = &table->columns[i];
		int flags = (column->right ? SCOLS_FL_RIGHT : 0) |
			    (column->wrap ? SCOLS_FL_WRAP : 0);
		struct libscols_column *made = scols.new_column(table->chunk, column->heading, 0,
								flags);

		if (!made)
			abort();
		if (column->wrap) {
			table->wrapped = made;
			table->wrapped_at = i;
		}
	}
	table->rows = 0;
}

/* How many columns the word at `text`, up to a blank or the end, takes; and its bytes. */
static size_t word_measure(const char *text, size_t *bytes)
{
	mbstate_t state = { 0 };
	size_t columns = 0, at = 0;
	wchar_t c;

	while (text[at] && text[at] != ' ') {
		size_t took = mbrtowc(&c, text + at, MB_CUR_MAX, &state);
		int width = took <= MB_CUR_MAX ? wcwidth(c) : -1;

		columns += width < 0 ? 4 : (size_t)width;	/* shown as \xNN */
		at += took && took <= MB_CUR_MAX ? took : 1;
		if (took > MB_CUR_MAX)
			state = (mbstate_t){ 0 };
	}
	*bytes = at;
	return columns;
}

/* Appends the text with newlines instead of blanks, so that
 * no line is wider than that but for a single word. */
static void text_fold(struct buf *out, const char *text, size_t width)
{
	size_t line = 0, bytes;

	while (*text) {
		size_t word = word_measure(text, &bytes);

		if (line && line + 1 + word > width) {
			buf_char(out, '\n');
			line = 0;
		} else if (out->len) {
			buf_char(out, ' ');
			line++;
		}
		buf_add(out, text, bytes);
		line += word;
		text += bytes;
		text += *text == ' ';
	}
}

/*
 * libsmartcols knows how wide the columns are once it has printed them, and breaks lines within
 * words or at newlines: so it prints for nothing first, then is given the text with newlines
 * between words.
 */
static void chunk_fold(struct table *table)
{
	struct buf folded = BUF_INIT;
	char *unused;

	must(scols.print_to_string(table->chunk, &unused));
	free(unused);
	for (size_t i = 0; i < table->rows; i++) {
		struct libscols_line *line = scols.get_line(table->chunk, i);
		const char *text = scols.get_data(line, table->wrapped);

		if (!text || strchr(text, '\n'))
			continue;
		text_fold(&folded, text, scols.get_width(table->wrapped));
		if (folded.len)
			must(scols.set_data(line, table->wrapped_at, folded.data));
		buf_clear(&folded);
	}
	buf_release(&folded);
	must(scols.set_safechars(table->wrapped, "\n"));
	must(scols.set_wrapfunc(table->wrapped, scols.chunksize, scols.nextchunk, NULL));
}

static void chunk_end(struct table *table)
{
	if (table->rows && table->wrapped && isatty(STDOUT_FILENO))
		chunk_fold(table);
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
