/* Is a restore unfinished on a disk? The marker in one of its hives says so. */
#include "snapshot/restore/unfinished.h"

#include "hive/quote.h"
#include "snapshot/restore/legacy.h"
#include "snapshot/restore/marker.h"

static bool tell(TALLOC_CTX *tmp, struct copy *copy, const char *file, const struct marker *marker)
{
	char *undo = quote_word(tmp, marker->path), *path = quote_word(tmp, copy->path);
	size_t size = strlen(marker->path);

	if (!undo || !path)
		return false;
	problems_add(copy->problems, PROBLEM_FATAL, PROBLEM_NOWHERE, "restore-unfinished",
	             "a restore that began at %s is not finished: %s is not whole; `clusnap "
	             "restore --resume %s %s` finishes it, --rollback instead puts everything "
	             "back (that undo directory was made on the computer %s; its id begins with "
	             "%.16s)",
	             marker->begun, file, undo, path, marker->host, marker->undo);
	/* One that was too long for a sector is no path any more. */
	if (size < 3 || strcmp(marker->path + size - 3, "...") != 0)
		problems_hint(copy->problems, "restore-unfinished",
		              "clusnap restore --resume %s %s", undo, path);
	return true;
}

/* What cannot be read has no marker: others say what is wrong with it. */
static bool look(TALLOC_CTX *tmp, struct copy *copy, const char *file, bool *found,
                 struct error *err)
{
	uint8_t sector[TARGET_SECTOR] = { 0 };
	struct error why = { 0 };
	struct marker marker;
	size_t got;

	if (!volume_head(copy->system->volume, file, sector, sizeof(sector), &got, &why)) {
		if (why.kind != ERROR_INTERNAL)
			return true;
		*err = why;
		return false;
	}
	if (!marker_is(sector, sizeof(sector)))
		return true;
	*found = true;
	return (marker_read(tmp, sector, &marker) && tell(tmp, copy, file, &marker)) ||
	       error_memory(err);
}

bool unfinished_find(struct copy *copy, bool *found, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool done = tmp || error_memory(err);

	*found = false;
	for (unsigned i = 0; done && copy->system && i < SYSTEM_HIVES; i++) {
		const char *file = copy->system->hives[SYSTEM_HIVES - 1 - i]; /* CLUSDB first */

		if (file && !*found)
			done = look(tmp, copy, file, found, err);
	}
	talloc_free(tmp);
	return done && (!copy->system || legacy_status(copy, found, err));
}
