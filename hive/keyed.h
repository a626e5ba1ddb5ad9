/*
 * keyed: hashes for tables that hold what comes off a disk.
 *
 * name_hash() is Windows' own, and whoever makes a hive can make a million names that it
 * maps to one number; a table would become a list. These hashes depend on a random number
 * that each table has of its own, so that nobody can choose what collides. What a table is used
 * for must not depend on the order in it: the same input gives the same output, whatever the
 * key is.
 */
#ifndef HIVE_KEYED_H
#define HIVE_KEYED_H

#include "hive/name.h"

/* A random key for a new table. */
uint64_t keyed_key(void);

/* The same for names that differ in letter case only, however they are stored. */
uint32_t keyed_name(uint64_t key, struct name n);

uint32_t keyed_bytes(uint64_t key, struct bytes bytes);

#endif
