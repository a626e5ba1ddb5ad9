/* Plans of hives, and the verdict of whoever loads one. */
#include "tests/carrying.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hive/recover.h"
#include "tests/logbuilder.h"

#define PAGE 4096u
#define CLUSTER "Windows/Cluster/"
#define CONFIG "Windows/System32/config/"

const struct carrying_row carrying_rows[] = {
	{ "a clean hive with stale logs", "aaaa", 20, 20, "bc", "de", "nnnn", 0 },
	{ "a clean hive without logs", "aaa", 20, 20, NULL, NULL, "nnn", 0 },
	{ "a dirty hive with two logs", "aaaa", 7, 6, "bc", "de", "nnnn", 0 },
	{ "a dirty hive, half written", "aeba", 7, 6, "bcbc", "de", "nnnn", 0 },
	{ "a dirty hive with one log", "aaaa", 7, 6, "bc", NULL, "nnnn", 0 },
	{ "a dirty hive with an empty log", "aaaa", 7, 6, "bcd", "", "nnnn", 0 },
	{ "a dirty hive that its logs make longer", "aaa", 7, 6, "bcdef", "gh", "nn", 0 },
	{ "the same with a longer new one", "aaa", 7, 6, "bcdef", "gh", "nnnnnnn", 0 },
	{ "a dirty hive without its logs", "aaaa", 7, 6, NULL, NULL, "nnnn", 0 },
	{ "a dirty hive with a log of the old format", "aaaa", 7, 6, "b  cdd  ee             f",
	  NULL, "nnnn", CARRYING_OLD_LOG },
	{ "the same, longer", "aa", 7, 6, "b              cccccccccdd", NULL, "nnnnn",
	  CARRYING_OLD_LOG },
	{ "a lost base block beside logs", "aaaa", 7, 6, "bc", "de", "nnnn", CARRYING_NO_BASE },
	{ "the same, and the hive is cut", "aaaa", 7, 6, "bc", "de", "nnnnn",
	  CARRYING_NO_BASE | CARRYING_CUT },
	{ "a hive that is cut", "aaaa", 20, 20, "bc", "de", "nnnn", CARRYING_CUT },
	{ "a new hive that is longer", "aaa", 20, 20, "bc", NULL, "nnnnnnn", 0 },
	{ "a new hive that is shorter", "aaaaaaa", 20, 20, "bc", NULL, "nnn", 0 },
	{ "no hive yet", "", 0, 0, NULL, NULL, "nnn", 0 },
	{ "no hive yet, but logs", "", 0, 0, "bc", "de", "nnn", 0 },
	{ "two disks", "aaaa", 7, 6, "bc", "de", "nnnn", CARRYING_OTHERS },
	{ "two disks that are one", "aaa", 7, 6, "bcd", "de", "nnnnn",
	  CARRYING_OTHERS | CARRYING_ONE_DISK },
};
const size_t carrying_count = sizeof(carrying_rows) / sizeof(carrying_rows[0]);

static _Noreturn void give_up(const char *why)
{
	fprintf(stderr, "carrying: %s\n", why);
	exit(70);
}

static void *wanted(void *memory)
{
	if (!memory)
		give_up("no memory");
	return memory;
}

/* --- hives and logs --- */

static struct bytes hive_of(TALLOC_CTX *ctx, const char *pages, uint32_t one, uint32_t two)
{
	size_t size;
	uint8_t *hive = logbuilder_hive(ctx, (uint32_t)strlen(pages), one, two, &size);

	for (uint32_t i = 0; pages[i]; i++)
		logbuilder_bin(hive + PAGE * (size_t)(i + 1), i, pages[i]);
	return (struct bytes){ hive, size };
}

/* The Nth entry writes a page, from FIRST on. */
static struct bytes log_of(TALLOC_CTX *ctx, const char *letters, uint32_t sequence, uint32_t first,
                           uint32_t pages)
{
	struct logbuilder *log;

	if (!letters)
		return UNDOING_NONE;
	if (!*letters)
		return (struct bytes){ wanted(talloc_size(ctx, 1)), 0 };
	log = logbuilder_new(ctx, sequence, pages);
	for (uint32_t i = 0; letters[i]; i++) {
		if (pages < first + i + 1)
			pages = first + i + 1;
		logbuilder_entry(log, sequence + i, 0, pages);
		logbuilder_page(log, first + i, letters[i]);
		logbuilder_finish(log);
	}
	return (struct bytes){ log->data, log->size };
}

static struct image *image_of(TALLOC_CTX *ctx, struct bytes bytes)
{
	struct error err;
	struct image *image = image_copy(ctx, bytes, &err);

	if (!image || !image_seal(image, &err))
		give_up(err.text);
	return image;
}

/* What would be loaded, on CTX; UNDOING_NONE if it is refused. *REPLAYED: logs were applied. */
static struct bytes loaded(TALLOC_CTX *ctx, struct bytes hive, const struct bytes logs[SOURCE_LOGS],
                           bool *replayed)
{
	static const char *const names[SOURCE_LOGS] = { "hive.LOG", "hive.LOG1", "hive.LOG2" };
	struct source *source;
	struct recovery recovery;
	struct image *image;
	struct error err;

	*replayed = false;
	if (!hive.data)
		return UNDOING_NONE;
	source = wanted(talloc_zero(ctx, struct source));
	source->name = wanted(talloc_strdup(source, "hive"));
	source->hive = image_of(source, hive);
	for (int i = 0; i < SOURCE_LOGS; i++) {
		if (!logs[i].data)
			continue;
		source->logs[i].name = wanted(talloc_strdup(source, names[i]));
		source->logs[i].image = image_of(source, logs[i]);
	}
	image = recover(ctx, source, NULL, &recovery, &err);
	if (!image)
		return UNDOING_NONE;
	*replayed = recovery.condition == RECOVER_REPLAYED;
	return image->bytes;
}

static struct bytes padded(TALLOC_CTX *ctx, struct bytes bytes, uint64_t size)
{
	uint8_t *longer;

	if (!bytes.data || bytes.size >= size)
		return bytes;
	longer = wanted(talloc_zero_size(ctx, size));
	memcpy(longer, bytes.data, bytes.size);
	return (struct bytes){ longer, size };
}

/* --- plans --- */

/* As snapshot/restore/restore_file.c does it. */
static void add_hive(struct undo *undo, const char *folder, const char *name, struct bytes old,
                     const struct bytes logs[SOURCE_LOGS], struct bytes new)
{
	static const char *const suffixes[SOURCE_LOGS] = { "LOG", "LOG1", "LOG2" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *path = talloc_asprintf(tmp, "%s%s", folder, name);
	struct bytes recovered;
	bool replayed;

	recovered = loaded(tmp, old, logs, &replayed);
	recovered = replayed ? padded(tmp, recovered, old.size) : UNDOING_NONE;
	new = padded(tmp, padded(tmp, new, recovered.size), old.size);
	undoing_add(undo, UNDO_SYSTEM, path, old, recovered, new);
	for (int i = SOURCE_LOGS; i-- > 0;) {
		if (logs[i].data && logs[i].size)
			undoing_erase(undo, talloc_asprintf(tmp, "%s.%s", path, suffixes[i]),
			              logs[i]);
	}
	talloc_free(tmp);
}

static void add_cluster(struct undo *undo, const struct carrying_row *row)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	uint32_t pages = (uint32_t)strlen(row->old);
	struct bytes old = pages ? hive_of(tmp, row->old, row->one, row->two) : UNDOING_NONE;
	struct bytes logs[SOURCE_LOGS] = { 0 };

	if (row->flags & CARRYING_OLD_LOG) {
		struct logbuilder *log =
			logbuilder_old(tmp, 1, 7, ((uint32_t)strlen(row->log1) + 7) / 8, row->log1);

		logs[SOURCE_LOG] = (struct bytes){ log->data, log->size };
	} else {
		logs[SOURCE_LOG1] = log_of(tmp, row->log1, 7, 0, pages);
		logs[SOURCE_LOG2] =
			log_of(tmp, row->log2, 7 + (uint32_t)strlen(row->log1 ? row->log1 : ""), 1,
		               row->log1 && strlen(row->log1) > pages ? (uint32_t)strlen(row->log1)
		                                                      : pages);
	}
	if (row->flags & CARRYING_NO_BASE)
		memset((uint8_t *)(uintptr_t)old.data, 'x', 512);
	if (row->flags & CARRYING_CUT)
		old.size -= 1000;
	add_hive(undo, CLUSTER, "CLUSDB", old, logs, hive_of(tmp, row->new, 30, 30));
	talloc_free(tmp);
}

/* What restore does besides, on both disks. */
static void add_others(struct undo *undo)
{
	static const struct {
		enum undo_volume volume;
		const char *path;
		int old, new; /* sizes, below zero: none */
	} rows[] = {
		{ UNDO_SYSTEM, CLUSTER "CLUSDB.blf", 700, -1 },
		{ UNDO_SYSTEM, CLUSTER "CLUSDB.none.blf", 0, -1 },
		{ UNDO_QUORUM, "MSCS/quolog.log", 5000, -1 },
		{ UNDO_QUORUM, "MSCS/chk1.tmp", 9000, -1 },
		{ UNDO_QUORUM, "MSCS/new", -1, -1 },
		{ UNDO_QUORUM, "MSCS/new/00000001.CPT", -1, 5000 },
		{ UNDO_QUORUM, "MSCS/new/00000002.CPR", -1, 20 },
		{ UNDO_QUORUM, "MSCS/old/00000001.CPT", 6000, 600 },
		{ UNDO_QUORUM, "MSCS/old/00000002.CPR", 600, 6000 },
		{ UNDO_QUORUM, "MSCS/old/00000003.CPR", 600, 10 },
		{ UNDO_QUORUM, "MSCS/old/00000004.CPR", 10, 5000 },
		{ UNDO_QUORUM, "MSCS/old/00000005.CPR", 0, 1 },
		{ UNDO_QUORUM, "MSCS/old/00000006.CPR", 1, 0 },
		{ UNDO_QUORUM, "MSCS/old/00000007.CPR", 30, 31 },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct bytes logs[SOURCE_LOGS] = { [SOURCE_LOG1] = log_of(tmp, "xyz", 7, 0, 3),
		                           [SOURCE_LOG2] = log_of(tmp, "uv", 10, 1, 3) };

	add_hive(undo, CONFIG, "SOFTWARE", hive_of(tmp, "AAA", 7, 6), logs,
	         hive_of(tmp, "NNN", 30, 30));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *old = talloc_asprintf(tmp, "old %zu", i),
		     *new = talloc_asprintf(tmp, "new %zu", i);

		undoing_add(undo, rows[i].volume, rows[i].path,
		            rows[i].old < 0 ? UNDOING_NONE
		                            : undoing_text(tmp, old, (size_t)rows[i].old),
		            UNDOING_NONE,
		            rows[i].new < 0 ? UNDOING_NONE
		                            : undoing_text(tmp, new, (size_t)rows[i].new));
	}
	talloc_free(tmp);
}

struct undo *carrying_plan(TALLOC_CTX *ctx, const struct carrying_row *row, const char *directory)
{
	char *system = talloc_asprintf(NULL, "%s/system", directory),
	     *quorum = talloc_asprintf(system, "%s/%s", directory,
	                               row->flags & CARRYING_ONE_DISK ? "system" : "quorum");
	struct undo *undo = undoing_new(ctx, system, row->flags & CARRYING_OTHERS ? quorum : NULL);

	undo->path = talloc_strdup(undo, "/media/stick/undo");
	memset(undo->id, 'f', DIGEST_HEX - 1);
	add_cluster(undo, row);
	if (row->flags & CARRYING_OTHERS)
		add_others(undo);
	talloc_free(system);
	return undo;
}

/* --- the disks in memory --- */

struct carrying_file *carrying_at(TALLOC_CTX *ctx, const struct undo *undo, enum undo_when when)
{
	struct carrying_file *files =
		wanted(talloc_zero_array(ctx, struct carrying_file, undo->count));

	for (uint32_t i = 0; i < undo->count; i++) {
		const struct undo_content *content = &undo->files[i].content[when];

		files[i].there = content->present;
		if (content->present)
			files[i].bytes = content->image->bytes;
		if (undo->files[i].action == UNDO_MKDIR)
			files[i].there = when == UNDO_NEW;
	}
	return files;
}

struct carrying_file *carrying_take(TALLOC_CTX *ctx, const struct undo *undo)
{
	struct carrying_file *files =
		wanted(talloc_zero_array(ctx, struct carrying_file, undo->count));

	for (uint32_t i = 0; i < undo->count; i++) {
		char *path = undoing_path(NULL, undo, &undo->files[i]);
		struct stat st;
		int fd;

		if (lstat(path, &st) == 0) {
			files[i].there = true;
			files[i].bytes.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		}
		if (files[i].there && S_ISREG(st.st_mode)) {
			uint8_t *data = wanted(talloc_size(files, (size_t)st.st_size + 1));

			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd < 0 || read(fd, data, (size_t)st.st_size) != st.st_size)
				give_up(path);
			close(fd);
			files[i].bytes.data = data;
		}
		talloc_free(path);
	}
	return files;
}

static void put_one(const char *path, const struct undo_file *file,
                    const struct carrying_file *wanted_file)
{
	struct bytes bytes = wanted_file->bytes;
	int fd;

	if (file->action == UNDO_MKDIR) {
		if (wanted_file->there)
			mkdir(path, 0700);
		return;
	}
	if (!wanted_file->there) {
		unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) /* in a directory that a power cut has left out */
		return;
	if ((bytes.size && write(fd, bytes.data, bytes.size) != (ssize_t)bytes.size) ||
	    close(fd) != 0)
		give_up(path);
}

void carrying_put(const struct undo *undo, const struct carrying_file *files)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		char *path = undoing_path(NULL, undo, &undo->files[i]);

		put_one(path, &undo->files[i], &files[i]);
		talloc_free(path);
	}
	for (uint32_t i = undo->count; i-- > 0;) {
		char *path = undoing_path(NULL, undo, &undo->files[i]);

		if (undo->files[i].action == UNDO_MKDIR && !files[i].there)
			rmdir(path);
		talloc_free(path);
	}
}

/* --- the verdict --- */

static bool has(const struct undo *undo, const char *path)
{
	bool found = false;

	for (uint32_t i = 0; i < undo->count; i++)
		found |= strcmp(undo->files[i].path, path) == 0;
	return found;
}

static struct bytes find(const struct undo *undo, const struct carrying_file *files,
                         const char *path)
{
	for (uint32_t i = 0; i < undo->count; i++) {
		if (strcmp(undo->files[i].path, path) == 0 && files[i].there)
			return files[i].bytes;
	}
	return UNDOING_NONE;
}

/* The bins of what would be loaded of the hive at PATH; UNDOING_NONE if it is refused. */
static struct bytes bins(TALLOC_CTX *ctx, const struct undo *undo,
                         const struct carrying_file *files, const char *path)
{
	static const char *const suffixes[SOURCE_LOGS] = { ".LOG", ".LOG1", ".LOG2" };
	struct bytes logs[SOURCE_LOGS], image;
	uint64_t size;
	bool replayed;

	for (int i = 0; i < SOURCE_LOGS; i++) {
		char *log = talloc_asprintf(ctx, "%s%s", path, suffixes[i]);

		logs[i] = find(undo, files, log);
	}
	image = loaded(ctx, find(undo, files, path), logs, &replayed);
	if (image.size < PAGE)
		return UNDOING_NONE;
	size = logbuilder_get32(image.data + 40);
	return size > image.size - PAGE ? UNDOING_NONE : (struct bytes){ image.data + PAGE, size };
}

char *carrying_judge(TALLOC_CTX *ctx, const struct undo *undo, const struct carrying_file *files,
                     unsigned *refused)
{
	static const char *const paths[] = { CLUSTER "CLUSDB", CONFIG "SOFTWARE" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct carrying_file *old = carrying_at(tmp, undo, UNDO_OLD),
			     *new = carrying_at(tmp, undo, UNDO_NEW);
	char *wrong = NULL;

	*refused = 0;
	for (int i = 0; i < 2; i++) {
		struct bytes now = bins(tmp, undo, files, paths[i]);

		if (!has(undo, paths[i]))
			continue;
		if (!now.data)
			++*refused;
		else if (!bytes_equal(now, bins(tmp, undo, old, paths[i])) &&
		         !bytes_equal(now, bins(tmp, undo, new, paths[i])))
			wrong = talloc_asprintf(ctx, "%s is neither old, nor new, nor refused",
			                        paths[i]);
	}
	talloc_free(tmp);
	return wrong;
}

/* --- carried out --- */

static struct carry *open_carry(TALLOC_CTX *ctx, const struct undo *undo, struct error *err)
{
	struct volume **volumes = wanted(talloc_zero_array(ctx, struct volume *, UNDO_VOLUMES));

	for (unsigned i = 0; i < UNDO_VOLUMES; i++) {
		if (!undo->disks[i].path)
			continue;
		volumes[i] = volume_open(ctx, undo->disks[i].path, err);
		if (!volumes[i])
			return NULL;
	}
	return carry_open(ctx, undo, volumes, problems_new(ctx), err);
}

bool carrying_look(const struct undo *undo, bool force, enum carry_state *state, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct carry *carry = open_carry(tmp, undo, err);
	bool done = carry && carry_look(carry, force, state, err);

	talloc_free(tmp);
	return done;
}

bool carrying_out(const struct undo *undo, enum undo_when to, int how, struct error *err)
{
	const struct carry_options options = { 0 };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct carry *carry = open_carry(tmp, undo, err);
	enum carry_state state;
	bool waits = false, done;

	done = carry &&
	       (how & CARRYING_NO_LOOK || carry_look(carry, how & CARRYING_FORCE, &state, err)) &&
	       carry_out(carry, to, &options, &waits, err);
	if (waits)
		give_up("it waits for something");
	talloc_free(tmp);
	return done;
}
