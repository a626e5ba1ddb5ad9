/* batch_format: [MS-CMRP] 2.2.3.17 as it lies in a transaction. Not for callers of batch.h. */
#ifndef SNAPSHOT_BATCH_FORMAT_H
#define SNAPSHOT_BATCH_FORMAT_H

#include "hive/bytes.h"

#define BATCH_VERSION 1u

/* CLUSTER_REG_COMMAND; those that a log of changes needs */
enum batch_command {
	BATCH_SET_VALUE = 1,
	BATCH_CREATE_KEY = 2,
	BATCH_DELETE_KEY = 3,
	BATCH_DELETE_VALUE = 4,
};

struct batch_start {
	le32 version; /* 0x00 */
};

struct batch_head {
	le32 command;   /* 0x00 */
	le32 type;      /* 0x04: REG_*, of SET_VALUE */
	le32 name_size; /* 0x08: bytes, with the NUL */
			/* name, le32 data size, data, padding to a multiple of 2 */
};
_Static_assert(sizeof(struct batch_head) == 12, "");

#endif
