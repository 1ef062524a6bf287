#include "method.h"

#include <string.h>

#include "common/idl.h"

#define SERVICE_INTERFACE "org.varlink.service"

static method_handler get_info, get_interface_description;

static const struct method {
	const char *name;
	unsigned roles;			/* one of them is needed; 0: the
					 * handler sees whose budget it is */
	const char *who;		/* for the refusal */
	method_handler *run;
} methods[] = {
	{ LEDGER_INTERFACE ".Spend", 0, NULL, method_spend },
	{ LEDGER_INTERFACE ".TopUp", 0, NULL, method_topup },
	{ LEDGER_INTERFACE ".Refund", 0, NULL, method_refund },
	{ LEDGER_INTERFACE ".Reset", ROLE_CRON, "the cron role resets budgets", method_reset },
	{ LEDGER_INTERFACE ".Open", ROLE_MANAGER, "a manager opens budgets", method_open },
	{ LEDGER_INTERFACE ".Adjust", ROLE_MANAGER, "a manager adjusts budgets", method_adjust },
	{ LEDGER_INTERFACE ".Close", ROLE_MANAGER, "a manager closes budgets", method_close },
	{ LEDGER_INTERFACE ".Balance", 0, NULL, method_balance },
	{ LEDGER_INTERFACE ".Audit", 0, NULL, method_audit },
	{ LEDGER_INTERFACE ".Report", 0, NULL, method_report },
	{ LEDGER_INTERFACE ".Checkpoint", 0, NULL, method_checkpoint },
	{ LEDGER_INTERFACE ".Prove", 0, NULL, method_prove },
	{ LEDGER_INTERFACE ".Consistency", 0, NULL, method_consistency },
	{ LEDGER_INTERFACE ".Leaves", ROLE_MANAGER | ROLE_AUDITOR, "managers and auditors read all leaves",
	  method_leaves },
	{ LEDGER_INTERFACE ".Cosign", ROLE_AUDITOR, "an auditor is a witness", method_cosign },
	{ LEDGER_INTERFACE ".Status", 0, NULL, method_status },
	{ SERVICE_INTERFACE ".GetInfo", 0, NULL, get_info },
	{ SERVICE_INTERFACE ".GetInterfaceDescription", 0, NULL, get_interface_description },
};

static const struct interface {
	const char *name;
	const char *(*description)(void);
} interfaces[] = {
	{ SERVICE_INTERFACE, idl_service },
	{ LEDGER_INTERFACE, idl_ledger },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum err request_decode(struct request *request, const struct field *fields, void *out, size_t size)
{
	struct problem problem;

	if (!json_decode(request->parameters, fields, out, size, false, &problem))
		return ERR_NONE;
	return refuse_words(request->refusal, ERR_MALFORMED, problem.parameter, "%s", problem.text);
}

/* Names from outside are told back only when they fit. */
static enum err refuse_name(struct refusal *refusal, enum err code, const char *name)
{
	refuse(refusal, code);
	if (strlen(name) < sizeof(refusal->name))
		strcpy(refusal->name, name);
	else
		strcpy(refusal->name, "(a name of over 127 bytes)");
	return code;
}

/* The method's name up to its last dot. */
static enum err refuse_interface(struct refusal *refusal, const char *name, const char *dot)
{
	refuse_name(refusal, ERR_INTERFACE_NOT_FOUND, name);
	if (dot && (size_t)(dot - name) < strlen(refusal->name))
		refusal->name[dot - name] = '\0';
	return refusal->code;
}

enum err method_run(const char *name, struct request *request)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < COUNT(methods); i++) {
		const struct method *method = &methods[i];

		if (strcmp(name, method->name))
			continue;
		if (method->roles && !(request->actor->roles & method->roles))
			return refuse_words(request->refusal, ERR_NOT_PERMITTED, "",
					    "%s; you are uid %lld, without that role", method->who,
					    (long long)request->actor->uid);
		return method->run(request);
	}
	for (size_t i = 0; dot && i < COUNT(interfaces); i++)
		if (strlen(interfaces[i].name) == (size_t)(dot - name) &&
		    !strncmp(name, interfaces[i].name, (size_t)(dot - name)))
			return refuse_name(request->refusal, ERR_METHOD_NOT_FOUND, name);
	return refuse_interface(request->refusal, name, dot);
}

/* ---- org.varlink.service ---- */

static const struct field no_fields[] = { FIELDS_END };

static enum err get_info(struct request *request)
{
	struct buf *reply = request->reply;
	char nothing;
	enum err err = request_decode(request, no_fields, &nothing, sizeof(nothing));

	if (err)
		return err;
	json_open(reply, NULL, '{');
	json_str(reply, "vendor", "fundd");
	json_str(reply, "product", "fundd, the empowerment fund's ledger");
	json_str(reply, "version", VERSION);
	json_str(reply, "url", "https://varlink.org");
	json_open(reply, "interfaces", '[');
	for (size_t i = 0; i < COUNT(interfaces); i++)
		json_str(reply, NULL, interfaces[i].name);
	json_close(reply, ']');
	json_close(reply, '}');
	return ERR_NONE;
}

struct description_request {
	const char *interface;
};

static const struct field description_fields[] = {
	{ "interface", FIELD_STRING, offsetof(struct description_request, interface),
	  FIELD_REQUIRED, 256 },
	FIELDS_END
};

static enum err get_interface_description(struct request *request)
{
	struct description_request wanted;
	enum err err = request_decode(request, description_fields, &wanted, sizeof(wanted));

	if (err)
		return err;
	for (size_t i = 0; i < COUNT(interfaces); i++) {
		if (strcmp(wanted.interface, interfaces[i].name))
			continue;
		json_open(request->reply, NULL, '{');
		json_str(request->reply, "description", interfaces[i].description());
		json_close(request->reply, '}');
		return ERR_NONE;
	}
	return refuse_name(request->refusal, ERR_INTERFACE_NOT_FOUND, wanted.interface);
}
