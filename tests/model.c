/* The model of a tree; see model.h. Subkeys are an unsorted array and sorted for the dump. */
#include "tests/model.h"

#include <stdio.h>
#include <stdlib.h>

static void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "model: out of memory\n");
		abort();
	}
	return p;
}

uint32_t model_random(uint64_t *seed, uint32_t most)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return most ? (uint32_t)(*seed >> 33) % most : 0;
}

static struct model_data data_copy(TALLOC_CTX *ctx, const void *data, uint64_t size)
{
	struct model_data copy = { NULL, (uint32_t)size };

	if (size)
		copy.data = must(talloc_memdup(ctx, data, size));
	return copy;
}

static bool same_name(const char *a, const char *b)
{
	uint16_t units_a[600], units_b[600];
	uint32_t count_a = builder_utf16(a, units_a), count_b = builder_utf16(b, units_b);

	return builder_compare(units_a, count_a, units_b, count_b) == 0;
}

static struct model *subkey_add(struct model *parent, const char *name)
{
	struct model *key = must(talloc_zero(parent, struct model));

	key->name = must(talloc_strdup(key, name));
	parent->subkeys = must(
		talloc_realloc(parent, parent->subkeys, struct model *, parent->subkey_count + 1));
	parent->subkeys[parent->subkey_count++] = key;
	key->security = data_copy(key, parent->security.data, parent->security.size);
	return key;
}

static void subkey_remove(struct model *parent, uint32_t i)
{
	talloc_free(parent->subkeys[i]);
	parent->subkeys[i] = parent->subkeys[--parent->subkey_count];
}

static struct model_value *value_add(struct model *key, const char *name)
{
	struct model_value *value;

	key->values =
		must(talloc_realloc(key, key->values, struct model_value, key->value_count + 1));
	value = &key->values[key->value_count++];
	*value = (struct model_value){ .name = must(talloc_strdup(key, name)) };
	return value;
}

static void value_remove(struct model *key, uint32_t i)
{
	memmove(&key->values[i], &key->values[i + 1],
	        sizeof(*key->values) * (--key->value_count - i));
}

/* --- made by chance --- */

/* One of a small world of names, so that they meet again; upper or lower case by chance. */
static void random_name(uint64_t *seed, const struct model_rules *rules, uint32_t world, char *out)
{
	static const char *const plain[] = {
		"Alpha%u",        "b%u",        "{6b29-%u}",          "Zz top %u",         "%u",
		"\xc3\xa4pfel%u", "\xc3\xbf%u", "\xd0\xb6\xd1\x83%u", "\xf0\x9f\x98\x80%u"
	};
	static const char *const odd[] = { "half\xed\xa0\x80%u", "\xed\xb0\x80%u",
		                           "nul\xc0\x80%u" };
	const char *format = plain[model_random(seed, 9)];

	if (rules->odd_names && model_random(seed, 8) == 0)
		format = odd[model_random(seed, 3)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(out, 64, format, model_random(seed, world));
#pragma GCC diagnostic pop
	if (model_random(seed, 2) == 0 && *out >= 'A' && *out <= 'Z')
		*out = (char)(*out + 32);
}

static struct model_data random_data(TALLOC_CTX *ctx, uint64_t *seed,
                                     const struct model_rules *rules)
{
	static const uint32_t sizes[] = { 0, 1, 2, 3, 4, 4, 4, 5, 8, 20, 100 };
	uint32_t size = sizes[model_random(seed, 11)];
	struct model_data data = { NULL, 0 };

	if (rules->largest && model_random(seed, 60) == 0)
		size = model_random(seed, rules->largest);
	if (size == 0)
		return data;
	data.size = size;
	data.data = must(talloc_size(ctx, size));
	for (uint32_t i = 0; i < size; i++)
		data.data[i] = (uint8_t)model_random(seed, model_random(seed, 2) ? 2 : 256);
	return data;
}

/* A REG_SZ that .reg can write as a string, or nearly. */
static struct model_data random_text(TALLOC_CTX *ctx, uint64_t *seed)
{
	static const uint16_t letters[] = { 'a', 'B', '"',  '\\', ' ', ';',    0xe4,   0x416,
		                            '=', ']', '\r', '\n', 0,   0xd83d, 0xde00, 0xfeff };
	uint32_t units = model_random(seed, 12), kinds = model_random(seed, 2) ? 10 : 16;
	struct model_data data = { must(talloc_size(ctx, 2 * units + 2)), 2 * units + 2 };

	for (uint32_t i = 0; i <= units; i++) {
		uint16_t unit = i < units ? letters[model_random(seed, kinds)] : 0;

		data.data[2 * i] = (uint8_t)unit;
		data.data[2 * i + 1] = (uint8_t)(unit >> 8);
	}
	if (model_random(seed, 20) == 0)
		data.size -= model_random(seed, 3);
	return data;
}

static void random_value(struct model *key, uint64_t *seed, const struct model_rules *rules)
{
	static const uint32_t types[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xffff0009 };
	struct model_value *value = NULL;
	char name[64] = "";

	if (model_random(seed, 8))
		random_name(seed, rules, 2 * rules->values + 3, name);
	for (uint32_t i = 0; i < key->value_count; i++) {
		if (same_name(key->values[i].name, name))
			value = &key->values[i];
	}
	if (!value)
		value = value_add(key, name);
	value->type = types[model_random(seed, sizeof(types) / sizeof(types[0]))];
	if (model_random(seed, 3) == 0)
		value->type = 1;
	value->data = value->type == 1 ? random_text(key, seed) : random_data(key, seed, rules);
}

static void random_security(struct model *key, uint64_t *seed)
{
	uint8_t out[256];
	uint32_t size = builder_sd((enum builder_sd)model_random(seed, 6),
	                           500 + model_random(seed, 5), out);

	talloc_free(key->security.data);
	key->security = data_copy(key, out, size);
}

static void random_key(struct model *parent, uint64_t *seed, const struct model_rules *rules)
{
	struct model *key;
	char name[64];

	random_name(seed, rules, rules->keys / 4 + 3, name);
	for (uint32_t i = 0; i < parent->subkey_count; i++) {
		if (same_name(parent->subkeys[i]->name, name))
			return;
	}
	key = subkey_add(parent, name);
	key->time = 130000000000000000u + model_random(seed, 1000000);
	if (model_random(seed, 6) == 0)
		random_security(key, seed);
	if (model_random(seed, 12) == 0)
		key->class_name = random_text(key, seed);
	key->link = model_random(seed, 20) == 0;
	for (uint32_t i = model_random(seed, rules->values + 1); i > 0; i--)
		random_value(key, seed, rules);
}

/* Some key: down from the top until chance says stop. */
static struct model *random_place(struct model *key, uint64_t *seed)
{
	while (key->subkey_count && model_random(seed, 3))
		key = key->subkeys[model_random(seed, key->subkey_count)];
	return key;
}

struct model *model_new(TALLOC_CTX *ctx, uint64_t *seed, const struct model_rules *rules)
{
	struct model *top = must(talloc_zero(ctx, struct model));

	top->name = must(talloc_strdup(top, "ROOT"));
	top->time = 130000000000000000u;
	random_security(top, seed);
	for (uint32_t i = 0; i < rules->keys; i++)
		random_key(random_place(top, seed), seed, rules);
	for (uint32_t i = model_random(seed, rules->values + 1); i > 0; i--)
		random_value(top, seed, rules);
	return top;
}

static void swap_case(char *name)
{
	if (*name >= 'A' && *name <= 'Z')
		*name = (char)(*name + 32);
	else if (*name >= 'a' && *name <= 'z')
		*name = (char)(*name - 32);
}

/* Another name for a subkey, with all that is below it. */
static void rename_subkey(struct model *parent, uint64_t *seed, const struct model_rules *rules)
{
	struct model *key;
	char name[64];

	if (!parent->subkey_count)
		return;
	key = parent->subkeys[model_random(seed, parent->subkey_count)];
	random_name(seed, rules, rules->keys / 4 + 3, name);
	for (uint32_t i = 0; i < parent->subkey_count; i++) {
		if (same_name(parent->subkeys[i]->name, name))
			return;
	}
	talloc_free(key->name);
	key->name = must(talloc_strdup(key, name));
}

static void mutate_once(struct model *top, uint64_t *seed, const struct model_rules *rules)
{
	struct model *key = random_place(top, seed);
	uint32_t v = model_random(seed, key->value_count);

	switch (model_random(seed, 13)) {
	case 0:
		if (key->subkey_count)
			subkey_remove(key, model_random(seed, key->subkey_count));
		break;
	case 1:
	case 2:
		random_key(key, seed, rules);
		break;
	case 3:
		if (key->value_count)
			value_remove(key, v);
		break;
	case 4:
		if (key != top)
			swap_case(key->name);
		break;
	case 5:
		if (key->value_count)
			swap_case(key->values[v].name);
		break;
	case 6:
		random_security(key, seed);
		break;
	case 7:
		key->class_name = random_text(key, seed);
		break;
	case 8:
		key->link = !key->link;
		break;
	case 9:
		if (key->value_count) {
			struct model_value moved = key->values[v];

			key->values[v] = key->values[0];
			key->values[0] = moved;
		}
		break;
	case 10:
		rename_subkey(key, seed, rules);
		break;
	default:
		random_value(key, seed, rules);
	}
	if (model_random(seed, 4))
		key->time++;
}

void model_mutate(struct model *model, uint64_t *seed, const struct model_rules *rules)
{
	for (uint32_t i = 1 + model_random(seed, 12); i > 0; i--)
		mutate_once(model, seed, rules);
}

static void copy_into(struct model *to, const struct model *from)
{
	to->time = from->time;
	to->link = from->link;
	to->class_name = data_copy(to, from->class_name.data, from->class_name.size);
	to->security = data_copy(to, from->security.data, from->security.size);
	for (uint32_t i = 0; i < from->value_count; i++) {
		const struct model_value *value = &from->values[i];
		struct model_value *copy = value_add(to, value->name);

		copy->type = value->type;
		copy->data = data_copy(to, value->data.data, value->data.size);
	}
	for (uint32_t i = 0; i < from->subkey_count; i++)
		copy_into(subkey_add(to, from->subkeys[i]->name), from->subkeys[i]);
}

struct model *model_copy(TALLOC_CTX *ctx, const struct model *model)
{
	struct model *copy = must(talloc_zero(ctx, struct model));

	copy->name = must(talloc_strdup(copy, model->name));
	copy_into(copy, model);
	return copy;
}

/* --- changes --- */

/* The key at PATH, or with LAST its parent and the last name. */
static struct model *find(struct model *key, const char *path, const char **last)
{
	while (*path) {
		size_t size = strcspn(path, "\\");
		struct model *next = NULL;

		if (last && !path[size]) {
			*last = path;
			return key;
		}
		for (uint32_t i = 0; i < key->subkey_count; i++) {
			const char *name = key->subkeys[i]->name;

			if (strlen(name) == size && memcmp(name, path, size) == 0)
				next = key->subkeys[i];
		}
		if (!next)
			return NULL;
		key = next;
		path += size + (path[size] == '\\');
	}
	return last ? NULL : key;
}

static bool apply_to_parent(struct model *top, const struct change *change)
{
	const char *name;
	struct model *parent = find(top, change->key, &name);

	if (!parent)
		return false;
	for (uint32_t i = 0; i < parent->subkey_count; i++) {
		if (change->op == CHANGE_CREATE_KEY && same_name(parent->subkeys[i]->name, name))
			return false;
		if (change->op == CHANGE_DELETE_KEY &&
		    strcmp(parent->subkeys[i]->name, name) == 0) {
			subkey_remove(parent, i);
			return true;
		}
	}
	if (change->op == CHANGE_DELETE_KEY)
		return false;
	subkey_add(parent, name);
	return true;
}

static bool apply_value(struct model *key, const struct change *change)
{
	struct model_value *value = NULL;

	for (uint32_t i = 0; i < key->value_count && !value; i++) {
		if (!same_name(key->values[i].name, change->name))
			continue;
		if (strcmp(key->values[i].name, change->name) != 0)
			return false;
		value = &key->values[i];
	}
	if (change->op == CHANGE_DELETE_VALUE) {
		if (value)
			value_remove(key, (uint32_t)(value - key->values));
		return value != NULL;
	}
	if (!value)
		value = value_add(key, change->name);
	value->type = change->type;
	value->data = data_copy(key, change->data.data, change->data.size);
	return true;
}

static bool apply_order(struct model *key, const struct change *change)
{
	uint32_t count = key->value_count;
	struct model_value *values = must(talloc_array(key, struct model_value, count));
	bool *used = must(talloc_zero_array(key, bool, count));

	if (change->data.size != 4 * (uint64_t)count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *at = change->data.data + 4 * i;
		uint32_t from = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
		                (uint32_t)at[3] << 24;

		if (from >= count || used[from])
			return false;
		used[from] = true;
		values[i] = key->values[from];
	}
	key->values = values;
	return true;
}

bool model_apply(struct model *model, const struct change *change)
{
	struct model *key;

	if (change->op == CHANGE_CREATE_KEY || change->op == CHANGE_DELETE_KEY)
		return apply_to_parent(model, change);
	key = find(model, change->key, NULL);
	if (!key)
		return false;
	switch (change->op) {
	case CHANGE_SET_VALUE:
	case CHANGE_DELETE_VALUE:
		return apply_value(key, change);
	case CHANGE_SET_SECURITY:
		key->security = data_copy(key, change->data.data, change->data.size);
		return true;
	case CHANGE_SET_CLASS:
		key->class_name = data_copy(key, change->data.data, change->data.size);
		return true;
	case CHANGE_SET_LINK:
		key->link = change->data.data[0];
		return true;
	case CHANGE_ORDER_VALUES:
		return apply_order(key, change);
	case CHANGE_SET_TIME:
		key->time = 0;
		for (unsigned i = 8; i-- > 0;)
			key->time = key->time << 8 | change->data.data[i];
		return true;
	default:
		return false;
	}
}

/* --- as text --- */

static void put_data(FILE *out, const struct model_data *data)
{
	uint32_t shown = data->size < 64 ? data->size : 64, sum = 0;

	for (uint32_t i = 0; i < shown; i++) {
		putc_unlocked("0123456789abcdef"[data->data[i] >> 4], out);
		putc_unlocked("0123456789abcdef"[data->data[i] & 15], out);
	}
	for (uint32_t i = shown; i < data->size; i++)
		sum = sum * 31 + data->data[i];
	fprintf(out, "/%u/%x", data->size, sum);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct model *const *)a)->name, (*(struct model *const *)b)->name);
}

static void dump(FILE *out, const struct model *key, int depth)
{
	struct model **sorted = NULL;

	fprintf(out, "%*sK %s %llx%s ", depth, "", depth ? key->name : ".",
	        (unsigned long long)key->time, key->link ? " link" : "");
	put_data(out, &key->class_name);
	putc(' ', out);
	put_data(out, &key->security);
	for (uint32_t i = 0; i < key->value_count; i++) {
		const struct model_value *value = &key->values[i];

		fprintf(out, "\n%*sV '%s' %x ", depth, "", value->name, value->type);
		put_data(out, &value->data);
	}
	putc('\n', out);
	if (key->subkey_count == 0)
		return;
	sorted =
		must(talloc_memdup(NULL, key->subkeys, sizeof(struct model *) * key->subkey_count));
	qsort(sorted, key->subkey_count, sizeof(*sorted), by_name);
	for (uint32_t i = 0; i < key->subkey_count; i++)
		dump(out, sorted[i], depth + 1);
	talloc_free(sorted);
}

char *model_dump(TALLOC_CTX *ctx, const struct model *model)
{
	char *memory = NULL, *text;
	size_t size;
	FILE *out = must(open_memstream(&memory, &size));

	dump(out, model, 0);
	if (fclose(out) != 0)
		must(NULL);
	text = must(talloc_strdup(ctx, memory));
	free(memory);
	return text;
}

/* --- to and from a hive --- */

static void build(struct builder_key *to, const struct model *from)
{
	to->time = from->time;
	to->link = from->link;
	if (from->class_name.size)
		builder_class_bytes(to, from->class_name.data, from->class_name.size);
	builder_security(to, from->security.data, from->security.size);
	for (uint32_t i = 0; i < from->value_count; i++) {
		const struct model_value *value = &from->values[i];

		builder_value(to, value->name, value->type, value->data.data, value->data.size);
	}
	for (uint32_t i = 0; i < from->subkey_count; i++)
		build(builder_key(to, from->subkeys[i]->name, from->subkeys[i]->time),
		      from->subkeys[i]);
}

struct hive *model_hive(TALLOC_CTX *ctx, const struct model *model, uint64_t *seed)
{
	struct builder *b = builder_new(ctx);
	struct error err = { 0 };
	struct image *image;
	struct hive *hive;
	uint8_t *bytes;
	size_t size;

	build(b->root, model);
	b->time = 0; /* so that a key can have none */
	b->minor = model_random(seed, 3) ? 5 : 3;
	b->shuffle = model_random(seed, 3);
	b->free_every = model_random(seed, 2) * 7;
	b->slack = model_random(seed, 2) * 24;
	b->leaf_max = model_random(seed, 3) ? 507 : 3;
	bytes = builder_write(b, &size);
	image = image_copy(ctx, (struct bytes){ bytes, size }, &err);
	if (!image || !image_seal(image, &err))
		builder_fail(err.text);
	hive = hive_open_image(ctx, image, "model", &err);
	if (!hive)
		builder_fail(err.text);
	talloc_free(b);
	return hive;
}

static void read_key(struct model *to, const struct hive *hive, const struct hive_key *key)
{
	TALLOC_CTX *tmp = must(talloc_new(NULL));
	uint32_t *cells = NULL, count = 0;
	struct bytes data;
	struct error err = { 0 };

	to->time = hive_key_time(key);
	to->link = hive_key_flags(key) & REGF_KEY_SYM_LINK;
	to->class_name = data_copy(to, key->class_name.data, key->class_name.size);
	if (!hive_security(hive, key, &data, &err) ||
	    !hive_values(tmp, hive, key, &cells, &count, &err))
		builder_fail(err.text);
	to->security = data_copy(to, data.data, data.size);
	for (uint32_t i = 0; i < count; i++) {
		struct hive_value value;
		struct model_value *copy;

		if (!hive_value_at(hive, cells[i], &value, &err) ||
		    !hive_value_data(tmp, hive, &value, &data, &err))
			builder_fail(err.text);
		copy = value_add(to, must(name_to_utf8(tmp, value.name)));
		copy->type = value.type;
		copy->data = data_copy(to, data.data, data.size);
	}
	if (!hive_subkeys(tmp, hive, key, &cells, &count, &err))
		builder_fail(err.text);
	for (uint32_t i = 0; i < count; i++) {
		struct hive_key subkey;

		if (!hive_key_at(hive, cells[i], &subkey, &err))
			builder_fail(err.text);
		read_key(subkey_add(to, must(name_to_utf8(tmp, subkey.name))), hive, &subkey);
	}
	talloc_free(tmp);
}

struct model *model_of_hive(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key)
{
	struct model *top = must(talloc_zero(ctx, struct model));

	top->name = must(talloc_strdup(top, "ROOT"));
	read_key(top, hive, key);
	return top;
}
