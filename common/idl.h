/*
 * The interfaces' own descriptions, as GetInterfaceDescription serves them: the .varlink files
 * beside this one, byte for byte, taken in when this is compiled (from the repository's root).
 */
#ifndef COMMON_IDL_H
#define COMMON_IDL_H

const char *idl_ledger(void);	/* io.fundd.Ledger */
const char *idl_service(void);	/* org.varlink.service */

#endif
