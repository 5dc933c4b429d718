/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench: how fast a VM's configuration of 1 MiB is parsed. It must not read a file.
 *
 *   parse ROUNDS    prints "parse SHAPE MB/s" for each shape and round
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "pve/config.h"

/* What it is filled with; of "words" there is one line. */
static const struct {
	const char *name, *piece;
} shapes[] = {
	{ "settings", "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1\n" },
	{ "hostpci", "hostpci0: 0000:01:00.0,pcie=1,x-vga=1,rombar=0\n" },
	{ "comments", "#a description, as the web interface writes it\n" },
	{ "words", "snapstate: prepare " },
};

static void fill(char *data, const char *piece)
{
	size_t size = strlen(piece);

	for (size_t at = 0; at < VM_CONFIG_MAX; at++)
		data[at] = piece[at % size];
	data[VM_CONFIG_MAX - 1] = '\n';
}

int main(int argc, char **argv)
{
	char *data = malloc(VM_CONFIG_MAX);

	if (!data || argc != 2)
		return 125;
	for (int round = atoi(argv[1]); round > 0; round--) {
		for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
			cleanup_vm_config struct vm_config config = { 0 };
			uint64_t began;
			int r;

			fill(data, shapes[i].piece);
			began = clock_now_us();
			r = vm_config_parse(NULL, "bench", data, VM_CONFIG_MAX, &config, NULL);
			printf("parse %s %.0f %d\n", shapes[i].name,
			       (double)VM_CONFIG_MAX / (double)(clock_now_us() - began + 1), r);
		}
	}
	free(data);
	return 0;
}
