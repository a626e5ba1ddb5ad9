/*
 * replay: the cluster database as of any sequence number: a checkpoint of the log, and the
 * transactions behind it carried out on it.
 *
 *	struct replay *replay = replay_new(ctx, fd, log, &err);		fd: the open snapshot
 *
 *	replay_to(replay, 17, &err) && tree_save(ctx, replay_tree(replay), ...)
 *
 * A replay moves forward only. It relies on what verify said of the log and of the chk files.
 */
#ifndef SNAPSHOT_REPLAY_H
#define SNAPSHOT_REPLAY_H

#include "hive/tree.h"
#include "snapshot/quolog.h"

struct replay;

/* FD, the open directory of the snapshot, and LOG must live as long. */
struct replay *replay_new(TALLOC_CTX *ctx, int fd, const struct quolog *log, struct error *err);

/* Starts anew with the checkpoint that is entry INDEX of the log. */
bool replay_load(struct replay *replay, size_t index, struct error *err);

/*
 * Carries out the transaction that is entry INDEX of the log; ERROR_BAD_NEWS, naming its
 * sequence number, if that cannot be done.
 */
bool replay_step(struct replay *replay, size_t index, struct error *err);

/* ERROR_USAGE if the log holds no such state: the text names those that it holds. */
bool replay_to(struct replay *replay, uint64_t sequence, struct error *err);

struct tree *replay_tree(struct replay *replay);
uint32_t replay_minor(const struct replay *replay); /* format of the hive that was loaded */
bool replay_digest(struct replay *replay, uint8_t digest[DIGEST_SIZE], struct error *err);

/*
 * The state after SEQUENCE of the snapshot PATH, whose LOG verify has found complete: as a hive
 * whose image is what was saved, or the chk file itself where there is one of this state.
 */
struct hive *replay_hive(TALLOC_CTX *ctx, const char *path, const struct quolog *log,
                         uint64_t sequence, struct error *err);

#endif
