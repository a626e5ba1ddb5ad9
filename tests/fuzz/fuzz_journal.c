/* libFuzzer: any bytes as a journal. One that can be read is written, and reads the same again. */
#include <stdlib.h>

#include "snapshot/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct journal journal, again;
	uint8_t *copy = malloc(size ? size : 1); /* of exactly this size */
	struct bytes text;
	struct error err;

	if (!tmp || !copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	if (journal_read(tmp, (struct bytes){ copy, size }, &journal, &err)) {
		text = journal_write(tmp, &journal, &err);
		if (!text.data || !journal_read(tmp, text, &again, &err) ||
		    !bytes_equal(text, journal_write(tmp, &again, &err)))
			abort();
	}
	free(copy);
	talloc_free(tmp);
	return 0;
}
