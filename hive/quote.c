/* A path may come from a disk: whoever copies the command from a message must get no other. */
#include "hive/quote.h"

#include <string.h>

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:=@%"

char *quote_word(TALLOC_CTX *ctx, const char *word)
{
	char *quoted, *to;

	if (*word && *word != '-' && strspn(word, PLAIN) == strlen(word))
		return talloc_strdup(ctx, word);
	quoted = to = talloc_size(ctx, 4 * strlen(word) + 3);
	if (!quoted)
		return NULL;
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(to, "'\\''", 4);
			to += 4;
		} else {
			*to++ = *word;
		}
	}
	memcpy(to, "'", 2);
	return quoted;
}
