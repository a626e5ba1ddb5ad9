/* Names are matched as they are written, in one spelling: what we did not write is not ours. */
#include "snapshot/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/guid.h"
#include "snapshot/record.h"

#define LOWER_HEX "0123456789abcdef"
#define ANY_HEX LOWER_HEX "ABCDEF"

static bool is_guid(const char *text, size_t length)
{
	char name[GUID_TEXT], canonical[GUID_TEXT];
	struct guid guid;

	if (length != GUID_TEXT - 1)
		return false;
	memcpy(name, text, length);
	name[length] = 0;
	if (!guid_parse(name, &guid))
		return false;
	guid_print(&guid, canonical);
	return strcmp(name, canonical) == 0;
}

uint32_t layout_chk_number(const char *name)
{
	size_t digits;

	if (strncmp(name, "chk", 3) != 0)
		return 0;
	digits = strspn(name + 3, LOWER_HEX);
	if (digits < 4 || digits > 8 || strcmp(name + 3 + digits, ".tmp") != 0)
		return 0;
	return (uint32_t)strtoul(name + 3, NULL, 16);
}

void layout_chk_name(uint32_t number, char name[LAYOUT_CHK_SIZE])
{
	snprintf(name, LAYOUT_CHK_SIZE, "chk%04x.tmp", number);
}

enum layout_kind layout_kind(const char *path)
{
	const char *slash = strchr(path, '/');
	const char *last;

	if (strcmp(path, LAYOUT_LOG_NAME) == 0)
		return LAYOUT_LOG;
	if (strcmp(path, LAYOUT_MARKER_NAME) == 0)
		return LAYOUT_MARKER;
	if (layout_chk_number(path))
		return LAYOUT_CHK;
	if (!slash)
		return is_guid(path, strlen(path)) ? LAYOUT_RESOURCE : LAYOUT_UNKNOWN;
	last = slash + 1;
	if (!is_guid(path, (size_t)(slash - path)) || strlen(last) != 12 ||
	    strspn(last, ANY_HEX) != 8)
		return LAYOUT_UNKNOWN;
	if (strcmp(last + 8, ".CPT") == 0)
		return LAYOUT_CPT;
	return strcmp(last + 8, ".CPR") == 0 ? LAYOUT_CPR : LAYOUT_UNKNOWN;
}

const char *layout_kind_name(enum layout_kind kind)
{
	static const char *const names[] = { "unknown", "chk", "cpt",      "cpr",
		                             "marker",  "log", "resource", "unknown" };

	return names[kind <= LAYOUT_UNKNOWN ? kind : 0];
}

int layout_open(int fd, const char *name, int flags)
{
	int opened = openat(fd, name, O_RDONLY | O_CLOEXEC | O_NOATIME | flags);

	return opened < 0 && errno == EPERM ? openat(fd, name, O_RDONLY | O_CLOEXEC | flags)
	                                    : opened;
}

/* What has been seen of a directory that may be a snapshot. */
struct seen {
	const char *path;
	bool log;
};

static bool foreign(const struct seen *seen, const char *name, struct error *err)
{
	return error_set(err, ERROR_REFUSED,
	                 "%s: is no snapshot: %s is no part of one: ERROR_DIR_NOT_EMPTY (145)",
	                 seen->path, name);
}

static bool see_file(int fd, const char *shown, const char *name, struct seen *seen,
                     struct error *err)
{
	enum layout_kind kind = layout_kind(shown);
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot look at %s", seen->path,
		                   shown);
	if (kind == LAYOUT_UNKNOWN || (kind == LAYOUT_RESOURCE) != S_ISDIR(st.st_mode) ||
	    (kind != LAYOUT_RESOURCE && !S_ISREG(st.st_mode)))
		return foreign(seen, shown, err);
	seen->log |= kind == LAYOUT_LOG && st.st_size > 0;
	return true;
}

static bool see_directory(int fd, const char *below, struct seen *seen, struct error *err)
{
	int own = layout_open(fd, below ? below : ".", O_DIRECTORY | O_NOFOLLOW);
	DIR *stream = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	bool done = true;

	if (!stream) {
		error_errno(err, ERROR_DESTINATION, "%s: cannot list it", seen->path);
		if (own >= 0)
			close(own);
		return false;
	}
	errno = 0;
	while (done && (entry = readdir(stream))) {
		char shown[600];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(shown, sizeof(shown), "%s%s%s", below ? below : "", below ? "/" : "",
		         entry->d_name);
		done = see_file(own, shown, entry->d_name, seen, err);
		if (done && layout_kind(shown) == LAYOUT_RESOURCE)
			done = see_directory(own, entry->d_name, seen, err);
		errno = 0;
	}
	if (done && errno)
		done = error_errno(err, ERROR_DESTINATION, "%s: cannot list it", seen->path);
	closedir(stream);
	return done;
}

static bool log_is_ours(int fd, const struct seen *seen, struct error *err)
{
	int log = layout_open(fd, LAYOUT_LOG_NAME, O_NOFOLLOW | O_NONBLOCK);
	uint8_t start[RECORD_SIGNATURE_SIZE] = { 0 };
	ssize_t n = log < 0 ? -1 : read(log, start, sizeof(start));

	if (log >= 0)
		close(log);
	if (n < 0)
		return error_errno(err, ERROR_DESTINATION, "%s: cannot read " LAYOUT_LOG_NAME,
		                   seen->path);
	if (n > 0 && memcmp(start, RECORD_SIGNATURE, (size_t)n) == 0)
		return true;
	return error_set(err, ERROR_REFUSED,
	                 "%s: its " LAYOUT_LOG_NAME " is not ours: a backup that Windows made is "
	                 "not overwritten",
	                 seen->path);
}

bool layout_is_snapshot(int fd, const char *path, struct error *err)
{
	struct seen seen = { .path = path };

	if (!see_directory(fd, NULL, &seen, err))
		return false;
	if (seen.log)
		return log_is_ours(fd, &seen, err);
	/* Images without a log are what somebody has put there by hand, not what we publish. */
	return error_set(err, ERROR_REFUSED,
	                 "%s: is not empty and no snapshot: ERROR_DIR_NOT_EMPTY (145)", path);
}

bool layout_has_log(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool found = fd >= 0 && faccessat(fd, LAYOUT_LOG_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	if (fd >= 0)
		close(fd);
	return found;
}
