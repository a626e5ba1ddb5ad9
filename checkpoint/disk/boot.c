/*
 * Looking at the first sectors. Every number of an NTFS boot sector is judged here, once, so that
 * whoever calculates with them cannot overflow.
 */
#include "checkpoint/disk/boot.h"

#include <assert.h>

#define HEAD 512u
#define CLUSTER_MAX ((uint32_t)2 << 20) /* what Windows makes at most */
#define RECORD_MAX 65536u
#define SECTORS_MAX ((uint64_t)1 << 50)

struct boot_sector {
	uint8_t jump[3];
	uint8_t signature[8]; /* 0x03 */
	le16 sector;          /* 0x0b: bytes */
	uint8_t cluster;      /* 0x0d: sectors, or a power of two */
	uint8_t unknown_0x0e[26];
	le64 sectors; /* 0x28: of the volume */
	le64 mft;     /* 0x30: its cluster */
	le64 mirror;
	uint8_t record; /* 0x40: clusters, or a power of two */
	uint8_t unknown_0x41[7];
	le64 serial; /* 0x48 */
	uint8_t unknown_0x50[366];
	struct {
		uint8_t active; /* 0x1be of an MBR */
		uint8_t first[3];
		uint8_t type;
		uint8_t last[3];
		le32 start;
		le32 sectors;
	} partitions[4];
	uint8_t end[2]; /* 0x1fe: 55 aa */
};
static_assert(sizeof(struct boot_sector) == HEAD, "");

/* A size as these fields give it: a count of UNIT bytes, or a power of two; 0 if it cannot be. */
static uint32_t size_of(uint8_t field, uint32_t unit, uint32_t most)
{
	uint64_t size = field;

	if (field > 0x80)
		size = 256u - field < 32 ? (uint64_t)1 << (256u - field) : 0;
	else
		size *= unit;
	return size <= most && (size & (size - 1)) == 0 ? (uint32_t)size : 0;
}

static bool wrong(struct error *err, const char *what)
{
	return error_set(err, ERROR_SOURCE, "the boot sector of NTFS has no sound %s", what);
}

static bool read_ntfs(const struct boot_sector *head, struct boot *boot, struct error *err)
{
	uint32_t sector = le16_get(head->sector);
	uint64_t sectors = le64_get(head->sectors);

	if (sector < 256 || sector > 4096 || (sector & (sector - 1)))
		return wrong(err, "sector size");
	boot->sector = sector;
	/* the power of two is one of sectors here, of bytes below */
	boot->cluster = head->cluster > 0x80 ? size_of(head->cluster, 1, CLUSTER_MAX) * sector
	                                     : size_of(head->cluster, sector, CLUSTER_MAX);
	if (boot->cluster < sector || boot->cluster > CLUSTER_MAX)
		return wrong(err, "cluster size");
	boot->record = size_of(head->record, boot->cluster, RECORD_MAX);
	if (boot->record < HEAD)
		return wrong(err, "size of file records");
	if (sectors == 0 || sectors > SECTORS_MAX)
		return wrong(err, "number of sectors");
	boot->size = sectors * sector;
	boot->serial = le64_get(head->serial);
	return true;
}

/* An MBR has four entries, of which one at least is in use, each active (0x80) or not (0). */
static bool has_partitions(const struct boot_sector *head)
{
	bool used = false;

	if (head->end[0] != 0x55 || head->end[1] != 0xaa)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (head->partitions[i].active & 0x7f)
			return false;
		used |= head->partitions[i].type != 0 && le32_get(head->partitions[i].start) != 0;
	}
	return used;
}

/* The header of a GPT lies in the second sector, of 512 or of 4096 bytes. */
static bool has_gpt(struct medium *medium, bool *found, struct error *err)
{
	static const uint64_t places[] = { 512, 4096 };
	char signature[8];

	*found = false;
	for (unsigned i = 0; i < 2; i++) {
		if (medium->size < places[i] + HEAD)
			continue;
		if (!medium_read(medium, places[i], signature, sizeof(signature), err))
			return false;
		*found |= memcmp(signature, "EFI PART", 8) == 0;
	}
	return true;
}

static bool read_head(struct medium *medium, struct boot *boot, struct error *err)
{
	struct boot_sector head;
	bool gpt;

	if (!medium_read(medium, 0, &head, sizeof(head), err) || !has_gpt(medium, &gpt, err))
		return false;
	if (memcmp(head.signature, "-FVE-FS-", 8) == 0)
		boot->kind = BOOT_BITLOCKER;
	else if (memcmp(head.signature, "ReFS\0\0\0\0", 8) == 0)
		boot->kind = BOOT_REFS;
	else if (gpt || has_partitions(&head))
		boot->kind = BOOT_PARTITIONS;
	if (memcmp(head.signature, "NTFS    ", 8) != 0)
		return true;
	boot->kind = BOOT_NTFS;
	return read_ntfs(&head, boot, err);
}

bool boot_read(struct medium *medium, struct boot *boot, struct error *err)
{
	struct boot found = { .kind = BOOT_OTHER };

	if (medium->size >= HEAD && !read_head(medium, &found, err))
		return false;
	*boot = found;
	return true;
}
