/* In place of shadow.c where clusnap is built without libvshadow (make DISKS=no). */
#include "checkpoint/disk/shadow.h"
#include "checkpoint/disk/shadow_header.h"

#ifdef WITHOUT_DISKS

struct shadow *shadow_open(TALLOC_CTX *ctx, struct medium *medium, struct error *err)
{
	uint64_t catalog;

	(void)ctx;
	if (!shadow_header(medium, &catalog, err))
		return NULL;
	if (catalog)
		error_set(err, ERROR_SOURCE,
		          "it has shadow copies, and this clusnap was built without libvshadow");
	else
		err->kind = ERROR_NONE;
	return NULL;
}

/* What follows is never reached: there is no struct shadow. */

uint32_t shadow_count(const struct shadow *shadow)
{
	(void)shadow;
	return 0;
}

uint64_t shadow_created(struct shadow *shadow, uint32_t number)
{
	(void)shadow;
	(void)number;
	return 0;
}

struct medium *shadow_medium(TALLOC_CTX *ctx, struct shadow *shadow, uint32_t number,
                             struct error *err)
{
	(void)ctx;
	(void)shadow;
	(void)number;
	error_memory(err);
	return NULL;
}

#endif
