/*
 * model: a registry tree as tests see it, simple and slow. Changes are made to it by the
 * words of hive/change.h and by nothing of hive/'s own code; what comes out is compared as
 * text. Everything belongs to the talloc context it is made on; no memory ends the program.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "hive/change.h"
#include "hive/hive.h"
#include "tests/builder.h"

struct model_data {
	uint8_t *data;
	uint32_t size;
};

struct model_value {
	char *name;
	uint32_t type;
	struct model_data data;
};

struct model {
	char *name;
	uint64_t time;
	bool link;
	struct model_data class_name, security;
	struct model_value *values;
	uint32_t value_count;
	struct model **subkeys;
	uint32_t subkey_count;
};

struct model_rules {
	uint32_t keys;    /* about how many */
	uint32_t values;  /* at most in a key */
	bool odd_names;   /* unpaired surrogates and NULs too */
	uint32_t largest; /* bytes of a value, now and then */
};

/* A generator of numbers below MOST that gives the same ones for the same seed. */
uint32_t model_random(uint64_t *seed, uint32_t most);

struct model *model_new(TALLOC_CTX *ctx, uint64_t *seed, const struct model_rules *rules);
struct model *model_copy(TALLOC_CTX *ctx, const struct model *model);

/* Some changes of every kind; a letter case here and there. */
void model_mutate(struct model *model, uint64_t *seed, const struct model_rules *rules);

/* False if the change cannot be carried out as it is. */
bool model_apply(struct model *model, const struct change *change);

/* The tree as text, sorted; the name of the top is not in it. */
char *model_dump(TALLOC_CTX *ctx, const struct model *model);

/* The tree as a hive that is laid out in one of many ways, opened. */
struct hive *model_hive(TALLOC_CTX *ctx, const struct model *model, uint64_t *seed);

/* What is in a hive, read through hive/hive.h. */
struct model *model_of_hive(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key);

#endif
