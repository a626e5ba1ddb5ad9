/* publish_dir: the structure behind publish.h's directory. Not for callers of publish.h. */
#ifndef HIVE_PUBLISH_DIR_H
#define HIVE_PUBLISH_DIR_H

#include "hive/publish.h"
#include "hive/publish_place.h"

struct publish_dir {
	struct publish_place *place;
	char *new, *old, *gone; /* names beside PATH; what stands there: see publish_dir.c */
	int fd;                 /* the directory being built, locked; -1 before there is one */
	int target;             /* what stands at PATH, locked; -1 if nothing does */
	bool target_empty;
	publish_may_replace_fn *may_replace;
	char **subdirectories; /* made so far; a talloc array */
	bool private;
	bool keep; /* what stands under NEW is no longer ours to remove */
	char *warning;
};

/*
 * Takes the name NEW, heals what a killed run left, opens and locks PATH. publish_dir_heal.c
 */
bool publish_dir_take(struct publish_dir *dir, struct error *err);

/* Moves NAME to GONE and removes it. */
bool publish_dir_discard(struct publish_dir *dir, const char *name, struct error *err);

#endif
