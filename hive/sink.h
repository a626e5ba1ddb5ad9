/*
 * sink: whoever takes a tree, key by key and value by value: the image writer, the digest.
 *
 * For each key, parents first, siblings in Windows' order:
 *
 *	begin_key, then for each value begin_value and data pieces that add up to its size,
 *	then all of its subkeys, then end_key
 *
 * What the structures point to stays where it is, unchanged, until the tree is complete.
 */
#ifndef HIVE_SINK_H
#define HIVE_SINK_H

#include "hive/error.h"
#include "hive/name.h"

struct sink_key {
	struct name name;
	uint64_t time;           /* FILETIME */
	bool link;               /* a symbolic link */
	struct bytes class_name; /* UTF-16LE */
	struct bytes descriptor; /* self-relative security descriptor */
	uint32_t subkeys;        /* how many follow */
};

struct sink_value {
	struct name name;
	uint32_t type;
	uint32_t size;
};

struct sink {
	bool (*begin_key)(struct sink *sink, const struct sink_key *key, struct error *err);
	bool (*begin_value)(struct sink *sink, const struct sink_value *value, struct error *err);
	bool (*data)(struct sink *sink, struct bytes piece, struct error *err);
	bool (*end_key)(struct sink *sink, struct error *err);
};

#endif
