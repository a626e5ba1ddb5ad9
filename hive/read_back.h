/*
 * read_back: does hivex, which shares no code with us, find in a hive what we find?
 *
 * Every key's subkeys and values are asked of hivex and compared with what we read in the lists
 * ourselves; what is in the records is then compare's business.
 */
#ifndef HIVE_READ_BACK_H
#define HIVE_READ_BACK_H

#include "hive/hive.h"

/* ERROR_INTERNAL if hivex refuses the hive or finds something else. */
bool read_back(const struct hive *hive, struct error *err);

#endif
