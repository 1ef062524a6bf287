/*
 * LD_PRELOAD: planted faults in how a commit reaches the disk, to see that the tests of power loss and kill -9
 * catch them. $WEAK_COMMIT:
 *
 *   nosync   fdatasync and O_DSYNC do nothing, as with MDB_NOSYNC
 *   early    a commit says that it is done at once, and is done when the next transaction begins
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEXT(name, type, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

/* Of the thread that writes the ledger; another writes the index, and reads. */
static __thread MDB_txn *open_write, *owed;

static int weak(const char *how)
{
	const char *chosen = getenv("WEAK_COMMIT");

	return chosen && !strcmp(chosen, how);
}

int fdatasync(int fd)
{
	return weak("nosync") ? 0 : NEXT("fdatasync", int, int)(fd);
}

int open(const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (weak("nosync"))
		flags &= ~O_DSYNC;
	return NEXT("open", int, const char *, int, ...)(name, flags, mode);
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **ret)
{
	const char *path;
	int error;

	if (owed)
		NEXT("mdb_txn_commit", int, MDB_txn *)(owed);
	owed = NULL;
	error = NEXT("mdb_txn_begin", int, MDB_env *, MDB_txn *, unsigned, MDB_txn **)(env, parent, flags, ret);
	if (!error && !(flags & MDB_RDONLY) && !mdb_env_get_path(env, &path) && strstr(path, "/ledger.mdb"))
		open_write = *ret;
	return error;
}

int mdb_txn_commit(MDB_txn *txn)
{
	if (!weak("early") || txn != open_write)
		return NEXT("mdb_txn_commit", int, MDB_txn *)(txn);
	open_write = NULL;
	owed = txn;
	return 0;
}
