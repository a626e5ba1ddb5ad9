/*
 * undo: the directory that is made before the first byte is written to a node's disk.
 *
 *	plan.json	what was asked for, and each file that changes: action, sizes, SHA-256
 *	old/N-NAME	the bytes of file N as they were
 *	recovered/N-NAME	a dirty hive with its logs applied, as Windows would load it
 *	new/N-NAME	the bytes that it gets
 *	shadow/S-N-NAME	what shadow copy S of the volume shows of it, where that is another file
 *	SHA256SUMS	of all these, plan.json last (`sha256sum -c` understands it)
 *	state		"done TIME" or "undone TIME"; a note for people, nothing depends on it
 *
 * docs/undo.md is the format. Once it is durable, a restore is nothing but carrying the plan out,
 * any number of times, with the new bytes or with the old ones (snapshot/restore/carry.h). It
 * stays valid afterwards, so a restore can be undone the next day.
 *
 * A directory that is read is checked as foreign: it may lie on somebody's stick.
 */
#ifndef SNAPSHOT_RESTORE_UNDO_H
#define SNAPSHOT_RESTORE_UNDO_H

#include "checkpoint/disk/target.h"
#include "hive/digest.h"
#include "hive/problem.h"

#define UNDO_FORMAT "clusnap undo"
#define UNDO_VERSION 1
#define UNDO_PLAN_NAME "plan.json"
#define UNDO_SUMS_NAME "SHA256SUMS"
#define UNDO_STATE_NAME "state"
#define UNDO_SHADOWS_MAX 65536u
#define UNDO_FILES_MAX 4096u /* files of one plan; a quorum disk has some hundred */

enum undo_volume { UNDO_SYSTEM, UNDO_QUORUM, UNDO_VOLUMES };

enum undo_action {
	UNDO_OVERWRITE, /* data only: the file keeps its size */
	UNDO_RESIZE,    /* it gets longer, or is no hive and gets shorter */
	UNDO_CREATE,    /* it is not there yet */
	UNDO_ERASE,     /* a log: its first sector becomes zeros, and Windows ignores it */
	UNDO_REMOVE,    /* it goes */
	UNDO_MKDIR,     /* a directory that is not there yet */
	UNDO_ACTIONS
};

/* A file's bytes at one time. */
struct undo_content {
	bool present; /* false: there is no such file then */
	uint64_t size;
	uint8_t digest[DIGEST_SIZE]; /* SHA-256 */
	const struct image *image;   /* NULL if the bytes were not read */
};

enum undo_when { UNDO_OLD, UNDO_RECOVERED, UNDO_NEW, UNDO_WHENS };

struct undo_file {
	enum undo_action action;
	enum undo_volume volume;
	char *path; /* on the volume, '/' between names, as the volume spells it */
	struct undo_content content[UNDO_WHENS];
	struct target_attributes attributes; /* of the old file */
};

/*
 * What a shadow copy of the volume shows of a file, where that is not what the file is: writing
 * past Windows changes what it shows. It is kept, and never written back.
 */
struct undo_shadow {
	uint32_t file;               /* its number in the plan, from 0 */
	uint32_t store;              /* of the shadow copy, from 1 */
	uint64_t created;            /* FILETIME of the shadow copy */
	struct undo_content content; /* without its image */
	struct volume *copy;         /* while it is planned: the shadow copy, and the path there */
	char *path;
};

/* What was asked for. The plan holds the first four. */
struct undo_request {
	char *source;      /* SNAPSHOT, SYSTEM or hive file, or the .reg file of an edit */
	uint64_t sequence; /* of the state that is restored; 0 if the source has none */
	bool authoritative;
	bool checkpoints;
	bool to;          /* SEQUENCE was asked for; otherwise the newest */
	char **resources; /* NULL-terminated: --checkpoints of these alone; NULL: of all */
	char **force;     /* NULL-terminated names of refusals that are overridden; or NULL */
};

struct undo_disk {
	char *path; /* where it was then, absolute; NULL: the plan does not use it */
	bool serial_known;
	uint64_t serial; /* of the NTFS volume */
	char *folder;    /* quorum disk: "MSCS" as it is spelled, or "" if PATH is that folder */
};

struct undo {
	char *path;    /* of the directory, absolute; NULL while it is only planned */
	char *begun;   /* ISO 8601, UTC */
	char *host;    /* the computer on which it was made */
	char *command; /* "restore" or "edit" */
	char *node;    /* the node's name, or "" */
	unsigned generation;
	struct undo_request request;
	char *snapshot; /* id of the snapshot, or "" */
	struct undo_disk disks[UNDO_VOLUMES];
	struct undo_file *files; /* docs/undo.md, Order */
	uint32_t count;
	struct undo_shadow *shadows;
	uint32_t shadow_count;
	char id[DIGEST_HEX]; /* SHA-256 of plan.json: the name of this undo directory */
	char *state;         /* the first line of `state`, or "" */
};

/* "overwrite", "resize", ... */
const char *undo_action_name(enum undo_action action);

/* "old", "recovered", "new" */
const char *undo_when_name(enum undo_when when);

/* "system", "quorum" */
const char *undo_volume_name(enum undo_volume volume);

/* What leads from the old to the new bytes of FILE, which is no log. */
enum undo_action undo_action_of(const struct undo_file *file);

/* Is there a file in the undo directory for this content? And its name there, on CTX. */
bool undo_has_file(const struct undo_file *file, enum undo_when when);
char *undo_file_name(TALLOC_CTX *ctx, const struct undo *undo, uint32_t number,
                     enum undo_when when);

char *undo_shadow_name(TALLOC_CTX *ctx, const struct undo *undo, uint32_t number);

/* The text of SHA256SUMS, on CTX; NULL without memory. */
char *undo_sums(TALLOC_CTX *ctx, const struct undo *undo);

/* plan.json, on CTX. */
struct bytes undo_plan_write(TALLOC_CTX *ctx, const struct undo *undo, struct error *err);

/* Fills UNDO from the text of a plan, of which nothing is believed: ERROR_SOURCE. */
bool undo_plan_read(TALLOC_CTX *ctx, struct bytes text, struct undo *undo, struct error *err);

/* May a plan say this? ERROR_SOURCE, with the member in question. */
bool undo_check(const struct undo *undo, struct error *err);

/* Does every path lead down a volume? A part of undo_check(). */
bool undo_check_paths(const struct undo *undo, struct error *err);

/*
 * Makes the directory of a plan, durably: below PARENT, which is made if need be, with a name of
 * time and node. Its path is undo->path then, and its id undo->id. WARNINGS gets not-private if
 * others can read it in spite of its modes. ERROR_DESTINATION.
 */
bool undo_write(TALLOC_CTX *ctx, struct undo *undo, const char *parent, struct problems *warnings,
                struct error *err);

/*
 * Reads one, all of its bytes, each compared with its SHA-256; the bytes are kept only with
 * UNDO_CONTENTS. ERROR_SOURCE if it is not whole, or is none.
 */
enum undo_how { UNDO_VERIFIED, UNDO_CONTENTS };
bool undo_read(TALLOC_CTX *ctx, const char *path, enum undo_how how, struct undo *undo,
               struct error *err);

/* Writes the note "STATE TIME". What cannot be written is only a warning. */
void undo_note(const struct undo *undo, const char *state, struct problems *warnings);

/* The current time as "2026-11-28T11:15:00Z". */
void undo_time(char time[32]);

#endif
