#include "sheet.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tell.h"

#define FILE_MAX ((size_t)64 << 20)
#define WRONG_TOLD 20		/* wrong rows that are told of one by one */

const char *const sheet_columns[COLUMNS] = {
	"ref", "amount", "reason", "customer", "category", "incident", "budget", "currency",
};

static void fail(struct sheet *sheet, const char *what, const char *word)
{
	if (!sheet->failed)
		tell("line %zu: %s%s%s", sheet->line, what, word ? ": " : "", word ? word : "");
	sheet->failed = true;
}

static void header_take(struct sheet *sheet, const char *name)
{
	for (int id = 0; id < COLUMNS; id++) {
		if (strcmp(name, sheet_columns[id]))
			continue;
		for (size_t i = 0; i < sheet->columns; i++)
			if (sheet->order[i] == (enum sheet_column)id)
				fail(sheet, "this column stands twice", name);
		if (!sheet->failed)
			sheet->order[sheet->columns++] = (enum sheet_column)id;
		return;
	}
	if (strchr(name, ';'))
		return fail(sheet, "columns are parted by commas, not by semicolons", name);
	fail(sheet, "there is no such column (ref amount reason customer category incident budget "
		    "currency)", name);
}

static void on_cell(void *text, size_t len, void *context)
{
	struct sheet *sheet = context;
	char *cell = text && !memchr(text, 0, len) ? strndup(text, len) : NULL;

	if (sheet->failed || (text && !cell)) {
		fail(sheet, "a cell has a NUL in it", NULL);
	} else if (!sheet->headed) {
		header_take(sheet, cell ? cell : "");
	} else if (sheet->column >= sheet->columns) {
		fail(sheet, "more cells than columns", NULL);
	} else if (cell && *cell) {
		sheet->current.cell[sheet->order[sheet->column]] = cell;
		cell = NULL;
	}
	sheet->column++;
	free(cell);
}

bool sheet_has(const struct sheet *sheet, enum sheet_column column)
{
	for (size_t i = 0; i < sheet->columns; i++)
		if (sheet->order[i] == column)
			return true;
	return false;
}

static void row_release(struct sheet_row *row)
{
	for (int id = 0; id < COLUMNS; id++)
		free(row->cell[id]);
	*row = (struct sheet_row){ .line = 0 };
}

static const char *row_problem(const struct sheet_row *row)
{
	const enum sheet_column words[] = { REF, REASON, CUSTOMER, INCIDENT };

	if (!row->cell[REF])
		return "no ref: each row needs its own, so that the file can be sent again";
	if (!row->cell[AMOUNT])
		return "no amount";
	if (!row->cell[REASON])
		return "no reason";
	for (size_t i = 0; i < 4; i++)
		if (row->cell[words[i]] && words_problem(row->cell[words[i]]))
			return words_problem(row->cell[words[i]]);
	return row->cell[CATEGORY] ? tag_problem(row->cell[CATEGORY]) : NULL;
}

static void on_row(int end, void *context)
{
	struct sheet *sheet = context;
	const char *problem;

	(void)end;
	if (!sheet->headed) {
		sheet->headed = true;
		if (!sheet_has(sheet, REF) || !sheet_has(sheet, AMOUNT) ||
		    !sheet_has(sheet, REASON))
			fail(sheet, "the header needs the columns ref, amount and reason", NULL);
	} else if (!sheet->failed) {
		problem = row_problem(&sheet->current);
		if (problem && ++sheet->wrong <= WRONG_TOLD)
			tell("line %zu: %s", sheet->line, problem);
		if (sheet->count == sheet->room) {
			sheet->room = sheet->room ? 2 * sheet->room : 256;
			sheet->rows = realloc(sheet->rows, sheet->room * sizeof(*sheet->rows));
			if (!sheet->rows)
				abort();
		}
		sheet->current.line = sheet->line;
		sheet->rows[sheet->count++] = sheet->current;
		sheet->current = (struct sheet_row){ .line = 0 };
	}
	row_release(&sheet->current);
	sheet->column = 0;
}

static int ref_order(const void *a, const void *b)
{
	return strcmp((*(const struct sheet_row *const *)a)->cell[REF],
		      (*(const struct sheet_row *const *)b)->cell[REF]);
}

/* Each row's ref is its own. Called when every row has one. */
static void refs_check(struct sheet *sheet)
{
	const struct sheet_row **sorted = calloc(sheet->count + 1, sizeof(*sorted));

	if (!sorted)
		abort();
	for (size_t i = 0; i < sheet->count; i++)
		sorted[i] = &sheet->rows[i];
	qsort(sorted, sheet->count, sizeof(*sorted), ref_order);
	for (size_t i = 1; i < sheet->count; i++)
		if (!ref_order(&sorted[i - 1], &sorted[i]) && ++sheet->wrong <= WRONG_TOLD)
			tell("lines %zu and %zu have the same ref: %s", sorted[i - 1]->line,
			     sorted[i]->line, sorted[i]->cell[REF]);
	free(sorted);
}

/* Some bytes of the file, line by line, so that it is known where a wrong one stands. */
static void bytes_take(struct sheet *sheet, struct csv_parser *parser, const char *bytes,
		       size_t len)
{
	while (len && !sheet->failed) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) + 1 : len;

		if (csv_parse(parser, bytes, n, on_cell, on_row, sheet) != n)
			fail(sheet, "this is no CSV", csv_strerror(csv_error(parser)));
		sheet->line += end != NULL;
		bytes += n;
		len -= n;
	}
}

/* Spreadsheets may begin a file with a byte order mark. */
static size_t mark_len(const char *bytes, size_t len)
{
	return len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static void file_read(struct sheet *sheet, FILE *file)
{
	struct csv_parser parser;
	char bytes[65536];
	size_t n, total = 0, skip;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_EMPTY_IS_NULL))
		abort();
	while (!sheet->failed && (n = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		skip = total ? 0 : mark_len(bytes, n);
		total += n;
		if (total > FILE_MAX)
			fail(sheet, "the file is over 64 MiB", NULL);
		bytes_take(sheet, &parser, bytes + skip, n - skip);
	}
	if (ferror(file)) {
		tell("the file cannot be read: %s", strerror(errno));
		sheet->failed = true;
	}
	if (!sheet->failed && csv_fini(&parser, on_cell, on_row, sheet))
		fail(sheet, "the file ends within a quoted cell", NULL);
	csv_free(&parser);
	if (!sheet->failed && !sheet->headed)
		fail(sheet, "the file is empty", NULL);
}

void sheet_wrong(struct sheet *sheet, const struct sheet_row *row, const char *problem)
{
	if (++sheet->wrong <= WRONG_TOLD)
		tell("line %zu: %s", row->line, problem);
}

bool sheet_wrong_tell(const struct sheet *sheet)
{
	if (sheet->wrong > WRONG_TOLD)
		tell("and %zu more", sheet->wrong - WRONG_TOLD);
	if (sheet->wrong || sheet->failed)
		tell_more("Nothing was sent. Put it right and send the whole file.");
	return sheet->wrong || sheet->failed;
}

bool sheet_read(struct sheet *ret, FILE *file)
{
	*ret = (struct sheet){ .line = 1 };
	file_read(ret, file);
	if (!ret->failed && !ret->wrong)
		refs_check(ret);
	return !sheet_wrong_tell(ret);
}

void sheet_release(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->count; i++)
		row_release(&sheet->rows[i]);
	row_release(&sheet->current);
	free(sheet->rows);
}
