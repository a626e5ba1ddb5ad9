/*
 * marvin: the 64-bit Marvin32 hash, as the entries of transaction logs carry it.
 *
 * The seed is the one constant that the kernel uses for logs, 0x82EF4D887A4E55C5. This is no
 * protection against anybody: it tells a torn or damaged entry from a whole one.
 */
#ifndef HIVE_MARVIN_H
#define HIVE_MARVIN_H

#include "hive/bytes.h"

uint64_t marvin_hash(struct bytes in);

/* hash[i] = marvin_hash(in[i]) for all COUNT of them, nearly three times as fast as one by one. */
void marvin_hash_many(const struct bytes *in, uint64_t *hash, size_t count);

#endif
