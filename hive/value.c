/*
 * Values of an open hive. Data lies in the record itself (up to 4 bytes), in one cell, or
 * from format 1.4 on, when it is longer than REGF_BIG, in segments.
 */
#include "hive/open.h"

/* The cell offsets in an array of COUNT of them, without hivex. */
static bool read_list(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                      uint32_t count, uint32_t **cells, struct error *err)
{
	struct bytes at =
		open_cell(hive, le32_get(key->nk->value_list), sizeof(le32) * (uint64_t)count, err);
	uint32_t *list;

	if (!at.data)
		return error_wrap(err, "values of key 0x%llx", open_place(key->cell));
	list = talloc_array(ctx, uint32_t, count);
	if (!list)
		return error_memory(err);
	for (uint32_t i = 0; i < count; i++)
		list[i] = le32_get(((const le32 *)at.data)[i]);
	*cells = list;
	return true;
}

bool hive_values(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_key *key,
                 uint32_t **cells, uint32_t *count, struct error *err)
{
	uint32_t expected = regf_value_count(key->nk);

	if (expected == 0) {
		*cells = NULL;
		*count = 0;
		return true;
	}
	if (!(hive->hivex && hivex_handle_values(ctx, hive->hivex, key->cell, expected, cells)) &&
	    !read_list(ctx, hive, key, expected, cells, err))
		return false;
	*count = expected;
	return true;
}

bool hive_value_at(const struct hive *hive, uint32_t cell, struct hive_value *value,
                   struct error *err)
{
	struct bytes at = open_cell(hive, cell, sizeof(struct regf_value), err);
	const struct regf_value *vk = (const struct regf_value *)at.data;
	uint16_t name_size;
	uint32_t size;

	if (!vk)
		return false;
	if (memcmp(vk->signature, "vk", 2) != 0)
		return error_set(err, ERROR_SOURCE, "cell 0x%llx is no value", open_place(cell));
	name_size = le16_get(vk->name_size);
	if (!bytes_at(at, sizeof(*vk), name_size))
		return error_set(err, ERROR_SOURCE, "value 0x%llx: a name of %u bytes does not fit",
		                 open_place(cell), name_size);
	size = le32_get(vk->size);
	if (size & REGF_INLINE && (size & ~REGF_INLINE) > 4)
		return error_set(err, ERROR_SOURCE, "value 0x%llx has %u bytes in a field of 4",
		                 open_place(cell), size & ~REGF_INLINE);
	value->cell = cell;
	value->vk = vk;
	value->name = (struct name){ vk->name, name_size,
		                     (le16_get(vk->flags) & REGF_VALUE_COMP_NAME) != 0 };
	value->type = le32_get(vk->type);
	value->size = size & ~REGF_INLINE;
	return true;
}

bool hive_find_value(const struct hive *hive, const struct hive_key *key, const char *name,
                     struct hive_value *value, struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct hive_value found = { .cell = REGF_NIL }, at;
	uint32_t *cells, count;
	struct name wanted;

	if (!tmp)
		return error_memory(err);
	if (!name_well_formed(name, strlen(name))) {
		value->cell = REGF_NIL;
		talloc_free(tmp);
		return true;
	}
	if (!name_from_utf8(tmp, name, strlen(name), &wanted)) {
		error_memory(err);
		goto fail;
	}
	if (!hive_values(tmp, hive, key, &cells, &count, err))
		goto fail;
	for (uint32_t i = 0; i < count && found.cell == REGF_NIL; i++) {
		if (!hive_value_at(hive, cells[i], &at, err))
			goto fail;
		if (name_equal(at.name, wanted))
			found = at;
	}
	*value = found;
	talloc_free(tmp);
	return true;
fail:
	talloc_free(tmp);
	return false;
}

/* Segment number OFFSET / REGF_BIG of a value in segments, from OFFSET on. */
static bool segment(const struct hive *hive, const struct hive_value *value, uint32_t offset,
                    struct bytes *piece, struct error *err)
{
	uint32_t index = offset / REGF_BIG, inside = offset % REGF_BIG;
	uint32_t left = value->size - index * REGF_BIG;
	uint32_t size = left < REGF_BIG ? left : REGF_BIG;
	struct bytes at = open_cell(hive, le32_get(value->vk->data), sizeof(struct regf_big), err);
	const struct regf_big *big = (const struct regf_big *)at.data;

	if (!big)
		return false;
	if (memcmp(big->signature, "db", 2) != 0 || index >= le16_get(big->count))
		return error_set(err, ERROR_SOURCE, "is no big data of %u bytes", value->size);
	at = open_cell(hive, le32_get(big->segments), sizeof(le32) * (index + (uint64_t)1), err);
	if (!at.data)
		return false;
	at = open_cell(hive, le32_get(((const le32 *)at.data)[index]), size, err);
	if (!at.data)
		return false;
	*piece = (struct bytes){ at.data + inside, size - inside };
	return true;
}

bool hive_value_piece(const struct hive *hive, const struct hive_value *value, uint32_t offset,
                      struct bytes *piece, struct error *err)
{
	struct bytes at;

	if (offset >= value->size) {
		*piece = (struct bytes){ (const uint8_t *)"", 0 };
		return true;
	}
	if (le32_get(value->vk->size) & REGF_INLINE) {
		*piece = (struct bytes){ value->vk->data.b + offset, value->size - offset };
		return true;
	}
	if (value->size > REGF_BIG && hive->minor > 3) {
		if (!segment(hive, value, offset, piece, err))
			return error_wrap(err, "data of value 0x%llx", open_place(value->cell));
		return true;
	}
	at = open_cell(hive, le32_get(value->vk->data), value->size, err);
	if (!at.data)
		return error_wrap(err, "data of value 0x%llx", open_place(value->cell));
	*piece = (struct bytes){ at.data + offset, value->size - offset };
	return true;
}

bool hive_value_data(TALLOC_CTX *ctx, const struct hive *hive, const struct hive_value *value,
                     struct bytes *data, struct error *err)
{
	struct bytes piece;
	uint8_t *copy;

	if (!hive_value_piece(hive, value, 0, &piece, err))
		return false;
	if (piece.size == value->size) {
		*data = piece;
		return true;
	}
	if (value->size > hive->bins.size) /* before memory is taken for it */
		return error_set(err, ERROR_SOURCE,
		                 "value 0x%llx: %u bytes are more than the hive has",
		                 open_place(value->cell), value->size);
	copy = talloc_size(ctx, value->size);
	if (!copy)
		return error_memory(err);
	for (uint32_t done = 0; done < value->size; done += (uint32_t)piece.size) {
		if (!hive_value_piece(hive, value, done, &piece, err)) {
			talloc_free(copy);
			return false;
		}
		memcpy(copy + done, piece.data, piece.size);
	}
	*data = (struct bytes){ copy, value->size };
	return true;
}
