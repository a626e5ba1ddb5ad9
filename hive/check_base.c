/*
 * The base block, and what lies behind the hive bins.
 *
 * A field that is wrong does not end the check: what it should say is mostly obvious, and
 * the rest of the hive may be whole. Only a file that is no hive is not looked at further.
 */
#include "hive/check_internal.h"

static void expect(struct checker *c, const char *code, const char *field, uint32_t value,
                   uint32_t wanted)
{
	if (value != wanted)
		check_say(c, PROBLEM_FATAL, REGF_NIL, code, "base block: %s is %u, must be %u",
		          field, value, wanted);
}

/* Sequence numbers and checksum: what makes a hive dirty. */
static void check_written(struct checker *c, const struct regf_base *base)
{
	uint32_t one = le32_get(base->sequence1), two = le32_get(base->sequence2);
	uint32_t stored = le32_get(base->checksum), real = regf_checksum(base);

	if (one != two) {
		c->check->dirty = true;
		check_say(c, PROBLEM_NOTE, REGF_NIL, "base-sequence",
		          "base block: sequence numbers are %u and %u: the last write did not end",
		          one, two);
	}
	if (stored != real) {
		c->check->dirty = true;
		check_say(c, PROBLEM_FATAL, REGF_NIL, "base-checksum",
		          "base block: checksum is %08x, computed %08x", stored, real);
	}
}

static void check_fields(struct checker *c, const struct regf_base *base)
{
	uint32_t minor = le32_get(base->minor), flags = le32_get(base->flags);

	expect(c, "base-version", "major version", le32_get(base->major), 1);
	expect(c, "base-type", "file type", le32_get(base->type), REGF_TYPE_HIVE);
	expect(c, "base-format", "format", le32_get(base->format), 1);
	expect(c, "base-cluster", "clustering factor", le32_get(base->cluster), 1);
	if (minor < 3 || minor > 6)
		check_say(c, PROBLEM_FATAL, REGF_NIL, "base-version",
		          "base block: minor version is %u, must be 3 to 6", minor);
	if (flags & REGF_FLAG_TRANSACTIONS)
		check_say(c, PROBLEM_NOTE, REGF_NIL, "base-flags",
		          "base block: flags are 0x%x: kernel transactions may be pending", flags);
	else if (flags & ~REGF_FLAG_LAYERED)
		check_say(c, PROBLEM_NOTE, REGF_NIL, "base-flags",
		          "base block: flags are 0x%x, of which only 0x3 is known", flags);
}

/* How much of the hive bins there is; problems are said. */
static uint64_t bins_in_file(struct checker *c, const struct regf_base *base, uint64_t file_size)
{
	uint64_t size = le32_get(base->bins_size), there = file_size - REGF_BASE_SIZE;

	if (size == 0 || size % REGF_PAGE || size > REGF_BINS_MAX)
		check_say(c, PROBLEM_FATAL, REGF_NIL, "base-bins-size",
		          "base block: size of the hive bins is 0x%llx, must be a multiple of "
		          "0x1000 from 0x1000 to 0x%x",
		          (unsigned long long)size, REGF_BINS_MAX);
	if (size > there)
		check_say(c, PROBLEM_FATAL, REGF_NIL, "truncated",
		          "the file ends at 0x%llx, the hive bins at 0x%llx: the end is lost",
		          (unsigned long long)file_size,
		          (unsigned long long)(REGF_BASE_SIZE + size));
	size = size < there ? size : there;
	return size < REGF_BINS_MAX ? size : REGF_BINS_MAX;
}

bool check_base(struct checker *c, struct bytes image)
{
	const struct regf_base *base = bytes_at(image, 0, sizeof(*base));

	if (image.size >= 4 && memcmp(image.data, "regf", 4) != 0) {
		check_say(c, PROBLEM_FATAL, REGF_NIL, "base-signature",
		          "base block: it begins with %02x %02x %02x %02x and not with \"regf\": "
		          "this is no hive",
		          image.data[0], image.data[1], image.data[2], image.data[3]);
		return false;
	}
	if (!base) {
		check_say(c, PROBLEM_FATAL, REGF_NIL, "truncated",
		          "the file has %llu bytes, a base block alone has %u",
		          (unsigned long long)image.size, REGF_BASE_SIZE);
		return false;
	}
	check_written(c, base);
	check_fields(c, base);
	c->minor = le32_get(base->minor);
	c->root = le32_get(base->root);
	c->bins.data = image.data + REGF_BASE_SIZE;
	c->bins.size = bins_in_file(c, base, image.size);
	return true;
}

void check_tail(struct checker *c, struct bytes image)
{
	uint64_t end = REGF_BASE_SIZE + c->bins.size;
	const struct regf_bin *bin = bytes_at(image, end, sizeof(*bin));

	if (bin && memcmp(bin->signature, "hbin", 4) == 0 && le32_get(bin->offset) == c->bins.size)
		problems_add(c->problems, PROBLEM_NOTE, end, "trailing-bin",
		             "the hive bins end at 0x%llx, but another bin follows: it is not part "
		             "of the hive",
		             (unsigned long long)end);
	if (image.size % REGF_SECTOR)
		problems_add(c->problems, PROBLEM_NOTE, end, "trailing-bytes",
		             "the file has 0x%llx bytes, no multiple of 0x%x: something was added "
		             "behind the hive bins",
		             (unsigned long long)image.size, REGF_SECTOR);
}
