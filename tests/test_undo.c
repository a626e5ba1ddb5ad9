/*
 * An undo directory is read back as it was written, and one that is not whole, in any byte, is
 * none. What its plan.json may say is in test_undo_plan.c.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing.h"
#include "tests/undoing.h"

static char *directory; /* all are made in it */

static int make_directory(void **state)
{
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* memory: a disk waits for each fsync */
	directory = testing_directory();
	return testing_begin(state);
}

static int remove_directory(void **state)
{
	testing_remove(directory);
	return testing_end(state);
}

/* Everything that a plan can say. */
static struct undo *whole_plan(TALLOC_CTX *ctx)
{
	struct undo *undo = undoing_all(ctx, "/mnt/node 1", "/mnt/quorum");
	struct undo_request *request = &undo->request;

	request->sequence = 42;
	request->checkpoints = true;
	undo->disks[UNDO_SYSTEM].serial_known = true;
	undo->disks[UNDO_SYSTEM].serial = 0xfedcba9876543210u;
	undo->files[0].attributes = (struct target_attributes){
		.known = true,
		.mode = 0640,
		.uid = 1000,
		.gid = 4294967294u,
		.seconds = -1,
		.nanoseconds = 999999999,
		.acl = undoing_text(undo, "acl", 300),
		.attrib = undoing_text(undo, "attrib", 4),
	};
	return undo;
}

/* Writes it below DIRECTORY/NAME; its path is undo->path then. */
static void write_undo(struct undo *undo, const char *name)
{
	char *parent = talloc_asprintf(undo, "%s/%s", directory, name);
	struct error err;

	if (!undo_write(undo, undo, parent, problems_new(undo), &err))
		fail_msg("%s", err.text);
}

static char *inside(const struct undo *undo, const char *name)
{
	return talloc_asprintf((void *)(uintptr_t)undo, "%s/%s", undo->path, name);
}

/* --- written and read back --- */

static void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void same_attributes(const struct target_attributes *a, const struct target_attributes *b)
{
	assert_int_equal(a->known, b->known);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_true(a->seconds == b->seconds);
	assert_int_equal(a->nanoseconds, b->nanoseconds);
	assert_true(bytes_equal(a->acl, b->acl));
	assert_true(bytes_equal(a->attrib, b->attrib));
	assert_true(bytes_equal(a->times, b->times));
}

static void same_file(const struct undo_file *a, const struct undo_file *b, bool contents)
{
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->volume, b->volume);
	same_text(a->path, b->path);
	same_attributes(&a->attributes, &b->attributes);
	for (int when = 0; when < (int)UNDO_WHENS; when++) {
		const struct undo_content *one = &a->content[when], *other = &b->content[when];

		assert_int_equal(one->present, other->present);
		assert_int_equal(one->size, other->size);
		assert_memory_equal(one->digest, other->digest, DIGEST_SIZE);
		assert_int_equal(other->image != NULL, contents && one->present);
		if (other->image)
			assert_true(bytes_equal(one->image->bytes, other->image->bytes));
	}
}

static void same_undo(const struct undo *a, const struct undo *b, bool contents)
{
	same_text(a->path, b->path);
	same_text(a->begun, b->begun);
	same_text(a->host, b->host);
	same_text(a->command, b->command);
	same_text(a->node, b->node);
	same_text(a->snapshot, b->snapshot);
	same_text(a->id, b->id);
	assert_int_equal(a->generation, b->generation);
	same_text(a->request.source, b->request.source);
	assert_int_equal(a->request.sequence, b->request.sequence);
	assert_int_equal(a->request.authoritative, b->request.authoritative);
	assert_int_equal(a->request.checkpoints, b->request.checkpoints);
	for (int i = 0; i < (int)UNDO_VOLUMES; i++) {
		same_text(a->disks[i].path, b->disks[i].path);
		same_text(a->disks[i].folder, b->disks[i].folder);
		assert_int_equal(a->disks[i].serial_known, b->disks[i].serial_known);
		assert_true(a->disks[i].serial == b->disks[i].serial);
	}
	assert_int_equal(a->count, b->count);
	for (uint32_t i = 0; i < a->count; i++)
		same_file(&a->files[i], &b->files[i], contents);
}

static void it_is_read_back_as_it_was_written(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undos[] = { whole_plan(tmp), undoing_all(tmp, "/mnt/node", NULL) };
	struct error err;
	struct undo again;

	(void)state;
	for (int i = 0; i < 2; i++) {
		write_undo(undos[i], "written");
		for (int how = UNDO_VERIFIED; how <= (int)UNDO_CONTENTS; how++) {
			if (!undo_read(tmp, undos[i]->path, (enum undo_how)how, &again, &err))
				fail_msg("%s", err.text);
			same_undo(undos[i], &again, how == UNDO_CONTENTS);
			assert_string_equal(again.state, "");
		}
	}
	talloc_free(tmp);
}

/* Paths of Linux, and names of a damaged hive, are any bytes: they must not keep it from being. */
static void texts_that_are_no_utf8(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "/mnt/\xff\xc3\xa4", "/mnt/???" },
		{ "/mnt/\xc3\xa4", "/mnt/\xc3\xa4" },
		{ "/\xed\xa0\x80", "/???" },
		{ "/\xed\x9f\xbf", "/\xed\x9f\xbf" },
		{ "/\xc0\x80", "/??" },
		{ "/\xc3", "/?" },
		{ "/\xf4\x90\x80\x80", "/????" },
		{ "/\xf0\x9f\x98\x80", "/\xf0\x9f\x98\x80" },
	};
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = talloc_strdup(tmp, rows[i].text);
		struct undo *undo = undoing_all(tmp, text, text), again;

		undo->request.source = undo->host = undo->node = undo->disks[UNDO_QUORUM].folder =
			text;
		write_undo(undo, "texts");
		if (!undo_read(tmp, undo->path, UNDO_VERIFIED, &again, &err))
			fail_msg("%s", err.text);
		assert_string_equal(again.request.source, rows[i].shown);
		assert_string_equal(again.host, rows[i].shown);
		assert_string_equal(again.node, rows[i].shown);
		assert_string_equal(again.disks[UNDO_SYSTEM].path, rows[i].shown);
		assert_string_equal(again.disks[UNDO_QUORUM].folder, rows[i].shown);
	}
	talloc_free(tmp);
}

static int check_mode(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	mode_t wanted = S_ISDIR(st->st_mode) ? 0700 : 0600;

	(void)kind;
	(void)where;
	if ((st->st_mode & 07777) == wanted)
		return 0;
	print_error("%s: mode %o\n", path, st->st_mode & 07777);
	return 1;
}

static void its_names_and_modes(void **state)
{
	static const char *const files[] = {
		"old/1-CLUSDB",      "recovered/1-CLUSDB",  "new/1-CLUSDB",
		"old/2-CLUSDB.LOG1", "old/4-CLUSDB.blf",    "new/7-SECURITY",
		"old/9-chk1.tmp",    "old/12-00000001.CPT", "new/12-00000001.CPT",
		"SHA256SUMS",        "plan.json",
	};
	static const char *const none[] = { "new/2-CLUSDB.LOG1", "new/4-CLUSDB.blf",
		                            "old/7-SECURITY", "state" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp), *second = whole_plan(tmp);
	mode_t mask = umask(0);
	char *command;

	(void)state;
	undo->node = talloc_strdup(undo, "N\xc3\xb6rd/..\n");
	second->node = talloc_strdup(undo, "");
	write_undo(undo, "names/");
	assert_string_equal(strrchr(undo->path, '/'), "/20261128T111500Z-N__rd____");
	write_undo(second, "names");
	assert_string_equal(strrchr(second->path, '/'), "/20261128T111500Z-node");
	write_undo(second, "names");
	assert_string_equal(strrchr(second->path, '/'), "/20261128T111500Z-node-2");
	umask(mask);
	command = talloc_asprintf(tmp, "%s/names", directory);
	assert_int_equal(nftw(command, check_mode, 16, FTW_PHYS), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(access(inside(undo, files[i]), F_OK), 0);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(access(inside(undo, none[i]), F_OK), -1);
	command = talloc_asprintf(tmp, "cd '%s' && sha256sum --quiet --strict -c SHA256SUMS",
	                          second->path);
	assert_int_equal(system(command), 0);
	talloc_free(tmp);
}

static void where_none_can_be_made(void **state)
{
	static const char *const parents[] = { "missing/undo", "a file", "a file/undo" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp);
	struct error err;

	(void)state;
	testing_write(directory, "a file", "", 0);
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		char *parent = talloc_asprintf(tmp, "%s/%s", directory, parents[i]);

		assert_false(undo_write(tmp, undo, parent, problems_new(tmp), &err));
		assert_int_equal(err.kind, ERROR_DESTINATION);
		assert_non_null(strstr(err.text, "--undo"));
		assert_null(undo->path);
	}
	talloc_free(tmp);
}

static void its_state_is_a_note(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct problems *warnings = problems_new(tmp);
	struct undo *undo = whole_plan(tmp), again;
	char long_one[3000], *mkdir_state;
	struct error err;

	(void)state;
	write_undo(undo, "state");
	undo_note(undo, "done", warnings);
	assert_true(undo_read(tmp, undo->path, UNDO_VERIFIED, &again, &err));
	assert_int_equal(strlen(again.state), strlen("done 2026-11-28T11:15:00Z"));
	assert_memory_equal(again.state, "done 2", 6);
	undo_note(undo, "undone", warnings);
	assert_true(undo_read(tmp, undo->path, UNDO_VERIFIED, &again, &err));
	assert_memory_equal(again.state, "undone 2", 8);
	assert_int_equal(warnings->count, 0);

	/* whatever it says, the rest counts */
	memset(long_one, 'x', sizeof(long_one));
	testing_write(undo->path, "state", long_one, sizeof(long_one));
	assert_true(undo_read(tmp, undo->path, UNDO_VERIFIED, &again, &err));
	assert_string_equal(again.state, "");
	mkdir_state = inside(undo, "state");
	unlink(mkdir_state);
	assert_int_equal(mkdir(mkdir_state, 0700), 0);
	assert_true(undo_read(tmp, undo->path, UNDO_VERIFIED, &again, &err));
	assert_string_equal(again.state, "");
	undo_note(undo, "done", warnings);
	assert_non_null(problems_find(warnings, "undo-not-noted"));
	talloc_free(tmp);
}

/* --- not whole --- */

/* Reading fails, and the text names NAME. */
static void refused(const struct undo *undo, const char *name)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err = { 0 };
	struct undo again;

	for (int how = UNDO_VERIFIED; how <= (int)UNDO_CONTENTS; how++) {
		if (undo_read(tmp, undo->path, (enum undo_how)how, &again, &err))
			fail_msg("%s is damaged, and it is read all the same", name);
		assert_int_equal(err.kind, ERROR_SOURCE);
		if (!strstr(err.text, name) || !strstr(err.text, undo->path))
			fail_msg("'%s' is not named in: %s", name, err.text);
	}
	talloc_free(tmp);
}

static void accepted(const struct undo *undo)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;
	struct undo again;

	if (!undo_read(tmp, undo->path, UNDO_VERIFIED, &again, &err))
		fail_msg("%s", err.text);
	talloc_free(tmp);
}

/* A file of the directory, as it was written. */
struct part {
	const char *name;
	uint8_t *data;
	size_t size;
};

static struct part take(const struct undo *undo, const char *name)
{
	struct error err;
	struct image *image =
		image_read((void *)(uintptr_t)undo, AT_FDCWD, inside(undo, name), &err);
	struct part part = { .name = name };

	if (!image)
		fail_msg("%s", err.text);
	part.size = (size_t)image->bytes.size;
	part.data = talloc_memdup(undo, image->bytes.data, part.size + !part.size);
	talloc_free(image);
	return part;
}

static void put_back(const struct undo *undo, const struct part *part)
{
	testing_write(undo->path, part->name, part->data, part->size);
}

static void cut_at_every_length(void **state)
{
	static const char *const names[] = { UNDO_PLAN_NAME, UNDO_SUMS_NAME };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp);

	(void)state;
	write_undo(undo, "cut");
	for (int i = 0; i < 2; i++) {
		struct part part = take(undo, names[i]);
		char *path = inside(undo, names[i]);

		for (size_t size = part.size; size-- > 0;) {
			if (size % testing_rounds(1, 37) && size < part.size - 3)
				continue;
			assert_int_equal(truncate(path, (off_t)size), 0);
			refused(undo, names[i]);
		}
		put_back(undo, &part);
		accepted(undo);
		for (size_t size = part.size + 1; size < part.size + 4; size++) {
			assert_int_equal(truncate(path, (off_t)size), 0);
			refused(undo, names[i]);
		}
		put_back(undo, &part);
	}
	accepted(undo);
	talloc_free(tmp);
}

/* A power cut on FAT: some sectors of the last file were not written. */
static void sectors_of_zeros(void **state)
{
	static const char *const names[] = { UNDO_SUMS_NAME, UNDO_PLAN_NAME };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp);

	(void)state;
	write_undo(undo, "torn");
	for (int i = 0; i < 2; i++) {
		struct part part = take(undo, names[i]);
		unsigned sectors = (unsigned)((part.size + 511) / 512);

		assert_in_range(sectors, 2, 40);
		for (unsigned torn = 1; torn < 1u << (sectors > 9 ? 9 : sectors);
		     torn += (unsigned)testing_rounds(1, 13)) {
			uint8_t *data = talloc_memdup(tmp, part.data, part.size);

			for (unsigned s = 0; s < sectors; s++) {
				size_t left = part.size - 512 * (size_t)s;

				if (torn & (1u << (s % 9)))
					memset(data + 512 * (size_t)s, 0, left < 512 ? left : 512);
			}
			testing_write(undo->path, names[i], data, part.size);
			talloc_free(data);
			refused(undo, i ? UNDO_PLAN_NAME : UNDO_SUMS_NAME);
		}
		put_back(undo, &part);
	}
	accepted(undo);
	talloc_free(tmp);
}

static void every_file_counts(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp);
	unsigned files = 0;

	(void)state;
	write_undo(undo, "files");
	for (uint32_t i = 0; i < undo->count; i++) {
		for (int when = 0; when < (int)UNDO_WHENS; when++) {
			char *name = undo_file_name(tmp, undo, i, (enum undo_when)when), *path;
			struct part part;

			if (!undo_has_file(&undo->files[i], (enum undo_when)when))
				continue;
			files++;
			part = take(undo, name);
			path = inside(undo, name);
			for (int end = 0; end < 2 && part.size; end++) {
				uint8_t *byte = &part.data[end ? part.size - 1 : 0];

				*byte ^= 0x20;
				put_back(undo, &part);
				refused(undo, name);
				*byte ^= 0x20;
			}
			put_back(undo, &part);
			assert_int_equal(truncate(path, (off_t)part.size + 1), 0);
			refused(undo, name);
			if (part.size) {
				assert_int_equal(truncate(path, (off_t)part.size - 1), 0);
				refused(undo, name);
			}
			assert_int_equal(unlink(path), 0);
			refused(undo, name);
			put_back(undo, &part);
		}
	}
	accepted(undo);
	assert_int_equal(files, 19);
	talloc_free(tmp);
}

/* What waits, or leads elsewhere, or is larger than any hive, is not read. */
static void what_is_no_file(void **state)
{
	static const char *const names[] = { UNDO_PLAN_NAME, UNDO_SUMS_NAME, "old/1-CLUSDB" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp);

	(void)state;
	write_undo(undo, "odd");
	for (int i = 0; i < 3; i++) {
		char *path = inside(undo, names[i]), *moved = inside(undo, "moved");

		assert_int_equal(rename(path, moved), 0);
		refused(undo, names[i]);
		assert_int_equal(symlink(moved, path), 0);
		refused(undo, names[i]);
		unlink(path);
		assert_int_equal(mkfifo(path, 0600), 0);
		refused(undo, names[i]);
		unlink(path);
		assert_int_equal(mkdir(path, 0700), 0);
		refused(undo, names[i]);
		rmdir(path);
		testing_write(undo->path, names[i], "", 0);
		assert_int_equal(truncate(path, (off_t)1 << 33), 0);
		refused(undo, names[i]);
		assert_int_equal(rename(moved, path), 0);
	}
	accepted(undo);
	talloc_free(tmp);
}

static void what_is_no_directory(void **state)
{
	static const char *const names[] = { "nothing", "a file", "cut" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct error err;
	struct undo undo;

	(void)state;
	testing_write(directory, "a file", "", 0);
	for (int i = 0; i < 3; i++) {
		char *path = talloc_asprintf(tmp, "%s/%s", directory, names[i]);

		assert_false(undo_read(tmp, path, UNDO_VERIFIED, &undo, &err));
		assert_int_equal(err.kind, ERROR_SOURCE);
		assert_non_null(strstr(err.text, path));
	}
	talloc_free(tmp);
}

/* --- a plan that does not belong to its files --- */

/* Writes a directory whose plan says what FORGE has made of it; it must not be read. */
typedef void forge_fn(struct undo *undo);

static void forged(forge_fn *forge, const char *said)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct undo *undo = whole_plan(tmp);

	forge(undo);
	write_undo(undo, "forged");
	refused(undo, said);
	talloc_free(tmp);
}

static void other_erased_log(struct undo *undo)
{
	undo->files[1].content[UNDO_NEW].digest[0] ^= 1;
}

static void other_digest(struct undo *undo)
{
	undo->files[5].content[UNDO_NEW].digest[31] ^= 1;
}

static void other_sizes(struct undo *undo)
{
	undo->files[5].content[UNDO_OLD].size += 512;
	undo->files[5].content[UNDO_NEW].size += 512;
}

static void small_recovered(struct undo *undo)
{
	undo->files[0].content[UNDO_RECOVERED].size = undo->files[0].content[UNDO_OLD].size - 512;
}

static void large_recovered(struct undo *undo)
{
	undo->files[0].content[UNDO_RECOVERED].size = undo->files[0].content[UNDO_NEW].size + 512;
}

static void a_plan_of_other_files(void **state)
{
	(void)state;
	forged(other_erased_log, "CLUSDB.LOG1: what is said to be an erased log is something else");
	forged(other_digest, "new/6-SOFTWARE: is damaged");
	forged(other_sizes, "old/6-SOFTWARE: is damaged");
	forged(small_recovered, "CLUSDB: its recovered form does not lie between old and new");
	forged(large_recovered, "CLUSDB: its recovered form does not lie between old and new");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testing_unit(it_is_read_back_as_it_was_written),
		testing_unit(texts_that_are_no_utf8),
		testing_unit(its_names_and_modes),
		testing_unit(where_none_can_be_made),
		testing_unit(its_state_is_a_note),
		testing_unit(cut_at_every_length),
		testing_unit(sectors_of_zeros),
		testing_unit(every_file_counts),
		testing_unit(what_is_no_file),
		testing_unit(what_is_no_directory),
		testing_unit(a_plan_of_other_files),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
