/*
 * publish: calls hive/publish.c with contents that a script can foresee.
 *
 *	publish dir DEST TEXT	a directory of four files and the marker, each holding TEXT
 *	publish file PATH TEXT	a file of 100,000 bytes: TEXT and a newline, over and over; or of
 *				as many bytes as the environment says in PUBLISH_SIZE
 *	publish append PATH SIZE TEXT
 *	publish left DEST	what a killed run left: "old NAME" and "new NAME"
 *
 * Exit status 0, or the kind of the error.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hive/publish.h"

#define PAGE 4096u

static int failed(const struct error *err)
{
	fprintf(stderr, "publish: %s\n", err->text);
	return (int)err->kind;
}

static struct bytes text_bytes(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* Ours is what has a file "marker". */
static bool may_replace(int opened, const char *path, struct error *err)
{
	if (faccessat(opened, "marker", F_OK, 0) == 0)
		return true;
	return error_set(err, ERROR_REFUSED, "%s: is not ours to replace", path);
}

static int publish_directory(const char *path, const char *text)
{
	static const char *const names[] = { "one", "two", "sub/three", "other/four" };
	struct bytes bytes = text_bytes(text);
	struct publish_dir *dir;
	struct error err;
	bool hidden, done;

	dir = publish_dir_begin(NULL, path, may_replace, &err);
	if (!dir)
		return failed(&err);
	done = true;
	for (int i = 0; i < 4 && done; i++)
		done = publish_dir_file(dir, names[i], bytes, &err);
	/* a test holds it open to see what another run says meanwhile */
	if (done && getenv("PUBLISH_WAIT"))
		(void)!system(getenv("PUBLISH_WAIT"));
	done = done && publish_dir_marker(dir, "marker", &hidden, &err) &&
	       publish_dir_commit(dir, &err);
	if (done && publish_dir_warning(dir))
		fprintf(stderr, "publish: warning: %s\n", publish_dir_warning(dir));
	if (done)
		printf("%s%s\n", hidden ? "hidden " : "",
		       publish_dir_private(dir) ? "private" : "open");
	talloc_free(dir);
	return done ? 0 : failed(&err);
}

static int publish_big_file(const char *path, const char *text)
{
	const char *wanted = getenv("PUBLISH_SIZE");
	size_t length = strlen(text) + 1, size = wanted ? strtoul(wanted, NULL, 10) : 100000;
	char *data = aligned_alloc(PAGE, (size + length + PAGE - 1) / PAGE * PAGE);
	struct error err;
	bool done;

	if (!data)
		return 70;
	for (size_t at = 0; at < size; at += length) {
		memcpy(data + at, text, length - 1);
		data[at + length - 1] = '\n';
	}
	done = publish_file(path, (struct bytes){ (uint8_t *)data, size }, &err);
	free(data);
	return done ? 0 : failed(&err);
}

static int left(const char *path)
{
	char *old, *new;
	struct error err;

	if (!publish_dir_left_behind(NULL, path, &old, &new, &err))
		return failed(&err);
	if (old)
		printf("old %s\n", old);
	if (new)
		printf("new %s\n", new);
	talloc_free(old);
	talloc_free(new);
	return 0;
}

int main(int argc, char **argv)
{
	struct error err;

	if (argc == 4 && strcmp(argv[1], "dir") == 0)
		return publish_directory(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "file") == 0)
		return publish_big_file(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "left") == 0)
		return left(argv[2]);
	if (argc == 5 && strcmp(argv[1], "append") == 0)
		return publish_file_append(argv[2], strtoull(argv[3], NULL, 10),
		                           text_bytes(argv[4]), &err)
		               ? 0
		               : failed(&err);
	fprintf(stderr, "publish: wrong usage\n");
	return 2;
}
