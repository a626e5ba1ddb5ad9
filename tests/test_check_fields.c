/*
 * check, field by field: one row breaks one field of one record, and the validator must name
 * it with the right word, weight and place. The image comes from the tests' own builder.
 */
#include "tests/testing.h"

#include <string.h>

#include "hive/check.h"
#include "tests/builder.h"

enum place {
	NOWHERE,
	BASE,   /* the base block */
	BIN,    /* the first bin */
	ROOT,   /* keys: the record behind the size field */
	ALPHA,  /* has a class name and values */
	BETA,   /* has three subkeys in one leaf */
	BETA_2, /* the second of them */
	GAMMA,  /* has five subkeys in two leaves below an ri */
	OMEGA,  /* has nothing but another security descriptor */
	CLASS,  /* of ALPHA */
	VALUES, /* list of ALPHA */
	SMALL,  /* values of ALPHA: with four bytes */
	TEXT,   /* with a data cell */
	BIG,    /* with 40,000 bytes */
	EMPTY,  /* with none */
	DATA,   /* of TEXT */
	DB,     /* of BIG */
	SEGMENTS,
	SEGMENT_1,
	SEGMENT_3,
	LEAF,  /* of BETA */
	INDEX, /* of GAMMA */
	INDEX_LEAF,
	SK, /* of all keys but OMEGA */
	SK_OMEGA,
	PLACES
};

struct lab {
	TALLOC_CTX *ctx;
	uint8_t *image;
	size_t size;
	uint32_t cell[PLACES];
};

static void describe(struct lab *lab, struct builder *b)
{
	struct builder_key *alpha = builder_path(b, "Alpha"), *beta = builder_path(b, "Beta");
	struct builder_key *gamma = builder_path(b, "Gamma"), *omega = builder_path(b, "Omega");
	uint8_t data[40000];
	struct builder_value *small, *text, *big, *empty;

	memset(data, 0xa5, sizeof(data));
	b->leaf_max = 4;
	builder_class(alpha, "class");
	small = builder_dword(alpha, "Small", 7);
	text = builder_string(alpha, "Text", "some text");
	big = builder_value(alpha, "Big", 3, data, sizeof(data));
	empty = builder_value(alpha, "Empty", 3, NULL, 0);
	empty->nil_empty = true;
	builder_key(beta, "One", 0);
	builder_key(beta, "Three", 0);
	builder_key(beta, "Two", 0);
	for (const char *name = "vwxyz"; *name; name++)
		builder_key(gamma, (char[]){ *name, 0 }, 0);
	builder_security_kind(omega, BUILDER_SD_SECRET, 1001);
	lab->image = builder_write(b, &lab->size);
	lab->cell[ROOT] = b->root->cell;
	lab->cell[ALPHA] = alpha->cell;
	lab->cell[BETA] = beta->cell;
	lab->cell[BETA_2] = beta->children[1]->cell;
	lab->cell[GAMMA] = gamma->cell;
	lab->cell[OMEGA] = omega->cell;
	lab->cell[CLASS] = alpha->class_cell;
	lab->cell[VALUES] = alpha->values_cell;
	lab->cell[SMALL] = small->cell;
	lab->cell[TEXT] = text->cell;
	lab->cell[BIG] = big->cell;
	lab->cell[EMPTY] = empty->cell;
	lab->cell[DATA] = text->data_cell;
	lab->cell[DB] = big->data_cell;
	lab->cell[SEGMENTS] = big->db_table;
	lab->cell[SEGMENT_1] = big->db_segments[0];
	lab->cell[SEGMENT_3] = big->db_segments[2];
	lab->cell[LEAF] = beta->list_cell;
	lab->cell[INDEX] = gamma->list_cell;
	lab->cell[INDEX_LEAF] = gamma->leaves[0];
	lab->cell[SK] = b->root->security->cell;
	lab->cell[SK_OMEGA] = omega->security->cell;
}

static void begin(struct lab *lab, enum builder_list list)
{
	struct builder *b;

	memset(lab, 0, sizeof(*lab));
	lab->ctx = talloc_new(NULL);
	assert_non_null(lab->ctx);
	b = builder_new(lab->ctx);
	b->list = list;
	describe(lab, b);
}

/* Where offset 0 of a place lies in the file. */
static size_t start_of(const struct lab *lab, enum place place)
{
	if (place == BASE)
		return 0;
	return place == BIN ? 0x1000 : 0x1004u + lab->cell[place];
}

/* The file offset that a problem of a place has. */
static uint64_t offset_of(const struct lab *lab, enum place place)
{
	return place == BASE ? 0 : place == BIN ? 0x1000 : 0x1000u + lab->cell[place];
}

struct row {
	enum place place;
	int offset; /* in the record; -4 is the cell's size */
	unsigned width;
	uint32_t value;
	enum place value_cell; /* not NOWHERE: the cell of this place */
	const char *code;
	enum problem_weight weight;
	enum place where; /* place the problem must have */
};

#define NOTE PROBLEM_NOTE
#define ODD PROBLEM_ODD
#define HEALS PROBLEM_HEALS
#define FATAL PROBLEM_FATAL
#define NIL BUILDER_NIL

static const struct row rows[] = {
	/* base block */
	{ BASE, 0, 4, 0x66676578, 0, "base-signature", FATAL, BASE },
	{ BASE, 4, 4, 9, 0, "base-sequence", NOTE, BASE },
	{ BASE, 8, 4, 9, 0, "base-sequence", NOTE, BASE },
	{ BASE, 20, 4, 2, 0, "base-version", FATAL, BASE },
	{ BASE, 24, 4, 2, 0, "base-version", FATAL, BASE },
	{ BASE, 24, 4, 7, 0, "base-version", FATAL, BASE },
	{ BASE, 28, 4, 1, 0, "base-type", FATAL, BASE },
	{ BASE, 32, 4, 0, 0, "base-format", FATAL, BASE },
	{ BASE, 36, 4, NIL, 0, "cell-outside", FATAL, BASE },
	{ BASE, 36, 4, 0x24, 0, "cell-outside", FATAL, BASE },
	{ BASE, 36, 4, 0x28, 0, "cell-free", FATAL, BASE },
	{ BASE, 36, 4, 0, SK, "key-signature", FATAL, SK },
	{ BASE, 40, 4, 0, 0, "base-bins-size", FATAL, BASE },
	{ BASE, 40, 4, 0x1001, 0, "base-bins-size", FATAL, BASE },
	{ BASE, 40, 4, 0x7f000000, 0, "truncated", FATAL, BASE },
	{ BASE, 40, 4, 0xfffff000, 0, "base-bins-size", FATAL, BASE },
	{ BASE, 44, 4, 2, 0, "base-cluster", FATAL, BASE },
	{ BASE, 144, 4, 1, 0, "base-flags", NOTE, BASE },
	{ BASE, 144, 4, 8, 0, "base-flags", NOTE, BASE },
	{ BASE, 508, 4, 0x12345678, 0, "base-checksum", FATAL, BASE },
	/* the first bin */
	{ BIN, 0, 4, 0, 0, "bin-signature", FATAL, BIN },
	{ BIN, 4, 4, 0x1000, 0, "bin-offset", FATAL, BIN },
	{ BIN, 8, 4, 0, 0, "bin-size", FATAL, BIN },
	{ BIN, 8, 4, 0x1010, 0, "bin-size", FATAL, BIN },
	{ BIN, 8, 4, 0x7ffff000, 0, "bin-size", FATAL, BIN },
	/* cells: size 0, odd, beyond the bin, free, smaller than what is in them */
	{ ALPHA, -4, 4, 0, 0, "cell-size", HEALS, ALPHA },
	{ ALPHA, -4, 4, (uint32_t)-90, 0, "cell-size", HEALS, ALPHA },
	{ ALPHA, -4, 4, 0x80000000, 0, "cell-size", HEALS, ALPHA },
	{ ALPHA, -4, 4, (uint32_t)-0x2000000, 0, "cell-size", HEALS, ALPHA },
	/* the root key: its own faults are fatal */
	{ ROOT, 0, 2, 0x6b6c, 0, "key-signature", FATAL, ROOT },
	{ ROOT, 0x48, 2, 0, 0, "key-name", FATAL, ROOT },
	{ ROOT, 0x48, 2, 0xffff, 0, "key-name", FATAL, ROOT },
	{ ROOT, 0x2c, 4, NIL, 0, "cell-outside", FATAL, ROOT },
	{ ROOT, 0x2c, 4, 0, ALPHA, "security-signature", FATAL, ALPHA },
	{ ROOT, 0x1c, 4, NIL, 0, "cell-outside", HEALS, ROOT },
	/* keys */
	{ ALPHA, 0, 2, 0x6b6c, 0, "key-signature", HEALS, ALPHA },
	{ ALPHA, 2, 2, 0x21, 0, "key-flags", ODD, ALPHA },
	{ ALPHA, 2, 2, 0x22, 0, "key-flags", ODD, ALPHA },
	{ ALPHA, 2, 2, 0x24, 0, "key-flags", ODD, ALPHA },
	{ ALPHA, 2, 2, 0x420, 0, "key-flags", ODD, ALPHA },
	{ ALPHA, 2, 2, 0x60, 0, "key-flags", ODD, ALPHA },  /* a handle that is a count */
	{ ALPHA, 2, 2, 0x00, 0, "key-name", HEALS, ALPHA }, /* five bytes of UTF-16 */
	{ ALPHA, 0x10, 4, 0, BETA, "key-parent", HEALS, ALPHA },
	{ ALPHA, 0x10, 4, NIL, 0, "key-parent", HEALS, ALPHA },
	{ BETA, 0x14, 4, 2, 0, "list-count", HEALS, BETA },
	{ BETA, 0x14, 4, 4, 0, "list-count", HEALS, BETA },
	{ BETA, 0x14, 4, 0, 0, "list-count", HEALS, BETA },
	{ OMEGA, 0x14, 4, 1, 0, "cell-outside", HEALS, OMEGA },
	{ ALPHA, 0x18, 4, 1, 0, "key-volatile", NOTE, ALPHA },
	{ OMEGA, 0x1c, 4, 0x80000020, 0, "list-empty", ODD, OMEGA },
	{ BETA, 0x1c, 4, 0x80000020, 0, "cell-outside", HEALS, BETA },
	{ BETA, 0x1c, 4, 0, VALUES, "cell-two-owners", HEALS, VALUES },
	{ BETA, 0x1c, 4, 0, BETA, "cell-two-owners", HEALS, BETA },
	{ BETA, 0x1c, 4, 0, INDEX_LEAF, "key-parent", HEALS, NOWHERE },
	{ ALPHA, 0x24, 4, 3, 0, "cell-unreferenced", NOTE, EMPTY },
	{ ALPHA, 0x24, 4, 0, 0, "value-list", ODD, ALPHA },
	{ ALPHA, 0x24, 4, 0xffffffff, 0, "cell-small", HEALS, VALUES },
	{ ALPHA, 0x24, 4, 0x40000004, 0, "cell-small", HEALS, VALUES },
	{ OMEGA, 0x24, 4, 1, 0, "cell-outside", HEALS, OMEGA },
	{ ALPHA, 0x28, 4, NIL, 0, "cell-outside", HEALS, ALPHA },
	{ ALPHA, 0x28, 4, 0x7fffff00, 0, "cell-outside", HEALS, ALPHA },
	{ ALPHA, 0x2c, 4, 0x7fffff00, 0, "cell-outside", HEALS, ALPHA },
	{ OMEGA, 0x2c, 4, 0, SK, "security-count", HEALS, SK },
	{ ALPHA, 0x30, 4, NIL, 0, "cell-outside", HEALS, ALPHA },
	{ ALPHA, 0x30, 4, 0, ROOT, "cell-two-owners", HEALS, ROOT },
	{ OMEGA, 0x30, 4, 0x20, 0, "class-cell", ODD, OMEGA },
	{ ROOT, 0x34, 4, 2, 0, "key-maximum-low", NOTE, ROOT },
	{ ROOT, 0x34, 4, 200, 0, "key-maximum-high", NOTE, ROOT },
	{ ROOT, 0x38, 4, 0, 0, "key-maximum-low", ODD, ROOT },
	{ ALPHA, 0x3c, 4, 0, 0, "key-maximum-low", ODD, ALPHA },
	{ ALPHA, 0x3c, 4, 99, 0, "key-maximum-high", NOTE, ALPHA },
	{ ALPHA, 0x40, 4, 0, 0, "key-maximum-low", ODD, ALPHA },
	{ OMEGA, 0x40, 4, 50000, 0, "key-maximum-high", NOTE, OMEGA },
	{ ALPHA, 0x48, 2, 0, 0, "key-name", HEALS, ALPHA },
	{ ALPHA, 0x48, 2, 600, 0, "key-name", HEALS, ALPHA },
	{ ALPHA, 0x4a, 2, 0x4000, 0, "cell-small", HEALS, CLASS },
	{ OMEGA, 0x4a, 2, 2, 0, "cell-outside", HEALS, OMEGA },
	{ ALPHA, 0x4c, 1, '\\', 0, "key-name", HEALS, ALPHA },
	{ ALPHA, 0x4f, 1, 0, 0, "key-name", NOTE, ALPHA },
	{ ALPHA, 0x4f, 1, '\n', 0, "key-name", NOTE, ALPHA },
	{ ALPHA, 0x4c, 1, 'Z', 0, "key-order", HEALS, BETA },
	{ ALPHA, 0x4c, 1, 'X', 0, "leaf-hash", HEALS, ALPHA },
	{ BETA_2, 0x4c, 1, 'A', 0, "key-order", HEALS, BETA_2 },
	/* lists of subkeys */
	{ LEAF, 0, 2, 0x666d, 0, "list-signature", HEALS, LEAF },
	{ LEAF, 0, 2, 0x6968, 0, "list-signature", HEALS, LEAF },
	{ LEAF, 0, 2, 0x6972, 0, "list-signature", HEALS, NOWHERE },
	{ LEAF, 2, 2, 0xffff, 0, "list-count", HEALS, LEAF },
	{ LEAF, 2, 2, 2, 0, "list-count", HEALS, BETA },
	{ LEAF, 2, 2, 0, 0, "list-empty", NOTE, LEAF },
	{ LEAF, 4, 4, NIL, 0, "cell-outside", HEALS, LEAF },
	{ LEAF, 4, 4, 0, BETA_2, "cell-two-owners", HEALS, BETA_2 },
	{ LEAF, 4, 4, 0, ROOT, "cell-two-owners", HEALS, ROOT },
	{ LEAF, 4, 4, 0, OMEGA, "key-parent", HEALS, OMEGA },
	{ LEAF, 8, 4, 1, 0, "leaf-hash", HEALS, NOWHERE },
	{ INDEX, 2, 2, 1, 0, "list-count", HEALS, GAMMA },
	{ INDEX, 2, 2, 0x7fff, 0, "list-count", HEALS, INDEX },
	{ INDEX, 4, 4, 2, 0, "cell-outside", HEALS, INDEX },
	{ INDEX, 4, 4, 0, INDEX, "cell-two-owners", HEALS, INDEX },
	{ INDEX_LEAF, 4, 4, 0x40, 0, "cell-free", HEALS, INDEX_LEAF },
	{ INDEX_LEAF, 0, 2, 0x6972, 0, "list-signature", HEALS, INDEX_LEAF },
	/* values */
	{ VALUES, 0, 4, 0, ALPHA, "cell-two-owners", HEALS, ALPHA },
	{ VALUES, 0, 4, 0, TEXT, "cell-two-owners", HEALS, TEXT },
	{ VALUES, 0, 4, 6, 0, "cell-outside", HEALS, VALUES },
	{ TEXT, 0, 2, 0x6b6e, 0, "value-signature", HEALS, TEXT },
	{ TEXT, 2, 2, 100, 0, "value-name", HEALS, TEXT },
	{ SMALL, 2, 2, 5, 0, NULL, NOTE, NOWHERE },
	{ TEXT, 20, 1, 0x1f, 0, "value-name", NOTE, TEXT },
	{ TEXT, 4, 4, 4000, 0, "cell-small", HEALS, DATA },
	{ TEXT, 4, 4, 0x80000005, 0, "value-data", HEALS, TEXT },
	{ TEXT, 4, 4, 0, 0, "value-data", HEALS, TEXT },
	{ TEXT, 4, 4, 3, 0, "value-data", NOTE, TEXT },
	{ TEXT, 4, 4, 20000, 0, "big-data", HEALS, DATA },
	{ TEXT, 4, 4, 0x7fffffff, 0, "big-data", HEALS, DATA },
	{ TEXT, 8, 4, NIL, 0, "cell-outside", HEALS, TEXT },
	{ TEXT, 8, 4, 0, TEXT, "cell-two-owners", HEALS, TEXT },
	{ TEXT, 8, 4, 0, CLASS, "cell-two-owners", HEALS, CLASS },
	{ TEXT, 16, 2, 0x11, 0, "value-flags", ODD, TEXT },
	{ TEXT, 16, 2, 3, 0, "value-flags", ODD, TEXT },
	{ SMALL, 16, 2, 0, 0, "value-name", HEALS, SMALL }, /* five bytes of UTF-16 */
	{ EMPTY, 8, 4, 0, 0, "value-data", HEALS, EMPTY },
	{ BIG, 4, 4, 20000, 0, "big-data", HEALS, DB },
	{ BIG, 4, 4, 60000, 0, "big-data", HEALS, DB },
	{ BIG, 4, 4, 10000, 0, "cell-small", HEALS, DB },
	{ DB, 0, 2, 0x6464, 0, "big-data", HEALS, DB },
	{ DB, 2, 2, 2, 0, "big-data", HEALS, DB },
	{ DB, 4, 4, NIL, 0, "cell-outside", HEALS, DB },
	{ SEGMENTS, 4, 4, 0, SEGMENT_1, "cell-two-owners", HEALS, SEGMENT_1 },
	{ SEGMENTS, 8, 4, 0, LEAF, "cell-small", HEALS, LEAF },
	{ SEGMENTS, 8, 4, 0x40, 0, "cell-free", HEALS, SEGMENTS },
	/* security cells */
	{ SK_OMEGA, 0, 2, 0x6b6e, 0, "security-signature", HEALS, SK_OMEGA },
	{ SK_OMEGA, 4, 4, NIL, 0, "cell-outside", HEALS, SK_OMEGA },
	{ SK_OMEGA, 4, 4, 0, SK_OMEGA, "security-ring", HEALS, SK_OMEGA },
	{ SK_OMEGA, 8, 4, 0, SK_OMEGA, "security-ring", HEALS, SK_OMEGA },
	{ SK, 4, 4, 0, SK, "security-ring", HEALS, SK_OMEGA },
	{ SK, 8, 4, 0, ROOT, "security-ring", HEALS, SK },
	{ SK, 4, 4, 0, ALPHA, "cell-two-owners", HEALS, ALPHA },
	{ SK, 12, 4, 1, 0, "security-count", HEALS, SK },
	{ SK, 12, 4, 1000, 0, "security-count", ODD, SK },
	{ SK_OMEGA, 16, 4, 1000, 0, "security-descriptor", HEALS, SK_OMEGA },
	{ SK_OMEGA, 16, 4, 16, 0, "security-descriptor", HEALS, SK_OMEGA },
	{ SK_OMEGA, 20, 1, 2, 0, "security-descriptor", HEALS, SK_OMEGA },
	{ SK_OMEGA, 22, 2, 4, 0, "security-descriptor", HEALS, SK_OMEGA },
	{ SK_OMEGA, 24, 4, 4000, 0, "security-descriptor", HEALS, SK_OMEGA },
	{ SK_OMEGA, 28, 4, 3, 0, "security-descriptor", HEALS, SK_OMEGA },
	{ SK_OMEGA, 36, 4, 0xfffffff0, 0, "security-descriptor", HEALS, SK_OMEGA },
};

static const struct problem *find(const struct problems *problems, const struct row *row,
                                  uint64_t offset)
{
	for (uint32_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		if (strcmp(problem->code, row->code) == 0 && problem->weight == row->weight &&
		    (row->where == NOWHERE || problem->offset == offset))
			return problem;
	}
	return NULL;
}

static void put(uint8_t *at, unsigned width, uint32_t value)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static bool test_row(const struct lab *lab, unsigned number)
{
	const struct row *row = &rows[number];
	uint8_t *image = talloc_memdup(lab->ctx, lab->image, lab->size);
	size_t at = (size_t)((ptrdiff_t)start_of(lab, row->place) + row->offset);
	uint32_t value = row->value_cell ? lab->cell[row->value_cell] : row->value;
	struct error err = { 0 };
	struct check check;

	assert_non_null(image);
	put(image + at, row->width, value);
	if (row->place == BASE && row->offset < 508)
		builder_fix_checksum(image);
	assert_true(check_image(image, (struct bytes){ image, lab->size }, &check, &err));
	if (!row->code) {
		assert_int_equal(check.problems->count, 0);
	} else if (!find(check.problems, row, offset_of(lab, row->where))) {
		for (uint32_t i = 0; i < check.problems->count; i++)
			print_error("%d %s 0x%llx %s\n", check.problems->list[i].weight,
			            check.problems->list[i].code,
			            (unsigned long long)check.problems->list[i].offset,
			            check.problems->list[i].text);
		print_error("row %u (place %d offset 0x%x): no %s\n", number, row->place,
		            row->offset, row->code);
		talloc_free(image);
		return false;
	}
	if (row->code)
		assert_true(check.problems->worst >= row->weight);
	talloc_free(image);
	return true;
}

static void each_field(void **state)
{
	unsigned failed = 0;
	struct lab lab;

	(void)state;
	begin(&lab, BUILDER_LH);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		failed += !test_row(&lab, i);
	assert_int_equal(failed, 0);
	talloc_free(lab.ctx);
}

/* Any one byte but those of the big data, changed in three ways: no crash, and an answer. */
static void each_byte(void **state)
{
	static const uint8_t changes[] = { 0x01, 0x80, 0xff };
	struct error err = { 0 };
	struct check check;
	struct lab lab;

	(void)state;
	begin(&lab, BUILDER_LF);
	for (size_t at = 0; at < lab.size; at += testing_rounds(1, 5)) {
		for (unsigned i = 0; i < sizeof(changes) && lab.image[at] != 0xa5; i++) {
			lab.image[at] ^= changes[i];
			assert_true(check_image(lab.ctx, (struct bytes){ lab.image, lab.size },
			                        &check, &err));
			if (at < 20 && at >= 12)
				assert_true(check.dirty); /* the time is under the checksum */
			talloc_free(check.problems);
			lab.image[at] ^= changes[i];
		}
	}
	talloc_free(lab.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field),
		cmocka_unit_test(each_byte),
	};

	return cmocka_run_group_tests_name("check_fields", tests, NULL, NULL);
}
