/* Text from disks as it may be shown on a terminal, and times. */
#include <inttypes.h>
#include <langinfo.h>
#include <stdio.h>
#include <time.h>

#include "snapshot/cmd/cmd.h"

bool cmd_locale_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

unsigned cmd_utf8_length(const unsigned char *at)
{
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] < 0xe0 && (at[1] & 0xc0) == 0x80)
		return 2;
	if ((at[0] & 0xf0) == 0xe0 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80 &&
	    !(at[0] == 0xe0 && at[1] < 0xa0) && !(at[0] == 0xed && at[1] >= 0xa0))
		return 3;
	if (at[0] >= 0xf0 && at[0] < 0xf5 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80 &&
	    (at[3] & 0xc0) == 0x80 && !(at[0] == 0xf0 && at[1] < 0x90) &&
	    !(at[0] == 0xf4 && at[1] >= 0x90))
		return 4;
	return 0;
}

/*
 * Of three bytes: U+2028 to U+202E and U+2066 to U+2069 break lines, or turn round the text behind
 * them, so that a name could look like another.
 */
static bool is_turning(const unsigned char *c)
{
	return c[0] == 0xe2 && ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) ||
	                        (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* Some terminals take single bytes of C1 (0x80 to 0x9f) for controls, too. */
char *cmd_visible(TALLOC_CTX *ctx, const char *text)
{
	char *out = talloc_size(ctx, 4 * strlen(text) + 1), *at = out;
	const unsigned char *c = (const unsigned char *)text;

	while (out && *c) {
		unsigned size;
		bool c1, nul;

		if (*c >= 0x20 && *c < 0x7f) {
			*at++ = (char)*c++;
			continue;
		}
		size = cmd_utf8_length(c);
		c1 = size == 2 && c[0] == 0xc2 && c[1] < 0xa0;
		nul = c[0] == 0xc0 && c[1] == 0x80; /* stands for one inside a name */

		if (c1 || nul) {
			at += sprintf(at, "\\x%02x", c1 ? c[1] : 0);
			c += 2;
		} else if (size == 3 && is_turning(c)) {
			at += sprintf(at, "\\u20%02x", (c[1] & 1u) << 6 | (c[2] & 0x3fu));
			c += 3;
		} else if (size <= 1) {
			at += sprintf(at, "\\x%02x", *c++);
		} else {
			memcpy(at, c, size);
			at += size;
			c += size;
		}
	}
	if (!out)
		return NULL;
	*at = '\0';
	talloc_set_name_const(out, "char");
	return out;
}

char *cmd_time(TALLOC_CTX *ctx, uint64_t filetime)
{
	const uint64_t second = 10000000, to_1970 = 11644473600u;
	time_t seconds = (time_t)(filetime / second) - (time_t)to_1970;
	struct tm parts;
	char day[64];

	if (filetime == 0)
		return talloc_strdup(ctx, "never");
	if (!gmtime_r(&seconds, &parts) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts))
		return talloc_asprintf(ctx, "0x%016" PRIx64, filetime);
	return talloc_asprintf(ctx, "%s.%07" PRIu64 "Z", day, filetime % second);
}
