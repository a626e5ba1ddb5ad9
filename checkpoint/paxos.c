/*
 * Version tags: a small parser over a text from an untrusted hive. It moves one pointer
 * forward and never looks behind the NUL, as no piece of a tag matches one.
 */
#include "checkpoint/paxos.h"

#include <string.h>

#define NUMBER_MAX 0x7fffffffu /* int in PaxosTagCStruct (resapi.h) */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_number(const char **at, uint32_t *number)
{
	uint32_t n = 0;

	if (!is_digit(**at))
		return false;
	for (; is_digit(**at); ++*at) {
		uint32_t digit = (uint32_t)(**at - '0');

		if (n > (NUMBER_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return true;
}

/* Exactly WIDTH digits, and then the character AFTER. */
static bool read_field(const char **at, unsigned width, char after, uint32_t *number)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < width; i++, ++*at) {
		if (!is_digit(**at))
			return false;
		n = n * 10 + (uint32_t)(**at - '0');
	}
	if (**at != after)
		return false;
	++*at;
	*number = n;
	return true;
}

static bool leap_year(uint32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t month_days(uint32_t year, uint32_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && leap_year(year));
}

/* Days from 1601-01-01, where the 400 years of the calendar begin. */
static uint64_t days_since_1601(uint32_t year, uint32_t month, uint32_t day)
{
	uint32_t before = year - 1601;
	uint64_t days = before * 365u + before / 4 - before / 100 + before / 400;

	for (uint32_t m = 1; m < month; m++)
		days += month_days(year, m);
	return days + day - 1;
}

/* "2007/12/31-15`35`55.889_" */
static bool read_time(const char **at, uint64_t *time)
{
	uint32_t year, month, day, hour, minute, second, milli;
	uint64_t ticks;

	if (!read_field(at, 4, '/', &year) || !read_field(at, 2, '/', &month) ||
	    !read_field(at, 2, '-', &day) || !read_field(at, 2, '`', &hour) ||
	    !read_field(at, 2, '`', &minute) || !read_field(at, 2, '.', &second) ||
	    !read_field(at, 3, '_', &milli))
		return false;
	if (year < 1601 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return false;
	ticks = days_since_1601(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	ticks = (ticks * 1000 + milli) * 10000;
	if (ticks == 0)
		return false; /* would read as "has no time" */
	*time = ticks;
	return true;
}

static bool read_epoch(const char **at, struct paxos_epoch *epoch)
{
	const char *end = *at + strspn(*at, "0123456789");

	epoch->time = 0;
	if (*end == '/' && !read_time(at, &epoch->time))
		return false;
	return read_number(at, &epoch->number);
}

static bool read_colon(const char **at)
{
	return *(*at)++ == ':';
}

bool paxos_tag_read(const char *text, struct paxos_tag *tag)
{
	struct paxos_tag read = { .valid = true };
	const char *at = text;

	if (read_epoch(&at, &read.next) && read_colon(&at) && read_epoch(&at, &read.last) &&
	    read_colon(&at) && read_number(&at, &read.sequence) && *at == '\0') {
		*tag = read;
		return true;
	}
	*tag = (struct paxos_tag){ .valid = false };
	return false;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_epochs(const struct paxos_epoch *a, const struct paxos_epoch *b)
{
	int order = compare(a->time, b->time);

	return order ? order : compare(a->number, b->number);
}

int paxos_tag_compare(const struct paxos_tag *a, const struct paxos_tag *b)
{
	int order = compare_epochs(&a->last, &b->last);

	if (order == 0)
		order = compare_epochs(&a->next, &b->next);
	return order ? order : compare(a->sequence, b->sequence);
}
