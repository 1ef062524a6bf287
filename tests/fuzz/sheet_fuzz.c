/* A CSV file of spends: what is taken holds what sheet.h
 * promises, and is read the same when it is written again. */
#include <stdio.h>

#include "client/sheet.h"
#include "client/tell.h"
#include "common/text.h"
#include "fuzz.h"

static unsigned told;

/* Instead of stderr. */
enum exit_status tell(const char *format, ...)
{
	told += *format != '\0';
	return EXIT_USAGE;
}

void tell_more(const char *format, ...)
{
	told += *format != '\0';
}

static bool read_text(const char *bytes, size_t size, struct sheet *ret)
{
	FILE *file = size ? fmemopen((void *)bytes, size, "r") : fopen("/dev/null", "r");
	bool taken;

	MUST(file);
	told = 0;
	taken = sheet_read(ret, file);
	MUST(taken == !told);
	fclose(file);
	return taken;
}

static void row_check(const struct sheet *sheet, size_t nth)
{
	const struct sheet_row *row = &sheet->rows[nth];

	MUST(row->cell[REF] && row->cell[AMOUNT] && row->cell[REASON]);
	MUST(!words_problem(row->cell[REF]) && !words_problem(row->cell[REASON]));
	MUST(row->line >= 1 && row->line <= sheet->line);
	for (size_t i = 0; i < nth && i < 50; i++)
		MUST(strcmp(sheet->rows[i].cell[REF], row->cell[REF]) != 0);
	for (int id = 0; id < COLUMNS; id++)
		MUST(!row->cell[id] || (*row->cell[id] && sheet_has(sheet, id)));
}

static void cell_write(FILE *out, const char *text)
{
	putc('"', out);
	for (; text && *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void sheet_write(FILE *out, const struct sheet *sheet)
{
	for (int id = 0; id < COLUMNS; id++)
		fprintf(out, "%s%s", id ? "," : "", sheet_columns[id]);
	for (size_t i = 0; i < sheet->count; i++) {
		for (int id = 0; id < COLUMNS; id++) {
			putc(id ? ',' : '\n', out);
			cell_write(out, sheet->rows[i].cell[id]);
		}
	}
	putc('\n', out);
}

static void sheet_again(const struct sheet *sheet)
{
	struct sheet again;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	MUST(out);
	sheet_write(out, sheet);
	fclose(out);
	MUST(read_text(text, size, &again) && again.count == sheet->count);
	for (size_t i = 0; i < sheet->count; i++)
		for (int id = 0; id < COLUMNS; id++)
			MUST(!sheet->rows[i].cell[id] == !again.rows[i].cell[id] &&
			     (!again.rows[i].cell[id] ||
			      !strcmp(sheet->rows[i].cell[id], again.rows[i].cell[id])));
	sheet_release(&again);
	free(text);
}

/* Whoever goes on with the rows finds them wrong, one by
 * one: of many only some are told of, and that it is so. */
static void sheet_found_wrong(struct sheet *sheet)
{
	MUST(!sheet_wrong_tell(sheet) && !sheet->wrong);
	told = 0;
	for (size_t i = 0; i < sheet->count; i++)
		sheet_wrong(sheet, &sheet->rows[i], "is wrong");
	MUST(sheet->wrong == sheet->count && told <= sheet->count);
	MUST(sheet_wrong_tell(sheet) == (sheet->count > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sheet sheet;

	if (read_text((const char *)data, size, &sheet)) {
		for (size_t i = 0; i < sheet.count; i++)
			row_check(&sheet, i);
		sheet_again(&sheet);
		sheet_found_wrong(&sheet);
	}
	sheet_release(&sheet);
	return 0;
}
