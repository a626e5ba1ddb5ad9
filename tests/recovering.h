/*
 * recovering: hives with their logs in memory, and what must come out of them.
 *
 * A hive here is pages of one letter each (tests/logbuilder.h), given as a text: "abca" has four
 * bins. All dirty hives have the sequence numbers 7 and 6.
 */
#ifndef TESTS_RECOVERING_H
#define TESTS_RECOVERING_H

#include "hive/recover.h"
#include "tests/logbuilder.h"
#include "tests/testing.h"

#define PAGE 4096u

struct image *recovering_sealed(TALLOC_CTX *ctx, const uint8_t *data, size_t size);
struct source *recovering_source(const uint8_t *hive, size_t size);

/* A dirty hive of PAGES letters 'a', sequence numbers 7 and 6. */
struct source *recovering_dirty(uint32_t pages);

/* Puts a log beside it, in the place of the one that is there. recovering_add frees LOG. */
void recovering_put(struct source *source, int place, const void *data, size_t size);
void recovering_add(struct source *source, int place, struct logbuilder *log);

/* An entry with one page. */
void recovering_entry(struct logbuilder *log, uint32_t sequence, uint32_t pages, uint32_t page,
                      char letter);

/* Entries SEQUENCE, SEQUENCE + 1 and so on; the Nth of TEXT writes its letter to page PAGE + N. */
struct logbuilder *recovering_log(uint32_t sequence, uint32_t pages, uint32_t page,
                                  const char *text);

uint32_t recovering_get(const struct image *image, size_t at);

/* A clean base block: sequence numbers, type, checksum. */
void recovering_clean(const struct image *image, uint32_t sequence);

/* Recovery applies so many entries and gives these pages ('0': only zeros), sealed and clean. */
void recovering_gives(struct source *source, const struct recover_options *options,
                      uint32_t entries, uint32_t sequence, const char *pages);

/* It fails, leaves everything untouched, and says TEXT. */
void recovering_fails(struct source *source, const struct recover_options *options,
                      enum error_kind kind, const char *text);

/* All states in one text: "sequence letters log; " each, with '!' if it is called consistent. */
void recovering_states(struct source *source, const char *want);

#endif
