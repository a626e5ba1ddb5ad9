/* upcase: the table behind name_upcase(), as runs. */
#ifndef HIVE_UPCASE_H
#define HIVE_UPCASE_H

#include <stdint.h>

struct upcase_run {
	uint16_t first, last, step, delta;
};

extern const struct upcase_run upcase_runs[];
extern const unsigned upcase_run_count;

#endif
