#include "idl.h"

/* The assembler takes the file's bytes in, and a NUL behind them. */
#define EMBED(name, path) \
	__asm__(".pushsection .rodata\n" \
		".global " #name "\n" \
		".hidden " #name "\n" \
		#name ":\n" \
		".incbin \"" path "\"\n" \
		".byte 0\n" \
		".popsection\n"); \
	extern const char name[] __attribute__((visibility("hidden")))

EMBED(idl_ledger_text, "common/io.fundd.Ledger.varlink");
EMBED(idl_service_text, "common/org.varlink.service.varlink");

const char *idl_ledger(void)
{
	return idl_ledger_text;
}

const char *idl_service(void)
{
	return idl_service_text;
}
