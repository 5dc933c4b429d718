/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: any bytes as an ACPI table VFCT. */
#include <stdlib.h>

#include "rom/vfct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pci_address address = { .bus = 3 };
	const struct vfct_image *found = NULL;
	struct bytes table = { data, size };
	size_t behind = 0;
	struct vfct vfct;

	if (vfct_parse(table, &vfct, NULL) < 0)
		return 0;
	for (size_t i = 0; i < vfct.count; i++) {
		const struct vfct_image *image = &vfct.images[i];

		/* in order, not over each other, and inside both table and file */
		must(image->data.size > 0 && image->data.data == data + image->offset);
		must(image->offset >= behind && image->offset <= vfct.length);
		must(image->data.size <= vfct.length - image->offset);
		must(image->data.size <= size - image->offset);
		behind = image->offset + image->data.size;
		(void)bytes_sum(image->data);
	}
	switch (vfct_find(&vfct, address, 0x1002, 0x73bf, &found)) {
	case VFCT_MATCH_EXACT:
	case VFCT_MATCH_ID:
		must(found && found->vendor_id == 0x1002 && found->device_id == 0x73bf);
		break;
	case VFCT_MATCH_NONE:
	case VFCT_MATCH_SEVERAL:
		must(!found);
		break;
	}
	vfct_done(&vfct);
	return 0;
}
