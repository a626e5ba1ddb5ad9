/* What a file has beside its bytes: read for a plan, and given back by an undo. */
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "checkpoint/disk/target_internal.h"

#define XATTR_SIZE_LIMIT 65536u /* bytes; Linux has no larger extended attribute */

/* False without memory. */
static bool get(TALLOC_CTX *ctx, const struct target *target, const char *name, struct bytes *value)
{
	uint8_t *buffer = talloc_size(ctx, XATTR_SIZE_LIMIT);
	ssize_t size = buffer ? fgetxattr(target->fd, name, buffer, XATTR_SIZE_LIMIT) : -1;

	*value = (struct bytes){ 0 };
	if (size > 0) {
		value->data = talloc_memdup(ctx, buffer, (size_t)size);
		value->size = (uint64_t)size;
	}
	talloc_free(buffer);
	return buffer && (size <= 0 || value->data);
}

bool target_attributes(TALLOC_CTX *ctx, const struct target *target,
                       struct target_attributes *attributes, struct error *err)
{
	struct stat st;

	*attributes = (struct target_attributes){ 0 };
	if (target->raw) /* what is beside the bytes is not written */
		return true;
	if (fstat(target->fd, &st) != 0)
		return error_errno(err, ERROR_DESTINATION, "%s", target->shown);
	*attributes = (struct target_attributes){ .known = true,
		                                  .mode = st.st_mode & 07777,
		                                  .uid = st.st_uid,
		                                  .gid = st.st_gid,
		                                  .seconds = st.st_mtim.tv_sec,
		                                  .nanoseconds = (uint32_t)st.st_mtim.tv_nsec };
	return (get(ctx, target, "system.ntfs_acl", &attributes->acl) &&
	        get(ctx, target, "system.ntfs_attrib", &attributes->attrib) &&
	        get(ctx, target, "system.ntfs_times", &attributes->times)) ||
	       error_memory(err);
}

/* What is so already is not set: on NTFS each of these writes what is no file's data. */
static void set(const struct target *target, const char *name, struct bytes value)
{
	struct bytes now;
	TALLOC_CTX *tmp = talloc_new(NULL);

	if (value.size && tmp && (!get(tmp, target, name, &now) || !bytes_equal(now, value)))
		(void)!fsetxattr(target->fd, name, value.data, value.size, 0);
	talloc_free(tmp);
}

/* The descriptor comes after owner and mode, which those that map them would write into it. */
void target_set_attributes(struct target *target, const struct target_attributes *attributes)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		                     { attributes->seconds, (long)attributes->nanoseconds } };
	struct stat st;

	if (!attributes->known || target->raw || fstat(target->fd, &st) != 0)
		return;
	if (st.st_uid != attributes->uid || st.st_gid != attributes->gid)
		(void)!fchown(target->fd, attributes->uid, attributes->gid);
	if ((st.st_mode & 07777) != (attributes->mode & 07777))
		(void)!fchmod(target->fd, attributes->mode & 07777);
	set(target, "system.ntfs_acl", attributes->acl);
	set(target, "system.ntfs_attrib", attributes->attrib);
	(void)futimens(target->fd, times);
	set(target, "system.ntfs_times", attributes->times);
}
