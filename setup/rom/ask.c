/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the questions of pve-vfio rom fix. Asks no more once the input has ended. */
#include "setup/rom/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "setup/ask.h"

#define ANSWER_MAX  64
#define INPUT_ENDED "the input ended before the questions did: nothing is written"

/* 1 for yes, 0 for no, or negative. */
static int ask(struct error *err, const char *question)
{
	int r = ask_yes_no(question);

	return r < 0 ? error_set(err, r, INPUT_ENDED) : r;
}

static int ask_id(const char *kind, uint16_t *ret, struct error *err)
{
	char answer[ANSWER_MAX];
	uint32_t id;
	int r;

	for (;;) {
		fprintf(stderr, "New %s ID: ", kind);
		r = ask_line(answer, sizeof(answer));
		if (r < 0)
			return error_set(err, r, INPUT_ENDED);
		if (parse_hex_u32(answer, &id) == 0 && id <= UINT16_MAX)
			break;
		fprintf(stderr, "An ID is four hexadecimal digits, such as 5a85.\n");
	}
	*ret = (uint16_t)id;
	return 0;
}

/* What becomes of one id. 1: it is *ret. 0: it stays. */
static int ask_about_id(const char *kind, uint16_t now, uint16_t *ret, struct error *err)
{
	char question[ANSWER_MAX];
	int r;

	snprintf(question, sizeof(question), "Modify %s ID %04x?", kind, now);
	r = ask(err, question);
	if (r <= 0)
		return r;
	r = ask_id(kind, ret, err);
	if (r < 0)
		return r;
	snprintf(question, sizeof(question), "Overwrite %s ID with %04x?", kind, *ret);
	return ask(err, question);
}

static int ask_about_ids(struct rom_fix *fix, size_t image, struct error *err)
{
	uint16_t id;
	int r;

	if (!fix->rom.images[image].has_pcir)
		return 0;
	r = ask_about_id("vendor", fix->rom.images[image].vendor, &id, err);
	if (r > 0)
		r = rom_fix_vendor(fix, image, id, err);
	if (r < 0)
		return r;
	r = ask_about_id("device", fix->rom.images[image].device, &id, err);
	if (r > 0)
		r = rom_fix_device(fix, image, id, err);
	return r;
}

static int ask_about_checksum(struct rom_fix *fix, size_t number, struct error *err)
{
	const struct rom_image *image = &fix->rom.images[number];
	int r;

	if (image->code != ROM_CODE_X86)
		return 0;
	if (image->missing > 0) {
		fprintf(stderr, "ROM checksum unknown: the image is cut short\n");
		return 0;
	}
	if (image->sum == 0) {
		fprintf(stderr, "ROM checksum OK\n");
		return 0;
	}
	r = ask(err, "ROM checksum is invalid, fix?");
	return r > 0 ? rom_fix_checksum(fix, number, err) : r;
}

/* The flag of the last image, and the bytes before the first. */
static int ask_about_whole(struct rom_fix *fix, struct error *err)
{
	const struct rom_image *last;
	char question[ANSWER_MAX];
	int r = 0;

	if (fix->rom.header.size > 0) {
		snprintf(question, sizeof(question), "Remove the header of %zu bytes?",
			 fix->rom.header.size);
		r = ask(err, question);
		if (r > 0)
			r = rom_fix_strip_header(fix, err);
	}
	last = &fix->rom.images[fix->rom.reach_count - 1];
	if (r == 0 && last->has_pcir && !last->last && fix->rom.reach_count > 1) {
		r = ask(err, "No image says that it is the last, fix?");
		if (r > 0)
			r = rom_fix_last(fix, err);
	}
	return r;
}

int rom_ask(struct rom_fix *fix, struct error *err)
{
	char code[ROM_CODE_TEXT];
	int r = ask_about_whole(fix, err);
	size_t sums;

	for (size_t i = 0; i < fix->rom.reach_count && r >= 0; i++) {
		const struct rom_image *image = &fix->rom.images[i];

		fprintf(stderr, "\nImage %zu at 0x%zx: %s\n", i + 1, image->offset,
			rom_code_name(image, code));
		r = ask_about_ids(fix, i, err);
		if (r < 0)
			break;
		if (i + 1 == fix->rom.reach_count)
			fprintf(stderr, "Last image\n");
		r = ask_about_checksum(fix, i, err);
	}
	if (r < 0)
		return r;
	sums = fix->change_count;
	r = rom_fix_keep_sums(fix, err);
	if (r == 0 && fix->change_count > sums)
		fprintf(stderr, "The checksum was right before: it is set right again.\n");
	return r;
}
