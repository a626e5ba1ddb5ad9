/*
 * change: one step from one registry tree to another.
 *
 * hive/diff makes lists of them, hive/reg reads and writes them as text, hive/tree carries
 * them out. Applied in their order to the tree they were made from they give the other tree
 * exactly. The first five operations are those that Windows' own formats know; the others
 * are their companions, for what a list of those five cannot say.
 *
 *	operation	name	type	data
 *	create-key	-	-	-
 *	delete-key	-	-	-		with all that is below it
 *	set-value	yes	REG_*	the value's data
 *	delete-value	yes	-	-
 *	set-security	-	-	a self-relative descriptor
 *	set-class	-	-	UTF-16LE, no NUL; empty: no class
 *	set-link	-	-	one byte: 1 if the key is a symbolic link, 0 if not
 *	order-values	-	-	le32 for each value, in the new order: where it was before
 *	set-time	-	-	le64, the FILETIME of the key's last write
 *
 * A new key has no class and no values, is no link, has time 0, and has the descriptor that
 * its parent has at that moment. A new value goes behind the others, a value that is set
 * again keeps its place. No operation changes a key's time but set-time. A name that differs
 * only in letter case is another name, so a new case is a delete and a create.
 */
#ifndef HIVE_CHANGE_H
#define HIVE_CHANGE_H

#include "hive/bytes.h"
#include "hive/error.h"

enum change_op {
	CHANGE_CREATE_KEY,
	CHANGE_DELETE_KEY,
	CHANGE_SET_VALUE,
	CHANGE_DELETE_VALUE,
	CHANGE_SET_SECURITY,
	CHANGE_SET_CLASS,
	CHANGE_SET_LINK,
	CHANGE_ORDER_VALUES,
	CHANGE_SET_TIME,
	CHANGE_OPS /* how many there are */
};

/* A set of operations is the sum of these. */
#define CHANGE_BIT(op) (1u << (op))

/* What is no part of Windows' own lists of changes. */
#define CHANGE_COMPANIONS                                                                          \
	(CHANGE_BIT(CHANGE_SET_CLASS) | CHANGE_BIT(CHANGE_SET_LINK) |                              \
	 CHANGE_BIT(CHANGE_ORDER_VALUES) | CHANGE_BIT(CHANGE_SET_TIME))

struct change {
	enum change_op op;
	const char *key;  /* WTF-8, from the top of the tree; "" is the top itself */
	const char *name; /* of the value, WTF-8; "" is the default value; else NULL */
	uint32_t type;
	struct bytes data;

	/* What was there before; only diff fills these in. */
	bool replaces; /* a value, or the key's descriptor, class, link or time */
	uint32_t old_type;
	struct bytes old_data;
};

/*
 * Called for each change in order. CHANGE and all it points to may be gone afterwards. False,
 * with the error filled, ends the walk.
 */
typedef bool change_fn(void *data, const struct change *change, struct error *err);

/* "create-key" and so on, as in JSON. */
const char *change_op_name(enum change_op op);

/*
 * Is it well formed by itself: names that can be in a hive, not too many levels, data of the
 * size that the operation needs? To be asked about all that comes from outside.
 */
bool change_check(const struct change *change, struct error *err);

#endif
