/*
 * volume: a Windows volume, mounted or raw, whose contents are not to be trusted.
 *
 * A raw volume is an NTFS volume that nobody mounts: a block device, or an image file that begins
 * with the volume's boot sector. It is opened O_RDONLY and read through libfsntfs. All that is said
 * here goes for both: what is a link is data and is not followed, NTFS's own files are not listed,
 * of a file's long and 8.3 name the long one is.
 *
 * Every look-up stays inside the volume. A path is walked one name at a time; each name is
 * taken from the directory that holds it and, if mounted, opened there with O_PATH | O_NOFOLLOW, so
 * no symbolic link, junction (which ntfs-3g shows as a link) or ".." can lead anywhere, and what
 * was mounted on top of the volume is recognised by its mount and refused. Only a regular file or a
 * directory is ever opened for reading: a device node or a FIFO is seen, not touched. Access times
 * are left alone where the system allows that.
 *
 * Letter case does not matter, by the rules of Windows; two names in one directory that
 * differ only in case are an error, not a choice; a name that is listed twice is one. Names that
 * are not well-formed UTF-8 cannot come from Windows: they match nothing and are not listed.
 *
 * Paths are relative to the volume, WTF-8, with '/' or '\' between names; "" is the top
 * directory, separators too many are no harm, "." and ".." are refused. Errors are of kind
 * ERROR_SOURCE and begin with the path.
 */
#ifndef CHECKPOINT_DISK_VOLUME_H
#define CHECKPOINT_DISK_VOLUME_H

#include "checkpoint/disk/directory.h"
#include "hive/source.h"

struct medium;
struct ntfs;
struct ntfs_file;
struct volume; /* a talloc object that closes itself */

/* What a path leads to. */
enum volume_form {
	VOLUME_MOUNTED,    /* a directory */
	VOLUME_RAW,        /* a block device or image file, in which an NTFS volume begins */
	VOLUME_ENCRYPTED,  /* likewise, a volume that BitLocker has encrypted */
	VOLUME_UNKNOWN,    /* likewise, a file system that nothing here reads */
	VOLUME_WHOLE_DISK, /* likewise, a disk with partitions */
	VOLUME_DEVICE,     /* a block device with none of these */
	VOLUME_FILE_ONLY,  /* anything else; nothing of it was opened but regular files */
};

/* ERROR_SOURCE if there is no such path, or its first sectors cannot be read. */
bool volume_form(const char *path, enum volume_form *form, struct error *err);

/*
 * PATH: a directory where a volume is mounted, or a raw volume. ERROR_SOURCE if it is neither, with
 * a text that says what it is and what to do; or cannot be opened.
 */
struct volume *volume_open(TALLOC_CTX *ctx, const char *path, struct error *err);

/* The raw volume that begins at the start of MEDIUM, which must outlive it. */
struct volume *volume_of_medium(TALLOC_CTX *ctx, struct medium *medium, struct error *err);

bool volume_is_raw(const struct volume *volume);

/*
 * What the volume lies on, opened for reading, on CTX: of a raw one its device or image, of a
 * mounted one what is mounted, if that is NTFS and can be opened; NULL with ERROR_NONE in err->kind
 * if it is not. *TOP: the path there of the volume's top directory, "" for the NTFS volume's own;
 * for a directory below a mount point, or one that is mounted alone, it is another.
 */
struct medium *volume_medium(TALLOC_CTX *ctx, const struct volume *volume, char **top,
                             struct error *err);

/*
 * The serial number of the NTFS volume: of a raw one from its boot sector, of a mounted one from
 * that of the device or image that is mounted there. False if it cannot be known.
 */
bool volume_serial(struct volume *volume, uint64_t *serial);

/* The volume of a raw one, NULL of a mounted one; it lives as long. */
struct ntfs *volume_ntfs(const struct volume *volume);

const char *volume_path(const struct volume *volume); /* as given */

enum volume_kind {
	VOLUME_ABSENT,
	VOLUME_FILE, /* a regular file */
	VOLUME_DIRECTORY,
	VOLUME_OTHER, /* a symbolic link, junction, device, FIFO or socket */
};

struct volume_entry {
	enum volume_kind kind;
	char *path;    /* as the volume spells it, '/' between names; NULL if absent */
	uint64_t size; /* of a regular file, otherwise 0 */
};

/*
 * Looks PATH up; entry->path is allocated on CTX. Absent is no error, and what would lie
 * below a file is absent. Letter-case twins, unreadable directories, and links or mount
 * points on the way are errors; a link in the last place is VOLUME_OTHER.
 */
bool volume_find(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                 struct volume_entry *entry, struct error *err);

/*
 * What power cuts have left of a directory, as far as look-ups and lists have come upon one, the
 * worst first; *PATH is its path and lives as long as the volume.
 */
enum directory_flaw volume_flaw(const struct volume *volume, const char **path);

/*
 * The names in a directory, sorted by bytes, without "." and "..", on CTX. A name that
 * holds a '\' (no Windows name does) is listed, but cannot be part of a path.
 */
bool volume_list(TALLOC_CTX *ctx, struct volume *volume, const char *path, char ***names,
                 uint32_t *count, struct error *err);

/* Reads a hive with what lies beside it. ERROR_SOURCE if it is absent or no regular file. */
struct source *volume_source(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                             struct error *err);

/* Reads any regular file whole. */
struct image *volume_file(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                          struct error *err);

/*
 * A regular file of a raw volume, to be read by checkpoint/disk/ntfs.h, on CTX; *SPELLED is its
 * path as the volume spells it, likewise.
 */
struct ntfs_file *volume_ntfs_file(TALLOC_CTX *ctx, struct volume *volume, const char *path,
                                   char **spelled, struct error *err);

/* Reads the first SIZE bytes of a regular file, or as many as there are, and no more. */
bool volume_head(struct volume *volume, const char *path, void *buffer, size_t size, size_t *got,
                 struct error *err);

/*
 * Takes the lock of who writes to a mounted volume, which lasts as long as VOLUME. Its descriptor
 * is for looking at; -1, with ERROR_REFUSED, if somebody else has the lock.
 */
int volume_lock(struct volume *volume, struct error *err);

/* Are they one directory, or one image or device? */
bool volume_same(const struct volume *one, const struct volume *other);

/*
 * A descriptor of a directory of a mounted volume, to read and to write in, which the caller
 * closes; -1 if it cannot be opened or is none. For checkpoint/disk/target.h.
 */
int volume_directory(struct volume *volume, const char *path, struct error *err);

#endif
