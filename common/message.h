/*
 * Varlink messages: a call {method, parameters?, oneway?, more?, upgrade?} and a reply
 * {parameters?, continues?, error?}. Strict, as https://varlink.org/Method-Call and sd-varlink have
 * it: nothing else at the top level, no duplicate keys at any depth, at most JSON_DEPTH_MAX levels
 * (the message is the first), no `more` with `oneway`, no `continues` with `error`.
 */
#ifndef COMMON_MESSAGE_H
#define COMMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "json.h"

#define MESSAGE_MAX 16384	/* bytes of a request, without its NUL */
#define LEDGER_INTERFACE "io.fundd.Ledger"

struct call {
	json_t *root;		/* owned */
	const char *method;	/* borrowed from root, like parameters */
	const json_t *parameters;	/* an object, or NULL when absent, null or empty */
	bool more, oneway, upgrade;
};

struct reply {
	json_t *root;		/* owned */
	const json_t *parameters;
	const char *error;	/* NULL when it is no error */
	bool continues;
};

/* 0, or -1 with *problem (its parameter is "message" for what is no call at all) and nothing to
 * release. Invalid UTF-8 is named as such, with the byte's position, counted from 1. */
int call_parse(const char *text, size_t len, struct call *ret, struct problem *problem);
void call_release(struct call *call);

int reply_parse(const char *text, size_t len, struct reply *ret, struct problem *problem);
void reply_release(struct reply *reply);

/*
 * Writing, each ending with the message's NUL. `parameters` is JSON text of an object ("{...}") or
 * empty, which is written as {}: some clients want it there.
 * A reply to a call flagged oneway must not be written at all: that is the caller's to see.
 */
void call_write(struct buf *out, const char *method, const struct buf *parameters, bool more);
void reply_write(struct buf *out, const struct buf *parameters, bool continues);
void reply_write_error(struct buf *out, const char *error, const struct buf *parameters);

#endif
