/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: a node as an archive. */
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "record_sys.h"

static int write_archive(const struct tar *tar, const char *path, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdout : fopen(path, "we");
	bool failed;

	if (!file)
		return error_set(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	failed = fwrite(tar->data, 1, tar->size, file) != tar->size || fflush(file) == EOF;
	if (!standard && fclose(file) == EOF)
		failed = true;
	if (failed)
		return error_set(err, -EIO, "cannot write '%s': %s", path, strerror(errno));
	if (!standard)
		fprintf(stderr,
			"pve-vfio: wrote '%s'; MAC and IP addresses, serial numbers and host names "
			"are not in it. 'tar -xf' it into a folder; --root FOLDER works on that\n",
			path);
	return 0;
}

int recording_write(const struct pve_node *node, const struct anonymiser *anonymiser,
		    const char *path, struct error *err)
{
	struct recorder recorder = { .root = node->root, .anonymiser = anonymiser };
	int r;

	recorder_pci(&recorder, node);
	recorder_classes(&recorder);
	recorder_kernel(&recorder, node);
	recorder_network(&recorder);
	recorder_processes(&recorder, node);
	recorder_pve(&recorder, node);
	tar_finish(&recorder.tar);
	r = recorder.tar.failed ? error_set_memory(err) : write_archive(&recorder.tar, path, err);
	recorder_done(&recorder);
	return r;
}
