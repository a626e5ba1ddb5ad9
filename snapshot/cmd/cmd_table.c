/*
 * Tables and trees. What goes into a cell was made visible by us: libsmartcols has its own way
 * to do that, which also turns a backslash before an "x" into \x5c, and every other registry
 * path has one.
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

bool cmd_table_cell(TALLOC_CTX *ctx, struct libscols_line *line, unsigned column, const char *text)
{
	char *shown = cmd_visible(ctx, text ? text : "");

	return line && shown && scols_line_set_data(line, column, shown) == 0;
}
