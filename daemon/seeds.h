/*
 * The seeds of the ledger's signing keys, 32 bytes in a file each. Which is which is told by the
 * verifier key that one makes, never by the file's name: `signing.key` is usually the current
 * one's, `signing.key.old` that of the key before it, which signs too while they overlap, and
 * `signing.key.new` one that is being brought in. All of them are looked for in the ledger's
 * directory, the first two in $CREDENTIALS_DIRECTORY as well (systemd.exec(5)).
 */
#ifndef DAEMON_SEEDS_H
#define DAEMON_SEEDS_H

#include <stdbool.h>

#include "books.h"
#include "head.h"

#define SEED_FILE "signing.key"
#define SEED_OLD SEED_FILE ".old"
#define SEED_NEW SEED_FILE ".new"

/* Neither the process nor its children ever leave a core file: memory holds seeds, keys and
 * words. */
void cores_forbid(void);

/* Makes the file, mode 0600, and syncs it. NULL, or a static sentence with errno. */
const char *seed_write(int dir, const char *name, const uint8_t seed[SEED_SIZE]);

/* The keys that the ledger's next head may need. false after logging what is missing and what
 * to do. */
bool signers_load(int dir, const struct books *books, struct signers *ret);
void signers_close(struct signers *signers);

/* Gives the current key's seed its usual name, if a rotation was cut short before it could. */
void seeds_settle(int dir, const struct books *books);

/* When the ledger is past the overlap: forgets the old key, and removes its seed from the
 * directory. */
void signers_expire(int dir, const struct books *books, struct signers *signers);

#endif
