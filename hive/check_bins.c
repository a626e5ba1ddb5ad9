/*
 * Bins and cells: every allocated cell is marked, and claims are made on the marks.
 *
 * The headers of all bins are read first. Behind a bin that is none, reading goes on at the
 * next page that calls itself the bin of its place, so that one bad page does not hide the
 * rest of a hive. The cells of a bin are only read when somebody first claims one of them,
 * or at the end, so that the walk down the tree finds them in the processor's cache.
 *
 * Of an image that is still being read the headers are read as far as somebody needs them. A bad
 * one is then no problem yet, but a reason to start over when all of the image is there:
 * what is wrong with bins is said before everything else.
 */
#include "hive/check_internal.h"

#define NO_BIN 0xffffffffu /* of a page: it belongs to no bin, or its bin has been read */

#define WAIT ((uint64_t)1 << 20) /* bytes; what is not there is waited for in pieces */

#define AHEAD 4096u /* bytes; where the next cell begins is only known from this one */

static uint32_t word_at(struct bytes bins, uint64_t at)
{
	return le32_get(*(const le32 *)(bins.data + at));
}

/*
 * Marks the allocated cells from FROM to END; gives where it stops: at END, unless a size is wrong.
 * This is the innermost loop of the check: nothing but the marks changes in it.
 */
static uint32_t mark_cells(struct bytes bins, uint64_t *restrict marks, uint32_t from, uint32_t end)
{
	uint32_t at = from;

	while (at < end) {
		uint32_t word = word_at(bins, at), size = regf_cell_size(word);

		if (size - 1 >= end - at || size % 8)
			break;
		if (word & REGF_ALLOCATED)
			marks[2 * (at >> 9)] |= 1ull << (at >> 3 & 63);
		at += size;
	}
	return at;
}

/* The cells of one bin, from FROM to END. */
static void check_cells(struct checker *c, uint32_t from, uint32_t end)
{
	uint32_t at = mark_cells(c->bins, c->marks, from, end), size;
	const char *why;

	if (at == end)
		return;
	size = regf_cell_size(word_at(c->bins, at));
	why = size == 0  ? "not allowed"
	      : size % 8 ? "not a multiple of 8"
	                 : "more than the rest of its bin";
	check_say(c, PROBLEM_HEALS, at, "cell-size",
	          "cell 0x%llx: size %u is %s; the bin's last %u bytes cannot be read",
	          (unsigned long long)check_offset(at), size, why, end - at);
}

/* The next bin behind AT that fits, or the end. */
static uint64_t next_bin(const struct checker *c, uint64_t at)
{
	for (at += REGF_PAGE; at < c->bins.size; at += REGF_PAGE) {
		if (regf_bin_size(c->bins, at))
			return at;
	}
	return c->bins.size;
}

/* Says what is wrong with the bin at AT; gives its size if its cells can be read, else 0. */
static uint32_t check_bad_bin(struct checker *c, uint64_t at, uint64_t next)
{
	const struct regf_bin *bin = bytes_at(c->bins, at, sizeof(*bin));
	unsigned long long where = REGF_BASE_SIZE + at;
	uint32_t size;

	if (!bin || memcmp(bin->signature, "hbin", 4) != 0) {
		check_say(c, PROBLEM_FATAL, (uint32_t)at, "bin-signature",
		          "bin 0x%llx: it does not begin with \"hbin\"; 0x%llx bytes are lost",
		          where, (unsigned long long)(next - at));
		return 0;
	}
	size = le32_get(bin->size);
	if (le32_get(bin->offset) != at)
		check_say(c, PROBLEM_FATAL, (uint32_t)at, "bin-offset",
		          "bin 0x%llx: it says that it is bin 0x%llx", where,
		          (unsigned long long)check_offset(le32_get(bin->offset)));
	if (size != 0 && size % REGF_PAGE == 0 && size <= c->bins.size - at)
		return size;
	check_say(c, PROBLEM_FATAL, (uint32_t)at, "bin-size",
	          "bin 0x%llx: size 0x%x is no multiple of 0x1000 that ends inside the hive; "
	          "0x%llx bytes are read as this bin",
	          where, size, (unsigned long long)(next - at));
	return (uint32_t)(next - at);
}

/* Gives up this walk over the image. */
static void give_up(struct checker *c)
{
	c->again = true;
	c->next_bin = c->bins.size;
}

/* Waits until the bins up to END are there; false if they never will be. */
static bool wait_for(struct checker *c, uint64_t end)
{
	struct error ignored; /* check_read() asks again */

	end += REGF_BASE_SIZE;
	if (!c->reading || end <= c->there)
		return true;
	c->there = end + WAIT; /* it may be the rest of the bin that is asked for next */
	if (image_wait(c->image, c->there, &ignored))
		return true;
	give_up(c);
	return false;
}

/* Reads the header of the next bin. */
static void take_bin(struct checker *c)
{
	uint64_t at = c->next_bin;
	uint32_t size;

	if (!wait_for(c, at + sizeof(struct regf_bin)))
		return;
	size = regf_bin_size(c->bins, at);
	if (size) {
		c->next_bin = at + size;
	} else if (c->reading) {
		give_up(c);
		return;
	} else {
		if (c->good_bin <= at)
			c->good_bin = next_bin(c, at);
		size = check_bad_bin(c, at, c->good_bin);
		c->next_bin = size ? at + size : c->good_bin;
	}
	for (uint64_t page = at; size && page < c->next_bin; page += REGF_PAGE)
		c->bin_of_page[page / REGF_PAGE] = (uint32_t)(at / REGF_PAGE);
}

bool check_bins(struct checker *c)
{
	uint32_t pages = (uint32_t)((c->bins.size + REGF_PAGE - 1) / REGF_PAGE);

	c->marks = talloc_zero_array(c, uint64_t, 2 * ((uint32_t)c->bins.size / 512 + 1));
	c->bin_of_page = talloc_array(c, uint32_t, pages + 1);
	if (!c->marks || !c->bin_of_page)
		return false;
	c->pages = pages;
	memset(c->bin_of_page, 0xff, (pages + 1) * sizeof(uint32_t)); /* NO_BIN */
	while (!c->reading && c->next_bin < c->bins.size)
		take_bin(c);
	return true;
}

/* Marks the cells of the bin that the page belongs to, if that has not been done. */
static void read_bin(struct checker *c, uint32_t page)
{
	uint32_t first, last;
	uint64_t from, end;

	while (c->next_bin <= (uint64_t)page * REGF_PAGE)
		take_bin(c);
	first = last = c->bin_of_page[page];
	if (first == NO_BIN)
		return;
	while (c->bin_of_page[last] == first)
		c->bin_of_page[last++] = NO_BIN;
	from = (uint64_t)first * REGF_PAGE + sizeof(struct regf_bin);
	end = (uint64_t)last * REGF_PAGE;
	if (end > c->bins.size)
		end = c->bins.size & ~7ull;
	if (from >= end || !wait_for(c, end))
		return;
	for (uint64_t at = from; at < end && at < from + AHEAD; at += 64)
		__builtin_prefetch(c->bins.data + at);
	check_cells(c, (uint32_t)from, (uint32_t)end);
}

bool check_allocated(struct checker *c, uint32_t cell)
{
	if (cell % 8 || cell >= c->bins.size)
		return false;
	read_bin(c, cell / REGF_PAGE);
	return c->marks[2 * (cell >> 9)] >> (cell >> 3 & 63) & 1;
}

const void *check_claim_slowly(struct checker *c, enum problem_weight weight, uint32_t from,
                               uint32_t cell, uint64_t least, const char *what)
{
	unsigned long long where = check_offset(cell);
	uint64_t *marks, bit = 1ull << (cell >> 3 & 63);

	if (cell == REGF_NIL) {
		check_say_key(c, weight, from, "cell-outside", "%s is missing", what);
		return NULL;
	}
	if (cell % 8 || cell >= c->bins.size) {
		check_say_key(c, weight, from, "cell-outside",
		              "%s 0x%llx is outside the hive bins or no multiple of 8", what,
		              where);
		return NULL;
	}
	if (!check_allocated(c, cell)) {
		check_say_key(c, weight, from, "cell-free",
		              "%s 0x%llx: no allocated cell begins there", what, where);
		return NULL;
	}
	marks = &c->marks[2 * (cell >> 9)];
	if (marks[1] & bit) {
		check_say_key(c, weight, cell, "cell-two-owners",
		              "%s 0x%llx: something else uses this cell already", what, where);
		return NULL;
	}
	marks[1] |= bit;
	if (check_room(c, cell) < least) {
		check_say_key(c, weight, cell, "cell-small",
		              "%s 0x%llx: the cell has room for %u bytes, needed are %llu", what,
		              where, check_room(c, cell), (unsigned long long)least);
		return NULL;
	}
	return c->bins.data + cell + 4;
}

static void say_unowned(struct checker *c, uint32_t cell)
{
	char *what = NULL;

	if (!problems_enough(c->problems, PROBLEM_NOTE, "cell-unreferenced")) {
		what = check_what(c, c, cell);
		if (!what)
			c->memory = true;
		else
			check_say(c, PROBLEM_NOTE, cell, "cell-unreferenced",
			          "cell 0x%llx: %u bytes are allocated, but nothing refers to "
			          "them%s",
			          (unsigned long long)check_offset(cell), check_room(c, cell),
			          what);
	}
	talloc_free(what);
}

void check_unowned(struct checker *c)
{
	for (uint32_t page = 0; page < c->pages; page++)
		read_bin(c, page);
	for (uint64_t word = 0; word < c->bins.size / 512 + 1; word++) {
		uint64_t left = c->marks[2 * word] & ~c->marks[2 * word + 1];

		for (; left; left &= left - 1)
			say_unowned(c,
			            (uint32_t)(word * 512 + 8 * (uint64_t)__builtin_ctzll(left)));
	}
}
