/* quolog_payload: reads the payloads of quolog.log, for quolog_read.c alone. */
#ifndef SNAPSHOT_QUOLOG_PAYLOAD_H
#define SNAPSHOT_QUOLOG_PAYLOAD_H

#include "snapshot/quolog.h"

/* Why reading ended. Want of memory is no damage. */
struct ending {
	char why[RECORD_WHY];
	bool no_memory;
};

/* Both return false. */
bool quolog_payload_damaged(struct ending *ending, const char *text);
bool quolog_payload_no_memory(struct ending *ending);

/* Strings and files are allocated on the log, or on CTX. */
bool quolog_payload_read_header(struct quolog *log, const struct record *record,
                                struct ending *ending);
bool quolog_payload_read_checkpoint(TALLOC_CTX *ctx, const struct record *record,
                                    struct quolog_checkpoint *out, struct ending *ending);
bool quolog_payload_read_transaction(const struct record *record, struct quolog_transaction *out,
                                     struct ending *ending);
bool quolog_payload_read_manifest(struct quolog *log, const struct record *record,
                                  struct ending *ending);

#endif
