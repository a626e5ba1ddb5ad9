/* What a change must look like before anybody tries to carry it out. */
#include "hive/change.h"

#include "hive/name.h"
#include "hive/regf.h"

static const char *const op_names[CHANGE_OPS] = {
	[CHANGE_CREATE_KEY] = "create-key",     [CHANGE_DELETE_KEY] = "delete-key",
	[CHANGE_SET_VALUE] = "set-value",       [CHANGE_DELETE_VALUE] = "delete-value",
	[CHANGE_SET_SECURITY] = "set-security", [CHANGE_SET_CLASS] = "set-class",
	[CHANGE_SET_LINK] = "set-link",         [CHANGE_ORDER_VALUES] = "order-values",
	[CHANGE_SET_TIME] = "set-time",
};

const char *change_op_name(enum change_op op)
{
	return op_names[op];
}

/* A name of at most MOST units. */
static bool check_name(const char *text, size_t size, uint32_t most, const char *what,
                       struct error *err)
{
	uint32_t length;

	if (!name_measure_utf8(text, size, &length))
		return error_set(err, ERROR_SOURCE, "the name of a %s is no UTF-8", what);
	if (length > most)
		return error_set(err, ERROR_SOURCE,
		                 "the name of a %s has %u characters, %u are allowed", what, length,
		                 most);
	return true;
}

static bool check_key(const char *path, struct error *err)
{
	unsigned depth = 1;

	while (*path) {
		size_t size = strcspn(path, "\\");

		if (size == 0 || (path[size] && !path[size + 1]))
			return error_set(err, ERROR_SOURCE, "a key without a name in the path");
		if (++depth > REGF_DEPTH_MAX)
			return error_set(err, ERROR_SOURCE, "more than %u levels of keys",
			                 REGF_DEPTH_MAX);
		if (!check_name(path, size, REGF_KEY_NAME_MAX, "key", err))
			return false;
		path += size + (path[size] == '\\');
	}
	return true;
}

static bool check_data(const struct change *change, struct error *err)
{
	uint64_t size = change->data.size;

	switch (change->op) {
	case CHANGE_CREATE_KEY:
	case CHANGE_DELETE_KEY:
	case CHANGE_DELETE_VALUE:
		if (size == 0)
			return true;
		break;
	case CHANGE_SET_VALUE:
		if (size <= REGF_BINS_MAX)
			return true;
		break;
	case CHANGE_SET_SECURITY:
		if (size > 0 && size <= UINT16_MAX)
			return true;
		break;
	case CHANGE_SET_CLASS:
		if (size <= UINT16_MAX)
			return true;
		break;
	case CHANGE_SET_LINK:
		if (size == 1 && change->data.data[0] <= 1)
			return true;
		break;
	case CHANGE_ORDER_VALUES:
		if (size % sizeof(le32) == 0)
			return true;
		break;
	case CHANGE_SET_TIME:
		if (size == sizeof(le64))
			return true;
		break;
	case CHANGE_OPS:
		break;
	}
	return error_set(err, ERROR_SOURCE, "%llu bytes of data are wrong for it",
	                 (unsigned long long)size);
}

bool change_check(const struct change *change, struct error *err)
{
	bool of_value = change->op == CHANGE_SET_VALUE || change->op == CHANGE_DELETE_VALUE;

	if ((unsigned)change->op >= CHANGE_OPS)
		return error_set(err, ERROR_SOURCE, "unknown kind of change %u",
		                 (unsigned)change->op);
	if (of_value != (change->name != NULL))
		return error_set(err, ERROR_SOURCE, "%s: %s", change_op_name(change->op),
		                 of_value ? "no name of a value" : "the name of a value");
	if (change->op == CHANGE_DELETE_KEY && !*change->key)
		return error_set(err, ERROR_SOURCE, "the top key cannot be deleted");
	if (!check_key(change->key, err) || !check_data(change, err) ||
	    (of_value &&
	     !check_name(change->name, strlen(change->name), REGF_VALUE_NAME_MAX, "value", err)))
		return error_wrap(err, "%s '%s'", change_op_name(change->op), change->key);
	return true;
}
