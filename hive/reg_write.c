/*
 * Writing .reg text: sections, and data in the form that says it exactly. The characters are
 * reg_text's.
 */
#include "hive/reg.h"

#include <stdio.h>

#include "hive/name.h"
#include "hive/reg_text.h"
#include "hive/regf.h"

struct reg_writer {
	struct reg_text text;
	char *root;
	char *section; /* the key whose values are being written, or NULL */
	size_t section_room;
	struct reg_left_out left_out;
};

static void put_quoted(struct reg_writer *writer, const char *text, size_t size)
{
	reg_text_ascii(&writer->text, "\"");
	reg_text_put(&writer->text, text, size, true);
	reg_text_ascii(&writer->text, "\"");
}

/* --- data --- */

static uint16_t unit_at(struct bytes text, uint64_t i)
{
	return (uint16_t)(text.data[2 * i] | text.data[2 * i + 1] << 8);
}

/*
 * Can it be written between quotes so that the same bytes come back? In UTF-8 only if it is
 * ASCII: regedit and hivexregedit take the bytes of others for so many characters.
 */
static bool is_plain_text(const struct reg_writer *writer, struct bytes text)
{
	uint64_t units = text.size / 2;

	if (text.size % 2 || units == 0 || unit_at(text, units - 1) != 0)
		return false;
	for (uint64_t i = 0; i + 1 < units; i++) {
		uint16_t unit = unit_at(text, i);

		if (unit == 0 || unit == '\r' || unit == '\n' || (writer->text.utf8 && unit > 0x7f))
			return false;
		if (unit < 0xd800 || unit >= 0xe000)
			continue;
		/* Half a pair must be the first, and the second one must follow. */
		if (unit >= 0xdc00 || (unit_at(text, ++i) & 0xfc00) != 0xdc00)
			return false;
	}
	return true;
}

/* Text data without its NUL, in pieces small enough for the stack. */
static void put_string(struct reg_writer *writer, struct bytes text)
{
	uint64_t units = text.size / 2 - 1, done = 0;
	char piece[3 * 256 + 1];

	reg_text_ascii(&writer->text, "\"");
	while (done < units) {
		uint32_t count = units - done < 256 ? (uint32_t)(units - done) : 256;
		size_t size;

		if (count == 256 && (unit_at(text, done + 255) & 0xfc00) == 0xd800)
			count--; /* do not cut a pair */
		size = name_put_utf8((struct name){ text.data + 2 * done, 2 * count, false },
		                     piece);
		reg_text_put(&writer->text, piece, size, true);
		done += count;
	}
	reg_text_ascii(&writer->text, "\"");
}

static void put_data(struct reg_writer *writer, uint32_t type, struct bytes data)
{
	char prefix[32];

	if (type == REG_SZ && is_plain_text(writer, data)) {
		put_string(writer, data);
		return;
	}
	if (type == REG_DWORD && data.size == sizeof(le32)) {
		snprintf(prefix, sizeof(prefix), "dword:%08x", le32_get(*(const le32 *)data.data));
		reg_text_ascii(&writer->text, prefix);
		return;
	}
	if (type == REG_BINARY)
		snprintf(prefix, sizeof(prefix), "hex:");
	else
		snprintf(prefix, sizeof(prefix), "hex(%x):", type);
	reg_text_ascii(&writer->text, prefix);
	reg_text_hex(&writer->text, data);
}

/* --- lines --- */

/* Text that can stand on one line. */
static bool fits_line(const char *text)
{
	return !strpbrk(text, "\r\n") && !strstr(text, "\xc0\x80");
}

static void put_section(struct reg_writer *writer, const char *key, bool deleted)
{
	reg_text_line_end(&writer->text);
	reg_text_ascii(&writer->text, deleted ? "[-" : "[");
	reg_text_put(&writer->text, writer->root, strlen(writer->root), false);
	if (*key && *writer->root)
		reg_text_ascii(&writer->text, "\\");
	reg_text_put(&writer->text, key, strlen(key), false);
	reg_text_ascii(&writer->text, "]");
	reg_text_line_end(&writer->text);
}

/* Goes to the section of KEY if it is not the current one. */
static bool enter(struct reg_writer *writer, const char *key)
{
	size_t size = strlen(key) + 1;

	if (writer->section && strcmp(writer->section, key) == 0)
		return true;
	put_section(writer, key, false);
	if (size > writer->section_room || !writer->section) {
		talloc_free(writer->section);
		writer->section_room = 2 * size;
		writer->section = talloc_size(writer, writer->section_room);
		if (!writer->section)
			return false;
	}
	memcpy(writer->section, key, size);
	return true;
}

static bool put_value(struct reg_writer *writer, const struct change *change)
{
	if (!enter(writer, change->key))
		return false;
	if (*change->name)
		put_quoted(writer, change->name, strlen(change->name));
	else
		reg_text_ascii(&writer->text, "@");
	reg_text_ascii(&writer->text, "=");
	if (change->op == CHANGE_DELETE_VALUE)
		reg_text_ascii(&writer->text, "-");
	else
		put_data(writer, change->type, change->data);
	reg_text_line_end(&writer->text);
	return true;
}

/* --- outside --- */

struct reg_writer *reg_writer_new(TALLOC_CTX *ctx, const struct reg_options *options,
                                  reg_out_fn *out, void *data, struct error *err)
{
	struct reg_writer *writer = talloc_zero(ctx, struct reg_writer);

	if (writer) {
		writer->root = talloc_strdup(writer, options->root);
	}
	if (!writer || !writer->root) {
		talloc_free(writer);
		error_memory(err);
		return NULL;
	}
	if (!reg_text_begin(writer, &writer->text, options->utf8, out, data, err)) {
		talloc_free(writer);
		return NULL;
	}
	reg_text_ascii(&writer->text, "Windows Registry Editor Version 5.00");
	reg_text_line_end(&writer->text);
	return writer;
}

bool reg_write(struct reg_writer *writer, const struct change *change, struct error *err)
{
	if (change->op != CHANGE_CREATE_KEY && change->op != CHANGE_DELETE_KEY &&
	    change->op != CHANGE_SET_VALUE && change->op != CHANGE_DELETE_VALUE) {
		writer->left_out.ops[change->op]++;
		return reg_text_told(&writer->text, err);
	}
	if (!fits_line(change->key) || (change->name && !fits_line(change->name))) {
		writer->left_out.names++;
		return reg_text_told(&writer->text, err);
	}
	if (change->op == CHANGE_DELETE_KEY) {
		put_section(writer, change->key, true);
		TALLOC_FREE(writer->section);
		return reg_text_told(&writer->text, err);
	}
	if (change->name ? !put_value(writer, change) : !enter(writer, change->key))
		return error_memory(err);
	return reg_text_told(&writer->text, err);
}

bool reg_write_each(void *writer, const struct change *change, struct error *err)
{
	return reg_write(writer, change, err);
}

bool reg_write_end(struct reg_writer *writer, struct reg_left_out *left_out, struct error *err)
{
	reg_text_line_end(&writer->text);
	reg_text_flush(&writer->text);
	if (!reg_text_told(&writer->text, err))
		return false;
	if (left_out)
		*left_out = writer->left_out;
	return true;
}
