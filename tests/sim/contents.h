/*
 * What money requests ask for: chosen by steps, and remembered, for it may be asked for again.
 */
#ifndef TESTS_SIM_CONTENTS_H
#define TESTS_SIM_CONTENTS_H

#include "model.h"
#include "script.h"

/* Something new, or one of the last, as it was or a
 * little otherwise. NULL: nothing was asked for yet. */
const struct content *content_choose(const struct step *step, unsigned who);
const struct content *content_again(const struct step *step);

/* The daemon has got it from them. */
void content_asked(const struct content *content, unsigned who);

/* NULL: nothing of that number was ever asked for. */
const struct content *content_at(unsigned number);

void contents_reset(void);

#endif
