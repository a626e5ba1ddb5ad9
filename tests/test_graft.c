/*
 * hive/graft: what comes out is what the tests' own model says, written in many layouts; what
 * must be refused is refused; and the proof finds every hive that is another one.
 */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hive/graft_internal.h"
#include "tests/allocfail.h"
#include "tests/model.h"

enum { GRAFTS = 3 };

/* --- grafting, in the model --- */

static bool same_name(const char *a, const char *b, size_t size)
{
	char text[600];
	uint16_t units_a[600], units_b[600];
	uint32_t count_a = builder_utf16(a, units_a), count_b;

	memcpy(text, b, size);
	text[size] = '\0';
	count_b = builder_utf16(text, units_b);
	return builder_compare(units_a, count_a, units_b, count_b) == 0;
}

/* The place of the subkey in its parent's array. */
static struct model **child(struct model *key, const char *name, size_t size)
{
	for (uint32_t i = 0; i < key->subkey_count; i++) {
		if (same_name(key->subkeys[i]->name, name, size))
			return &key->subkeys[i];
	}
	return NULL;
}

static struct model **add(struct model *parent, struct model *key, const char *name, size_t size)
{
	key->name = talloc_strndup(key, name, size);
	parent->subkeys =
		talloc_realloc(parent, parent->subkeys, struct model *, parent->subkey_count + 1);
	parent->subkeys[parent->subkey_count] = key;
	return &parent->subkeys[parent->subkey_count++];
}

/* Gives whether the key was not there. */
static bool put(struct model *key, const char *path, const struct model *from)
{
	for (;;) {
		size_t size = strcspn(path, "\\");
		struct model **below = child(key, path, size), *made;
		bool last = !path[size];

		if (last && below) {
			made = model_copy(key, from);
			made->name = talloc_strdup(made, (*below)->name);
			*below = made;
			return false;
		}
		if (last) {
			add(key, model_copy(key, from), path, size);
			return true;
		}
		if (!below) {
			made = talloc_zero(key, struct model);
			made->time = from->time;
			made->security.size = key->security.size;
			made->security.data =
				talloc_memdup(made, key->security.data, key->security.size);
			below = add(key, made, path, size);
		}
		key = *below;
		path += size + 1;
	}
}

/* Is there a link on the way? At its end one may be where another is put. */
static bool through_link(struct model *key, const char *path, const struct model *from)
{
	while (*path) {
		size_t size = strcspn(path, "\\");
		struct model **below = child(key, path, size);
		bool last = !path[size];

		if (!below)
			return false;
		if ((*below)->link && !(last && from->link))
			return true;
		key = *below;
		path += size + !last;
	}
	return false;
}

/* Random names have letter case in ASCII only. */
static bool nested(const char *a, const char *b)
{
	size_t size_a = strlen(a), size_b = strlen(b), shorter = size_a < size_b ? size_a : size_b;
	const char *longer = size_a < size_b ? b : a;

	return strncasecmp(a, b, shorter) == 0 &&
	       (longer[shorter] == '\0' || longer[shorter] == '\\');
}

/* A way down, up to three new names behind it, in letters of another case now and then. */
static char *random_path(TALLOC_CTX *ctx, const struct model *key, uint64_t *seed)
{
	char *path = talloc_strdup(ctx, "");

	while (key->subkey_count && model_random(seed, 4)) {
		key = key->subkeys[model_random(seed, key->subkey_count)];
		path = talloc_asprintf_append(path, "%s%s", *path ? "\\" : "", key->name);
	}
	for (uint32_t i = model_random(seed, 2) * model_random(seed, 4); i > 0 || !*path; i -= !!i)
		path = talloc_asprintf_append(path, "%sNew%u", *path ? "\\" : "",
		                              model_random(seed, 3));
	for (char *at = path; model_random(seed, 2) && *at; at++) {
		if (model_random(seed, 2) && *at >= 'a' && *at <= 'z')
			*at = (char)(*at - 32);
	}
	return path;
}

/* --- random trees --- */

struct round {
	uint64_t seed;
	struct model *model, *from[GRAFTS];
	struct hive *hive;
	struct graft grafts[GRAFTS];
	bool made[GRAFTS];
	uint32_t count;
	bool refused;
};

static struct model *top_of(TALLOC_CTX *ctx, const struct hive *hive)
{
	struct error err = { 0 };
	struct hive_key root;

	assert_true(hive_root(hive, &root, &err));
	return model_of_hive(ctx, hive, &root);
}

static struct round *make_round(uint64_t seed, const struct model_rules *rules)
{
	struct round *round = talloc_zero(NULL, struct round);

	round->seed = seed;
	round->model = model_new(round, &round->seed, rules);
	round->hive = model_hive(round, round->model, &round->seed);
	round->count = 1 + model_random(&round->seed, GRAFTS);
	for (uint32_t i = 0; i < round->count; i++) {
		struct graft *graft = &round->grafts[i];

		round->from[i] = model_new(round, &round->seed, rules);
		round->from[i]->link = model_random(&round->seed, 8) == 0;
		graft->key = random_path(round, round->model, &round->seed);
		graft->from = model_hive(round, round->from[i], &round->seed);
		if (through_link(round->model, graft->key, round->from[i]))
			round->refused = true;
		for (uint32_t j = 0; j < i; j++) {
			if (nested(graft->key, round->grafts[j].key))
				round->refused = true;
		}
	}
	return round;
}

/* Gives whether it was one that is not refused. */
static bool random_round(uint64_t seed, const struct model_rules *rules)
{
	struct round *round = make_round(seed, rules);
	struct error err = { 0 };
	struct image *image = graft_hive(round, round->hive, round->grafts, round->count, &err);
	struct hive *hive;

	if (round->refused) {
		assert_null(image);
		assert_int_equal(err.kind, ERROR_REFUSED);
		talloc_free(round);
		return false;
	}
	if (!image)
		fail_msg("seed %u: %s", (unsigned)seed, err.text);
	for (uint32_t i = 0; i < round->count; i++)
		assert_int_equal(put(round->model, round->grafts[i].key, round->from[i]),
		                 round->grafts[i].made);
	hive = hive_open_image(round, image, "grafted", &err);
	assert_non_null(hive);
	assert_string_equal(model_dump(round, top_of(round, hive)),
	                    model_dump(round, round->model));
	assert_int_equal(le32_get(hive_base(hive)->minor), le32_get(hive_base(round->hive)->minor));
	talloc_free(round);
	return true;
}

static void random_trees_are_as_the_model(void **state)
{
	static const struct model_rules small = { 12, 4, false, 20000 },
					larger = { 200, 15, true, 40000 };
	unsigned rounds = (unsigned)testing_rounds(300, 15), few = rounds / 15, done = 0;

	(void)state;
	for (uint64_t seed = 0; seed < rounds; seed++)
		done += random_round(seed, &small);
	for (uint64_t seed = 1000; seed < 1000 + few; seed++)
		done += random_round(seed, &larger);
	print_message("# %u of %u were not refused\n", done, rounds + few);
	assert_in_range(done, rounds / 3, rounds); /* both sides were tried */
}

/* The right hive in any layout is believed; with any change made to it by chance, no more. */
static void the_proof_finds_another_hive(void **state)
{
	static const struct model_rules rules = { 12, 4, false, 20000 };
	unsigned rounds = (unsigned)testing_rounds(400, 20), wrong = 0;

	(void)state;
	for (uint64_t seed = 5000; seed < 5000 + rounds; seed++) {
		struct round *round = make_round(seed, &rules);
		struct error err = { 0 };
		char *right;

		for (uint32_t i = 0; !round->refused && i < round->count; i++)
			round->made[i] = put(round->model, round->grafts[i].key, round->from[i]);
		right = model_dump(round, round->model);
		for (unsigned i = 0; !round->refused && i < 3; i++) {
			struct hive *hive = model_hive(round, round->model, &round->seed);
			bool same = strcmp(model_dump(round, round->model), right) == 0;
			bool proved = graft_prove(round->hive, round->grafts, round->made,
			                          round->count, hive_image(hive), &err);

			wrong += !same;
			if (proved != same)
				fail_msg("seed %u: %s: %s\n%s\nbecame\n%s", (unsigned)seed,
				         proved ? "not found" : "not believed", err.text, right,
				         model_dump(round, round->model));
			model_mutate(round->model, &round->seed, &rules);
		}
		talloc_free(round);
	}
	print_message("# %u wrong hives\n", wrong);
	assert_in_range(wrong, rounds / 2, rounds * 5 / 2);
}

/* --- one thing each --- */

static struct hive *opened(TALLOC_CTX *ctx, struct builder *b)
{
	struct error err = { 0 };
	struct image *image;
	struct hive *hive;
	uint8_t *bytes;
	size_t size;

	bytes = builder_write(b, &size);
	image = image_copy(ctx, (struct bytes){ bytes, size }, &err);
	assert_non_null(image);
	assert_true(image_seal(image, &err));
	hive = hive_open_image(ctx, image, "HIVE", &err);
	if (!hive)
		fail_msg("%s", err.text);
	return hive;
}

static char *grafted(TALLOC_CTX *ctx, const struct hive *hive, struct graft *grafts, uint32_t count)
{
	struct error err = { 0 };
	struct image *image = graft_hive(ctx, hive, grafts, count, &err);
	struct hive *back = image ? hive_open_image(ctx, image, "grafted", &err) : NULL;

	if (!back)
		fail_msg("%s", err.text);
	return model_dump(ctx, top_of(ctx, back));
}

static void parents_are_made(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder *b = builder_new(tmp), *from = builder_new(tmp);
	struct graft grafts[2] = { { .key = "soft\\One\\Two\\Three\\Key" },
		                   { .key = "Soft\\ONE\\Other" } };
	const char *at;
	char *text;

	(void)state;
	builder_security_kind(builder_path(b, "Soft"), BUILDER_SD_SECRET, 0);
	builder_path(b, "Soft")->time = 0x111;
	builder_security_kind(from->root, BUILDER_SD_PROTECTED, 0);
	from->root->time = 0x222;
	builder_class(from->root, "Class");
	builder_dword(from->root, "Value", 1);
	grafts[0].from = opened(tmp, from);
	from->root->time = 0x333;
	grafts[1].from = opened(tmp, from);
	text = grafted(tmp, opened(tmp, b), grafts, 2);
	assert_true(grafts[0].made && grafts[1].made);
	/* made: the times of what they were made for; the parent's security; no class, no values */
	at = strstr(text, "\n K Soft 111 /0/0 ");
	assert_non_null(at);
	at = strstr(at, "\n  K One 222 /0/0 ");
	assert_non_null(at);
	at = strstr(at, "\n   K Other 333 43006c00");
	assert_non_null(at);
	at = strstr(at, "\n   V 'Value' 4 01000000/4/0\n   K Two 222 /0/0 ");
	assert_non_null(at);
	at = strstr(at, "\n    K Three 222 /0/0 ");
	assert_non_null(at);
	assert_non_null(strstr(at, "\n     K Key 222 43006c00"));
	{
		uint8_t sd[256];
		uint32_t size = builder_sd(BUILDER_SD_SECRET, 0, sd);
		struct error err = { 0 };
		struct hive *hive;
		struct image *image = graft_hive(tmp, opened(tmp, b), grafts, 1, &err);
		struct hive_key key;
		struct bytes found;

		assert_non_null(image);
		hive = hive_open_image(tmp, image, "again", &err);
		assert_true(hive_find(hive, NULL, "Soft\\One\\Two\\Three", &key, &err));
		assert_true(hive_security(hive, &key, &found, &err));
		assert_true(bytes_equal(found, (struct bytes){ sd, size }));
	}
	talloc_free(tmp);
}

#define WIDE "\xd0\x96\xd1\x83\xe4\xb8\xad"     /* Zhe, u, a CJK letter */
#define WIDE_LOW "\xd0\xb6\xd0\xa3\xe4\xb8\xad" /* the same in the other case */

static void names_stay(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder *b = builder_new(tmp), *from = builder_new(tmp);
	struct graft graft = { .key = "NODE\\" WIDE_LOW "\\new" WIDE };
	char *text;

	(void)state;
	builder_path(b, "Node\\" WIDE "\\NEW" WIDE_LOW "\\gone");
	builder_path(b, "Node\\" WIDE "\\NEW" WIDE "x");
	builder_path(from, WIDE_LOW);
	graft.from = opened(tmp, from);
	text = grafted(tmp, opened(tmp, b), &graft, 1);
	assert_false(graft.made);
	assert_non_null(strstr(text, "\n K Node "));
	assert_non_null(strstr(text, "\n  K " WIDE " "));
	assert_non_null(strstr(text, "\n   K NEW" WIDE_LOW " "));
	assert_non_null(strstr(text, "\n   K NEW" WIDE "x "));
	assert_non_null(strstr(text, "\n    K " WIDE_LOW " "));
	assert_null(strstr(text, "gone"));
	talloc_free(tmp);
}

static void no_graft_is_the_same_hive(void **state)
{
	static const struct model_rules rules = { 20, 5, true, 40000 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint64_t seed = 7;
	struct model *model = model_new(tmp, &seed, &rules);

	(void)state;
	assert_string_equal(grafted(tmp, model_hive(tmp, model, &seed), NULL, 0),
	                    model_dump(tmp, model));
	talloc_free(tmp);
}

/* What is refused, or wrong, and with which words. */
static const struct {
	const char *keys[2];
	enum error_kind kind;
	const char *text;
} wrong[] = {
	{ { "" }, ERROR_REFUSED, "HIVE: the root of a hive is not replaced" },
	{ { "A\\B", "a\\b" },
	  ERROR_REFUSED,
	  "HIVE: a\\b cannot be replaced together with A\\B: one is in the other" },
	{ { "A\\B", "a" },
	  ERROR_REFUSED,
	  "HIVE: a cannot be replaced together with A\\B: one is in the other" },
	{ { "New\\B", "NEW\\b\\c" },
	  ERROR_REFUSED,
	  "HIVE: NEW\\b\\c cannot be replaced together with New\\B: one is in the other" },
	{ { "Link" },
	  ERROR_REFUSED,
	  "HIVE: Link: Link is a symbolic link, and what Windows shows there is kept in another "
	  "place" },
	{ { "A", "A2\\link\\new\\new" },
	  ERROR_REFUSED,
	  "HIVE: A2\\link\\new\\new: link is a symbolic link, and what Windows shows there is kept "
	  "in another place" },
	{ { "A\\\\B" },
	  ERROR_SOURCE,
	  "HIVE: create-key 'A\\\\B': a key without a name in the path" },
	{ { "A\\" }, ERROR_SOURCE, "HIVE: create-key 'A\\': a key without a name in the path" },
	{ { "A\xff" }, ERROR_SOURCE, "HIVE: create-key 'A?': the name of a key is no UTF-8" },
};

static void what_must_not_be_is_refused(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder *b = builder_new(tmp), *from = builder_new(tmp);
	struct hive *hive, *source;

	(void)state;
	builder_path(b, "A\\B\\C");
	builder_link(builder_path(b, "Link"), "\\Registry\\Machine\\Other");
	builder_link(builder_path(b, "A2\\Link"), "\\Registry\\Machine\\Other");
	hive = opened(tmp, b);
	source = opened(tmp, from);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct graft grafts[2] = { { wrong[i].keys[0], source, true },
			                   { wrong[i].keys[1], source, true } };
		struct error err = { 0 };

		assert_null(graft_hive(tmp, hive, grafts, wrong[i].keys[1] ? 2 : 1, &err));
		assert_string_equal(err.text, wrong[i].text);
		assert_int_equal(err.kind, wrong[i].kind);
		assert_true(grafts[0].made && grafts[1].made); /* untouched */
	}
	talloc_free(tmp);
}

/* Next to each other is not inside of each other. */
static void neighbours_are_no_conflict(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder *b = builder_new(tmp), *from = builder_new(tmp);
	struct graft grafts[3] = { { .key = "A" }, { .key = "A!\\B" }, { .key = "AB" } };

	(void)state;
	builder_path(b, "A\\B");
	for (unsigned i = 0; i < 3; i++)
		grafts[i].from = opened(tmp, from);
	grafted(tmp, opened(tmp, b), grafts, 3);
	assert_false(grafts[0].made);
	assert_true(grafts[1].made && grafts[2].made);
	talloc_free(tmp);
}

/* A hive of format 1.3 with a key Key, and one with a value of SIZE bytes in its root. */
static struct image *big(TALLOC_CTX *ctx, uint32_t minor, uint32_t size, struct error *err)
{
	struct builder *b = builder_new(ctx), *from = builder_new(ctx);
	uint8_t *data = talloc_zero_array(ctx, uint8_t, size);
	struct graft graft = { .key = "Key" };

	b->minor = minor;
	builder_path(b, "Key");
	builder_value(from->root, "Big", 3, data, size);
	graft.from = opened(ctx, from);
	return graft_hive(ctx, opened(ctx, b), &graft, 1, err);
}

static void a_format_has_its_limits(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err = { 0 };

	(void)state;
	assert_non_null(big(tmp, 3, 16345, &err));
	assert_non_null(big(tmp, 3, 1 << 20, &err));
	assert_non_null(big(tmp, 5, (1 << 20) + 1, &err));
	assert_null(big(tmp, 3, (1 << 20) + 1, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.text, "HIVE: a value of 1048577 bytes is more than format 1.3 can "
	                              "hold (1.5 can)");
	talloc_free(tmp);
}

/* A key of COUNT names, one in the other. */
static char *deep(TALLOC_CTX *ctx, unsigned count)
{
	char *path = talloc_strdup(ctx, "d");

	while (--count > 0)
		path = talloc_strdup_append(path, "\\d");
	return path;
}

static void levels_add_up(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder *b = builder_new(tmp), *from = builder_new(tmp);
	struct graft graft = { .key = deep(tmp, 311) };
	struct error err = { 0 };
	struct hive *hive;

	(void)state;
	hive = opened(tmp, b);
	builder_path(from, deep(tmp, 200));
	graft.from = opened(tmp, from);
	assert_non_null(graft_hive(tmp, hive, &graft, 1, &err)); /* 1 + 311 + 200 */
	graft.key = deep(tmp, 312);
	assert_null(graft_hive(tmp, hive, &graft, 1, &err));
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_string_equal(err.text, "HIVE: more than 512 levels of keys");
	talloc_free(tmp);
}

/* Many keys go, and many others come. */
static void many_subkeys(void **state)
{
	unsigned many = (unsigned)testing_rounds(60000, 3000);
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct builder *b = builder_new(tmp), *from = builder_new(tmp);
	struct graft graft = { .key = "Many" };
	struct error err = { 0 };
	struct hive_key key;
	struct image *image;
	struct hive *hive;

	(void)state;
	for (unsigned i = 0; i < many; i++) {
		char name[32];

		snprintf(name, sizeof(name), "key %u", i);
		builder_key(builder_path(b, "Many"), name, 0);
		builder_key(from->root, name + (i % 3 == 0), 0);
	}
	graft.from = opened(tmp, from);
	image = graft_hive(tmp, opened(tmp, b), &graft, 1, &err);
	if (!image)
		fail_msg("%s", err.text);
	hive = hive_open_image(tmp, image, "many", &err);
	assert_true(hive_find(hive, NULL, "Many\\ey 3", &key, &err));
	assert_int_not_equal(key.cell, REGF_NIL);
	assert_int_equal(hive_check(hive)->keys, many + 2);
	talloc_free(tmp);
}

/* --- no memory --- */

struct wanted {
	struct hive *hive;
	struct graft grafts[2];
	struct bytes right;
};

static bool body(void *data, struct error *err)
{
	struct wanted *wanted = data;
	struct image *image = graft_hive(NULL, wanted->hive, wanted->grafts, 2, err);

	/* They keep an image open in hivex between look-ups, which would be counted as lost. */
	hive_rest(wanted->hive);
	hive_rest(wanted->grafts[0].from);
	hive_rest(wanted->grafts[1].from);
	if (!image)
		return false;
	assert_true(bytes_equal(image->bytes, wanted->right));
	talloc_free(image);
	return true;
}

static void every_allocation_fails_once(void **state)
{
	static const struct model_rules rules = { 10, 4, true, 20000 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct wanted wanted = { .grafts = { { .key = "A\\New\\Key" }, { .key = "B" } } };
	struct error err = { 0 };
	uint64_t seed = 3;
	struct builder *b = builder_new(tmp);
	int points;

	(void)state;
	builder_path(b, "A");
	builder_path(b, "B\\C\\D");
	wanted.hive = opened(tmp, b);
	wanted.grafts[0].from = model_hive(tmp, model_new(tmp, &seed, &rules), &seed);
	wanted.grafts[1].from = model_hive(tmp, model_new(tmp, &seed, &rules), &seed);
	wanted.right = graft_hive(tmp, wanted.hive, wanted.grafts, 2, &err)->bytes;
	points = allocfail_run(body, &wanted, 0);
	print_message("# %d failures\n", points);
	assert_in_range(points, 30, 100000);
	talloc_free(tmp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(random_trees_are_as_the_model),
		testing_unit(the_proof_finds_another_hive),
		testing_unit(parents_are_made),
		testing_unit(names_stay),
		testing_unit(no_graft_is_the_same_hive),
		testing_unit(what_must_not_be_is_refused),
		testing_unit(neighbours_are_no_conflict),
		testing_unit(a_format_has_its_limits),
		testing_unit(levels_add_up),
		testing_unit(many_subkeys),
		testing_unit(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, testing_begin, testing_end);
}
