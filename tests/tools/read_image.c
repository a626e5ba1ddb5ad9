/* read_image FILE: copies a file to standard output as image_read sees it; status as clusnap. */
#include <fcntl.h>
#include <stdio.h>

#include "hive/image.h"

int main(int argc, char **argv)
{
	struct error err;
	struct image *image = argc == 2 ? image_read(NULL, AT_FDCWD, argv[1], &err) : NULL;

	if (argc != 2)
		return ERROR_USAGE;
	if (!image) {
		fprintf(stderr, "read_image: %s: %s\n", argv[1], err.text);
		return (int)err.kind;
	}
	if (fwrite(image->bytes.data, 1, image->bytes.size, stdout) != image->bytes.size ||
	    fclose(stdout) != 0)
		return ERROR_DESTINATION;
	talloc_free(image);
	return 0;
}
