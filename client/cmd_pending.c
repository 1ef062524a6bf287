#include <string.h>

#include "command.h"
#include "render.h"
#include "tell.h"

struct pending_options {
	bool send, drop;
};

static const struct option_row pending_options[] = {
	{ "send", NULL, offsetof(struct pending_options, send), NULL, "ask for the answers again" },
	{ "drop", NULL, offsetof(struct pending_options, drop), NULL, "forget them" },
	OPTIONS_END
};

static void show(const struct fund *fund, const struct pending *p)
{
	struct buf line = BUF_INIT;

	if (fund->json) {
		json_open(&line, NULL, '{');
		json_str(&line, "id", p->id);
		json_str(&line, "line", p->request.line);
		json_int(&line, "at", p->request.at.value);
		json_str(&line, "socket", p->request.socket);
		json_close(&line, '}');
	} else {
		buf_printf(&line, "%s  %s", p->id, p->request.line);
		if (strcmp(p->request.socket, fund->socket))
			buf_printf(&line, "  (sent to %s)", p->request.socket);
	}
	buf_char(&line, '\n');
	print_text(&line);
}

static enum exit_status one(struct fund *fund, const struct pending_options *options,
			    struct pending *p)
{
	if (options->drop) {
		tell("forgotten: %s; fund audit shows whether it was recorded", p->request.line);
		pending_drop(p);
		return EXIT_OK;
	}
	if (options->send && !strcmp(p->request.socket, fund->socket))
		return request_again(fund, p);
	show(fund, p);
	if (options->send)
		tell("not asked for again here: fund --socket %s pending --send",
		     p->request.socket);
	pending_release(p);
	return EXIT_OK;
}

static enum exit_status one_of(struct fund *fund, const struct pending_options *options,
			       const char *id)
{
	struct problem problem;
	struct pending p;

	switch (pending_load(id, &p, &problem)) {
	case PENDING_LOADED:
		return one(fund, options, &p);
	case PENDING_DAMAGED:
		tell("pending request %s is damaged: %s", id, problem.text);
		if (options->drop)
			pending_drop(&p);
		else
			pending_release(&p);
		break;
	case PENDING_BUSY:
		tell("another fund is asking for %s just now", p.request.line);
		pending_release(&p);
		break;
	case PENDING_GONE:
		break;
	}
	return EXIT_OK;
}

static enum exit_status pending_run(struct fund *fund, int argc, char **argv)
{
	struct pending_options options = { false, false };
	char **ids;
	size_t count;
	int first = command_begin(fund, &cmd_pending, &options, argc, argv);
	enum exit_status end = EXIT_OK;

	if (first < 0)
		return command_over(fund);
	if (first < argc || (options.send && options.drop))
		return usage_error(&cmd_pending, "either --send or --drop");
	if (options.send)
		end = fund_connect(fund);
	if (end != EXIT_OK)
		return end;
	count = pending_list(&ids);
	for (size_t i = 0; i < count; i++) {
		enum exit_status this = one_of(fund, &options, ids[i]);

		end = this == EXIT_OK ? end : this;
	}
	pending_list_free(ids, count);
	if (!count && !fund->json)
		tell("nothing is pending: every answer came");
	return end;
}

const struct command cmd_pending = {
	"pending", "[--send | --drop]", "Requests whose answers were lost", pending_options, pending_run
};
