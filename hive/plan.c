/*
 * Choosing log entries. The odd decision: a log with a good header and not one good entry
 * does not stop a newer log from being applied, because Windows does the same; as this means
 * that entries are lost, plan->gap says so.
 */
#include "hive/plan.h"

#include <stdarg.h>

#define ROOM_LEAST ((uint64_t)1 << 20)

static void say(struct plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct plan *plan, const char *format, ...)
{
	char **list = talloc_realloc(plan, plan->messages, char *, plan->message_count + 1);
	va_list args;

	if (!list) {
		plan->memory_lost = true;
		return;
	}
	plan->messages = list;
	va_start(args, format);
	list[plan->message_count] = talloc_vasprintf(list, format, args);
	va_end(args);
	if (!list[plan->message_count])
		plan->memory_lost = true;
	else
		plan->message_count++;
}

bool plan_log_missing(const struct source *source)
{
	const struct source_log *one = &source->logs[SOURCE_LOG1],
				*two = &source->logs[SOURCE_LOG2];

	return !(one->image || one->unreadable) != !(two->image || two->unreadable);
}

static void collect_logs(struct plan *plan, const struct source *source)
{
	bool any_new = false;
	uint32_t kept = 0;
	struct error why;

	for (unsigned i = 0; i < SOURCE_LOGS; i++) {
		const struct source_log *from = &source->logs[i];
		struct log *log = &plan->logs[plan->log_count];

		if (!from->image)
			continue;
		if (!log_read(from->name, from->image->bytes, log, &why)) {
			say(plan, "%s: not used: %s", from->name, why.text);
			continue;
		}
		any_new |= log_is_new(log);
		plan->log_count++;
	}
	for (uint32_t i = 0; i < plan->log_count; i++) {
		if (any_new && !log_is_new(&plan->logs[i]))
			say(plan, "%s: not used: it is of the old format, beside one of the new",
			    plan->logs[i].name);
		else
			plan->logs[kept++] = plan->logs[i];
	}
	plan->log_count = kept;
}

/* R3: by the sequence number of the header; file names do not matter. */
static void sort_logs(struct plan *plan)
{
	for (uint32_t i = 1; i < plan->log_count; i++) {
		for (uint32_t j = i; j > 0 && log_older(log_sequence(&plan->logs[j]),
		                                        log_sequence(&plan->logs[j - 1]));
		     j--) {
			struct log log = plan->logs[j];

			plan->logs[j] = plan->logs[j - 1];
			plan->logs[j - 1] = log;
		}
	}
}

static bool add_steps(struct plan *plan, const struct log *log, const struct log_entry *entries,
                      uint32_t count, struct error *err)
{
	struct plan_step *steps =
		talloc_realloc(plan, plan->steps, struct plan_step, plan->count + count);

	if (!steps)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++)
		steps[plan->count + i] = (struct plan_step){ log, entries[i] };
	plan->steps = steps;
	plan->count += count;
	return true;
}

static bool add_log(struct plan *plan, const struct log *log, struct error *err)
{
	struct log_entries entries;
	uint64_t pages = 0;
	bool done = true;

	if (!log_entries(plan, log, plan->room, &entries, err))
		return false;
	for (uint32_t i = 0; i < entries.count; i++)
		pages += entries.list[i].page_count;
	if (entries.count) {
		say(plan, "%s: entries %u to %u applied, %llu page ranges", log->name,
		    entries.list[0].sequence, entries.list[entries.count - 1].sequence,
		    (unsigned long long)pages);
		done = add_steps(plan, log, entries.list, entries.count, err);
	} else if (!entries.why) {
		say(plan, "%s: not used: there is no entry in it", log->name);
	}
	if (entries.why)
		say(plan, "%s: ends at 0x%llx: %s", log->name, (unsigned long long)entries.end,
		    entries.why);
	talloc_free(entries.list);
	return done;
}

/* R4, R6: may the log be tried now? *STOP: this one and all after it may not. */
static bool is_next(struct plan *plan, const struct log *log, const struct regf_base *base,
                    bool *stop)
{
	uint32_t sequence = log_sequence(log), last;

	if (!plan->count) {
		if (!base || !log_older(sequence, le32_get(base->sequence2)))
			return true;
		say(plan, "%s: not used: its entry %u is older than the hive's %u", log->name,
		    sequence, le32_get(base->sequence2));
		return false;
	}
	last = plan->steps[plan->count - 1].entry.sequence;
	if (sequence == last + 1)
		return true;
	say(plan, "%s: not used: its entry %u does not follow %u", log->name, sequence, last);
	*stop = true;
	return false;
}

/* R5 */
static uint32_t only_newest(struct plan *plan)
{
	uint32_t newest = plan->log_count - 1;

	plan->base = plan->logs[newest].base;
	for (uint32_t i = 0; i < newest; i++)
		say(plan, "%s: not used: the hive's base block is bad, only %s can be trusted",
		    plan->logs[i].name, plan->logs[newest].name);
	return newest;
}

static bool plan_new_logs(struct plan *plan, const struct regf_base *base, struct error *err)
{
	const struct log *barren = NULL;
	bool stop = false;

	sort_logs(plan);
	for (uint32_t i = base ? 0 : only_newest(plan); i < plan->log_count && !stop; i++) {
		const struct log *log = &plan->logs[i];

		if (!is_next(plan, log, base, &stop))
			continue;
		if (!add_log(plan, log, err))
			return false;
		if (!plan->count && !barren)
			barren = log;
	}
	if (!barren || !plan->count || log_sequence(barren) == plan->steps[0].entry.sequence)
		return true;
	plan->gap = true;
	say(plan, "entries %u to %u are lost, what follows them was applied nonetheless",
	    log_sequence(barren), plan->steps[0].entry.sequence - 1);
	return true;
}

/* D5: the time by which an old log and a hive know each other. */
static bool hive_time(const struct source *source, const struct regf_base *base, uint64_t *time)
{
	const struct regf_bin *bin;

	if (base) {
		*time = le64_get(base->time);
		return true;
	}
	bin = bytes_at(source->hive->bytes, REGF_BASE_SIZE, sizeof(*bin));
	if (!bin || memcmp(bin->signature, "hbin", 4) != 0)
		return false;
	*time = le64_get(bin->time);
	return true;
}

static bool has_time(struct plan *plan, const struct log *log, uint64_t time, bool relaxed)
{
	uint64_t own = le64_get(log->base.time);

	if (own == time || (relaxed && own > time))
		return true;
	say(plan, "%s: not used: its time %016llx is %s than the hive's %016llx", log->name,
	    (unsigned long long)own, own > time ? "newer (--relaxed takes it)" : "older",
	    (unsigned long long)time);
	return false;
}

/* R7: *BEST becomes the newest old log that belongs to the hive, NULL if none does. */
static bool choose_old_log(struct plan *plan, uint64_t time, bool relaxed, const struct log **best,
                           struct log_entry *chosen, struct error *err)
{
	struct log_entry entry;
	struct error why;

	*best = NULL;
	for (uint32_t i = 0; i < plan->log_count; i++) {
		const struct log *log = &plan->logs[i];

		if (!log_dirty_pages(plan, log, plan->room, &entry, &why)) {
			if (why.kind == ERROR_INTERNAL)
				return error_memory(err);
			say(plan, "%s: not used: %s", log->name, why.text);
			continue;
		}
		if (!has_time(plan, log, time, relaxed))
			continue;
		if (*best && !log_older(log_sequence(*best), log_sequence(log))) {
			say(plan, "%s: not used: it is not newer than %s", log->name,
			    (*best)->name);
			continue;
		}
		*best = log;
		*chosen = entry;
	}
	return true;
}

static bool plan_old_logs(struct plan *plan, const struct source *source,
                          const struct regf_base *base, bool relaxed, struct error *err)
{
	const struct log *log;
	struct log_entry entry;
	uint64_t time;

	if (!hive_time(source, base, &time)) {
		say(plan, "base block and first bin are bad: nothing tells whether a log belongs");
		return true;
	}
	if (!choose_old_log(plan, time, relaxed, &log, &entry, err))
		return false;
	if (!log)
		return true;
	say(plan, "%s: applied, %llu dirty pages%s", log->name,
	    (unsigned long long)entry.data.size / REGF_SECTOR,
	    le64_get(log->base.time) == time ? "" : "; it is newer than the hive");
	if (base && log_older(entry.sequence, le32_get(base->sequence1)))
		entry.sequence = le32_get(base->sequence1);
	if (!base)
		plan->base = log->base;
	return add_steps(plan, log, &entry, 1, err);
}

struct plan *plan_make(TALLOC_CTX *ctx, const struct source *source, const struct regf_base *base,
                       bool relaxed, struct error *err)
{
	struct plan *plan = talloc_zero(ctx, struct plan);
	bool done = true;

	if (!plan) {
		error_memory(err);
		return NULL;
	}
	plan->base_lost = !base;
	if (base)
		plan->base = *base;
	plan->room = source->hive->bytes.size;
	for (unsigned i = 0; i < SOURCE_LOGS; i++)
		plan->room += source->logs[i].image ? source->logs[i].image->bytes.size : 0;
	plan->room = 2 * plan->room + ROOM_LEAST;
	collect_logs(plan, source);
	if (plan->log_count && log_is_new(&plan->logs[0]))
		done = plan_new_logs(plan, base, err);
	else if (plan->log_count)
		done = plan_old_logs(plan, source, base, relaxed, err);
	if (done && plan->memory_lost)
		done = error_memory(err);
	if (!done)
		TALLOC_FREE(plan);
	return plan;
}
