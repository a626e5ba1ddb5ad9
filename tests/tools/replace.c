/*
 * replace: snapshot/replacement.h with contents that a script can foresee (tests/planning.h).
 *
 *	replace begin SYSTEM [QUORUM]	what tests/planning.c plans: prepare, forward, finish
 *	replace prepare SYSTEM [QUORUM]	only the first of these
 *	replace resume SYSTEM [QUORUM]	with the journal that is found: forward, finish
 *	replace back SYSTEM [QUORUM]
 *
 * Where no journal is found, resume and back print "nothing" and do nothing. Each step is printed.
 * Exit status 0, or the kind of the error.
 */
#include <stdio.h>
#include <string.h>

#include "tests/planning.h"

static int failed(const struct error *err)
{
	fprintf(stderr, "replace: %s\n", err->text);
	return (int)err->kind;
}

static void tell(void *data, const char *step, const char *path)
{
	(void)data;
	printf("%s %s\n", step, path);
}

static bool begin(TALLOC_CTX *ctx, struct volume *const disks[JOURNAL_DISKS], bool all,
                  struct error *err)
{
	struct replacement *r;
	struct journal journal;
	struct bytes *contents;

	planning_journal(ctx, disks, planning_all, planning_all_count, &journal, &contents);
	r = replacement_new(ctx, disks, &journal, err);
	return r && replacement_prepare(r, contents, tell, NULL, err) &&
	       (!all || (replacement_forward(r, tell, NULL, err) && replacement_finish(r, err)));
}

static bool go_on(TALLOC_CTX *ctx, struct volume *const disks[JOURNAL_DISKS], bool back,
                  struct error *err)
{
	struct replacement *r;
	struct journal journal;
	bool found;

	if (!replacement_find(ctx, disks[JOURNAL_SYSTEM], PLANNING_CLUSTER, &journal, &found, err))
		return false;
	if (!found) {
		puts("nothing");
		return true;
	}
	r = replacement_new(ctx, disks, &journal, err);
	if (!r)
		return false;
	if (back)
		return replacement_back(r, tell, NULL, err);
	return replacement_forward(r, tell, NULL, err) && replacement_finish(r, err);
}

int main(int argc, char **argv)
{
	struct volume *disks[JOURNAL_DISKS] = { NULL };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err;
	bool done = true;

	if (argc < 3 || argc > 2 + JOURNAL_DISKS) {
		fprintf(stderr, "replace: wrong usage\n");
		return 2;
	}
	for (int i = 2; done && i < argc; i++) {
		disks[i - 2] = volume_open(ctx, argv[i], &err);
		done = disks[i - 2] != NULL;
	}
	if (done && strcmp(argv[1], "begin") == 0)
		done = begin(ctx, disks, true, &err);
	else if (done && strcmp(argv[1], "prepare") == 0)
		done = begin(ctx, disks, false, &err);
	else if (done)
		done = go_on(ctx, disks, strcmp(argv[1], "back") == 0, &err);
	talloc_free(ctx);
	return done ? 0 : failed(&err);
}
