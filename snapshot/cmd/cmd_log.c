/*
 * clusnap log: the quorum log of a snapshot, transaction by transaction. A log can be long:
 * the JSON document is written record by record.
 */
#include <stdio.h>

#include "snapshot/batch.h"
#include "snapshot/cmd/cmd_change.h"
#include "snapshot/verify.h"

struct logging {
	struct cmd *cmd;
	const struct quolog *log;
	uint64_t from, to, printed;
	bool changes;
};

struct counting {
	uint64_t count;
	json_t *list; /* or NULL */
};

static bool count(void *data, const struct change *change, struct error *err)
{
	struct counting *counting = data;

	counting->count++;
	if (!counting->list)
		return true;
	return json_array_append_new(counting->list, cmd_change_json(change, "")) == 0 ||
	       error_memory(err);
}

static bool print_change(void *data, const struct change *change, struct error *err)
{
	(void)data;
	(void)err;
	fputs("    ", stdout);
	cmd_change_print(change, "");
	return true;
}

static bool print_json(struct logging *l, const struct quolog_entry *entry, const char *origin,
                       const struct quolog_transaction *transaction, struct error *err)
{
	bool checkpoint = entry->type == RECORD_CHECKPOINT;
	struct counting counting = { 0, json_array() };
	json_t *record = json_pack("{s:I,s:s,s:o,s:o}", "sequence", (json_int_t)entry->sequence,
	                           "type", checkpoint ? "checkpoint" : "transaction", "time",
	                           cmd_json_text(cmd_time(l->cmd->ctx, entry->time)), "origin",
	                           cmd_json_text(origin));
	bool done = (record && counting.list) || error_memory(err);

	if (checkpoint)
		json_object_set_new(record, "file", cmd_json_text(entry->checkpoint.file));
	else
		json_object_set_new(record, "order",
		                    json_string(entry->inferred ? "inferred" : "known"));
	if (done && !checkpoint)
		done = batch_each(transaction->batch, transaction->companion, count, &counting,
		                  err);
	json_object_set(record, "changes", counting.list);
	if (done) {
		printf("%s\n  ", l->printed ? "," : "");
		json_dumpf(record, stdout, JSON_COMPACT | JSON_SORT_KEYS);
	}
	json_decref(counting.list);
	json_decref(record);
	return done;
}

static bool print_text(struct logging *l, const struct quolog_entry *entry, const char *origin,
                       const struct quolog_transaction *transaction, struct error *err)
{
	struct counting counting = { 0, NULL };
	const char *time = cmd_time(l->cmd->ctx, entry->time);

	if (entry->type == RECORD_CHECKPOINT) {
		cmd_print("%6llu  %s  checkpoint   %s  from %s",
		          (unsigned long long)entry->sequence, time, entry->checkpoint.file,
		          origin);
		return true;
	}
	if (!batch_each(transaction->batch, transaction->companion, count, &counting, err))
		return false;
	cmd_print("%6llu  %s  transaction  %llu changes  from %s%s",
	          (unsigned long long)entry->sequence, time, (unsigned long long)counting.count,
	          origin, entry->inferred ? " (order inferred from times)" : "");
	return !l->changes ||
	       batch_each(transaction->batch, transaction->companion, print_change, NULL, err);
}

static bool print_entry(struct logging *l, const struct quolog_entry *entry, struct error *err)
{
	struct quolog_transaction transaction = { 0 };
	TALLOC_CTX *tmp;
	const char *origin;
	bool done;

	if (entry->sequence < l->from || entry->sequence > l->to)
		return true;
	tmp = talloc_new(NULL);
	origin = tmp ? quolog_origin(tmp, entry) : NULL;
	if (!origin) {
		talloc_free(tmp);
		return error_memory(err);
	}
	done = entry->type == RECORD_CHECKPOINT ||
	       quolog_transaction(tmp, l->log, entry, &transaction, err);
	if (done)
		done = l->cmd->json ? print_json(l, entry, origin, &transaction, err)
		                    : print_text(l, entry, origin, &transaction, err);
	l->printed++;
	talloc_free(tmp);
	return done;
}

static bool print_log(struct logging *l, struct error *err)
{
	bool done = true;

	if (l->cmd->json)
		printf("{\"schema\": 1, \"records\": [");
	for (size_t i = 0; done && i < l->log->entry_count; i++)
		done = print_entry(l, &l->log->entries[i], err);
	if (l->cmd->json)
		printf("\n]}\n");
	return done;
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	struct logging l = { .cmd = cmd, .to = UINT64_MAX };
	const char *from = NULL, *to = NULL;
	const struct cmd_option options[] = {
		{ "from", "SEQ", "from this transaction on", NULL, &from, NULL },
		{ "to", "SEQ", "up to this transaction", NULL, &to, NULL },
		{ "changes", NULL, "what each transaction changed (in JSON always)", &l.changes,
		  NULL, NULL },
		{ 0 },
	};
	struct verdict verdict;
	struct error err;
	int status;

	if (!cmd_parse(cmd, argc, argv, options, 1, 1, &status))
		return status;
	if ((from && !cmd_sequence(from, &l.from)) || (to && !cmd_sequence(to, &l.to)))
		return cmd_usage(cmd, "--from and --to want numbers of transactions");
	if (l.from > l.to)
		return cmd_usage(cmd, "--from is behind --to");
	cmd_progress(cmd, "verifying", cmd->args[0]);
	if (!verify_path(cmd->ctx, cmd->args[0], &verdict, &err))
		return cmd_fail(&err);
	if (!verdict.log) {
		error_set(&err, ERROR_BAD_NEWS, "%s: %s: %s", cmd->args[0], verdict.damage[0].path,
		          verdict.damage[0].text);
		return cmd_fail(&err);
	}
	l.log = verdict.log;
	if (!print_log(&l, &err))
		return cmd_fail(&err);
	for (uint32_t i = 0; i < verdict.damage_count; i++)
		cmd_message("%s: damaged: %s: %s", cmd->args[0], verdict.damage[i].path,
		            verdict.damage[i].text);
	return cmd_end(verdict.complete ? 0 : ERROR_BAD_NEWS);
}

const struct command command_log = {
	.name = "log",
	.arguments = "SNAPSHOT",
	.summary = "the quorum log: what happened, transaction by transaction",
	.help = "One line for each checkpoint and transaction: its sequence number, time, what it "
		"is, and\nwhere it comes from. The order of transactions is known where they come "
		"from the log of a\nhive, and inferred from the times of keys where they lie "
		"between two copies of the database.\nValues that are known to hold secrets are "
		"masked. `clusnap extract --to SEQ` gives back any\nof these states. Of a damaged "
		"log what is sound is shown, with exit status 1.",
	.run = run,
};
