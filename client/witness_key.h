/*
 * A witness's own key: made at first use, in a file of its own that nobody else may read, in the
 * form in which signed-note tools write theirs:
 *
 *   PRIVATE+KEY+<name>+<key id, 8 hex digits>+<base64 of the type 0x04 and the 32-byte seed>
 */
#ifndef CLIENT_WITNESS_KEY_H
#define CLIENT_WITNESS_KEY_H

#include <stdbool.h>

#include "common/sign.h"

/* Opens the key in that directory, or makes one of that name (NULL: the machine's and the
 * user's). *made says which. NULL, or a static sentence; the signer is the caller's to close. */
const char *witness_key_open(int dir, const char *name, struct signer *ret, bool *made);

#endif
