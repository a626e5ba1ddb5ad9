/* Builds sample trees from rows: substitution of {words}, values, copies of subtrees. */
#include "tests/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random_tree.h"

#define SECOND 10000000u

/* FNV-1a: a number that belongs to a text. */
static uint64_t number_of(const struct sample *sample, const char *text)
{
	const char *parts[] = { sample->cluster, "/", text };
	uint64_t hash = 0xcbf29ce484222325;

	for (unsigned i = 0; i < 3; i++) {
		for (const char *at = parts[i]; *at; at++)
			hash = (hash ^ (uint8_t)*at) * 0x100000001b3;
	}
	return hash;
}

void sample_bytes(const struct sample *sample, const char *text, uint8_t *out, size_t size)
{
	struct dice dice = { number_of(sample, text) };

	dice_fill(&dice, out, size);
}

/* A random GUID as the cluster writes it: small letters, no braces. */
static char *add_guid(char *to, const struct sample *sample, const char *word)
{
	uint8_t b[16];

	sample_bytes(sample, word, b, sizeof(b));
	return talloc_asprintf_append(to,
	                              "%02x%02x%02x%02x-%02x%02x-4%x%02x-%02x%02x-"
	                              "%02x%02x%02x%02x%02x%02x",
	                              b[0], b[1], b[2], b[3], b[4], b[5], b[6] & 15, b[7],
	                              0x80 | (b[8] & 0x3f), b[9], b[10], b[11], b[12], b[13], b[14],
	                              b[15]);
}

static char *add_word(char *to, const struct sample *sample, const char *word)
{
	const struct {
		const char *word, *text;
	} words[] = {
		{ "cluster", sample->cluster },
		{ "node1", sample->nodes[0] },
		{ "node2", sample->nodes[1] },
		{ "instance", sample->instance },
		{ "net", sample->network },
		{ "container", sample->sql_key },
		{ "level", sample->generation == 1 ? "0x40ece" : "0xa4563" },
		{ "build", sample->generation == 1 ? "3790" : "17763" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i].word) == 0)
			return talloc_strdup_append(to, words[i].text);
	}
	return add_guid(to, sample, word);
}

char *sample_text(TALLOC_CTX *ctx, const struct sample *sample, const char *text)
{
	char *out = talloc_strdup(ctx, ""), word[64];

	while (*text) {
		size_t plain = strcspn(text, "{"), length;

		out = talloc_strndup_append(out, text, plain);
		text += plain;
		if (!*text)
			break;
		length = strcspn(text, "}");
		snprintf(word, sizeof(word), "%.*s", (int)length - 1, text + 1);
		out = add_word(out, sample, word);
		text += length + 1;
	}
	if (!out)
		builder_fail("out of memory");
	return out;
}

static void add_multi(struct builder_key *key, const char *name, char *text)
{
	const char *parts[32] = { NULL };
	unsigned count = 0;

	for (char *save, *part = strtok_r(text, "|", &save); part && count < 31;
	     part = strtok_r(NULL, "|", &save))
		parts[count++] = part;
	builder_multi(key, name, parts);
}

static void add_binary(struct builder_key *key, const struct sample *sample,
                       const struct sample_row *row, const char *text)
{
	uint32_t size = (uint32_t)strtoul(text, NULL, 0);
	uint8_t *data = talloc_size(key->builder, size + 256);

	if (!data)
		builder_fail("out of memory");
	if (row->kind == 'D')
		size = builder_sd(size, 1001, data);
	else
		sample_bytes(sample, row->name, data, size);
	builder_value(key, row->name, 3, data, size);
	talloc_free(data);
}

static void add_row(struct builder_key *key, const struct sample *sample,
                    const struct sample_row *row, char *text)
{
	switch (row->kind) {
	case 's':
	case 'n':
		builder_text(key, row->name, 1, text, row->kind == 's');
		break;
	case 'x':
		builder_text(key, row->name, 2, text, true);
		break;
	case 'm':
		add_multi(key, row->name, text);
		break;
	case 'd':
		builder_dword(key, row->name, (uint32_t)strtoul(text, NULL, 0));
		break;
	case 'q':
		builder_qword(key, row->name, strtoull(text, NULL, 0));
		break;
	case 'b':
	case 'D':
		add_binary(key, sample, row, text);
		break;
	case 'c':
		builder_class(key, text);
		break;
	case 'S':
		builder_security_kind(key, (enum builder_sd)strtoul(text, NULL, 0), 1000);
		break;
	case 'l':
		builder_link(key, text);
		break;
	default:
		if (row->kind != 'k')
			builder_fail("a row of an unknown kind");
	}
}

void sample_build(struct builder *b, const struct sample *sample, const struct sample_row *rows)
{
	for (; rows->generation; rows++) {
		TALLOC_CTX *tmp = talloc_new(b);
		uint32_t before = b->key_count;
		struct builder_key *key;

		if (rows->generation == '*' ||
		    rows->generation == (char)('0' + sample->generation)) {
			key = builder_path(b, sample_text(tmp, sample, rows->key));
			if (b->key_count > before)
				key->time = sample->time + (uint64_t)SECOND * b->key_count;
			add_row(key, sample, rows, sample_text(tmp, sample, rows->text));
		}
		talloc_free(tmp);
	}
	b->root->time = b->time = sample->time + (uint64_t)SECOND * (b->key_count + 1);
}

static void copy_key(struct builder_key *to, const struct builder_key *from)
{
	to->time = from->time;
	to->link = from->link;
	builder_class_bytes(to, from->class_name, from->class_size);
	builder_security(to, from->security->data, from->security->size);
	for (uint32_t i = 0; i < from->value_count; i++) {
		const struct builder_value *value = from->values[i];

		builder_value_units(to, value->name, value->units, value->type, value->data,
		                    value->size);
	}
}

void sample_graft(struct builder_key *to, const struct builder_key *from)
{
	const struct builder_key *at = from;
	uint32_t i = 0;

	copy_key(to, from);
	/* down to the first child, else to the next one, else up */
	for (;;) {
		if (i < at->child_count) {
			at = at->children[i];
			to = builder_key_units(to, at->name, at->units, 0);
			copy_key(to, at);
			i = 0;
		} else if (at != from) {
			for (i = 0; at->parent->children[i] != at;)
				i++;
			i++;
			at = at->parent;
			to = to->parent;
		} else {
			return;
		}
	}
}

struct builder *sample_copy(TALLOC_CTX *ctx, const struct builder_key *from)
{
	struct builder *b = builder_new(ctx);

	b->minor = 3;
	b->root->name = builder_take(b, 2 * (size_t)from->units);
	b->root->units = from->units;
	memcpy(b->root->name, from->name, 2 * (size_t)from->units);
	b->time = from->builder->time + SECOND;
	sample_graft(b->root, from);
	return b;
}

struct builder_key *sample_find(struct builder *b, const char *path)
{
	struct builder_key *key = b->root;
	uint16_t units[1024], *name = units;
	uint32_t left = builder_utf16(path, units);

	while (key && left > 0) {
		struct builder_key *found = NULL;
		uint32_t length = 0;

		while (length < left && name[length] != '\\')
			length++;
		for (uint32_t i = 0; i < key->child_count && !found; i++) {
			struct builder_key *child = key->children[i];

			if (builder_compare(child->name, child->units, name, length) == 0)
				found = child;
		}
		key = found;
		length += length < left;
		name += length;
		left -= length;
	}
	return key;
}
