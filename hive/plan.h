/*
 * plan: which log entries make a dirty hive whole again, and in which order.
 *
 * Part of hive/recover.h. Everything is read and validated here, before the first page is
 * written anywhere. docs/regf.md, section "Logs", has the rules (R1 to R8).
 */
#ifndef HIVE_PLAN_H
#define HIVE_PLAN_H

#include "hive/log.h"
#include "hive/recover.h"

struct plan_step {
	const struct log *log; /* where it comes from */
	struct log_entry entry;
};

struct plan {
	struct log logs[SOURCE_LOGS]; /* those that can be used, the older first */
	uint32_t log_count;
	struct regf_base base;    /* what the hive's base block is made from, 512 bytes */
	bool base_lost;           /* the hive's own is bad, it is a log's */
	uint64_t room;            /* the file grows to no more than this */
	struct plan_step *steps;  /* in the order in which to apply them */
	uint32_t count;           /* 0: the hive stays dirty */
	bool gap;                 /* entries before the first step are known to be lost */
	uint32_t consistent_from; /* the states after so many steps and more are consistent */
	char **messages;          /* one line each */
	uint32_t message_count;
	bool memory_lost; /* no memory for a message */
};

/* BASE is the hive's own base block, NULL if that is bad. */
struct plan *plan_make(TALLOC_CTX *ctx, const struct source *source, const struct regf_base *base,
                       bool relaxed, struct error *err);

/*
 * Fills plan->consistent_from, which costs one comparison of the logs with the hive: the
 * first number of steps after which no page can be newer than the step. plan->count + 1 if
 * there is no such number.
 */
bool plan_consistent(struct plan *plan, const struct source *source, struct error *err);

/* Exactly one of LOG1 and LOG2 is there, though it may be empty. */
bool plan_log_missing(const struct source *source);

#endif
