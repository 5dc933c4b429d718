/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: the ACPI table VFCT. Reads nothing behind the length the table gives. */
#include "rom/vfct.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/cleanup.h"

/* Offsets in the table. */
#define ACPI_AT_LENGTH	 0x04
#define VFCT_AT_FIRST	 0x34
#define VFCT_HEADER_SIZE 0x4c

/* Offsets in an image's header. */
#define IMAGE_AT_VENDOR	  0x0c
#define IMAGE_AT_REVISION 0x14
#define IMAGE_AT_LENGTH	  0x18
#define IMAGE_HEADER_SIZE 0x1c

/* Reads the image whose header is at `*offset`, and moves that behind its data. */
static bool read_image(struct bytes table, size_t *offset, struct vfct_image *ret,
		       enum vfct_end *ret_end)
{
	struct bytes header = { 0 }, data = { 0 };
	uint32_t length;

	if (*offset == table.size) {
		*ret_end = VFCT_END_TABLE;
		return false;
	}
	if (!bytes_slice(table, *offset, IMAGE_HEADER_SIZE, &header)) {
		*ret_end = VFCT_END_HEADER;
		return false;
	}
	length = bytes_u32(header, IMAGE_AT_LENGTH);
	if (length == 0) {
		*ret_end = VFCT_END_MARK;
		return false;
	}
	if (!bytes_slice(table, *offset + IMAGE_HEADER_SIZE, length, &data)) {
		*ret_end = VFCT_END_TRUNCATED;
		return false;
	}
	*ret = (struct vfct_image){
		.offset = *offset + IMAGE_HEADER_SIZE,
		.bus = bytes_u32(header, 0),
		.device = bytes_u32(header, 4),
		.function = bytes_u32(header, 8),
		.vendor_id = bytes_u16(header, IMAGE_AT_VENDOR),
		.device_id = bytes_u16(header, IMAGE_AT_VENDOR + 2),
		.subsystem_vendor = bytes_u16(header, IMAGE_AT_VENDOR + 4),
		.subsystem_device = bytes_u16(header, IMAGE_AT_VENDOR + 6),
		.revision = bytes_u32(header, IMAGE_AT_REVISION),
		.data = data,
	};
	*offset += IMAGE_HEADER_SIZE + data.size;
	return true;
}

int vfct_parse(struct bytes table, struct vfct *ret, struct error *err)
{
	cleanup_vfct struct vfct vfct = { 0 };
	struct vfct_image image = { 0 };
	struct bytes own;
	size_t offset;

	vfct.length = bytes_u32(table, ACPI_AT_LENGTH);
	if (!bytes_has_text(table, 0, "VFCT") || table.size < VFCT_HEADER_SIZE ||
	    vfct.length < VFCT_HEADER_SIZE)
		return error_set(err, -EBADMSG, "this is not an ACPI table VFCT");
	own = bytes_clip(table, 0, vfct.length);
	vfct.missing = vfct.length - own.size;
	vfct.surplus = table.size - own.size;
	vfct.checksum_ok = vfct.missing == 0 && bytes_sum(own) == 0;

	offset = bytes_u32(table, VFCT_AT_FIRST);
	if (offset < VFCT_HEADER_SIZE || offset > own.size)
		return error_set(err, -EBADMSG,
				 "the table's offset of its first image, 0x%zx, leads out of it",
				 offset);
	while (read_image(own, &offset, &image, &vfct.end)) {
		if (array_reserve(&vfct.images, vfct.count, sizeof(image)) < 0)
			return error_set_memory(err);
		vfct.images[vfct.count++] = image;
	}
	*ret = TAKE_STRUCT(vfct);
	return 0;
}

void vfct_done(struct vfct *vfct)
{
	free(vfct->images);
	*vfct = (struct vfct){ 0 };
}

int vfct_list_faults(const struct vfct *vfct, struct strings *ret)
{
	cleanup_free char *missing = NULL, *surplus = NULL;
	int r = 0;

	if (vfct->missing) {
		missing = text_format("The file is %zu bytes shorter than the table says it is.",
				      vfct->missing);
		r = missing ? strings_add(ret, missing) : -ENOMEM;
	} else if (!vfct->checksum_ok) {
		r = strings_add(ret, "The checksum of the table is wrong.");
	}
	if (r == 0 && vfct->surplus) {
		surplus = text_format("%zu bytes follow the table in the file.", vfct->surplus);
		r = surplus ? strings_add(ret, surplus) : -ENOMEM;
	}
	if (r == 0 && vfct->end == VFCT_END_HEADER)
		r = strings_add(ret, "The table ends with bytes that are no image.");
	if (r == 0 && vfct->end == VFCT_END_TRUNCATED)
		r = strings_add(ret, "The last image is longer than what is left of the table.");
	return r;
}

bool vfct_image_is_at(const struct vfct_image *image, struct pci_address address)
{
	return image->bus == address.bus && image->device == address.device &&
	       image->function == address.function;
}

enum vfct_match vfct_find(const struct vfct *vfct, struct pci_address address, uint16_t vendor_id,
			  uint16_t device_id, const struct vfct_image **ret_image)
{
	const struct vfct_image *found = NULL;
	size_t with_ids = 0;

	for (size_t i = 0; i < vfct->count; i++) {
		const struct vfct_image *image = &vfct->images[i];

		if (image->vendor_id != vendor_id || image->device_id != device_id)
			continue;
		if (vfct_image_is_at(image, address)) {
			*ret_image = image;
			return VFCT_MATCH_EXACT;
		}
		found = image;
		with_ids++;
	}
	if (with_ids == 1)
		*ret_image = found;
	return with_ids == 0 ? VFCT_MATCH_NONE : with_ids == 1 ? VFCT_MATCH_ID : VFCT_MATCH_SEVERAL;
}
