/*
 * The strict validator: the order of its parts, and how they speak.
 *
 * A sentence with the path of a key in it is only made when it will be listed: a hive
 * that lost a page can have a problem in every key.
 */
#include "hive/check.h"

#include <stdarg.h>

#include "hive/check_internal.h"

static void say(struct checker *c, enum problem_weight weight, uint32_t cell, const char *code,
                bool with_key, const char *format, va_list args)
{
	uint64_t offset = cell == REGF_NIL ? 0 : check_offset(cell);
	TALLOC_CTX *tmp;
	char *text, *who;

	if (weight > c->problems->worst)
		c->problems->worst = weight;
	if (problems_enough(c->problems, weight, code))
		return;
	tmp = talloc_new(NULL);
	text = tmp ? talloc_vasprintf(tmp, format, args) : NULL;
	who = tmp && with_key ? check_who(tmp, c) : NULL;
	if (!text || (with_key && !who))
		c->memory = true;
	else if (with_key)
		problems_add(c->problems, weight, offset, code, "%s: %s", who, text);
	else
		problems_add(c->problems, weight, offset, code, "%s", text);
	talloc_free(tmp);
}

void check_say(struct checker *c, enum problem_weight weight, uint32_t cell, const char *code,
               const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, weight, cell, code, false, format, args);
	va_end(args);
}

void check_say_key(struct checker *c, enum problem_weight weight, uint32_t cell, const char *code,
                   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, weight, cell, code, true, format, args);
	va_end(args);
}

static bool prepare(TALLOC_CTX *tmp, struct checker *c, struct check *check)
{
	c->check = check;
	c->problems = check->problems;
	c->path = talloc_array(tmp, struct check_key, REGF_DEPTH_MAX);
	if (!c->path)
		return false;
	for (uint16_t unit = 0; unit < 256; unit++)
		c->latin[unit] = name_upcase(unit);
	return true;
}

/* One walk over the image, which may have to be made again. False: no memory. */
static bool check_once(struct checker *c)
{
	if (check_base(c, c->image->bytes)) {
		if (!check_bins(c) || !check_security_begin(c))
			return false;
		check_tree(c);
		check_security_ring(c);
		check_unowned(c);
		if (!c->again)
			check_tail(c, c->image->bytes);
	}
	return !c->memory && !c->problems->lost;
}

/* As check_read(), but *AGAIN may become true: then the walk has to be made once more. */
static bool check_with(TALLOC_CTX *ctx, const struct image *image, bool *again, struct check *check,
                       struct error *err)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct checker *c = tmp ? talloc_zero(tmp, struct checker) : NULL;
	bool done;

	*check = (struct check){ .problems = problems_new(ctx) };
	done = check->problems && c && prepare(tmp, c, check);
	if (done) {
		c->image = image;
		c->reading = image->reader && !*again;
		done = check_once(c);
		*again = c->again;
	}
	talloc_free(tmp);
	return done ? true : error_memory(err);
}

bool check_read(TALLOC_CTX *ctx, const struct image *image, struct check *check, struct error *err)
{
	struct check found = { 0 };
	bool again = false, done;

	if (!image_wait(image, REGF_BASE_SIZE, err))
		return false;
	done = check_with(ctx, image, &again, &found, err) && image_wait(image, UINT64_MAX, err);
	if (done && again) {
		talloc_free(found.problems);
		done = check_with(ctx, image, &again, &found, err);
	}
	if (done)
		*check = found;
	else
		talloc_free(found.problems);
	return done;
}

bool check_image(TALLOC_CTX *ctx, struct bytes image, struct check *check, struct error *err)
{
	const struct image whole = { .bytes = image };

	return check_read(ctx, &whole, check, err);
}
