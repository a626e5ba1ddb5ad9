/* source_internal: what source.c and source_company.c share. Nobody else includes it. */
#ifndef HIVE_SOURCE_INTERNAL_H
#define HIVE_SOURCE_INTERNAL_H

#include "hive/source.h"

/* How the names of logs end, in upper case. */
extern const char *const source_suffixes[SOURCE_LOGS];

/* Puts a log that was read into its place: NAME is copied, IMAGE taken over. */
bool source_add_image(struct source_log *log, const char *name, struct image *image,
                      struct source *source, struct error *err);

/* Reads the directory *DIRFD, which must outlive the reader. */
struct source_reader source_directory(const int *dirfd);

/* Finds and reads what lies beside HIVE. */
bool source_find_company(struct source *source, const struct source_reader *reader,
                         const char *hive, struct error *err);

#endif
