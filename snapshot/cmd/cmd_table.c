/*
 * Tables and trees. What goes into a cell was made visible by us: libsmartcols has its own way
 * to do that, which also turns a backslash before an "x" into \x5c, and every other registry
 * path has one.
 *
 * libsmartcols counts columns with mbrtowc(). A byte that is no character in the locale stops
 * that, and scols_print_table() of util-linux 2.38 never ends. So without a UTF-8 locale, as in
 * an initramfs, cells are ASCII; libsmartcols draws the lines of a tree in ASCII by itself then.
 * Lines that are no table need no locale, and keep their UTF-8.
 */
#include "snapshot/cmd/cmd_table.h"

struct libscols_table *cmd_table_new(void)
{
	struct libscols_table *table = scols_new_table();

	if (table && scols_table_enable_noencoding(table, 1) == 0)
		return table;
	scols_unref_table(table);
	return NULL;
}

/* One "?" for each character that is not ASCII; TEXT is well-formed UTF-8. */
static void make_ascii(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		unsigned char byte = (unsigned char)*from;

		if (byte < 0x80)
			*to++ = *from;
		else if (byte >= 0xc0) /* the first byte of several */
			*to++ = '?';
	}
	*to = '\0';
}

bool cmd_table_cell(TALLOC_CTX *ctx, struct libscols_line *line, unsigned column, const char *text)
{
	char *shown = cmd_visible(ctx, text ? text : "");

	if (shown && !cmd_locale_is_utf8())
		make_ascii(shown);
	return line && shown && scols_line_set_data(line, column, shown) == 0;
}
