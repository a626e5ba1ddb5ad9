/*
 * diff: what has to be done to one subtree to make it another.
 *
 *	diff_subtrees(a, &key_a, b, &key_b, NULL, each, data, &err)
 *
 * calls EACH with every change, in an order in which they can be carried out one after
 * another on A: a key before what is in it, a key that is only in A as one delete-key. Keys
 * come in Windows' order, parents first; for each key create-key, set-security, set-class,
 * set-link, its values, order-values, set-time, in this order. Without any call the two are
 * equal in all that hive/compare looks at. The names of the two top keys and how things are
 * stored do not matter.
 *
 * Time is linear in the two trees, memory in the depth of the trees and the largest list of
 * values that has to be matched by name. Two threads walk large hives (hive/diff_halves.c), but
 * only the caller's calls EACH.
 */
#ifndef HIVE_DIFF_H
#define HIVE_DIFF_H

#include "hive/change.h"
#include "hive/hive.h"

struct diff_options {
	uint32_t leave_out; /* CHANGE_BITs of what nobody wants to hear of */
	bool one_thread;    /* also where two would be faster; the changes are the same */
};

/*
 * A and KEY_A may be NULL: then everything in B is new, beginning with create-key of the top.
 * OPTIONS may be NULL. change->old_* are filled in. False if a hive turns out to be damaged,
 * or if EACH said false.
 */
bool diff_subtrees(const struct hive *a, const struct hive_key *key_a, const struct hive *b,
                   const struct hive_key *key_b, const struct diff_options *options,
                   change_fn *each, void *data, struct error *err);

#endif
