/* Large hives: looking around without hivex and with it; diff in two threads and in one. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hive/diff.h"
#include "hive/hive.h"
#include "tests/builder.h"
#include "tests/recovering.h"
#include "tests/testing.h"

#define GROUPS 100u
#define KEYS 4000u

/* 20 MB. */
static struct builder *build(void)
{
	static const uint8_t data[5000] = { 1, 2, 3 };
	struct builder *b = builder_new(NULL);

	for (unsigned i = 0; i < KEYS; i++) {
		char name[60];

		snprintf(name, sizeof(name), "Group %u\\Key %u", i % GROUPS, i);
		builder_value(builder_path(b, name), "Data", 3, data, sizeof(data));
	}
	return b;
}

/* All keys below the root and one value of each, in one number; they must be as built. */
static uint64_t look_around(const struct hive *hive)
{
	TALLOC_CTX *ctx = talloc_new(NULL);
	uint32_t *groups, group_count, *keys, count;
	uint64_t sum = 0;
	struct hive_key root, group, key;
	struct hive_value value;
	struct error err;

	assert_true(hive_root(hive, &root, &err));
	assert_true(hive_subkeys(ctx, hive, &root, &groups, &group_count, &err));
	assert_int_equal(group_count, GROUPS);
	for (unsigned i = 0; i < GROUPS; i++) {
		assert_true(hive_key_at(hive, groups[i], &group, &err));
		assert_true(hive_subkeys(ctx, hive, &group, &keys, &count, &err));
		assert_int_equal(count, KEYS / GROUPS);
		for (unsigned k = 0; k < count; k++) {
			assert_true(hive_key_at(hive, keys[k], &key, &err));
			assert_true(hive_find_value(hive, &key, "data", &value, &err));
			sum = 31 * sum + keys[k] + value.cell;
		}
	}
	assert_true(hive_find(hive, NULL, "group 7\\KEY 307", &key, &err));
	assert_int_not_equal(key.cell, REGF_NIL);
	assert_true(hive_find(hive, NULL, "Group 7\\Key 308", &group, &err));
	assert_int_equal(group.cell, REGF_NIL);
	talloc_free(ctx);
	return sum + key.cell;
}

static void the_same_without_hivex(void **state)
{
	struct builder *b = build();
	struct error err;
	struct source *source;
	struct hive *hive;
	uint8_t *image;
	uint64_t found;
	size_t size;

	(void)state;
	image = builder_write(b, &size);
	assert_true(size > 17 << 20);
	source = recovering_source(image, size);
	hive = hive_open(source, source, NULL, &err);
	assert_non_null(hive);
	found = look_around(hive);
	assert_int_equal(hive_image(hive)->fd, -1); /* nobody needed a memfd */
	assert_true(hive_in_hivex(hive));
	assert_int_not_equal(hive_image(hive)->fd, -1);
	assert_true(look_around(hive) == found);
	hive_rest(hive);
	assert_true(look_around(hive) == found);
	talloc_free(source);
	talloc_free(image);
	talloc_free(b);
}

/* --- diff --- */

#define BRANCHES 10u /* of TWIGS, of LEAVES keys each */
#define TWIGS 20u
#define LEAVES 20u

static uint32_t mix(uint32_t i, uint32_t version)
{
	i = (i + 1) * 2654435761u ^ version * 0x9e3779b1u;
	i ^= i >> 15;
	i *= 0x2c1b3c6du;
	return i ^ i >> 13;
}

/* One of 4,000 keys, which differs in CHANGED of 1,000 cases from that of version 0; if in all,
 * then in its data. */
static void grow(struct builder *b, uint32_t i, unsigned version, unsigned changed)
{
	uint8_t data[5000] = { (uint8_t)i, (uint8_t)(i >> 8) };
	uint32_t chance = mix(i, version);
	unsigned how = chance % 1000 >= changed ? 0 : changed == 1000 ? 3 : 1 + chance / 1000 % 4;
	struct builder_key *key;
	char path[80];

	if (how == 1)
		return; /* it is gone */
	snprintf(path, sizeof(path), "Branch %u\\Twig %u\\%s %u", i / (TWIGS * LEAVES),
	         i / LEAVES % TWIGS, how == 2 ? "LEAF" : "Leaf", i % LEAVES);
	key = builder_path(b, path);
	data[4999] = (uint8_t)(how == 3 ? version : 0);
	builder_value(key, "Data", 3, data, sizeof(data));
	if (how == 4)
		builder_value(builder_path(b, strcat(path, "\\New")), "", 1, "a", 2);
}

/* More than 20 MB, of which CHANGED in 1,000 keys are not as in version 0. */
static struct hive *grown(TALLOC_CTX *ctx, unsigned version, unsigned changed, uint32_t shuffle)
{
	struct builder *b = builder_new(NULL);
	struct source *source;
	struct hive *hive;
	struct error err;
	uint8_t *image;
	size_t size;

	for (uint32_t i = 0; i < BRANCHES * TWIGS * LEAVES; i++)
		grow(b, i, version, changed);
	b->shuffle = shuffle;
	image = builder_write(b, &size);
	source = talloc_steal(ctx, recovering_source(image, size));
	hive = hive_open(source, source, NULL, &err);
	assert_non_null(hive);
	talloc_free(image);
	talloc_free(b);
	return hive;
}

static unsigned threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

struct heard {
	uint64_t sum; /* of all changes in their order */
	unsigned count;
	unsigned enough;  /* after so many */
	unsigned threads; /* at the first change */
};

static void add(struct heard *heard, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		heard->sum = (heard->sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
	heard->sum = (heard->sum ^ size) * 1099511628211u;
}

static bool hear(void *data, const struct change *change, struct error *err)
{
	struct heard *heard = data;

	if (heard->count == 0)
		heard->threads = threads();
	add(heard, &change->op, sizeof(change->op));
	add(heard, change->key, strlen(change->key));
	add(heard, change->name ? change->name : "-", change->name ? strlen(change->name) : 1);
	add(heard, &change->type, sizeof(change->type));
	add(heard, change->data.data, change->data.size);
	add(heard, &change->replaces, sizeof(change->replaces));
	add(heard, change->old_data.data, change->old_data.size);
	if (++heard->count == heard->enough)
		return error_set(err, ERROR_DESTINATION, "enough");
	return true;
}

static bool listen(const struct hive *a, const struct hive *b, bool one_thread, struct heard *heard)
{
	struct diff_options options = { .one_thread = one_thread };
	struct hive_key key_a, key_b;
	struct error err = { 0 };
	bool good;

	heard->sum = 0;
	heard->count = 0;
	assert_true(hive_root(a, &key_a, &err) && hive_root(b, &key_b, &err));
	good = diff_subtrees(a, &key_a, b, &key_b, &options, hear, heard, &err);
	assert_true(good ? !heard->enough || heard->count < heard->enough
	                 : err.kind == ERROR_DESTINATION);
	return good;
}

/* Both ways give the same changes in the same order; gives how many. */
static unsigned both_ways(const struct hive *a, const struct hive *b)
{
	struct heard one = { 0 }, two = { 0 };

	assert_true(listen(a, b, true, &one));
	assert_true(listen(a, b, false, &two));
	assert_int_equal(one.count, two.count);
	assert_true(one.sum == two.sum);
	return one.count;
}

/* Also where the cells lie in no order, and the two halves are none. */
static void the_same_in_two_threads(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hive *old = grown(tmp, 0, 0, 0), *shuffled = grown(tmp, 0, 0, 5);

	(void)state;
	for (unsigned version = 1; version <= 3; version++) {
		struct hive *new = grown(tmp, version, 20 * version, version - 1);

		assert_true(both_ways(old, new) > 50 * version);
		both_ways(new, old);
		both_ways(shuffled, new);
	}
	assert_int_equal(both_ways(old, shuffled), 0);
	talloc_free(tmp);
}

/* The second thread finds more than it may keep, and waits. */
static void more_than_is_kept(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hive *old = grown(tmp, 0, 0, 0), *new = grown(tmp, 4, 1000, 0);
	struct heard one = { 0 }, two = { 0 };

	(void)state;
	assert_int_equal(both_ways(old, new), BRANCHES * TWIGS * LEAVES);
	listen(old, new, true, &one);
	listen(old, new, false, &two);
	assert_int_equal(two.threads, one.threads + 1);
	assert_int_equal(threads(), one.threads);
	talloc_free(tmp);
}

/* Whoever listens can have enough of it in either half, and while the second thread waits. */
static void enough_is_enough(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hive *old = grown(tmp, 0, 0, 0), *new = grown(tmp, 4, 1000, 0);
	unsigned all = both_ways(old, new), at[] = { 1, all / 3, all / 2, all - 100, all };
	unsigned before = threads();

	(void)state;
	for (unsigned i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct heard one = { .enough = at[i] }, two = { .enough = at[i] };

		assert_false(listen(old, new, true, &one));
		assert_false(listen(old, new, false, &two));
		assert_int_equal(two.count, at[i]);
		assert_true(one.sum == two.sum);
		assert_int_equal(threads(), before);
	}
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(the_same_without_hivex),
		testing_unit(the_same_in_two_threads),
		testing_unit(more_than_is_kept),
		testing_unit(enough_is_enough),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
