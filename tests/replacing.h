/*
 * replacing: the disks of a node and a quorum for tests of snapshot/replacement.h, a restore
 * planned on them, and what must be there before and after it. The current directory holds both,
 * "s" and "q".
 */
#ifndef TESTS_REPLACING_H
#define TESTS_REPLACING_H

#include "tests/planning.h"
#include "tests/testing.h"

#define CLUSDB "s/Windows/Cluster/CLUSDB"
#define ASIDE "s/Windows/Cluster/" PLANNING_ASIDE
#define GUID_A "q/MSCS/11111111-2222-4333-8444-555555555555"
#define LOG1 "s/Windows/Cluster/CLUSDB.LOG1"
#define NEW ASIDE "/1-CLUSDB.clusnap-new"

/* Of the test that runs; all that is allocated on replacing.ctx goes when it ends. */
extern struct replacing {
	TALLOC_CTX *ctx;
	struct volume *disks[JOURNAL_DISKS];
	struct journal journal;
	struct bytes *contents;
	struct error err;
	char before[20000]; /* what is on both disks, as text */
} replacing;

int replacing_setup(void **state);
int replacing_teardown(void **state);
#define replacing_unit(f) cmocka_unit_test_setup_teardown(f, replacing_setup, replacing_teardown)

void replacing_run(const char *command);         /* must succeed */
void replacing_describe(char *out, size_t size); /* paths, kinds, modes, checksums */
bool replacing_there(const char *path);

/* The steps of a restore, with the journal and contents above. The first cannot fail. */
struct replacement *replacing_new(void);
bool replacing_prepare(struct replacement *r);
bool replacing_forward(struct replacement *r);
bool replacing_finish(struct replacement *r);
bool replacing_back(struct replacement *r);

void replacing_as_before(void);
void replacing_new_state(void);
void replacing_text(const char *path, const char *which, const char *name, uint32_t size);
void replacing_mode(const char *path, unsigned mode);
void replacing_failed(bool done, enum error_kind kind, const char *said);

/* --- replacing_states.c --- */

/* A test: back from wherever it was left. */
void replacing_back_from_anywhere(void **state);

/* There and back, the steps are told so: "STEP NAME\n" each. */
void replacing_tells(const char *steps);

/* What a crash, or somebody else, can leave. Where it is refused, nothing at all is changed. */
struct replacing_state {
	const char *made; /* by a shell, behind a finished prepare */
	enum error_kind forward, back;
	const char *said; /* of the one that fails; of forward if both do */
};
void replacing_states(void **state, const struct replacing_state *rows, unsigned count);

/* replacing_memory.c, a test: there is a way back whatever allocation fails on the way. */
void replacing_memory(void **state);

#define assert_done(x)                                                                             \
	do {                                                                                       \
		if (!(x))                                                                          \
			fail_msg("%s", replacing.err.text);                                        \
	} while (0)

#endif
