/* Where a command may write the file that it is asked for: never over what it reads. */
#include <sys/stat.h>

#include "snapshot/cmd/cmd.h"
#include "snapshot/guard.h"

static bool same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

static bool is_source(const char *out, const char *source_path, const struct source *source)
{
	static const char *const suffixes[SOURCE_LOGS] = { ".LOG", ".LOG1", ".LOG2" };
	const char *slash = strrchr(source_path, '/');
	int folder = slash ? (int)(slash - source_path) + 1 : 0;
	bool same = same_file(out, source_path);

	for (unsigned i = 0; !same && i < SOURCE_LOGS; i++) {
		char *log;

		if (!source)
			log = talloc_asprintf(NULL, "%s%s", source_path, suffixes[i]);
		else if (!source->logs[i].name)
			continue;
		else if (source->logs_named)
			log = talloc_strdup(NULL, source->logs[i].name);
		else
			log = talloc_asprintf(NULL, "%.*s%s", folder, source_path,
			                      source->logs[i].name);
		same = !log || same_file(out, log);
		talloc_free(log);
	}
	return same;
}

bool cmd_out_is_no_source(const char *out, const char *source_path, const struct source *source,
                          struct error *err)
{
	if (is_source(out, source_path, source))
		return error_set(
			err, ERROR_REFUSED,
			"%s: is a source of this command, which never changes its sources; "
			"name another file",
			out);
	return guard_snapshot(out, err) && guard_windows(out, err);
}
