/*
 * boot: what the first sectors of a medium say it holds.
 *
 * A volume may be longer than its medium (an image that was cut): what is there can be read.
 */
#ifndef CHECKPOINT_DISK_BOOT_H
#define CHECKPOINT_DISK_BOOT_H

#include "checkpoint/disk/medium.h"

enum boot_kind {
	BOOT_NTFS,
	BOOT_BITLOCKER,  /* a volume that BitLocker has encrypted */
	BOOT_REFS,       /* a file system that nothing here reads */
	BOOT_PARTITIONS, /* a disk with a partition table, MBR or GPT */
	BOOT_OTHER,
};

/* All but the kind is set for NTFS only. */
struct boot {
	enum boot_kind kind;
	uint32_t sector;  /* bytes */
	uint32_t cluster; /* bytes */
	uint32_t record;  /* bytes of an MFT record */
	uint64_t size;    /* of the volume, in bytes */
	uint64_t serial;
};

/*
 * Reads the boot sector of MEDIUM. A medium that is too short for one is BOOT_OTHER. ERROR_SOURCE
 * if it cannot be read, or is NTFS with numbers that cannot be.
 */
bool boot_read(struct medium *medium, struct boot *boot, struct error *err);

#endif
