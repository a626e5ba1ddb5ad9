/*
 * builder: hive images for tests, written byte by byte from a described tree.
 *
 * It shares nothing with hive/, not even the layout, so that a mistake there cannot hide:
 * offsets and constants are written out again here, from the same public sources.
 *
 *	struct builder *b = builder_new(ctx);
 *	struct builder_key *key = builder_path(b, "Microsoft\\Windows NT");
 *
 *	builder_dword(key, "Start", 3);
 *	bytes = builder_write(b, &size);
 *
 * Everything belongs to the builder; builder_write gives memory of its context. Options in
 * struct builder may be changed at any time before builder_write, and a tree may be written
 * again with others. After it, `cell` and the like say where things lie in the image (offsets
 * that count from 0x1000), for tests that break a byte. A test has no use for errors here: a
 * mistake in the description, or no memory, ends the program with a message.
 *
 * Text is WTF-8: unpaired surrogates as three bytes, a NUL inside a name as C0 80. The order
 * of names is right for the letters that builder_upcase knows and for those without case.
 */
#ifndef TESTS_BUILDER_H
#define TESTS_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#define BUILDER_NIL 0xffffffffu
#define BUILDER_TIME 132223104000000000u /* 2020-01-01 00:00:00 UTC as a FILETIME */

enum builder_list {
	BUILDER_BY_MINOR, /* lf in format 1.3, lh from 1.5 on */
	BUILDER_LI,
	BUILDER_LF,
	BUILDER_LH
};

enum builder_checksum { BUILDER_SUM_AS_IT_COMES, BUILDER_SUM_0, BUILDER_SUM_FFFFFFFF };

struct builder_security {
	uint8_t *data;
	uint32_t size;
	uint32_t uses; /* after builder_write: keys that use it */
	uint32_t cell;
	struct builder_security *next;
};

struct builder_value {
	uint16_t *name;
	uint32_t units; /* 0: the value without a name */
	uint32_t type;
	uint8_t *data;
	uint32_t size;

	/* may be changed */
	bool wide;         /* the name in UTF-16 although it could be compressed */
	bool nil_empty;    /* an empty value as size 0, offset NIL; else 0x80000000 and 0 */
	bool never_inline; /* 1 to 4 bytes of data in a cell of their own */
	bool tombstone;    /* layered hives: deleted in this layer */

	/* after builder_write */
	uint32_t cell;
	uint32_t data_cell; /* plain data, or the db record; NIL if inline */
	uint32_t db_table;
	uint32_t *db_segments;
};

struct builder_key {
	struct builder *builder;
	struct builder_key *parent;
	uint16_t *name;
	uint32_t units;

	/* may be changed */
	uint64_t time;
	bool wide;            /* the name in UTF-16 although it could be compressed */
	bool link;            /* a symbolic link; see builder_link */
	uint16_t extra_flags; /* or'ed into the flags */
	uint8_t access;       /* access bits */
	uint8_t layer;        /* layer byte of format 1.6 */
	uint16_t user_flags;  /* upper half of the field of the longest subkey name */
	uint32_t work;

	/* to be read; children are sorted by builder_write */
	uint8_t *class_name;
	uint32_t class_size;
	struct builder_security *security;
	struct builder_key **children;
	uint32_t child_count, child_room;
	struct builder_value **values;
	uint32_t value_count, value_room;

	/* after builder_write */
	uint32_t index; /* among its siblings */
	uint32_t cell;
	uint32_t class_cell;
	uint32_t values_cell;
	uint32_t list_cell; /* the leaf or the ri; NIL if there are no subkeys */
	uint32_t leaf_count;
	uint32_t *leaves;
};

struct builder {
	struct builder_key *root;

	/* options */
	uint32_t minor;                /* 3 to 6; default 5 */
	uint32_t sequence1, sequence2; /* default 1, 1 */
	uint64_t time;                 /* of the last write, and of keys without their own */
	const char *file_name;         /* in the base block; default none */
	uint32_t base_flags;
	bool ids; /* rm, log and tm GUIDs and "rmtm"; default true */
	enum builder_list list;
	uint32_t leaf_max;      /* entries in a leaf before an ri is needed; default 507 */
	bool big_plain;         /* data above 16344 bytes in one cell although minor > 3 */
	bool trim_last_segment; /* the last db segment only as large as its data */
	bool ri_always;         /* an ri even above one leaf */
	uint32_t shuffle;       /* not 0: seed of the order of cells; the root stays first */
	uint32_t free_every;    /* not 0: a free cell, with remnants in it, after so many */
	uint32_t slack;         /* cells are up to so many bytes larger than they must be */
	uint32_t spare_bins;    /* empty bins of 4 KiB at the end */
	bool pad;               /* the file reaches to a multiple of 256 KiB */
	enum builder_checksum checksum;

	/* private */
	uint8_t *room;
	size_t room_left;
	struct builder_security *securities, **last_security;
	uint32_t key_count, value_count;
};

/* A tree with a root called "ROOT" and a sound security descriptor. */
struct builder *builder_new(TALLOC_CTX *ctx);

/* Renames the root. */
void builder_root_name(struct builder *b, const char *name);

/* A new subkey. TIME 0 is the builder's. It has the security of its parent. */
struct builder_key *builder_key(struct builder_key *parent, const char *name, uint64_t time);
struct builder_key *builder_key_units(struct builder_key *parent, const uint16_t *units,
                                      uint32_t count, uint64_t time);

/* The key at a path below the root or below a key; makes what is missing. Case matters. */
struct builder_key *builder_path(struct builder *b, const char *path);
struct builder_key *builder_below(struct builder_key *key, const char *path);

void builder_class(struct builder_key *key, const char *text);
void builder_class_bytes(struct builder_key *key, const void *data, uint32_t size);

/* Equal descriptors share one cell. */
void builder_security(struct builder_key *key, const void *data, uint32_t size);

/* A symbolic link to a path such as "\\Registry\\Machine\\..." */
void builder_link(struct builder_key *key, const char *target);

/* A new value, behind the others. DATA may be NULL if SIZE is 0. */
struct builder_value *builder_value(struct builder_key *key, const char *name, uint32_t type,
                                    const void *data, uint32_t size);
struct builder_value *builder_value_units(struct builder_key *key, const uint16_t *units,
                                          uint32_t count, uint32_t type, const void *data,
                                          uint32_t size);
struct builder_value *builder_tombstone(struct builder_key *key, const char *name);
struct builder_value *builder_dword(struct builder_key *key, const char *name, uint32_t number);
struct builder_value *builder_qword(struct builder_key *key, const char *name, uint64_t number);
/* REG_SZ with its NUL; builder_text is the same with any type and, if asked, without NUL. */
struct builder_value *builder_string(struct builder_key *key, const char *name, const char *text);
struct builder_value *builder_text(struct builder_key *key, const char *name, uint32_t type,
                                   const char *text, bool with_nul);
/* REG_MULTI_SZ; TEXTS ends with NULL. */
struct builder_value *builder_multi(struct builder_key *key, const char *name,
                                    const char *const *texts);

/* The image, beside the builder in its context; less than 256 MiB. */
uint8_t *builder_write(struct builder *b, size_t *size);

/* The same into a file, of any size. */
void builder_write_file(struct builder *b, const char *path);

/* Puts the right checksum into a base block that a test has changed. */
void builder_fix_checksum(uint8_t *image);

/*
 * The key after KEY, parents before children; NULL after the last. Siblings come in the order
 * of their making, and after builder_write in that of their names.
 */
struct builder_key *builder_next(struct builder_key *key);

/* --- security descriptors, self-relative, for builder_security --- */

enum builder_sd {
	BUILDER_SD_PLAIN,      /* Users read; Administrators, SYSTEM and the owner all */
	BUILDER_SD_PROTECTED,  /* Administrators and SYSTEM, nothing inherited */
	BUILDER_SD_SECRET,     /* SYSTEM alone */
	BUILDER_SD_AUDITED,    /* with a SACL */
	BUILDER_SD_EMPTY_DACL, /* nobody */
	BUILDER_SD_NULL_DACL   /* everybody */
};

/* Into OUT (at least 256 bytes); RID makes it unlike others: it is that of one more user. */
uint32_t builder_sd(enum builder_sd kind, uint32_t rid, uint8_t *out);
void builder_security_kind(struct builder_key *key, enum builder_sd kind, uint32_t rid);

/* --- letters --- */

uint16_t builder_upcase(uint16_t unit);
int builder_compare(const uint16_t *a, uint32_t units_a, const uint16_t *b, uint32_t units_b);
uint32_t builder_hash(const uint16_t *name, uint32_t units);

/* WTF-8 to UTF-16; OUT has room for a unit per byte. */
uint32_t builder_utf16(const char *text, uint16_t *out);

/* --- for the builder's own files --- */

void *builder_take(struct builder *b, size_t size);
_Noreturn void builder_fail(const char *what);

#endif
