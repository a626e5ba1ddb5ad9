/*
 * hive/reg: .reg text is what regedit would write, comes back as the same tree, is read by
 * hivexregedit with the same result, and what is malformed is named.
 */
#include "tests/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hive/diff.h"
#include "hive/reg.h"
#include "tests/model.h"

#define ROOT "HKEY_LOCAL_MACHINE\\SOFTWARE\\Test"

static bool collect(void *data, struct bytes text, struct error *err)
{
	char **all = data;
	size_t before = talloc_get_size(*all);

	(void)err;
	*all = talloc_realloc_size(NULL, *all, before + text.size);
	assert_non_null(*all);
	memcpy(*all + before, text.data, text.size);
	return true;
}

/* A (NULL: nothing) to B as text. */
static struct bytes write_reg(TALLOC_CTX *ctx, const struct hive *a, const struct hive *b,
                              bool utf8, struct reg_left_out *left_out)
{
	struct reg_options options = { .root = ROOT, .utf8 = utf8 };
	char *text = talloc_size(ctx, 0);
	struct error err = { 0 };
	struct reg_writer *writer = reg_writer_new(ctx, &options, collect, &text, &err);
	struct hive_key key_a, key_b;

	assert_non_null(writer);
	assert_true(!a || hive_root(a, &key_a, &err));
	assert_true(hive_root(b, &key_b, &err));
	assert_true(
		diff_subtrees(a, a ? &key_a : NULL, b, &key_b, NULL, reg_write_each, writer, &err));
	assert_true(reg_write_end(writer, left_out, &err));
	return (struct bytes){ (uint8_t *)text, talloc_get_size(text) };
}

static struct hive *open_builder(TALLOC_CTX *ctx, struct builder *b)
{
	struct error err = { 0 };
	struct image *image;
	struct hive *hive;
	uint8_t *bytes;
	size_t size;

	bytes = builder_write(b, &size);
	image = image_copy(ctx, (struct bytes){ bytes, size }, &err);
	assert_non_null(image);
	hive = hive_open_image(ctx, image, "builder", &err);
	if (!hive)
		fail_msg("%s", err.text);
	return hive;
}

/* --- what it looks like --- */

static struct builder *sample(TALLOC_CTX *ctx)
{
	static const char *const two[] = { "a", "b", NULL };
	struct builder *b = builder_new(ctx);
	struct builder_key *key = builder_path(b, "Sub [odd] \xc3\xa4\\Deep");

	builder_string(b->root, "", "default");
	builder_string(key, "quote\" back\\slash", "C:\\say \"hi\"");
	builder_dword(key, "Start", 0xdeadbeef);
	builder_value(key, "short dword", REG_DWORD, "\1\2", 2);
	builder_qword(key, "Big", 0x0102030405060708);
	builder_value(key, "none", REG_NONE, NULL, 0);
	builder_value(key, "empty text", REG_SZ, NULL, 0);
	builder_text(key, "no NUL", REG_SZ, "a", false);
	builder_string(key, "two\xe2\x82\xac", "1\r\n2");
	builder_string(key, "euro", "\xe2\x82\xac \xf0\x9f\x98\x80");
	builder_multi(key, "multi", two);
	builder_value(key, "bin", REG_BINARY, "\x0a\xff", 2);
	builder_value(key, "strange", 0xffff0009, "x", 1);
	builder_text(key, "ImagePath", REG_EXPAND_SZ,
	             "%SystemRoot%\\system32\\svchost.exe -k netsvcs", true);
	return b;
}

/* The last value is one that regedit folded on many a Windows: the BITS service's. */
#define EURO_WIDE "\"\xe2\x82\xac \xf0\x9f\x98\x80\""
#define EURO_UTF8 "hex(1):ac,20,20,00,3d,d8,00,de,00,00"
#define SAMPLE(EURO)                                                                               \
	"Windows Registry Editor Version 5.00\n"                                                   \
	"\n"                                                                                       \
	"[" ROOT "]\n"                                                                             \
	"@=\"default\"\n"                                                                          \
	"\n"                                                                                       \
	"[" ROOT "\\Sub [odd] \xc3\xa4]\n"                                                         \
	"\n"                                                                                       \
	"[" ROOT "\\Sub [odd] \xc3\xa4\\Deep]\n"                                                   \
	"\"quote\\\" back\\\\slash\"=\"C:\\\\say \\\"hi\\\"\"\n"                                   \
	"\"Start\"=dword:deadbeef\n"                                                               \
	"\"short dword\"=hex(4):01,02\n"                                                           \
	"\"Big\"=hex(b):08,07,06,05,04,03,02,01\n"                                                 \
	"\"none\"=hex(0):\n"                                                                       \
	"\"empty text\"=hex(1):\n"                                                                 \
	"\"no NUL\"=hex(1):61,00\n"                                                                \
	"\"two\xe2\x82\xac\"=hex(1):31,00,0d,00,0a,00,32,00,00,00\n"                               \
	"\"euro\"=" EURO "\n"                                                                      \
	"\"multi\"=hex(7):61,00,00,00,62,00,00,00,00,00\n"                                         \
	"\"bin\"=hex:0a,ff\n"                                                                      \
	"\"strange\"=hex(ffff0009):78\n"                                                           \
	"\"ImagePath\"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,\\\n"    \
	"  74,00,25,00,5c,00,73,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,73,\\\n"        \
	"  00,76,00,63,00,68,00,6f,00,73,00,74,00,2e,00,65,00,78,00,65,00,20,00,2d,00,\\\n"        \
	"  6b,00,20,00,6e,00,65,00,74,00,73,00,76,00,63,00,73,00,00,00\n"                          \
	"\n"

static void expect_text(struct bytes wide, const char *text)
{
	size_t count, size = 0, length = strlen(text);
	uint16_t *units = talloc_array(NULL, uint16_t, 2 * (unsigned)length + 2);
	char *crlf = talloc_size(units, 2 * length + 1);

	for (size_t i = 0; i <= length; i++) {
		if (text[i] == '\n')
			crlf[size++] = '\r';
		crlf[size++] = text[i];
	}
	units[0] = 0xfeff;
	count = 1 + builder_utf16(crlf, units + 1);
	assert_int_equal(wide.size, 2 * count);
	assert_memory_equal(wide.data, units, wide.size);
	talloc_free(units);
}

static void test_text(void **state)
{
	static const char expected[] = SAMPLE(EURO_UTF8);
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hive *hive = open_builder(tmp, sample(tmp));
	struct bytes narrow = write_reg(tmp, NULL, hive, true, NULL);

	(void)state;
	assert_int_equal(narrow.size, sizeof(expected) - 1);
	assert_memory_equal(narrow.data, expected, narrow.size);
	expect_text(write_reg(tmp, NULL, hive, false, NULL), SAMPLE(EURO_WIDE));
	talloc_free(tmp);
}

/* --- back again --- */

/* Carries out a change as regedit would: what should be there is made, what is gone is gone. */
static bool apply_reg(void *data, const struct change *change, struct error *err)
{
	(void)err;
	if (change->op == CHANGE_CREATE_KEY && !*change->key)
		return true;
	if (!model_apply(data, change) && change->op != CHANGE_CREATE_KEY)
		fail_msg("%s %s", change_op_name(change->op), change->key);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct model_value *)a)->name, ((const struct model_value *)b)->name);
}

/* Leaves only what .reg text can say; with SORT the order of values does not matter. */
static void make_plain(struct model *model, bool sort)
{
	model->time = 0;
	model->link = false;
	model->class_name.size = model->security.size = 0;
	if (sort && model->value_count)
		qsort(model->values, model->value_count, sizeof(*model->values), by_name);
	for (uint32_t i = 0; i < model->subkey_count; i++)
		make_plain(model->subkeys[i], sort);
}

static void read_into(struct model *model, struct bytes text)
{
	struct error err = { 0 };

	if (!reg_read(text, "hklm\\software\\TEST", apply_reg, model, &err))
		fail_msg("%s", err.text);
}

static void round_trip(uint64_t seed, const struct model_rules *rules, bool utf8)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *a = model_new(tmp, &seed, rules), *b = model_copy(tmp, a),
		     *from_nothing = talloc_zero(tmp, struct model);
	struct hive *hive_a, *hive_b;

	model_mutate(b, &seed, rules);
	hive_a = model_hive(tmp, a, &seed);
	hive_b = model_hive(tmp, b, &seed);
	read_into(from_nothing, write_reg(tmp, NULL, hive_b, utf8, NULL));
	read_into(a, write_reg(tmp, hive_a, hive_b, utf8, NULL));
	make_plain(b, false);
	assert_string_equal(model_dump(tmp, from_nothing), model_dump(tmp, b));
	make_plain(a, true);
	make_plain(b, true);
	assert_string_equal(model_dump(tmp, a), model_dump(tmp, b));
	talloc_free(tmp);
}

static void test_round_trips(void **state)
{
	static const struct model_rules rules = { 12, 12, false, 40000 };

	(void)state;
	for (uint64_t seed = 0; seed < testing_rounds(200, 12); seed++)
		round_trip(seed, &rules, seed % 2);
}

/* Unpaired surrogates come through, in both encodings; NULs and line breaks are counted. */
static void test_names(void **state)
{
	for (unsigned utf8 = 0; utf8 < 2; utf8++) {
		TALLOC_CTX *tmp = talloc_new(NULL);
		struct builder *b = builder_new(tmp);
		struct model *back = talloc_zero(tmp, struct model);
		struct reg_left_out left_out;
		struct bytes text;

		(void)state;
		builder_dword(b->root, "half\xed\xa0\x80", 1);
		builder_dword(b->root, "\xed\xb0\x80", 2);
		builder_dword(b->root, "nul\xc0\x80", 3);
		builder_dword(b->root, "new\nline", 4);
		builder_dword(builder_path(b, "a\rb\\c"), "v", 5);
		text = write_reg(tmp, NULL, open_builder(tmp, b), utf8, &left_out);
		read_into(back, text);
		assert_int_equal(back->value_count, 2);
		assert_string_equal(back->values[0].name, "half\xed\xa0\x80");
		assert_string_equal(back->values[1].name, "\xed\xb0\x80");
		assert_int_equal(back->subkey_count, 0);
		assert_int_equal(left_out.names, 5); /* 2 values; 2 keys, one with a value */
		assert_int_equal(left_out.ops[CHANGE_SET_TIME], 3);
		assert_int_equal(left_out.ops[CHANGE_SET_SECURITY], 1);
		talloc_free(tmp);
	}
}

/* --- the reader --- */

static bool list(void *data, const struct change *change, struct error *err)
{
	char **text = data;

	(void)err;
	*text = talloc_asprintf_append_buffer(*text, "%s(%s", change_op_name(change->op),
	                                      change->key);
	if (change->name)
		*text = talloc_asprintf_append_buffer(*text, "|%s", change->name);
	if (change->op == CHANGE_SET_VALUE)
		*text = talloc_asprintf_append_buffer(*text, "|%x|", change->type);
	for (uint64_t i = 0; i < change->data.size; i++)
		*text = talloc_asprintf_append_buffer(*text, "%02x", change->data.data[i]);
	*text = talloc_strdup_append_buffer(*text, ")");
	assert_non_null(*text);
	return true;
}

#define HEADER "Windows Registry Editor Version 5.00\n"
#define HEAD "Windows Registry Editor Version 5.00\r\n"

static const struct {
	const char *text, *list;
} good[] = {
	{ HEAD, "" },
	{ "Windows Registry Editor Version 5.00", "" },
	{ "\xef\xbb\xbfWindows Registry Editor Version 5.00 \n\n;x\n  ; y\n", "" },
	{ HEAD "[R]", "create-key()" },
	{ HEAD " [r\\a]b] ; c\n", "create-key(a]b)" },
	{ HEAD "[-R\\a\\b]\n", "delete-key(a\\b)" },
	{ HEAD "[R\\]\n[R\\a\\]", "create-key()create-key(a)" },
	{ HEAD "[R\\-]\n", "create-key(-)" },
	{ HEAD "[R]\n@=-\n\"x\" = - ;c\n", "create-key()delete-value(|)delete-value(|x)" },
	{ HEAD "[R]\n@ = \"\"\n", "create-key()set-value(||1|0000)" },
	{ HEAD "[R]\n\"\"=\"a\\\\\\\"\" ; c\n", "create-key()set-value(||1|61005c0022000000)" },
	{ HEAD "[R]\n\"\\\"\\\\\"=DWORD:aB\n", "create-key()set-value(|\"\\|4|ab000000)" },
	{ HEAD "[R]\n\"x\"=dword: 00000001;c\n", "create-key()set-value(|x|4|01000000)" },
	{ HEAD "[R]\n\"x\"=Hex:\n", "create-key()set-value(|x|3|)" },
	{ HEAD "[R]\n\"x\"=hex:\\\n  \n@=hex(0):\n",
	  "create-key()set-value(|x|3|)set-value(||0|)" },
	{ HEAD "[R]\n\"x\"=HEX(FFFFFFFF): 1 , f2,\\\r\n\t03 ; c\r\n",
	  "create-key()set-value(|x|ffffffff|01f203)" },
	{ HEAD "[R]\n\"x\"=hex(b):00,\\  \n 01,\\\n02\n", "create-key()set-value(|x|b|000102)" },
	{ HEAD "[R]\n@=\"a\r\n b \r\n\r\n;\\\"\" ; c\r\n@=-\n",
	  "create-key()set-value(||1|61000d000a002000620020000d000a000d000a003b0022000000)"
	  "delete-value(|)" },
	{ HEAD "[R]\n@=\"\n\t\"\n", "create-key()set-value(||1|0a0009000000)" },
	{ HEAD "[R]\n\"\xf0\x9f\x98\x80\"=\"\xf0\x9f\x98\x80\"\n",
	  "create-key()set-value(|\xf0\x9f\x98\x80|1|3dd800de0000)" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct bytes text = { (const uint8_t *)good[i].text, strlen(good[i].text) };
		char *listed = talloc_strdup(NULL, "");
		struct error err = { 0 };

		if (!reg_read(text, "R", list, &listed, &err))
			fail_msg("%s: %s", good[i].text, err.text);
		assert_string_equal(listed, good[i].list);
		talloc_free(listed);
	}
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ "", "line 0 ends where Windows Registry Editor Version 5.00 is expected" },
	{ "REGEDIT4\n",
	  "is a REGEDIT4 file, whose code page nobody knows: save it as version 5.00" },
	{ "\xfe\xffxx", "is UTF-16 in big-endian order" },
	{ "W\0x", "ends in the middle of a character" },
	{ "[R]\n", "line 1: Windows Registry Editor Version 5.00 is expected, not '[R]'" },
	{ HEAD "\n\"x\"=-", "line 3: a [KEY] that the value is of is expected, not '\"x\"=-'" },
	{ HEAD "[-R\\x]\n@=-", "line 3: a [KEY] that the value is of is expected, not '@=-'" },
	{ HEAD "[R", "line 2 ends where ']' is expected" },
	{ HEAD "[]", "line 2: [] is not below R" },
	{ HEAD "[Rx]", "line 2: [Rx] is not below R" },
	{ HEAD "[HKLM]", "line 2: [HKEY_LOCAL_MACHINE] is not below R" },
	{ HEAD "[-R]", "line 2: the top key cannot be deleted" },
	{ HEAD "[R\\\\]", "line 2: create-key '\\': a key without a name in the path" },
	{ HEAD "[R\\\\a]", "line 2: create-key '\\a': a key without a name in the path" },
	{ HEAD "[R] x", "line 2: the end of the line is expected, not 'x'" },
	{ HEAD "[R\\x]x", "line 2: the end of the line is expected, not 'x'" },
	{ HEAD "hello", "line 2: [KEY], \"name\"= or @= is expected, not 'hello'" },
	{ HEAD "[R]\n@", "line 3 ends where '=' is expected" },
	{ HEAD "[R]\n\"x=", "line 3 ends inside the name of a value" },
	{ HEAD "[R]\n\"x\n\"=\"\"", "line 3 ends inside the name of a value" },
	{ HEAD "[R]\n@=\"a", "the quoted text that begins in line 3 does not end" },
	{ HEAD "[R]\n@=\"a\n\n[R\\\\x]\n", "the quoted text that begins in line 3 does not end" },
	{ HEAD "[R]\n@=\"a\nb\\n\"\n", "line 4: unknown escape in a quoted text: a backslash is "
	                               "written \\\\, a quotation mark \\\"" },
	{ HEAD "[R]\n@=\"a\nb\" c\n", "line 4: the end of the line is expected, not 'c'" },
	{ HEAD "[R]\n@=\"a\nb\rc\"\n", "line 4 has a carriage return in it" },
	{ HEAD "[R]\n@=\"C:\\temp\"", "line 3: unknown escape in a quoted text: a backslash is "
	                              "written \\\\, a quotation mark \\\"" },
	{ HEAD "[R]\n@=\"a\\", "line 3: unknown escape in a quoted text: a backslash is written "
	                       "\\\\, a quotation mark \\\"" },
	{ HEAD "[R]\n@=\"a\"b", "line 3: the end of the line is expected, not 'b'" },
	{ HEAD "[R]\n@=", "line 3 ends where a \"text\", dword:, hex: or - is expected" },
	{ HEAD "[R]\n@=str:", "line 3: a \"text\", dword:, hex: or - is expected, not 'str:'" },
	{ HEAD "[R]\n@=-x", "line 3: the end of the line is expected, not 'x'" },
	{ HEAD "[R]\n@=dword:", "line 3 ends where a number of up to eight hexadecimal digits is "
	                        "expected" },
	{ HEAD "[R]\n@=dword:123456789", "line 3: a number of up to eight hexadecimal digits is "
	                                 "expected, not '9'" },
	{ HEAD "[R]\n@=hex", "line 3 ends where ':' is expected" },
	{ HEAD "[R]\n@=hex(:", "line 3: the number of a type in hexadecimal is expected, not ':'" },
	{ HEAD "[R]\n@=hex(1:", "line 3: ')' is expected, not ':'" },
	{ HEAD "[R]\n@=hex:0g", "line 3: the end of the line is expected, not 'g'" },
	{ HEAD "[R]\n@=hex:g", "line 3: a byte of two hexadecimal digits is expected, not 'g'" },
	{ HEAD "[R]\n@=hex:012", "line 3: a byte of two hexadecimal digits is expected, not '2'" },
	{ HEAD "[R]\n@=hex:01,", "line 3 ends where a byte of two hexadecimal digits is expected" },
	{ HEAD "[R]\n@=hex:01,\\", "line 3 ends where another line with bytes is expected" },
	{ HEAD "[R]\n@=hex:01,\\ ;\n02", "" },
	{ HEAD "[R]\n@=hex:01,\\ x\n02", "line 3: the end of the line behind '\\' is expected, not "
	                                 "'x'" },
	{ HEAD "[R]\n@=hex:01\\\n02", "line 3: the end of the line is expected, not '\\'" },
	{ HEAD "[R]\n@=hex:01,\\\n\n02", "line 4 ends where a byte of two hexadecimal digits is "
	                                 "expected" },
	{ HEAD "[R\xff]", "line 2 is neither UTF-16 nor UTF-8; was the file saved as ANSI text?" },
	{ HEAD "[R\\a\xc0\x80]", "line 2 has a NUL in it" },
	{ HEAD "[R\\a\rb]", "line 2 has a carriage return in it" },
	{ HEAD "[R\\"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaa]",
	  NULL },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		bool odd = bad[i].text[0] == 'W' && bad[i].text[1] == '\0';
		struct bytes text = { (const uint8_t *)bad[i].text, odd ? 3 : strlen(bad[i].text) };
		char *listed = talloc_strdup(NULL, "");
		struct error err = { 0 };
		bool done = reg_read(text, "R", list, &listed, &err);

		if (done)
			err.text[0] = '\0';
		else
			assert_int_equal(err.kind, ERROR_SOURCE);
		if (bad[i].error)
			assert_string_equal(err.text, bad[i].error);
		else
			assert_non_null(strstr(err.text, "256 characters, 255 are allowed"));
		talloc_free(listed);
	}
}

/* Cut anywhere: the same changes and then an end or an error, never anything else. */
static void test_cut(void **state)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hive *hive = open_builder(tmp, sample(tmp));

	(void)state;
	for (unsigned utf8 = 0; utf8 < 2; utf8++) {
		struct bytes whole = write_reg(tmp, NULL, hive, utf8, NULL);

		for (uint64_t size = 0; size < whole.size; size += testing_rounds(1, 7)) {
			/* Memory of its own, so that a read behind it is seen. */
			struct bytes text = { talloc_memdup(tmp, whole.data, size), size };
			char *listed = talloc_strdup(tmp, "");
			struct error err = { 0 };

			reg_read(text, ROOT, list, &listed, &err);
			assert_true(err.kind == ERROR_NONE || err.kind == ERROR_SOURCE);
			talloc_free((void *)text.data);
			talloc_free(listed);
		}
	}
	talloc_free(tmp);
}

/* A section that was left is opened again; one that goes on is not. */
static void test_sections(void **state)
{
	static const struct change changes[] = {
		{ .op = CHANGE_CREATE_KEY, .key = "a" },
		{ .op = CHANGE_SET_VALUE, .key = "a", .name = "x", .type = REG_BINARY },
		{ .op = CHANGE_DELETE_VALUE, .key = "a", .name = "" },
		{ .op = CHANGE_DELETE_KEY, .key = "a\\b" },
		{ .op = CHANGE_DELETE_VALUE, .key = "a", .name = "y" },
		{ .op = CHANGE_SET_VALUE, .key = "", .name = "z", .type = REG_NONE },
	};
	static const char expected[] = HEADER "\n[R\\a]\n\"x\"=hex:\n@=-\n\n[-R\\a\\b]\n\n[R\\a]\n"
					      "\"y\"=-\n\n[R]\n\"z\"=hex(0):\n\n";
	struct reg_options options = { .root = "R", .utf8 = true };
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *text = talloc_size(tmp, 0);
	struct error err = { 0 };
	struct reg_writer *writer = reg_writer_new(tmp, &options, collect, &text, &err);

	(void)state;
	assert_non_null(writer);
	for (unsigned i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		assert_true(reg_write(writer, &changes[i], &err));
	assert_true(reg_write_end(writer, NULL, &err));
	assert_int_equal(talloc_get_size(text), sizeof(expected) - 1);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	talloc_free(tmp);
}

static bool refuse(void *data, const struct change *change, struct error *err)
{
	(void)data;
	return error_set(err, ERROR_REFUSED, "no %s", change->key);
}

static bool no_room(void *data, struct bytes text, struct error *err)
{
	(void)text;
	return --*(int *)data > 0 || error_set(err, ERROR_DESTINATION, "no room");
}

/* What the caller's functions say comes out again, with the line. */
static void test_callbacks(void **state)
{
	struct bytes text = { (const uint8_t *)HEAD "\r\n[R\\x]", sizeof(HEAD "\r\n[R\\x]") - 1 };
	struct reg_options options = { .root = "R" };
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct change change = {
		.op = CHANGE_SET_VALUE, .key = "k", .name = "n", .type = REG_BINARY
	};
	uint8_t *data = talloc_zero_size(tmp, 1 << 20);
	struct error err = { 0 };
	int left = 2;
	struct reg_writer *writer = reg_writer_new(tmp, &options, no_room, &left, &err);

	(void)state;
	assert_false(reg_read(text, "R", refuse, NULL, &err));
	assert_string_equal(err.text, "line 3: no x");
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_non_null(writer);
	change.data = (struct bytes){ data, 1 << 20 };
	assert_false(reg_write(writer, &change, &err));
	assert_string_equal(err.text, "no room");
	change.data.size = 0;
	assert_false(reg_write(writer, &change, &err));
	assert_false(reg_write_end(writer, NULL, &err));
	assert_int_equal(err.kind, ERROR_DESTINATION);
	talloc_free(tmp);
}

/* --- hivexregedit, which shares nothing with us but the format --- */

static void put_file(const char *folder, const char *name, struct bytes bytes)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
	assert_int_equal(fclose(file), 0);
}

static void run(const char *folder, const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>>log", folder, command);
	if (system(line) != 0)
		fail_msg("%s", line);
}

/*
 * What we write of a hive, merged into an empty one, must give what hivexregedit itself
 * exports of the first (it reads the local encoding, and quoted text beyond ASCII only when
 * Perl is told of that); and its own export must be read by us as the same tree.
 */
static void hivexregedit(uint64_t seed, bool utf8)
{
	static const struct model_rules rules = { 10, 8, false, 20000 };
	char folder[] = "/tmp/test_reg.XXXXXX";
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct model *a = model_new(tmp, &seed, &rules), *back = talloc_zero(tmp, struct model);
	struct hive *hive = model_hive(tmp, a, &seed);
	struct image *exported;
	struct error err = { 0 };
	char path[128];
	uint8_t *empty;
	size_t size;

	empty = builder_write(builder_new(tmp), &size);
	assert_non_null(mkdtemp(folder));
	put_file(folder, "a.hive", hive_image(hive)->bytes);
	put_file(folder, "b.hive", (struct bytes){ empty, size });
	put_file(folder, "a.reg", write_reg(tmp, NULL, hive, utf8, NULL));
	run(folder, utf8 ? "touch env"
	                 : "iconv -f UTF-16 -t UTF-8 a.reg | tr -d '\\r' >u.reg; mv u.reg a.reg; "
	                   "echo 'export PERL_UNICODE=SD' >env");
	run(folder, ". ./env; hivexregedit --merge --prefix '" ROOT "' b.hive a.reg");
	run(folder, "hivexregedit --export a.hive '\\' >a.txt");
	run(folder, "hivexregedit --export b.hive '\\' >b.txt; diff a.txt b.txt >&2");
	run(folder, "PERL_UNICODE=S hivexregedit --export --prefix '" ROOT "' a.hive '\\' >c.txt");
	snprintf(path, sizeof(path), "%s/c.txt", folder);
	exported = image_read(tmp, -100, path, &err);
	assert_non_null(exported);
	read_into(back, exported->bytes);
	make_plain(a, true); /* it sorts values */
	make_plain(back, true);
	assert_string_equal(model_dump(tmp, back), model_dump(tmp, a));
	run(folder, "rm -f a.hive b.hive a.reg a.txt b.txt c.txt env log");
	assert_int_equal(rmdir(folder), 0);
	talloc_free(tmp);
}

static void test_hivexregedit(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < testing_rounds(6, 2); seed++)
		hivexregedit(seed, seed % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),         cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_names),        cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),          cmocka_unit_test(test_cut),
		cmocka_unit_test(test_callbacks),    cmocka_unit_test(test_sections),
		cmocka_unit_test(test_hivexregedit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
