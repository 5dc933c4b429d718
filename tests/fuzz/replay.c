/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: runs a fuzz target on files, for compilers that have no fuzzer. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

#define INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		cleanup_close int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		cleanup_free char *data = NULL;
		cleanup_free uint8_t *exact = NULL;
		size_t size;
		int r = fd < 0 ? -1 : file_read_fd(fd, INPUT_MAX, &data, &size);

		if (r < 0) {
			fprintf(stderr, "cannot read '%s'\n", argv[i]);
			return EXIT_FAILURE;
		}
		/* an allocation of just that size, so that the sanitizer sees a byte too many */
		exact = malloc(size ? size : 1);
		if (!exact)
			return EXIT_FAILURE;
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
	}
	printf("%d inputs\n", argc - 1);
	return EXIT_SUCCESS;
}
