/* Walking on a raw volume: what checkpoint/disk/spot.c asks of libfsntfs instead of the system. */
#include <errno.h>
#include <string.h>

#include "checkpoint/disk/spot.h"

void spot_top_ntfs(const char *path, struct ntfs *ntfs, struct spot_top *top)
{
	*top = (struct spot_top){ .path = path, .ntfs = ntfs };
}

struct directory *spot_ntfs_directory(TALLOC_CTX *ctx, struct ntfs_file *file,
                                      const struct ntfs_listing **listing, struct error *err)
{
	*listing = ntfs_list(file, err);
	if (!*listing)
		return NULL;
	return directory_of_names(ctx, (*listing)->names, (*listing)->count, err);
}

uint64_t spot_ntfs_reference(const struct ntfs_listing *listing, const char *name)
{
	for (uint32_t i = 0; i < listing->count; i++) {
		if (strcmp(listing->names[i], name) == 0)
			return listing->references[i];
	}
	return 0;
}

bool spot_ntfs_look(TALLOC_CTX *ctx, const struct spot_top *top, struct spot *spot,
                    struct error *err)
{
	static const mode_t modes[] = {
		[NTFS_FILE] = S_IFREG,
		[NTFS_DIRECTORY] = S_IFDIR,
		[NTFS_LINK] = S_IFLNK,
		[NTFS_SPECIAL] = S_IFCHR,
	};

	spot->file =
		ntfs_file_open(ctx, top->ntfs, spot_ntfs_reference(spot->listing, spot->name), err);
	if (!spot->file && err->sys == ENOENT) {
		errno = ENOENT;
		return directory_errno(err, SPOT_LISTED);
	}
	if (!spot->file)
		return false;
	spot->there = true;
	spot->mode = modes[ntfs_file_kind(spot->file)];
	spot->size = S_ISREG(spot->mode) ? ntfs_file_size(spot->file) : 0;
	return true;
}
