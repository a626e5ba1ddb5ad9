/* Plans for tests. Linked into tools without cmocka, so it calls none of it. */
#include "tests/undoing.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/image.h"

#define GUID_A "11111111-2222-4333-8444-555555555555"
#define GUID_B "66666666-7777-4888-9999-aaaaaaaaaaaa"

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "undoing: %s\n", why);
	exit(70);
}

static void *wanted(void *memory)
{
	if (!memory)
		give_up("no memory");
	return memory;
}

struct undo *undoing_new(TALLOC_CTX *ctx, const char *system, const char *quorum)
{
	struct undo *undo = wanted(talloc_zero(ctx, struct undo));

	*undo = (struct undo){
		.begun = talloc_strdup(undo, "2026-11-28T11:15:00Z"),
		.host = talloc_strdup(undo, "rescue"),
		.command = talloc_strdup(undo, "restore"),
		.node = talloc_strdup(undo, "NODE 1"),
		.generation = 1,
		.request = { .source = talloc_strdup(undo, "/backup/cluster") },
		.snapshot = talloc_strdup(undo, "an id"),
		.disks = { { .path = talloc_strdup(undo, system) },
		           { .path = quorum ? talloc_strdup(undo, quorum) : NULL,
		             .folder = quorum ? talloc_strdup(undo, "MSCS") : NULL } },
	};
	return undo;
}

struct undo_content undoing_content(TALLOC_CTX *ctx, struct bytes bytes)
{
	struct undo_content content = { .present = bytes.data != NULL, .size = bytes.size };
	struct image *image;
	struct error err;

	if (!content.present)
		return content;
	image = image_copy(ctx, bytes, &err);
	if (!image || !image_seal(image, &err))
		give_up(err.text);
	digest_bytes(bytes, content.digest);
	content.image = image;
	return content;
}

struct undo_file *undoing_add(struct undo *undo, enum undo_volume volume, const char *path,
                              struct bytes old, struct bytes recovered, struct bytes new)
{
	struct undo_file *file;

	undo->files = wanted(talloc_realloc(undo, undo->files, struct undo_file, undo->count + 1));
	file = &undo->files[undo->count++];
	*file = (struct undo_file){ .volume = volume,
		                    .path = wanted(talloc_strdup(undo, path)),
		                    .content = { undoing_content(undo, old),
		                                 undoing_content(undo, recovered),
		                                 undoing_content(undo, new) } };
	file->action = undo_action_of(file);
	return file;
}

struct undo_file *undoing_erase(struct undo *undo, const char *path, struct bytes old)
{
	uint8_t *new = wanted(talloc_memdup(NULL, old.data, old.size));
	struct undo_file *file;

	memset(new, 0, old.size < TARGET_SECTOR ? old.size : TARGET_SECTOR);
	file = undoing_add(undo, UNDO_SYSTEM, path, old, UNDOING_NONE,
	                   (struct bytes){ new, old.size });
	file->action = UNDO_ERASE;
	talloc_free(new);
	return file;
}

struct bytes undoing_text(TALLOC_CTX *ctx, const char *word, size_t size)
{
	char *text = wanted(talloc_zero_size(ctx, size + 64));

	for (size_t at = 0, n = 0; at < size; n++)
		at += (size_t)snprintf(text + at, 64, "%.40s %zu\n", word, n);
	return (struct bytes){ (uint8_t *)text, size };
}

struct undo *undoing_all(TALLOC_CTX *ctx, const char *system, const char *quorum)
{
	static const struct {
		enum undo_volume volume;
		const char *path;
		int old, recovered, new; /* sizes, below zero: none */
	} rows[] = {
		{ UNDO_SYSTEM, "Windows/Cluster/CLUSDB", 12288, 16384, 16384 },
		{ UNDO_SYSTEM, "Windows/Cluster/CLUSDB.LOG1", 8192, 0, -2 },
		{ UNDO_SYSTEM, "Windows/Cluster/CLUSDB.LOG2", 300, 0, -2 },
		{ UNDO_SYSTEM, "Windows/Cluster/CLUSDB.blf", 700, -1, -1 },
		{ UNDO_SYSTEM, "Windows/Cluster/CLUSDB.empty.blf", 0, -1, -1 },
		{ UNDO_SYSTEM, "Windows/System32/config/SOFTWARE", 8192, -1, 8192 },
		{ UNDO_SYSTEM, "Windows/System32/config/SECURITY", -1, -1, 8192 },
		{ UNDO_QUORUM, "MSCS/quolog.log", 5000, -1, -1 },
		{ UNDO_QUORUM, "MSCS/chk1.tmp", 9000, -1, -1 },
		{ UNDO_QUORUM, "MSCS/" GUID_A, -1, -1, -1 },
		{ UNDO_QUORUM, "MSCS/" GUID_A "/00000001.CPT", -1, -1, 5000 },
		{ UNDO_QUORUM, "MSCS/" GUID_B "/00000001.CPT", 6000, -1, 600 },
		{ UNDO_QUORUM, "MSCS/" GUID_B "/00000002.CPR", 600, -1, 10 },
		{ UNDO_QUORUM, "MSCS/" GUID_B "/00000003.CPR", 10, -1, 600 },
	};
	struct undo *undo = undoing_new(ctx, system, quorum);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes bytes[UNDO_WHENS];
		int sizes[UNDO_WHENS] = { rows[i].old, rows[i].recovered, rows[i].new };
		TALLOC_CTX *tmp = talloc_new(NULL);

		for (int when = 0; when < (int)UNDO_WHENS; when++) {
			char *word = talloc_asprintf(tmp, "%d of row %zu", when, i);

			bytes[when] = sizes[when] < 0
			                      ? UNDOING_NONE
			                      : undoing_text(tmp, word, (size_t)sizes[when]);
		}
		if (rows[i].new == -2)
			undoing_erase(undo, rows[i].path, bytes[UNDO_OLD]);
		else if (quorum || rows[i].volume == UNDO_SYSTEM)
			undoing_add(undo, rows[i].volume, rows[i].path, bytes[UNDO_OLD],
			            bytes[UNDO_RECOVERED], bytes[UNDO_NEW]);
		talloc_free(tmp);
	}
	return undo;
}

/* --- the disks --- */

char *undoing_path(TALLOC_CTX *ctx, const struct undo *undo, const struct undo_file *file)
{
	return wanted(talloc_asprintf(ctx, "%s/%s", undo->disks[file->volume].path, file->path));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static void make_parents(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

static void put(const char *path, struct bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes.data, bytes.size) != (ssize_t)bytes.size || close(fd) != 0)
		give_up(path);
}

void undoing_disks(const struct undo *undo, enum undo_when when)
{
	for (unsigned i = 0; i < UNDO_VOLUMES; i++) {
		if (!undo->disks[i].path)
			continue;
		nftw(undo->disks[i].path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		mkdir(undo->disks[i].path, 0700);
	}
	for (uint32_t i = 0; i < undo->count; i++) {
		const struct undo_file *file = &undo->files[i];
		const struct undo_content *content = &file->content[when];
		char *path = undoing_path(NULL, undo, file);

		if (file->action != UNDO_MKDIR)
			make_parents(path);
		if (file->action == UNDO_MKDIR && when == UNDO_NEW)
			mkdir(path, 0700);
		if (content->present)
			put(path, content->image->bytes);
		talloc_free(path);
	}
	for (uint32_t i = 0; i < undo->count && when == UNDO_OLD;
	     i++) { /* made for what is in it */
		char *path = undoing_path(NULL, undo, &undo->files[i]);

		if (undo->files[i].action == UNDO_MKDIR)
			rmdir(path);
		talloc_free(path);
	}
}

static bool is_as(const struct undo_file *file, enum undo_when when, const char *path)
{
	const struct undo_content *content = &file->content[when];
	struct image *image;
	struct error err;
	struct stat st;
	bool same;

	if (file->action == UNDO_MKDIR)
		return (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) == (when == UNDO_NEW);
	if (!content->present)
		return access(path, F_OK) != 0;
	image = image_read(NULL, AT_FDCWD, path, &err);
	same = image && bytes_equal(image->bytes, content->image->bytes);
	talloc_free(image);
	return same;
}

char *undoing_differs(TALLOC_CTX *ctx, const struct undo *undo, enum undo_when when)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		char *path = undoing_path(ctx, undo, &undo->files[i]);

		if (!is_as(&undo->files[i], when, path))
			return path;
		talloc_free(path);
	}
	return NULL;
}
