/* A whole restore and its way back, with every allocation failing in turn. */
#include "tests/allocfail.h"
#include "tests/replacing.h"

static bool all_of_it(void *data, struct error *error)
{
	struct replacement *r = replacement_new(NULL, replacing.disks, &replacing.journal, error);
	struct journal found;
	TALLOC_CTX *tmp = talloc_new(NULL);
	bool any, done;

	(void)data;
	done = r && tmp && replacement_prepare(r, replacing.contents, NULL, NULL, error) &&
	       replacement_find(tmp, replacing.disks[0], "Windows/Cluster", &found, &any, error) &&
	       replacement_forward(r, NULL, NULL, error) && replacement_finish(r, error) &&
	       replacement_back(r, NULL, NULL, error);
	if (!tmp)
		error_memory(error);
	talloc_free(tmp);
	talloc_free(r);
	/* whatever failed, there is a way back */
	allocfail_pause();
	r = replacing_new();
	assert_done(replacing_back(r));
	talloc_free(r);
	if (!replacing_there(CLUSDB) || replacing_there(NEW) || replacing_there(ASIDE))
		fail_msg("not as it was: %s", error->text);
	allocfail_resume();
	return done;
}

void replacing_memory(void **state)
{
	int points;

	(void)state;
	planning_journal(replacing.ctx, replacing.disks, planning_all, 2, &replacing.journal,
	                 &replacing.contents);
	points = allocfail_run(all_of_it, NULL, ALLOCFAIL_SPARSE);
	print_message("# %d failures\n", points);
	assert_in_range(points, 100, 100000);
	replacing_as_before();
}
