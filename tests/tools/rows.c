/*
 * rows FILE get SEQ      the stored row, as it is, to stdout
 * rows FILE put SEQ      the row from stdin, over what was there
 * rows FILE drop SEQ     takes the row out
 * rows FILE count        how many there are
 * rows FILE dump         all rows in order, each behind its length in 4 bytes, big-endian
 *
 * What somebody with an editor could do to a ledger that nobody has open. Only for tests.
 */
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_MAX 65536

struct edit {
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key;
};

static void die(const char *what, int rc)
{
	fprintf(stderr, "rows: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

static int row_get(struct edit *edit)
{
	MDB_val row;
	int rc = mdb_get(edit->txn, edit->dbi, &edit->key, &row);

	if (rc == 0 && fwrite(row.mv_data, 1, row.mv_size, stdout) != row.mv_size)
		exit(1);
	return rc;
}

static int row_put(struct edit *edit)
{
	static char bytes[ROW_MAX];
	MDB_val row = { fread(bytes, 1, sizeof(bytes), stdin), bytes };

	return mdb_put(edit->txn, edit->dbi, &edit->key, &row, 0);
}

static int row_drop(struct edit *edit)
{
	return mdb_del(edit->txn, edit->dbi, &edit->key, NULL);
}

static int row_count(struct edit *edit)
{
	MDB_stat stat;
	int rc = mdb_stat(edit->txn, edit->dbi, &stat);

	if (rc == 0)
		printf("%zu\n", stat.ms_entries);
	return rc;
}

static int row_dump(struct edit *edit)
{
	MDB_cursor *cursor;
	MDB_val key, row;
	int rc = mdb_cursor_open(edit->txn, edit->dbi, &cursor);

	if (rc)
		return rc;
	while (!(rc = mdb_cursor_get(cursor, &key, &row, MDB_NEXT))) {
		uint8_t size[4] = { row.mv_size >> 24, row.mv_size >> 16, row.mv_size >> 8, row.mv_size };

		if (fwrite(size, 1, 4, stdout) != 4 ||
		    fwrite(row.mv_data, 1, row.mv_size, stdout) != row.mv_size)
			exit(1);
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static const struct verb {
	const char *name;
	int (*run)(struct edit *edit);
	int args;
} verbs[] = {
	{ "get", row_get, 4 },
	{ "put", row_put, 4 },
	{ "drop", row_drop, 4 },
	{ "count", row_count, 3 },
	{ "dump", row_dump, 3 },
};

static const struct verb *verb_find(int argc, char **argv)
{
	for (size_t i = 0; argc > 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (argc == verbs[i].args && !strcmp(argv[2], verbs[i].name))
			return &verbs[i];
	fprintf(stderr, "usage: rows FILE get|put|drop SEQ | rows FILE count|dump\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const struct verb *verb = verb_find(argc, argv);
	uint64_t seq = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	uint8_t key[8];
	struct edit edit = { .key = { sizeof(key), key } };
	MDB_env *env;
	int rc;

	for (int i = 0; i < 8; i++)
		key[i] = seq >> (56 - 8 * i);
	if ((rc = mdb_env_create(&env)) || (rc = mdb_env_open(env, argv[1], MDB_NOSUBDIR, 0600)))
		die(argv[1], rc);
	if ((rc = mdb_txn_begin(env, NULL, 0, &edit.txn)) ||
	    (rc = mdb_dbi_open(edit.txn, NULL, 0, &edit.dbi)))
		die("opening the database", rc);
	rc = verb->run(&edit);
	if (rc || (rc = mdb_txn_commit(edit.txn)))
		die(verb->name, rc);
	mdb_env_close(env);
	return 0;
}
