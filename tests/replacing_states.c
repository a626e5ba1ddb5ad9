/* Tests that a restore has to pass wherever its files lie: see replacing.h. */
#include <stdio.h>
#include <string.h>

#include "tests/replacing.h"

void replacing_back_from_anywhere(void **state)
{
	(void)state;
	for (int calls = 0; calls <= 3; calls++) {
		struct replacement *r = replacing_new();

		assert_done(calls < 1 || replacing_prepare(r));
		assert_done(calls < 2 || replacing_forward(r));
		assert_done(calls < 3 || replacing_finish(r));
		assert_done(replacing_back(r));
		replacing_as_before();
		assert_done(replacing_back(r));
		replacing_as_before();
		talloc_free(r);
	}
}

static char told[4000];

static void tell(void *data, const char *step, const char *path)
{
	assert_ptr_equal(data, told);
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s %s\n", step,
	         strrchr(path, '/') + 1);
}

void replacing_tells(const char *steps)
{
	struct replacement *r = replacing_new();

	told[0] = '\0';
	assert_done(replacement_prepare(r, replacing.contents, tell, told, &replacing.err));
	assert_done(replacement_forward(r, tell, told, &replacing.err));
	assert_done(replacement_back(r, tell, told, &replacing.err));
	assert_string_equal(told, steps);
	replacing_as_before();
}

static void try(const struct replacing_state *row, bool go_back)
{
	enum error_kind kind = go_back ? row->back : row->forward;
	struct replacement *r = replacing_new();
	static char made[20000], after[20000];
	bool done;

	assert_done(replacing_prepare(r));
	replacing_run(row->made);
	replacing_describe(made, sizeof(made));
	done = go_back ? replacing_back(r) : replacing_forward(r) && replacing_finish(r);
	if (kind != ERROR_NONE) {
		if (done)
			fail_msg("%s: accepted", row->made);
		if (replacing.err.kind != kind ||
		    (!go_back && !strstr(replacing.err.text, row->said)))
			fail_msg("%s: kind %d: %s", row->made, replacing.err.kind,
			         replacing.err.text);
		replacing_describe(after, sizeof(after));
		assert_string_equal(after, made);
	} else if (!done) {
		fail_msg("%s: %s", row->made, replacing.err.text);
	}
	talloc_free(r);
}

void replacing_states(void **state, const struct replacing_state *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		try(&rows[i], false);
		/* (a copy that is gone cannot be had back, and is in nobody's way) */
		if (rows[i].forward == ERROR_NONE && rows[i].back == ERROR_NONE)
			replacing_new_state();
		replacing_teardown(state);
		replacing_setup(state);
		try(&rows[i], true);
		if (rows[i].back == ERROR_NONE)
			replacing_as_before();
		replacing_teardown(state);
		replacing_setup(state);
	}
}
