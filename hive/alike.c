/* Records are compared as they lie there; whoever is in doubt leaves it to the caller. */
#include "hive/alike.h"

#include "hive/open.h"

/*
 * The same name, type and bytes, seen without taking the records apart? False also if that
 * cannot be told so quickly: data in segments, and whatever is not as it should be.
 */
static bool surely_equal(const struct hive *a, uint32_t cell_a, const struct hive *b,
                         uint32_t cell_b)
{
	struct bytes in_a = open_cell_quietly(a, cell_a, sizeof(struct regf_value)),
		     in_b = open_cell_quietly(b, cell_b, sizeof(struct regf_value));
	const struct regf_value *va = (const struct regf_value *)in_a.data,
				*vb = (const struct regf_value *)in_b.data;
	const uint64_t type_at = offsetof(struct regf_value, type);
	uint64_t rest;
	uint32_t size;

	/* Signature and sizes at once, and what is behind the place of the data, up to the name. */
	if (!va || !vb || memcmp(va, vb, offsetof(struct regf_value, data)) != 0 ||
	    memcmp(va->signature, "vk", 2) != 0)
		return false;
	rest = sizeof(*va) - type_at + le16_get(va->name_size);
	if (!bytes_at(in_a, type_at, rest) || !bytes_at(in_b, type_at, rest) ||
	    memcmp(&va->type, &vb->type, rest) != 0)
		return false;
	size = le32_get(va->size);
	if (size & REGF_INLINE)
		return size - REGF_INLINE <= 4 &&
		       memcmp(&va->data, &vb->data, size - REGF_INLINE) == 0;
	if (size > REGF_BIG)
		return false;
	in_a = open_cell_quietly(a, le32_get(va->data), size);
	in_b = open_cell_quietly(b, le32_get(vb->data), size);
	return in_a.data && in_b.data && memcmp(in_a.data, in_b.data, size) == 0;
}

/* Asks for the value after the next before it is needed; an offset that is none does no harm. */
static void fetch(const struct cursor *cursor)
{
	le32 cell = ((const le32 *)cursor->at)[1];

	__builtin_prefetch(cursor->hive->bins.data + le32_get(cell));
}

uint32_t alike_pass(struct cursor *a, struct cursor *b)
{
	uint32_t count = 0;

	for (; a->left > 0 && b->left > 0; count++) {
		if (a->left > 1 && b->left > 1) {
			fetch(a);
			fetch(b);
		}
		if (!surely_equal(a->hive, cursor_peek(a), b->hive, cursor_peek(b)))
			break;
		cursor_pass(a);
		cursor_pass(b);
	}
	return count;
}
