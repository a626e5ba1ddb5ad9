/*
 * reg: registry changes as .reg text, the one format that every administrator can read.
 *
 * Writing. A subtree as `reg export` gives it, or the way from one to another:
 *
 *	struct reg_options options = { .root = "HKEY_LOCAL_MACHINE\\Cluster" };
 *	struct reg_writer *writer = reg_writer_new(ctx, &options, out, data, &err);
 *
 *	diff_subtrees(NULL, NULL, hive, &key, NULL, reg_write_each, writer, &err);	(export)
 *	diff_subtrees(a, &key_a, b, &key_b, NULL, reg_write_each, writer, &err);	(A to B)
 *	reg_write_end(writer, &left_out, &err);
 *
 * The text is what regedit 5 writes: UTF-16LE with a byte order mark and CR LF, data in
 * hexadecimal folded before column 80. With utf8 it is made for the tools of other systems,
 * hivexregedit among them: UTF-8, no byte order mark, LF. Such tools, and regedit too, do not
 * read quoted text beyond ASCII right from it, so that is then written in hexadecimal; names
 * beyond ASCII come back with hivexregedit and here, not with regedit.
 *
 * A REG_SZ is written as "text" only if that says it exactly: well-formed UTF-16 with one
 * NUL, at its end, and no line break; a REG_DWORD as dword: only if it has four bytes.
 * Everything else is hex(TYPE):, so that no byte is lost. What .reg has no words for is
 * left out and counted: see reg_left_out.
 *
 * Reading. Text in either encoding (with or without byte order mark, CR LF or LF, comments,
 * blanks, any case of dword: and hex:) becomes changes: [KEY] is create-key, though it may
 * be there already (regedit makes what is missing, parents too), [-KEY] is delete-key,
 * "name"=- is delete-value. REGEDIT4 files are refused: nobody knows their code page. In
 * strings the only escapes are \\ and \"; a line break in one is part of it, as regedit writes it.
 */
#ifndef HIVE_REG_H
#define HIVE_REG_H

#include <talloc.h>

#include "hive/change.h"

struct reg_options {
	const char *root; /* WTF-8; stands before every key: the path of the top */
	bool utf8;
};

/* Changes that .reg cannot express. */
struct reg_left_out {
	uint64_t ops[CHANGE_OPS]; /* set-security and the companions, by operation */
	uint64_t names;           /* anything whose path or name has a line break or NUL */
};

/* Takes a piece of text, which is gone afterwards. */
typedef bool reg_out_fn(void *data, struct bytes text, struct error *err);

struct reg_writer;

/* OPTIONS is copied. */
struct reg_writer *reg_writer_new(TALLOC_CTX *ctx, const struct reg_options *options,
                                  reg_out_fn *out, void *data, struct error *err);

bool reg_write(struct reg_writer *writer, const struct change *change, struct error *err);

/* The same as a change_fn; its data is the writer. */
bool reg_write_each(void *writer, const struct change *change, struct error *err);

/* The last line, and all that is still in memory. LEFT_OUT may be NULL. */
bool reg_write_end(struct reg_writer *writer, struct reg_left_out *left_out, struct error *err);

/*
 * Calls EACH with every change in TEXT. ROOT is the path of the top, in any letter case (HKLM
 * stands for HKEY_LOCAL_MACHINE); a key that is not there or below is an error. With NULL
 * or "" keys are given with their whole paths. Every change has passed change_check. ERROR_SOURCE
 * with "line N: ..." and what was expected if the text is malformed; EACH may have been
 * called by then.
 */
bool reg_read(struct bytes text, const char *root, change_fn *each, void *data, struct error *err);

#endif
