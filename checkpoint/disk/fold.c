/* Folding through UTF-16, because Windows upcases units and not characters. */
#include "checkpoint/disk/fold.h"

#include <string.h>

#include "hive/name.h"

static char *upcased(TALLOC_CTX *ctx, struct name name)
{
	uint32_t length = name_length(name);
	uint8_t *units = talloc_size(ctx, 2 * (size_t)length + 1);
	char *text;

	if (!units)
		return NULL;
	for (uint32_t i = 0; i < length; i++) {
		uint16_t unit = name_upcase(name_unit(name, i));

		units[2 * i] = (uint8_t)unit;
		units[2 * i + 1] = (uint8_t)(unit >> 8);
	}
	text = name_utf16_to_utf8(ctx, (struct bytes){ units, 2 * (uint64_t)length });
	talloc_free(units);
	return text;
}

char *fold_text(TALLOC_CTX *ctx, const char *text)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct name name;
	char *folded;

	if (!tmp)
		return NULL;
	if (!name_well_formed(text, strlen(text)))
		folded = talloc_strdup(ctx, text);
	else if (name_from_utf8(tmp, text, strlen(text), &name))
		folded = talloc_steal(ctx, upcased(tmp, name));
	else
		folded = NULL;
	talloc_free(tmp);
	return folded;
}

/* Takes no memory: "no memory" must not come out as "not equal". */
bool fold_equal(const char *a, const char *b)
{
	return name_equal_utf8(a, b) || strcmp(a, b) == 0;
}
