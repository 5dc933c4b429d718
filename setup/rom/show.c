/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio rom show. Prints what is in an option ROM; judges nothing. */
#include <stdio.h>

#include "rom/vendor.h"
#include "setup/rom/rom.h"

/* Sentence and word of JSON for each way a chain ends. */
static const struct {
	const char *word, *sentence;
} ends[] = {
	[ROM_END_LAST] = { "last", NULL },
	[ROM_END_FILE] = { "end-of-file", "The file ends, but no image says it is the last." },
	[ROM_END_NO_IMAGE] = { "no-image", "No image is where the last one says the next starts." },
	[ROM_END_TRUNCATED] = { "truncated", "The file is cut short: it ends within the image." },
	[ROM_END_NO_LENGTH] = { "no-length", "The image gives its length as 0." },
	[ROM_END_NO_PCIR] = { "no-data-structure", NULL },
};

/* A known word with its number after it, or only the number. */
static char *word_or_number(const char *word, unsigned number)
{
	return word ? text_format("%s (%04x)", word, number) : text_format("%04x", number);
}

static void print_efi(const struct rom_efi *efi)
{
	cleanup_free char *machine = word_or_number(rom_machine_name(efi->machine), efi->machine);
	cleanup_free char *subsystem =
		word_or_number(rom_subsystem_name(efi->subsystem), efi->subsystem);

	if (!efi->signature)
		print_row("signature", "damaged: 0x0ef1 is not at offset 4");
	print_row("machine", "%s", machine ? machine : "");
	print_row("subsystem", "%s", subsystem ? subsystem : "");
	if (efi->compression <= 1)
		print_row("compression", "%s", efi->compression ? "EFI" : "none");
	else
		print_row("compression", "unknown (%u)", efi->compression);
	print_row("driver", "at 0x%x, loaded up to 0x%x", efi->offset, efi->size);
}

static void print_x86(const struct rom_image *image)
{
	struct rom_atom atom;

	if (image->legacy_size != image->size)
		print_row("run size", "%zu bytes (0x%zx), not the image's", image->legacy_size,
			  image->legacy_size);
	if (image->missing > 0)
		print_row("checksum", "unknown: %zu bytes are missing", image->missing);
	else if (image->sum == 0)
		print_row("checksum", "right");
	else
		print_row("checksum", "wrong: the sum is %02x, not 00", image->sum);
	if (image->pnp)
		print_row("PnP", "has a PnP header");
	if (rom_atom_find(image, &atom))
		print_row("AMD", "ATOM tables at 0x%zx, subsystem %04x:%04x", atom.offset,
			  atom.subsystem_vendor, atom.subsystem_device);
}

static void print_devices(const struct rom_image *image)
{
	cleanup_text struct text text = { 0 };
	cleanup_free char *list = NULL;

	for (size_t at = 0; at < image->devices.size; at += 2)
		text_add(&text, "%s%04x", at ? " " : "", bytes_u16(image->devices, at));
	list = text_take(&text);
	if (image->devices.size > 0)
		print_row("device list", "%s", list ? list : "");
}

static void print_image(const struct rom_image *image, size_t number)
{
	char code[ROM_CODE_TEXT];
	struct rom_npde npde;

	printf("\nImage %zu at 0x%zx: %s, %zu bytes (0x%zx)%s\n", number, image->offset,
	       rom_code_name(image, code), image->size, image->size,
	       image->private ? ", NVIDIA's own" : "");
	if (image->gap > 0)
		print_row("gap", "%zu bytes before it are in no image: only OVMF gets here",
			  image->gap);
	if (image->has_pcir) {
		print_row("device", "%04x:%04x", image->vendor, image->device);
		print_devices(image);
		print_row("class", "%06x", image->class_code);
		print_row("structure", "revision %u at 0x%zx", image->pcir_revision, image->pcir);
		print_row("revision", "%u (%04x)", image->revision, image->revision);
	}
	if (image->private)
		return;
	if (image->code == ROM_CODE_X86)
		print_x86(image);
	else if (image->code == ROM_CODE_EFI)
		print_efi(&image->efi);
	if (rom_npde_find(image, &npde))
		print_row("NVIDIA", "NPDE: %zu bytes%s", npde.size, npde.last ? ", last" : "");
	if (image->has_pcir)
		print_row("last", "%s", image->last ? "yes" : "no");
}

static void print_around(const struct rom *rom)
{
	const char *name = rom_header_name(rom->header);
	size_t padding = bytes_padding(rom->trailer);
	struct rom_vbt vbt;

	if (rom->header.size > 0)
		print_row("header", "%zu bytes (0x%zx) before the first image: %s",
			  rom->header.size, rom->header.size, name ? name : "unknown");
	if (rom_vbt_find(rom->file, &vbt))
		print_row("Intel", "video BIOS table '%s' at 0x%zx, version %u, %u bytes", vbt.name,
			  vbt.offset, vbt.version, vbt.size);
	if (rom->trailer.size > 0 && padding == rom->trailer.size)
		print_row("padding", "%zu bytes of %02x after the last image", padding,
			  bytes_u8(rom->trailer, 0));
	else if (rom->trailer.size > 0)
		print_row("trailer", "%zu bytes of other data after the last image",
			  rom->trailer.size);
	if (rom->unreached)
		print_row("unreached", "another image at 0x%zx, to which no image leads",
			  rom->unreached);
}

/* What it is in place of an option ROM. */
static void print_kind(const char *path, const struct rom *rom)
{
	cleanup_free char *word = rom_shell_word(path), *what = NULL;

	if (word)
		what = rom_kind_describe(rom_kind_find(rom), rom->file, word, NULL);
	if (what)
		print_wrapped("", 0, what);
}

static void print_rom(const struct rom_file *file, const char *path, const struct rom *rom)
{
	printf("%s: %zu bytes (0x%zx), %zu image%s\n", file->name, file->size, file->size,
	       rom->count, rom->count == 1 ? "" : "s");
	if (rom->count == 0)
		printf("There is no option ROM in it.\n");
	print_kind(path, rom);
	if (rom->count == 0)
		return;
	print_around(rom);
	for (size_t i = 0; i < rom->count; i++)
		print_image(&rom->images[i], i + 1);
	if (ends[rom->end].sentence)
		printf("\n%s\n", ends[rom->end].sentence);
}

static json_t *json_efi(const struct rom_image *image)
{
	const struct rom_efi *efi = &image->efi;

	if (image->code != ROM_CODE_EFI)
		return json_null();
	return json_pack("{s:b, s:I, s:o, s:s?, s:o, s:i, s:i}", "signature", efi->signature,
			 "size", (json_int_t)efi->size, "machine", json_hex_id(efi->machine),
			 "machine_name", rom_machine_name(efi->machine), "subsystem",
			 json_hex_id(efi->subsystem), "compression", efi->compression, "offset",
			 efi->offset);
}

static json_t *json_x86(const struct rom_image *image)
{
	json_t *atom = json_null();
	struct rom_atom found;

	if (image->code != ROM_CODE_X86)
		return json_null();
	if (rom_atom_find(image, &found))
		atom = json_pack("{s:I, s:o, s:o}", "offset", (json_int_t)found.offset,
				 "subsystem_vendor", json_hex_id(found.subsystem_vendor),
				 "subsystem_device", json_hex_id(found.subsystem_device));
	return json_pack("{s:I, s:i, s:b, s:b, s:o}", "run_size", (json_int_t)image->legacy_size,
			 "sum", image->sum, "checksum_right",
			 image->sum == 0 && image->missing == 0, "pnp", image->pnp, "atom", atom);
}

static json_t *json_devices(const struct rom_image *image)
{
	json_t *devices = json_array();

	for (size_t at = 0; at < image->devices.size; at += 2)
		json_array_append_new(devices, json_hex_id(bytes_u16(image->devices, at)));
	return devices;
}

static json_t *json_ids(const struct rom_image *image)
{
	char class_code[8];

	if (!image->has_pcir)
		return json_null();
	snprintf(class_code, sizeof(class_code), "%06x", image->class_code);
	return json_pack("{s:i, s:I, s:o, s:o, s:o, s:s, s:i, s:b}", "structure_revision",
			 image->pcir_revision, "offset", (json_int_t)image->pcir, "vendor",
			 json_hex_id(image->vendor), "device", json_hex_id(image->device),
			 "devices", json_devices(image), "class", class_code, "revision",
			 image->revision, "last", image->last);
}

static json_t *json_image(const struct rom_image *image)
{
	char code[ROM_CODE_TEXT];

	return json_pack("{s:I, s:I, s:I, s:I, s:s, s:i, s:b, s:o, s:o, s:o}", "offset",
			 (json_int_t)image->offset, "size", (json_int_t)image->size, "present",
			 (json_int_t)image->data.size, "gap", (json_int_t)image->gap, "type",
			 rom_code_name(image, code), "code", image->code, "private", image->private,
			 "pcir", json_ids(image), "x86", json_x86(image), "efi", json_efi(image));
}

static json_t *json_vbt(const struct rom *rom)
{
	struct rom_vbt vbt;

	if (!rom_vbt_find(rom->file, &vbt))
		return json_null();
	return json_pack("{s:I, s:s, s:i, s:i}", "offset", (json_int_t)vbt.offset, "name", vbt.name,
			 "version", vbt.version, "size", vbt.size);
}

static json_t *json_rom(const struct rom_file *file, const struct rom *rom)
{
	json_t *images = json_array();
	size_t padding = bytes_padding(rom->trailer);

	for (size_t i = 0; i < rom->count; i++)
		json_array_append_new(images, json_image(&rom->images[i]));
	return json_pack("{s:o, s:I, s:s?, s:I, s:s?, s:o, s:s?, s:I, s:b, s:o, s:o}", "file",
			 json_name(file->name), "size", (json_int_t)file->size, "kind",
			 rom_kind_name(rom_kind_find(rom)), "header_size",
			 (json_int_t)rom->header.size, "header", rom_header_name(rom->header),
			 "images", images, "end", rom->count ? ends[rom->end].word : NULL,
			 "trailer_size", (json_int_t)rom->trailer.size, "trailer_is_padding",
			 rom->trailer.size > 0 && padding == rom->trailer.size, "unreached",
			 rom->unreached ? json_integer((json_int_t)rom->unreached) : json_null(),
			 "vbt", json_vbt(rom));
}

int verb_rom_show(struct command *command, struct error *err)
{
	cleanup_rom_file struct rom_file file = { 0 };
	cleanup_rom struct rom rom = { 0 };

	int r = rom_file_read(command->argv[0], &file, err);

	if (r == 0)
		r = rom_parse(rom_file_bytes(&file), &rom, err);
	if (r == 0 && command->json)
		r = print_json(json_rom(&file, &rom), err);
	else if (r == 0)
		print_rom(&file, command->argv[0], &rom);
	return r == 0 && rom.count == 0 ? error_refuse_silently(err) : r;
}
