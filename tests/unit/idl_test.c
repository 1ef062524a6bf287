#include <stdlib.h>

#include "common/err.h"
#include "common/idl.h"
#include "tap.h"

/* The file's text; run from the repository's root, as the tests are. */
static char *file_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

static void test_files(void)
{
	char *ledger = file_text("common/io.fundd.Ledger.varlink");
	char *service = file_text("common/org.varlink.service.varlink");

	ok(ledger && !strcmp(idl_ledger(), ledger), "the ledger's description is its file");
	ok(service && !strcmp(idl_service(), service), "the service's description is its file");
	free(ledger);
	free(service);
}

/* Comments, then the interface's line; plain text to the last newline. */
static void check_text(const char *text, const char *interface)
{
	size_t len = strlen(text);
	const char *line = text;

	while (*line == '#')
		line = strchr(line, '\n') + 1;
	ok(!strncmp(line, interface, strlen(interface)), "begins: %.*s",
	   (int)strcspn(interface, "\n"), interface);
	ok(len && text[len - 1] == '\n', "ends with a newline");
	ok(!strpbrk(text, "\t\r\x1b\x7f"), "is plain text");
}

static void test_texts(void)
{
	check_text(idl_ledger(), "interface io.fundd.Ledger\n");
	check_text(idl_service(), "interface org.varlink.service\n");
}

static bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n');
}

static void test_service(void)
{
	static const char *const lines[] = {
		"method GetInfo() -> (vendor: string, product: string, version: string, ",
		"method GetInterfaceDescription(interface: string) -> (description: string)\n",
		"error InterfaceNotFound (interface: string)\n",
		"error MethodNotFound (method: string)\n",
		"error MethodNotImplemented (method: string)\n",
		"error InvalidParameter (parameter: string)\n",
		"error PermissionDenied ()\n",
		"error ExpectedMore ()\n",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ok(has_line(idl_service(), lines[i]), "has %.*s",
		   (int)strcspn(lines[i], "\n"), lines[i]);
}

/* Every refusal the programs know stands in the description of its interface. */
static void test_errors(void)
{
	int code;

	for (code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		const char *name = err_name((enum err)code), *dot = strrchr(name, '.');
		char line[128];

		snprintf(line, sizeof(line), "error %s (", dot ? dot + 1 : "?");
		ok(has_line(strncmp(name, "org.", 4) ? idl_ledger() : idl_service(), line),
		   "describes %s", name);
	}
}

int main(void)
{
	test_files();
	test_texts();
	test_service();
	test_errors();
	return done_testing();
}
