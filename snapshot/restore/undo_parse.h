/* undo_parse: the text of a plan as JSON, believed only if memory did not fail. */
#ifndef SNAPSHOT_RESTORE_UNDO_PARSE_H
#define SNAPSHOT_RESTORE_UNDO_PARSE_H

#include <jansson.h>

#include "snapshot/restore/undo.h"

/* ERROR_SOURCE if it is no JSON, or has more bytes than any plan. To be given back by
 * json_decref(). */
json_t *undo_parse(struct bytes text, struct error *err);

#endif
