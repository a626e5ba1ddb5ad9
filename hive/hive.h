/*
 * hive: one registry hive, open for reading. The manual of this layer.
 *
 * Calling sequence:
 *
 *	struct source *source = source_read_path(ctx, "CLUSDB", &err);	// file and logs, in memory
 *	struct hive *hive = hive_open(ctx, source, NULL, &err);		// recovered, checked
 *	struct hive_key key;
 *	hive_find(hive, NULL, "Nodes\\1", &key, &err);		// key.cell: REGF_NIL if absent
 *
 * hive_open replays the transaction logs (hive/recover.h), passes the result through the
 * strict validator (hive/check.h) and only then gives it to hivex, which navigates. Where
 * hivex has a limit (docs/architecture.md), our own reader takes over, with the same result.
 *
 * Everything that is handed out points into the image and lives as long as the hive, but
 * for what is said to be allocated. Times are FILETIMEs (100 ns since 1601-01-01 UTC).
 * Sizes are bytes, lengths of names are UTF-16 units. Nothing here prints, or writes to the
 * source. A hive may be used by one thread at a time.
 */
#ifndef HIVE_HIVE_H
#define HIVE_HIVE_H

#include "hive/check.h"
#include "hive/image.h"
#include "hive/name.h"
#include "hive/recover.h"
#include "hive/regf.h"
#include "hive/source.h"

struct hive;

struct hive_options {
	struct recover_options recover;
	/*
	 * NULL: a damaged hive is refused. A list: salvage. What is sound of a damaged hive is
	 * copied into a new image, which is what is opened then, and what had to be left out is
	 * added to the list, by path. A dirty hive is read as it is if its logs cannot be used, and
	 * one without a base block by its bins.
	 */
	struct problems *left_out;
};

/*
 * Opens a hive. The logs of SOURCE are replayed in its own image, which is the hive's from then
 * on: open a source once, and keep it as long as the hive. OPTIONS may be NULL. ERROR_SOURCE if it
 * is no hive or is damaged (the text names the first problem and `clusnap check`), ERROR_BAD_NEWS
 * if it is dirty and stays so.
 */
struct hive *hive_open(TALLOC_CTX *ctx, const struct source *source,
                       const struct hive_options *options, struct error *err);

/*
 * hive_open() in two steps, for whoever has something to do with the image while it is checked:
 * the first replays the logs, and only name, recovery and image may be asked for then; the image
 * may still be being read. The second takes the same OPTIONS; if it fails the hive can only be
 * freed.
 */
struct hive *hive_begin(TALLOC_CTX *ctx, const struct source *source,
                        const struct hive_options *options, struct error *err);
bool hive_finish(struct hive *hive, const struct hive_options *options, struct error *err);

/* Opens a clean image as it is, without logs: one that we wrote, or a state on the way. */
struct hive *hive_open_image(TALLOC_CTX *ctx, const struct image *image, const char *name,
                             struct error *err);

const char *hive_name(const struct hive *hive); /* as source->name */
const struct recovery *hive_recovery(const struct hive *hive);
const struct check *hive_check(const struct hive *hive);
const struct regf_base *hive_base(const struct hive *hive);
const struct image *hive_image(const struct hive *hive);
bool hive_salvaged(const struct hive *hive); /* something is lost that a sound one would have */
bool hive_in_hivex(const struct hive *hive); /* hivex accepted the image */

/*
 * Gives back the memory that only looking for keys needs, until the next look-up: hivex has the
 * whole image mapped a second time. Worth while before all of a large hive is read.
 */
void hive_rest(const struct hive *hive);

/* --- keys --- */

struct hive_key {
	uint32_t cell;             /* REGF_NIL: no key */
	const struct regf_key *nk; /* the record, checked to be whole */
	struct name name;
	struct bytes class_name; /* UTF-16LE, size 0 if none */
};

bool hive_root(const struct hive *hive, struct hive_key *key, struct error *err);

/* The key in a cell that hive_subkeys gave. */
bool hive_key_at(const struct hive *hive, uint32_t cell, struct hive_key *key, struct error *err);

/* The cells of all subkeys, in stored order (Windows' order), as an array on CTX. */
bool hive_subkeys(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                  uint32_t **cells, uint32_t *count, struct error *err);

/*
 * The key at PATH below FROM (NULL is the root): WTF-8, '\' between names, letter case does
 * not matter, an empty path is FROM itself. found->cell is REGF_NIL if there is none.
 * Symbolic links are not followed.
 */
bool hive_find(const struct hive *hive, const struct hive_key *from, const char *path,
               struct hive_key *found, struct error *err);

/* The self-relative security descriptor of a key. */
bool hive_security(const struct hive *hive, const struct hive_key *key, struct bytes *descriptor,
                   struct error *err);

/* Names from the root down to KEY, '\\' between them, on CTX; "" for the root. For messages. */
char *hive_path(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key);

static inline uint64_t hive_key_time(const struct hive_key *key)
{
	return le64_get(key->nk->time);
}

static inline uint16_t hive_key_flags(const struct hive_key *key)
{
	return le16_get(key->nk->flags);
}

/* --- values --- */

struct hive_value {
	uint32_t cell;               /* REGF_NIL: no value */
	const struct regf_value *vk; /* the record, checked to be whole */
	struct name name;            /* size 0: the default value */
	uint32_t type;               /* REG_* */
	uint32_t size;               /* bytes of data */
};

/* The cells of all values, in stored order, as an array on CTX. */
bool hive_values(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                 uint32_t **cells, uint32_t *count, struct error *err);

bool hive_value_at(const struct hive *hive, uint32_t cell, struct hive_value *value,
                   struct error *err);

/* The value NAME (WTF-8, any letter case, "" is the default value); cell REGF_NIL if none. */
bool hive_find_value(const struct hive *hive, const struct hive_key *key, const char *name,
                     struct hive_value *value, struct error *err);

/* The data in one piece. Only data in several segments is copied, onto CTX. */
bool hive_value_data(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                     struct bytes *data, struct error *err);

/*
 * The longest piece of the data from OFFSET on that lies in one place, without copying;
 * OFFSET + piece->size is the next offset, value->size the end.
 */
bool hive_value_piece(const struct hive *hive, const struct hive_value *value, uint32_t offset,
                      struct bytes *piece, struct error *err);

/* --- values by the type they have (hive/typed.c) --- */

/*
 * REG_SZ, REG_EXPAND_SZ or REG_LINK as WTF-8, up to its first NUL or its end, on CTX.
 * REG_DWORD and REG_QWORD as decimal digits. *TEXT is NULL if there is no such value or its
 * type cannot be shown as one text.
 */
bool hive_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
               const char *name, char **text, struct error *err);

/* The same of a value that has been found. */
bool hive_value_text(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                     char **text, struct error *err);

/* REG_DWORD (either byte order), or a string of digits; *FOUND says if there is one. */
bool hive_number(const struct hive *hive, const struct hive_key *key, const char *name,
                 uint32_t *number, bool *found, struct error *err);

/* REG_MULTI_SZ, or one REG_SZ, as a NULL-terminated array on CTX; NULL if there is none. */
bool hive_texts(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                const char *name, char ***texts, struct error *err);

/* The same of a value that has been found. */
bool hive_value_texts(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                      char ***texts, struct error *err);

#endif
