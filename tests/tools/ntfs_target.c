/*
 * Writes over data of a file on a raw NTFS volume, for scripts.
 *
 *	ntfs_target VOLUME		what speaks against writing it
 *	ntfs_target VOLUME PATH		and against this file; its size, if nothing does
 *	ntfs_target VOLUME PATH OFFSET INPUT [FORCE]
 *					writes the file INPUT there, syncs, reads it back
 *	ntfs_target --hold VOLUME	holds it until the end of standard input
 *
 * With FORCE reasons against the volume are told, and it is written all the same. The exit status
 *is that of the error, and 3 where there are reasons.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/disk/ntfs_target.h"

static int fail(const struct error *err)
{
	fprintf(stderr, "%s\n", err->text);
	return (int)err->kind;
}

static void print(const struct problems *reasons)
{
	for (uint32_t i = 0; i < reasons->count; i++)
		printf("%s: %s\n", reasons->list[i].code, reasons->list[i].text);
}

static int write_file(struct ntfs_target *target, struct ntfs_target_file *file, uint64_t offset,
                      const char *input)
{
	struct error err;
	struct image *from = image_read(file, AT_FDCWD, input, &err), *back;
	uint8_t *again;

	if (!from)
		return fail(&err);
	if (!ntfs_target_write(file, offset, from->bytes, &err) || !ntfs_target_sync(target, &err))
		return fail(&err);
	again = talloc_size(file, from->bytes.size + 1);
	if (!ntfs_target_read(file, offset, again, from->bytes.size, &err))
		return fail(&err);
	back = ntfs_target_read_back(file, file, &err);
	if (!back)
		return fail(&err);
	if (memcmp(again, from->bytes.data, from->bytes.size) != 0 ||
	    memcmp(back->bytes.data + offset, from->bytes.data, from->bytes.size) != 0) {
		printf("other bytes were read back\n");
		return 1;
	}
	return 0;
}

/* With a file: what speaks against writing it, or writes it. */
static int with_file(struct ntfs_target *target, int argc, char **argv)
{
	struct problems *reasons = problems_new(target);
	struct ntfs_target_file *file;
	struct error err;
	int status = 0;

	file = ntfs_target_file(target, target, argv[2], reasons, &err);
	print(reasons);
	if (!file)
		return fail(&err);
	if (argc > 4)
		status = write_file(target, file, strtoull(argv[3], NULL, 0), argv[4]);
	else if (reasons->count)
		status = 3;
	else
		printf("%s: %" PRIu64 " bytes, sectors of %u\n", ntfs_target_path(file),
		       ntfs_target_size(file), ntfs_target_sector(target));
	talloc_free(file);
	return status;
}

static int with_volume(struct ntfs_target *target, uint32_t reasons, int argc, char **argv)
{
	if (strcmp(argv[1], "--hold") == 0) {
		printf("held\n");
		fflush(stdout);
		while (getchar() != EOF)
			;
		return 0;
	}
	if (reasons && argc < 6)
		return 3;
	return argc > 2 ? with_file(target, argc, argv) : 0;
}

int main(int argc, char **argv)
{
	struct problems *reasons = problems_new(NULL);
	struct ntfs_target *target;
	struct error err;
	int status;

	if (argc < 2)
		return 2;
	target = ntfs_target_open(reasons, argv[strcmp(argv[1], "--hold") == 0 ? 2 : 1], reasons,
	                          &err);
	print(reasons);
	status = target ? with_volume(target, reasons->count, argc, argv) : fail(&err);
	talloc_free(reasons);
	return status;
}
