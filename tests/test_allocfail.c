/* Reading, opening and saving a hive when each of their allocations fails once. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/cluster.h"
#include "checkpoint/disk/system.h"
#include "hive/hive.h"
#include "hive/save.h"
#include "snapshot/places.h"
#include "tests/allocfail.h"
#include "tests/builder.h"
#include "tests/random_tree.h"
#include "tests/recovering.h"
#include "tests/testing.h"

static char *directory, *hive_file;

static int make_hive(void **state)
{
	struct builder *b = random_tree(NULL, 6, RANDOM_SMALL);

	directory = testing_directory();
	if (asprintf(&hive_file, "%s/hive", directory) < 0)
		abort();
	builder_write_file(b, hive_file);
	talloc_free(b);
	return testing_begin(state);
}

static int remove_hive(void **state)
{
	testing_remove(directory);
	free(hive_file);
	return testing_end(state);
}

/* --- the harness itself --- */

static void *leaked;

static bool three_blocks(void *data, struct error *err)
{
	bool *leak = data;
	char *a = talloc_strdup(NULL, "a"), *b = a ? talloc_array(a, char, 10000) : NULL;
	char *c = b ? talloc_realloc(a, b, char, 1000000) : NULL;

	if (c || !*leak)
		talloc_free(a);
	else
		leaked = a;
	return c ? true : error_memory(err);
}

static bool wrong_kind(void *data, struct error *err)
{
	void *block = malloc(100);

	(void)data;
	free(block);
	return block ? true : error_set(err, ERROR_SOURCE, "the hive is damaged");
}

static void the_harness_counts_and_finds(void **state)
{
	bool leak = false;

	(void)state;
	assert_int_equal(allocfail_run(three_blocks, &leak, 0), 6); /* three in each series */
	print_message("# two complaints follow, as they should\n");
	leak = true;
	assert_int_equal(allocfail_run(three_blocks, &leak, 0), -1);
	assert_int_equal(allocfail_run(wrong_kind, NULL, 0), -1);
	assert_int_equal(allocfail_run(wrong_kind, NULL, ALLOCFAIL_ANY_KIND), 2);
	talloc_free(leaked);
}

/* --- what is tested with it --- */

/* Tries the body, and says how much that was. */
static void run_out(allocfail_body *body, void *data, unsigned flags, int least)
{
	int points = allocfail_run(body, data, flags);

	if (points > 0)
		print_message("# %d failures\n", points);
	assert_in_range(points, least, 100000);
}

static bool names(void *data, struct error *err)
{
	static const char text[] = "na\xc3\xafve \xd0\x96 \xf0\x9f\x92\xbe";
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct name n;
	bool done = tmp && name_from_utf8(tmp, text, strlen(text), &n);
	char *back = done ? name_to_utf8(tmp, n) : NULL;

	(void)data;
	if (back)
		assert_string_equal(back, text);
	talloc_free(tmp);
	return back ? true : error_memory(err);
}

static bool read_image(void *data, struct error *err)
{
	struct image *image = image_read(NULL, AT_FDCWD, data, err);

	if (!image)
		return false;
	assert_memory_equal(image->bytes.data, "regf", 4);
	talloc_free(image);
	return true;
}

static bool open_hive(void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct source *source = NULL;
	struct hive *hive = NULL;

	if (!tmp)
		return error_memory(err);
	source = source_read_path(tmp, data, err);
	if (source)
		hive = hive_open(tmp, source, NULL, err);
	if (hive)
		hive_in_hivex(hive); /* or not: it tries */
	talloc_free(tmp);
	return hive != NULL;
}

/* What is there must be found and what is not must not: want of memory is neither. */
static bool find(void *data, struct error *err)
{
	const struct hive *hive = data;
	struct hive_value value, none;
	struct hive_key key, absent;

	if (!hive_find(hive, NULL, "one\\T\xc3\xbcr", &key, err) ||
	    !hive_find(hive, NULL, "One\\Two", &absent, err))
		return false;
	assert_int_not_equal(key.cell, REGF_NIL);
	assert_int_equal(absent.cell, REGF_NIL);
	if (!hive_find_value(hive, &key, "na\xc3\xafve", &value, err) ||
	    !hive_find_value(hive, &key, "other", &none, err))
		return false;
	assert_int_not_equal(value.cell, REGF_NIL);
	assert_int_equal(none.cell, REGF_NIL);
	return true;
}

struct saved {
	const struct hive *hive;
	struct bytes right;
};

static bool save_root(void *data, struct error *err)
{
	struct saved *saved = data;
	struct hive_key root;
	struct image *image;

	if (!hive_root(saved->hive, &root, err))
		return false;
	image = save_subtree(NULL, saved->hive, &root, NULL, NULL, err);
	if (!image)
		return false;
	assert_true(bytes_equal(image->bytes, saved->right));
	talloc_free(image);
	return true;
}

/* With the writing thread, and hivex in another one. */
static bool save_whole_file(void *data, struct error *err)
{
	struct saved *saved = data;
	struct save_count count;
	struct hive_key root;
	uint64_t size = 0;
	struct image *image;
	struct error ignored;
	char *out;

	if (!hive_root(saved->hive, &root, err))
		return false;
	allocfail_pause();
	out = talloc_asprintf(NULL, "%s/saved", directory);
	allocfail_resume();
	if (!save_file(saved->hive, &root, NULL, out, &count, &size, err)) {
		talloc_free(out);
		return false;
	}
	allocfail_pause();
	image = image_read(NULL, AT_FDCWD, out, &ignored);
	assert_non_null(image);
	assert_int_equal(size, saved->right.size);
	assert_true(bytes_equal(image->bytes, saved->right));
	talloc_free(image);
	unlink(out);
	talloc_free(out);
	allocfail_resume();
	return true;
}

/* A cluster's database and its checkpoints; what is read must be all there is. */
static bool read_cluster(void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct source *source = tmp ? source_read_path(tmp, data, err) : NULL;
	struct hive *hive = source ? hive_open(tmp, source, NULL, err) : NULL;
	struct cluster cluster;
	struct checkpoints points;
	bool done = hive && cluster_read(tmp, hive, &cluster, err) &&
	            checkpoints_read(tmp, &cluster, NULL, &points, err);

	if (!tmp)
		return error_memory(err);
	if (done) {
		assert_int_equal(points.count, 10);
		assert_int_equal(points.overlap_count, 1);
	}
	talloc_free(tmp);
	return done;
}

/* The same on a node's disk, where the checkpoints' keys and containers are looked for. */
static bool read_node(void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct system *system = tmp ? system_open(tmp, data, NULL, err) : NULL;
	struct hive *hive = system ? system_hive(system, SYSTEM_CLUSTER, err) : NULL;
	struct cluster cluster;
	struct checkpoints points;
	bool done = hive && cluster_read(tmp, hive, &cluster, err) &&
	            checkpoints_read(tmp, &cluster, system, &points, err);

	if (!tmp)
		return error_memory(err);
	if (done) {
		assert_int_equal(system->state, NODE_NOT_RUNNING);
		assert_true(system->state_known);
		assert_int_equal(points.count, 10);
		if (!points.problems->lost) /* which says that the list is not all there is */
			assert_int_equal(points.problems->count, 5);
	}
	talloc_free(tmp);
	return done;
}

/* The three places of a checkpoint, without the snapshot. */
static bool compare_places(void *data, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct system *system = tmp ? system_open(tmp, data, NULL, err) : NULL;
	struct hive *hive = system ? system_hive(system, SYSTEM_CLUSTER, err) : NULL;
	struct cluster cluster;
	struct checkpoints points;
	struct places *places;
	struct places_options options = { .live = system,
		                          .quorum = "testdata/quorum-2003",
		                          .cluster = &cluster };
	unsigned equal = 0;
	bool done = hive && cluster_read(tmp, hive, &cluster, err) &&
	            checkpoints_read(tmp, &cluster, NULL, &points, err) &&
	            places_compare(tmp, &options, &points, &places, err);

	if (!tmp)
		return error_memory(err);
	for (uint32_t i = 0; done && i < points.count; i++) {
		assert_int_equal(places[i].damaged, 0);
		equal += places[i].verdict == PLACES_EQUAL;
	}
	assert_int_equal(equal, done ? 6 : 0);
	talloc_free(tmp);
	return done;
}

static void places_run_out_of_memory(void **state)
{
	(void)state;
	run_out(compare_places, (char[]){ "testdata/node-2003" }, ALLOCFAIL_SPARSE, 100);
}

static void a_node_runs_out_of_memory(void **state)
{
	(void)state;
	run_out(read_node, (char[]){ "testdata/node-2003" }, ALLOCFAIL_SPARSE, 100);
}

static void a_cluster_runs_out_of_memory(void **state)
{
	(void)state;
	run_out(read_cluster, (char[]){ "testdata/node-2019/Windows/Cluster/CLUSDB" },
	        ALLOCFAIL_SPARSE, 100);
}

static void names_run_out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(allocfail_run(names, NULL, 0), 6);
}

static void an_image_runs_out_of_memory(void **state)
{
	(void)state;
	run_out(read_image, hive_file, 0, 2);
}

static void opening_runs_out_of_memory(void **state)
{
	(void)state;
	run_out(open_hive, hive_file, 0, 20);
}

static void finding_runs_out_of_memory(void **state)
{
	struct builder *b = builder_new(NULL);
	struct builder_key *key = builder_path(b, "One\\T\xc3\xbcr");
	struct error err = { 0 };
	struct source *source;
	struct hive *hive;
	uint8_t *image;
	size_t size;

	(void)state;
	builder_string(key, "Na\xc3\xafve", "text");
	image = builder_write(b, &size);
	source = recovering_source(image, size);
	hive = hive_open(source, source, NULL, &err);
	assert_non_null(hive);
	assert_true(hive_in_hivex(hive)); /* its memfd is there before descriptors are counted */
	run_out(find, hive, 0, 10);
	talloc_free(source);
	talloc_free(image);
	talloc_free(b);
}

static void saving_runs_out_of_memory(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;
	struct source *source = source_read_path(tmp, hive_file, &err);
	struct saved saved = { hive_open(tmp, source, NULL, &err), { 0 } };
	struct hive_key root;
	struct image *image;

	(void)state;
	assert_non_null(saved.hive);
	assert_true(hive_root(saved.hive, &root, &err));
	image = save_subtree(tmp, saved.hive, &root, NULL, NULL, &err);
	assert_non_null(image);
	saved.right = image->bytes;
	run_out(save_root, &saved, 0, 10);
	run_out(save_whole_file, &saved, 0, 20);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_harness_counts_and_finds),
		testing_unit(names_run_out_of_memory),
		testing_unit(an_image_runs_out_of_memory),
		testing_unit(opening_runs_out_of_memory),
		testing_unit(finding_runs_out_of_memory),
		testing_unit(saving_runs_out_of_memory),
		testing_unit(a_cluster_runs_out_of_memory),
		testing_unit(a_node_runs_out_of_memory),
		testing_unit(places_run_out_of_memory),
	};

	return cmocka_run_group_tests(tests, make_hive, remove_hive);
}
