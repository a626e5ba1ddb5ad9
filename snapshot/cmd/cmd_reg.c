/* Writing .reg text, and saying what it could not say. */
#include "snapshot/cmd/cmd_reg.h"

#include <stdio.h>
#include <stdlib.h>

#include "hive/diff.h"
#include "hive/publish.h"

struct output {
	struct reg_writer *writer;
	char *text; /* with --output: all of it, until it is published */
	uint64_t size, room;
	bool to_file;
	uint64_t changes;
};

static bool keep(struct output *output, struct bytes text, struct error *err)
{
	if (output->size + text.size > output->room) {
		uint64_t room = 2 * (output->size + text.size);
		char *more = realloc(output->text, room);

		if (!more)
			return error_memory(err);
		output->text = more;
		output->room = room;
	}
	memcpy(output->text + output->size, text.data, text.size);
	output->size += text.size;
	return true;
}

static bool put(void *data, struct bytes text, struct error *err)
{
	struct output *output = data;

	if (output->to_file)
		return keep(output, text, err);
	if (fwrite(text.data, 1, text.size, stdout) != text.size)
		return error_set(err, ERROR_DESTINATION, "standard output: cannot write");
	return true;
}

static bool each(void *data, const struct change *change, struct error *err)
{
	struct output *output = data;

	output->changes++;
	return reg_write(output->writer, change, err);
}

/*
 * The path of the top key: that of the hive's root (given, or HKEY_LOCAL_MACHINE and the name
 * under which Windows mounts a hive of this file name), and the way from there.
 */
static char *top_path(TALLOC_CTX *ctx, const char *root, const struct hive *hive,
                      const struct hive_key *key)
{
	const char *name = strrchr(hive_name(hive), '/');
	char *below = hive_path(ctx, hive, key);
	size_t size;

	name = name ? name + 1 : hive_name(hive);
	if (cmd_is_cluster_hive(hive))
		name = "Cluster";
	if (!root)
		root = talloc_asprintf(ctx, "HKEY_LOCAL_MACHINE\\%s", name);
	if (!root || !below)
		return NULL;
	for (size = strlen(root); size && root[size - 1] == '\\';)
		size--;
	return talloc_asprintf(ctx, "%.*s%s%s", (int)size, root, *below ? "\\" : "", below);
}

/* A name with a line break or a NUL (which stands as c0 80 in WTF-8) has no place in a section. */
static bool can_be_written(const char *path, struct error *err)
{
	if (*path == '\0' || *path == '\\')
		return error_set(err, ERROR_USAGE, "--root is the path of a key, and not empty");
	if (!strpbrk(path, "\r\n") && !strstr(path, "\xc0\x80"))
		return true;
	return error_set(err, ERROR_REFUSED,
	                 "%s: a .reg file has no words for the path, a name in it has a line break "
	                 "or a NUL (`clusnap save` the key, and take that hive)",
	                 path);
}

static void say_left_out(const struct reg_left_out *left_out)
{
	for (unsigned op = 0; op < CHANGE_OPS; op++) {
		if (left_out->ops[op])
			cmd_message("warning: a .reg file has no words for %llu changes of the "
			            "kind %s; "
			            "they are left out",
			            (unsigned long long)left_out->ops[op],
			            change_op_name((enum change_op)op));
	}
	if (left_out->names)
		cmd_message("warning: %llu changes are left out, because a name in them has a line "
		            "break or a NUL",
		            (unsigned long long)left_out->names);
}

bool cmd_reg_write(struct cmd *cmd, const struct cmd_reg *reg, const struct hive *a,
                   const struct hive_key *key_a, const struct hive *b, const struct hive_key *key_b,
                   struct cmd_reg_done *told, struct error *err)
{
	struct output output = { .to_file = reg->output != NULL };
	/* It is A that it will be carried out on. */
	char *top = a ? top_path(cmd->ctx, reg->root, a, key_a)
	              : top_path(cmd->ctx, reg->root, b, key_b);
	struct reg_options options = { top, reg->utf8 };
	struct diff_options diff = { .leave_out = reg->leave_out };
	struct reg_left_out left_out;
	bool done;

	if (!top)
		return error_memory(err);
	if (!can_be_written(top, err))
		return false;
	output.writer = reg_writer_new(cmd->ctx, &options, put, &output, err);
	done = output.writer && diff_subtrees(a, key_a, b, key_b, &diff, each, &output, err) &&
	       reg_write_end(output.writer, &left_out, err) &&
	       (!reg->output ||
	        publish_file(reg->output,
	                     (struct bytes){ (const uint8_t *)output.text, output.size }, err));
	free(output.text);
	if (done)
		say_left_out(&left_out);
	*told = (struct cmd_reg_done){ output.changes, done ? left_out.names : 0 };
	return done;
}
