/*
 * save: RegSaveKey. A subtree as a new, compact, clean hive in memory.
 *
 * What is kept, recomputed and reset is in docs/regf.md, "What save writes". The same tree
 * gives the same bytes, whatever hive it came from.
 */
#ifndef HIVE_SAVE_H
#define HIVE_SAVE_H
#include "hive/hive.h"

struct save_options {
	uint32_t minor; /* 3 or 5; 0: the source's, as save_minor() says */
};

/* The format in which a hive is written again: 3 or 5; 4 becomes 5. */
uint32_t save_minor(const struct hive *hive);

struct save_count {
	uint64_t keys, values, descriptors;
};

/*
 * The subtree at KEY as a sealed image on CTX. OPTIONS and COUNT may be NULL.
 * ERROR_REFUSED for layered keys (format 1.6) and for data that the asked format cannot hold,
 * ERROR_SOURCE if the hive turns out to be damaged.
 */
struct image *save_subtree(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                           const struct save_options *options, struct save_count *count,
                           struct error *err);

/*
 * Proves that IMAGE, sealed, is the subtree at KEY: it passes check_image(), hivex finds every key
 * and value in it (hive/read_back.h), and it is compared with its source. NAME is for messages.
 * ERROR_INTERNAL if it is not.
 */
bool save_prove(const struct hive *hive, const struct hive_key *key, const struct image *image,
                const char *name, struct error *err);

/*
 * The subtree at KEY as the file PATH (hive/publish.h): written while it is made, proved while it
 * is made durable, and only then in place. *SIZE is that of the image. ERROR_DESTINATION where
 * it is the file that cannot be.
 */
bool save_file(const struct hive *hive, const struct hive_key *key,
               const struct save_options *options, const char *path, struct save_count *count,
               uint64_t *size, struct error *err);

/* save_subtree() and save_prove(). */
struct image *save_proved(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                          const struct save_options *options, const char *name,
                          struct save_count *count, struct error *err);

#endif
