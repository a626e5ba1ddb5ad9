/*
 * Marvin32. Each step needs the result of the one before it, so one chain leaves most of the
 * processor idle; marvin_hash_many() keeps four independent chains going side by side.
 */
#include "hive/marvin.h"

#define LANES 4

struct marvin {
	uint32_t low, high;
};

static const struct marvin marvin_seed = { 0x7a4e55c5, 0x82ef4d88 };

static inline uint32_t rotate(uint32_t n, unsigned by)
{
	return n << by | n >> (32 - by);
}

static inline struct marvin mix(struct marvin m, uint32_t word)
{
	m.low += word;
	m.high ^= m.low;
	m.low = rotate(m.low, 20) + m.high;
	m.high = rotate(m.high, 9) ^ m.low;
	m.low = rotate(m.low, 27) + m.high;
	m.high = rotate(m.high, 19);
	return m;
}

static inline uint32_t word_at(const uint8_t *at)
{
	le32 word;

	memcpy(&word, at, sizeof(word));
	return le32_get(word);
}

/* The last word holds what is left of the input and a bit behind it; a zero word follows. */
static uint64_t finish(struct marvin m, const uint8_t *tail, unsigned left)
{
	uint32_t word = (uint32_t)0x80 << (8 * left);

	for (unsigned i = 0; i < left; i++)
		word |= (uint32_t)tail[i] << (8 * i);
	m = mix(mix(m, word), 0);
	return (uint64_t)m.high << 32 | m.low;
}

uint64_t marvin_hash(struct bytes in)
{
	struct marvin m = marvin_seed;
	uint64_t at = 0;

	for (; in.size - at >= 4; at += 4)
		m = mix(m, word_at(in.data + at));
	return finish(m, in.data + at, (unsigned)(in.size - at));
}

/* One input on its way. */
struct lane {
	struct marvin state;
	struct bytes left;
	uint64_t *hash; /* NULL: the lane has nothing to do */
};

static void advance(struct lane lane[LANES], uint64_t words)
{
	struct marvin a = lane[0].state, b = lane[1].state;
	struct marvin c = lane[2].state, d = lane[3].state;

	for (uint64_t at = 0; at < 4 * words; at += 4) {
		a = mix(a, word_at(lane[0].left.data + at));
		b = mix(b, word_at(lane[1].left.data + at));
		c = mix(c, word_at(lane[2].left.data + at));
		d = mix(d, word_at(lane[3].left.data + at));
	}
	lane[0].state = a;
	lane[1].state = b;
	lane[2].state = c;
	lane[3].state = d;
	for (unsigned i = 0; i < LANES; i++) {
		lane[i].left.data += 4 * words;
		lane[i].left.size -= 4 * words;
	}
}

/*
 * Gives out the results of lanes that are at their end and takes up new inputs. Returns the
 * number of words that all lanes still have, 0 when everything is done. A lane for which
 * there is no input repeats the work of a busy one: it costs nothing, as the chains wait for
 * themselves and not for each other.
 */
static uint64_t refill(struct lane lane[LANES], const struct bytes **in, uint64_t **hash,
                       size_t *count)
{
	const struct lane *busy = NULL;
	uint64_t words = UINT64_MAX;

	for (unsigned i = 0; i < LANES; i++) {
		while (lane[i].hash && lane[i].left.size < 4) {
			*lane[i].hash = finish(lane[i].state, lane[i].left.data,
			                       (unsigned)lane[i].left.size);
			lane[i].hash = NULL;
			if (*count) {
				lane[i] = (struct lane){ marvin_seed, *(*in)++, (*hash)++ };
				--*count;
			}
		}
		if (!lane[i].hash)
			continue;
		busy = &lane[i];
		words = busy->left.size / 4 < words ? busy->left.size / 4 : words;
	}
	for (unsigned i = 0; busy && i < LANES; i++) {
		if (!lane[i].hash)
			lane[i] = (struct lane){ busy->state, busy->left, NULL };
	}
	return busy ? words : 0;
}

void marvin_hash_many(const struct bytes *in, uint64_t *hash, size_t count)
{
	struct lane lane[LANES] = { 0 };
	uint64_t words;

	for (unsigned i = 0; i < LANES && count; i++, count--)
		lane[i] = (struct lane){ marvin_seed, *in++, hash++ };
	while ((words = refill(lane, &in, &hash, &count)) > 0)
		advance(lane, words);
}
