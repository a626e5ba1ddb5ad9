/*
 * Recovers a hive for the tests that compare with other implementations:
 *
 *	recover [-r] [-i] [-s FOLDER] HIVE OUT [LOG...]
 *
 * -r and -i are the relaxed rule and "ignore the logs". With LOGs nothing beside HIVE is looked
 * at. -s writes every state on the way as FOLDER/N.hive, N counted from 0, and prints one line
 * for each: N, sequence number, 1 if it is called consistent. Then follow what recovery has to
 * say, and its numbers in the last line. Exit status as the program's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hive/recover.h"

struct states {
	const char *folder;
	unsigned count;
};

static bool write_image(const char *path, struct bytes bytes, struct error *err)
{
	FILE *file = fopen(path, "wb");
	bool good = file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size;

	if (file && fclose(file) != 0)
		good = false;
	return good ? true : error_errno(err, ERROR_DESTINATION, "%s", path);
}

static bool write_state(void *data, const struct recover_state *state, struct error *err)
{
	struct states *states = data;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%u.hive", states->folder, states->count);
	printf("state %u sequence %u consistent %d\n", states->count++, state->sequence,
	       state->consistent);
	return write_image(path, state->image->bytes, err);
}

static struct source *read_source(TALLOC_CTX *ctx, char **args, struct error *err)
{
	struct source *source;

	if (!args[2])
		return source_read_path(ctx, args[0], err);
	source = source_read_alone(ctx, args[0], err);
	for (char **log = args + 2; source && *log; log++) {
		if (!source_add_log(source, *log, err))
			return NULL;
	}
	return source;
}

static bool run(TALLOC_CTX *ctx, char **args, const struct recover_options *options,
                struct states *states, struct error *err)
{
	struct source *source = read_source(ctx, args, err);
	struct recovery recovery;
	struct image *image;

	if (!source)
		return false;
	image = recover_each(ctx, source, options, states->folder ? write_state : NULL, states,
	                     &recovery, err);
	if (!image)
		return false;
	for (uint32_t i = 0; i < recovery.message_count; i++)
		printf("%s\n", recovery.messages[i]);
	printf("condition %d entries %u first %u last %u missing %d transactions %d gap %d\n",
	       recovery.condition, recovery.entries, recovery.first, recovery.last,
	       recovery.log_missing, recovery.transactions, recovery.gap);
	return write_image(args[1], image->bytes, err);
}

int main(int argc, char **argv)
{
	struct recover_options options = { 0 };
	struct states states = { 0 };
	TALLOC_CTX *ctx = talloc_new(NULL);
	struct error err = { 0 };
	int option;

	while ((option = getopt(argc, argv, "ris:")) != -1) {
		options.relaxed |= option == 'r';
		options.ignore_logs |= option == 'i';
		if (option == 's')
			states.folder = optarg;
		if (option == '?')
			return 2;
	}
	if (argc - optind < 2)
		return 2;
	if (!run(ctx, argv + optind, &options, &states, &err))
		fprintf(stderr, "%s\n", err.text);
	talloc_free(ctx);
	return (int)err.kind;
}
