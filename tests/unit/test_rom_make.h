/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes option ROMs and VFCT tables out of nothing, for the tests of lib/rom. Right unless the
 * test asks for something wrong or breaks them afterwards.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>
/* after the three above, which it needs */
#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"

#define MADE_MAX  (256 * 1024)
#define MADE_PCIR 0x60

struct made {
	uint8_t data[MADE_MAX];
	size_t size;
};

struct made_image {
	uint8_t code; /* 0 x86, 3 EFI */
	uint16_t vendor, device;
	uint8_t blocks; /* of 512 bytes */
	bool last;
	uint32_t class_code;
};

static inline void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value & 0xffff);
	put_u16(at + 2, value >> 16);
}

static inline struct bytes made_bytes(const struct made *made)
{
	return (struct bytes){ made->data, made->size };
}

/* Adds bytes of one value. */
static inline void made_fill(struct made *made, size_t size, uint8_t value)
{
	memset(made->data + made->size, value, size);
	made->size += size;
}

static inline void made_balance(struct made *made, size_t offset, size_t size)
{
	made->data[offset + 6] = (uint8_t)(made->data[offset + 6] -
					   bytes_sum((struct bytes){ made->data + offset, size }));
}

/* The headers of a UEFI driver; 328 bytes. */
static inline void made_driver(uint8_t *at, uint16_t machine, uint16_t subsystem)
{
	uint8_t *pe = at + 0x40;

	memcpy(at, "MZ", 2);
	put_u32(at + 0x3c, 0x40);
	memcpy(pe, "PE\0\0", 4);
	put_u16(pe + 4, machine);
	put_u16(pe + 20, 240);
	put_u16(pe + 24, 0x20b);
	put_u32(pe + 24 + 60, 328); /* the size of all headers */
	put_u16(pe + 24 + 68, subsystem);
}

/* Adds an image and returns its offset. */
static inline size_t made_add(struct made *made, struct made_image image)
{
	size_t offset = made->size, size = image.blocks * 512u;
	uint8_t *at = made->data + offset, *pcir = at + MADE_PCIR;

	made_fill(made, size, 0);
	put_u16(at, 0xaa55);
	put_u16(at + 0x18, MADE_PCIR);
	memcpy(pcir, "PCIR", 4);
	put_u16(pcir + 4, image.vendor);
	put_u16(pcir + 6, image.device);
	put_u16(pcir + 0x0a, 0x18);
	put_u32(pcir + 0x0c, image.class_code << 8);
	put_u16(pcir + 0x10, image.blocks);
	pcir[0x14] = image.code;
	pcir[0x15] = image.last ? 0x80 : 0;
	if (image.code == 3) {
		put_u16(at + 2, image.blocks);
		put_u32(at + 4, 0x0ef1);
		put_u16(at + 8, 0x0b);
		put_u16(at + 0x0a, 0x8664);
		put_u16(at + 0x16, 0x80);
		made_driver(at + 0x80, 0x8664, 0x0b);
	} else {
		at[2] = image.blocks;
		memcpy(at + 3, "\xe9\x80", 2);
		made_balance(made, offset, size);
	}
	return offset;
}

/* A display with both images, as a graphics card has. */
static inline void made_display(struct made *made, uint16_t vendor, uint16_t device)
{
	made_add(made,
		 (struct made_image){
			 .vendor = vendor, .device = device, .blocks = 8, .class_code = 0x030000 });
	made_add(made, (struct made_image){ .code = 3,
					    .vendor = vendor,
					    .device = device,
					    .blocks = 4,
					    .last = true });
}

/* Adds ATOM tables to the x86 image at `offset`, and balances it again. */
static inline void made_atom(struct made *made, size_t offset)
{
	uint8_t *at = made->data + offset;

	memcpy(at + 0x30, " 761295520", 10);
	put_u16(at + 0x48, 0x200);
	memcpy(at + 0x204, "ATOM", 4);
	put_u16(at + 0x218, 0x1458);
	put_u16(at + 0x21a, 0x2300);
	made_balance(made, offset, at[2] * 512u);
}

/* ---- VFCT */

struct made_vfct_image {
	uint32_t bus, device, function;
	uint16_t vendor_id, device_id;
	struct bytes data;
};

static inline void made_vfct_start(struct made *made)
{
	made_fill(made, 0x4c, 0);
	memcpy(made->data, "VFCT", 4);
	made->data[8] = 1;
	memcpy(made->data + 10, "ALASKAA M I\0\0\0", 14);
	put_u32(made->data + 0x34, 0x4c);
}

static inline void made_vfct_add(struct made *made, struct made_vfct_image image)
{
	uint8_t *at = made->data + made->size;

	made_fill(made, 28, 0);
	put_u32(at, image.bus);
	put_u32(at + 4, image.device);
	put_u32(at + 8, image.function);
	put_u16(at + 12, image.vendor_id);
	put_u16(at + 14, image.device_id);
	put_u32(at + 20, 1);
	put_u32(at + 24, (uint32_t)image.data.size);
	memcpy(at + 28, image.data.data, image.data.size);
	made->size += image.data.size;
}

/* Sets length and checksum. */
static inline void made_vfct_end(struct made *made)
{
	put_u32(made->data + 4, (uint32_t)made->size);
	made->data[9] = (uint8_t)(made->data[9] - bytes_sum(made_bytes(made)));
}
