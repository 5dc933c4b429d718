/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: a node as an archive. */
#include "record/record.h"

#include "record/sys.h"

int record_make(const struct pve_node *node, const struct anonymiser *anonymiser, struct tar *ret,
		struct error *err)
{
	struct recorder recorder = { .root = node->root, .anonymiser = anonymiser };

	recorder_pci(&recorder, node);
	recorder_classes(&recorder);
	recorder_kernel(&recorder, node);
	recorder_network(&recorder);
	recorder_processes(&recorder, node);
	recorder_pve(&recorder, node);
	tar_finish(&recorder.tar);
	if (!recorder.tar.failed) {
		*ret = recorder.tar;
		recorder.tar = (struct tar){ 0 };
	}
	recorder_done(&recorder);
	return ret->data ? 0 : error_set_memory(err);
}
