/* Feeds files to a fuzz harness, one at a time: replay FILE... */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");
		uint8_t *data = NULL;
		size_t size = 0, room = 0;

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		while (!feof(file) && !ferror(file)) {
			if (size == room && !(data = realloc(data, room = 2 * room + 4096)))
				abort();
			size += fread(data + size, 1, room - size, file);
		}
		fclose(file);
		printf("# %s\n", argv[i]); /* the last one printed is the one that failed */
		fflush(stdout);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	return 0;
}
