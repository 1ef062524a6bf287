/*
 * Libraries that few commands need, loaded by those that do: linked, each would cost every command
 * some 50 microseconds at its start.
 */
#ifndef CLIENT_LAZY_H
#define CLIENT_LAZY_H

struct lazy_name {
	const char *name;	/* NULL: the end */
	void *into;		/* the pointer to a function of that name */
};

/* Fills the pointers; again does nothing more. Where the library is not installed as it was when
 * this was built, says so and ends the program. */
void lazy_load(const char *library, const struct lazy_name *names);

#endif
