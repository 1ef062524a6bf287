#include "contents.h"

#include "memory.h"
#include "people.h"

#define HUGE_AMOUNT(y) (INT64_MAX - (int64_t)(y) * 1000)

static struct {
	struct content **list;
	size_t count;
} contents;

const struct content *content_at(unsigned number)
{
	return number < contents.count ? contents.list[number] : NULL;
}

static struct content *content_add(const struct content *like)
{
	struct content *content = own_alloc(sizeof(*content));

	if (like)
		*content = *like;
	content->number = (unsigned)contents.count;
	content->asked = 0;
	if (!like) {
		content->id = content->number;
		content->from = NOBODY;
		content->customer = content->category = NOT;
		content->ref = NOT;
	}
	contents.list = own_room(contents.list, contents.count, sizeof(*contents.list));
	return contents.list[contents.count++] = content;
}

/* The n-th of the budgets that there are, mostly; or a name that may mean nothing. */
static int budget_choose(unsigned n)
{
	int there = 0;

	while (there < BUDGETS && model_budget(there, model_count()).there)
		there++;
	return n % 8 && there ? (int)(n % (unsigned)there) : (int)(n % BUDGETS);
}

/* An entry made by the one who asks, mostly, or any other, or one that is not there. */
static int64_t ref_choose(const struct step *step, unsigned who)
{
	int64_t ref = (int64_t)model_count() - 1 - step->x % 50;

	if (step->x == 399 || ref < 0)
		return step->x;
	while (step->z % 4 && ref > 0 && model_record((size_t)ref)->uid != people[who].uid)
		ref--;
	return ref;
}

static void payment_choose(struct content *content, const struct step *step, unsigned who)
{
	content->budget = step->x % 16 < 12 ? NOBODY : budget_choose(step->y);
	content->amount = 1 + (int64_t)(step->z % 8 ? step->y / 20 : step->y);
	content->currency = step->z % 64 == 1;
	content->dry = step->z % 32 == 2;
	if (step->z % 512 == 3)
		content->amount = HUGE_AMOUNT(step->y);
	if (content->kind == ACT_SPEND && step->z >> 6 & 4)
		content->customer = (int)(step->z >> 6 & 3);
	if (content->kind == ACT_SPEND && step->z >> 9 & 4)
		content->category = (int)(step->z >> 9 & 3);
	if (content->kind == ACT_TOPUP && step->z >> 6 & 2)
		content->from = step->z >> 6 & 1 ? COMPANY : (int)(step->z >> 7 & 15);
	if (content->kind == ACT_REFUND) {
		content->budget = NOBODY;
		content->ref = ref_choose(step, who);
		content->amount = step->y % 2 ? 1 + step->y / 2 : 0;
	}
}

static void terms_choose(struct content *content, const struct step *step)
{
	struct model_terms *terms = &content->terms;
	bool adjust = content->kind == ACT_ADJUST;

	content->currency = step->y % 64 == 7 ? 1 : step->y % 64 == 8 ? 2 : 0;
	if (content->budget % 4)
		terms->owner =
			people[step->y % 8 ? (step->x - step->x / 4 + 9) % 10 : step->y % 16].uid;
	else
		terms->group = 2000 + step->x % 3;
	if (adjust && step->y % 8)
		terms->owner = terms->group = NOT;
	terms->allowance = adjust && step->y % 2 ? NOT : (int64_t)(step->y >> 4 & 0xfff) * 4;
	if (step->y % 512 == 11)
		terms->allowance = HUGE_AMOUNT(step->y);
	terms->every = step->z % 4 ? (int)(step->z % 4) : NOT;
	terms->keep = (step->z >> 2) % 4 == 3 ? NOT : (int)((step->z >> 2) % 4);
	if (terms->keep == KEEP_CAP && step->z >> 4 & 15)
		terms->cap = (step->z >> 4 & 255) * 10;
	if (content->budget % 4 && step->z >> 12 & 1) {
		terms->pool = (int)(step->z >> 13 & 3) * 4;
		terms->self_topup = 1 + (step->y >> 4 & 0x3ff);
	}
	content->clear_pool = adjust && step->y % 16 == 5;
}

const struct content *content_choose(const struct step *step, unsigned who)
{
	struct content *content = content_add(NULL);

	content->kind = step->act;
	content->budget = step->act == ACT_OPEN ? (int)(step->x % BUDGETS) : budget_choose(step->x);
	content->terms = (struct model_terms){ NOT, NOT, NOT, NOT, NOT, 0, NOT, NOT, NOBODY };
	if (step->act == ACT_OPEN || step->act == ACT_ADJUST)
		terms_choose(content, step);
	else if (step->act != ACT_CLOSE)
		payment_choose(content, step, who);
	return content;
}

/* One of the last requests, as it was or a little otherwise. */
const struct content *content_again(const struct step *step)
{
	struct content *content;
	const struct content *like;

	if (!contents.count)
		return NULL;
	like = contents.list[contents.count - 1 - step->x % contents.count];
	if (step->y)
		return like;
	content = content_add(like);
	if (content->kind == ACT_OPEN || content->kind == ACT_ADJUST)
		content->terms.allowance = content->terms.allowance == 77 ? 78 : 77;
	else if (content->amount < INT64_MAX && content->kind != ACT_CLOSE)
		content->amount++;
	return content;
}

void content_asked(const struct content *content, unsigned who)
{
	contents.list[content->number]->asked |= 1u << who;
}

void contents_reset(void)
{
	for (size_t i = 0; i < contents.count; i++)
		own_free(contents.list[i]);
	own_free(contents.list);
	contents.list = NULL;
	contents.count = 0;
}
