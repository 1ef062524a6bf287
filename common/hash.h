/*
 * SHA-256 and base64: the two primitives that every format of the ledger stands on.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "buf.h"

#define HASH_SIZE 32
#define HASH_BASE64 44		/* characters of one hash in base64, without NUL */

/* SHA-256 of the parts one after the other. Each program
 * links one of sha256_openssl.c and sha256_sodium.c. */
void sha256(const struct iovec *parts, size_t count, uint8_t ret[HASH_SIZE]);

/* One part, for a braced list: (struct iovec[]){ PART(a, n), PART(b, m) }. */
#define PART(bytes, size) { .iov_base = (void *)(bytes), .iov_len = (size) }

/* Standard base64 with padding (RFC 4648, section 4). */
void base64_encode(struct buf *out, const void *bytes, size_t len);

/* Strict: padding needed, no blanks, no stray bits. false unless exactly `size` bytes come out. */
bool base64_decode(const char *text, size_t len, void *ret, size_t size);

#endif
