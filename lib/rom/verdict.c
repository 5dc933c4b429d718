/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: what becomes of an option ROM. Goes by what its readers do, not by what they should. */
#include "rom/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "rom/vendor.h"

#define EFI_SUBSYSTEM_BOOT    0x0b
#define EFI_SUBSYSTEM_RUNTIME 0x0c
#define EFI_COMPRESSION_MAX   1
#define EFI_MACHINE_X64	      0x8664

#define PCIR_ALIGN	      4

#define VENDOR_AMD	      0x1002
#define VENDOR_INTEL	      0x8086
#define DEVICE_INTEL_GENERIC  0x0406
#define CLASS_AUDIO	      0x0403

/* A reader's verdict on the ROM: true with a reason, or false with one. NULL without memory. */
typedef bool verdict_function(const struct rom *rom, const struct rom_target *target,
			      char **ret_why);

static bool judge_qemu(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	(void)target;
	if (rom->file.size == 0) {
		*ret_why = text_format("The file is empty: QEMU does not start with it.");
		return false;
	}
	*ret_why = text_format(
		"It looks at nothing in it, and gives the device a ROM BAR of %llu KiB.",
		(unsigned long long)(rom_bar_size(rom->file.size) + 1023) / 1024);
	return true;
}

/* What hides every image from those who look at the start only; true when nothing does. */
static bool starts_with_image(const struct rom *rom, char **ret_why)
{
	if (rom->count == 0) {
		*ret_why = text_format("There is no option ROM in the file.");
		return false;
	}
	if (rom->header.size > 0) {
		const char *name = rom_header_name(rom->header);

		*ret_why =
			text_format("The first image is at 0x%zx, behind %s: only the start of the "
				    "file is looked at. 'rom fix --strip-header' removes that.",
				    rom->header.size, name ? name : "something else");
		return false;
	}
	if (!rom->images[0].has_pcir) {
		*ret_why =
			text_format("It is a ROM for the ISA bus: it has no PCI data structure.");
		return false;
	}
	return true;
}

/* The x86 image SeaBIOS picks: the first with the ids of the device, which it compares exactly. */
static const struct rom_image *find_x86(const struct rom *rom, const struct rom_target *target)
{
	for (size_t i = 0; i < rom->chain_count; i++) {
		const struct rom_image *image = &rom->images[i];

		if (image->code == ROM_CODE_X86 && (!target || (image->vendor == target->vendor &&
								image->device == target->device)))
			return image;
	}
	return NULL;
}

static char *why_no_x86(const struct rom *rom, const struct rom_target *target)
{
	const struct rom_image *other = rom_first(rom, ROM_CODE_X86);

	if (rom->end == ROM_END_NO_LENGTH && !rom->images[rom->chain_count - 1].last)
		return text_format("An image gives its length as 0: SeaBIOS would look at it for "
				   "ever, and the VM hang.");
	if (!other)
		return text_format("It has no x86 image: with SeaBIOS there is no picture before "
				   "the guest's driver.");
	return text_format(
		"Its x86 image is for %04x:%04x and the device is %04x:%04x; SeaBIOS "
		"compares them, and says nothing. 'rom fix --vendor, --device' set them.",
		other->vendor, other->device, target->vendor, target->device);
}

static bool judge_seabios(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	const struct rom_image *image;

	if (!starts_with_image(rom, ret_why))
		return false;
	image = find_x86(rom, target);
	if (!image) {
		*ret_why = why_no_x86(rom, target);
	} else if (image->legacy_size == 0) {
		*ret_why = text_format("Its x86 image gives its own size as 0.");
	} else if (image->sum != 0) {
		*ret_why =
			text_format("The checksum of its x86 image is wrong: the sum is %02x, not "
				    "00. 'rom fix --checksum' puts it right.",
				    image->sum);
	} else {
		*ret_why = text_format("Its x86 image is for %04x:%04x, and the checksum is right.",
				       image->vendor, image->device);
		return true;
	}
	return false;
}

/* Why edk2 would not start the driver in an EFI image, or NULL. */
static const char *find_efi_fault(const struct rom_image *image)
{
	const struct rom_efi *efi = &image->efi;

	if (!efi->signature)
		return "its EFI signature is damaged (rom-fixer writes its checksum there)";
	if (efi->subsystem != EFI_SUBSYSTEM_BOOT && efi->subsystem != EFI_SUBSYSTEM_RUNTIME)
		return "what it holds is not a driver";
	if (efi->compression > EFI_COMPRESSION_MAX)
		return "its compression is not known";
	if (efi->size > image->size || efi->offset >= efi->size)
		return "the sizes in its header contradict each other";
	if (efi->size > image->data.size)
		return "the file ends within it";
	if (efi->machine != EFI_MACHINE_X64)
		return "its driver is not for x64";
	return NULL;
}

/* The end of a chain is where edk2 stops, too; a misaligned data structure is one to it. */
static bool judge_ovmf(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	const char *fault = "it has no EFI image: there is no picture before the guest's driver";

	(void)target;
	if (!starts_with_image(rom, ret_why))
		return false;
	for (size_t i = 0; i < rom->chain_count; i++) {
		const struct rom_image *image = &rom->images[i];

		if (image->pcir % PCIR_ALIGN != 0) {
			fault = "a data structure is not on a multiple of 4 bytes, where OVMF stops";
			break;
		}
		if (image->code != ROM_CODE_EFI)
			continue;
		fault = find_efi_fault(image);
		if (!fault) {
			*ret_why =
				text_format("Its EFI image at 0x%zx is a driver for x64; OVMF asks "
					    "for no checksum and compares no ids.",
					    image->offset);
			return true;
		}
	}
	*ret_why = text_format("OVMF finds nothing to run: %s.", fault);
	return false;
}

static bool judge_driver(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	const struct rom_image *image = NULL;
	struct rom_atom atom;
	struct rom_vbt vbt;

	if (!starts_with_image(rom, ret_why))
		return false;
	image = &rom->images[0];
	if (image->pcir % PCIR_ALIGN != 0) {
		*ret_why = text_format(
			"Its data structure is not on a multiple of 4 bytes: new kernels "
			"refuse it.");
		return false;
	}
	if (rom_atom_find(image, &atom)) {
		*ret_why = text_format("amdgpu finds its ATOM tables in it.");
	} else if (target && target->vendor == VENDOR_AMD) {
		*ret_why =
			text_format("It can be read, but has no ATOM tables, which amdgpu needs.");
		return false;
	} else if (rom_vbt_find(rom->file, &vbt)) {
		*ret_why = text_format("i915 finds its video BIOS table in it.");
	} else {
		*ret_why = text_format("It can be read.");
	}
	return true;
}

static const struct {
	const char *name;
	const char *works, *fails;
	verdict_function *judge;
} readers[] = {
	[ROM_READER_QEMU] = { "QEMU", "takes it", "refuses it", judge_qemu },
	[ROM_READER_SEABIOS] = { "SeaBIOS", "runs it", "ignores it", judge_seabios },
	[ROM_READER_OVMF] = { "OVMF", "runs it", "ignores it", judge_ovmf },
	[ROM_READER_DRIVER] = { "Linux guest", "reads it", "ignores it", judge_driver },
};

const char *rom_reader_name(enum rom_reader reader)
{
	return readers[reader].name;
}

const char *rom_reader_verdict(enum rom_reader reader, bool works)
{
	return works ? readers[reader].works : readers[reader].fails;
}

/* What a remark is made from, and where it goes. */
struct remarking {
	const struct rom *rom;
	const struct rom_target *target;
	struct rom_judgement *judgement;
	bool failed;
};

static void remark(struct remarking *remarking, enum rom_remark_id id, char *text)
{
	struct rom_judgement *judgement = remarking->judgement;

	if (!text || array_reserve(&judgement->remarks, judgement->remark_count,
				   sizeof(*judgement->remarks)) < 0) {
		free(text);
		remarking->failed = true;
		return;
	}
	judgement->remarks[judgement->remark_count++] = (struct rom_remark){ id, text };
}

/* Whether `found` is what one gets who reads the hexadecimal `meant` as a decimal number. */
static bool is_decimal_slip(uint16_t found, uint16_t meant)
{
	char digits[8];
	uint64_t value;

	snprintf(digits, sizeof(digits), "%04x", meant);
	return found != meant &&
	       parse_number(digits, strlen(digits), 10, UINT16_MAX, &value) == 0 && value == found;
}

/* EfiRom takes its numbers as decimal unless they start with 0x. */
static bool remark_decimal(struct remarking *remarking, const struct rom_image *image)
{
	static const uint16_t vendors[] = { VENDOR_AMD, VENDOR_INTEL, 0x1022 };
	const struct rom_target *target = remarking->target;
	uint16_t meant = 0;

	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
		if (is_decimal_slip(image->vendor, vendors[i]))
			meant = vendors[i];
	if (meant) {
		remark(remarking, ROM_REMARK_DECIMAL,
		       text_format("The vendor id %04x is the hexadecimal %04x read as a decimal "
				   "number, and so may be the device id %04x (%04u).",
				   image->vendor, meant, image->device, image->device));
		return true;
	}
	if (target && is_decimal_slip(image->device, target->device)) {
		remark(remarking, ROM_REMARK_DECIMAL,
		       text_format("The device id %04x is the hexadecimal %04x read as a decimal "
				   "number.",
				   image->device, target->device));
		return true;
	}
	return false;
}

/* Another function of the slot, most often the audio function beside a display. */
static bool remark_function(struct remarking *remarking, const struct rom_image *image)
{
	const struct rom_target *target = remarking->target;

	for (size_t i = 0; target && i < target->sibling_count; i++) {
		const struct rom_sibling *sibling = &target->siblings[i];
		bool audio = sibling->class_code >> 8 == CLASS_AUDIO;

		if (image->vendor != sibling->vendor || image->device != sibling->device)
			continue;
		remark(remarking, ROM_REMARK_FUNCTION,
		       text_format("%04x:%04x is %s of the same slot.", image->vendor,
				   image->device,
				   audio ? "the audio function" : "another function"));
		return true;
	}
	return false;
}

static bool remark_generic(struct remarking *remarking, const struct rom_image *image)
{
	if (image->vendor != VENDOR_INTEL || image->device != DEVICE_INTEL_GENERIC)
		return false;
	remark(remarking, ROM_REMARK_GENERIC,
	       text_format(
		       "8086:0406 stands for a whole family in Intel's video BIOS. SeaBIOS needs "
		       "the id of the device there: 'rom fix --device ID'."));
	return true;
}

static bool remark_model(struct remarking *remarking, const struct rom_image *image)
{
	const struct rom_target *target = remarking->target;
	bool listed = target && image->vendor == target->vendor &&
		      rom_image_lists_device(image, target->device);

	if (!target)
		return false;
	remark(remarking, ROM_REMARK_MODEL,
	       text_format("The image at 0x%zx is for %04x:%04x, another %s%s.", image->offset,
			   image->vendor, image->device,
			   image->vendor == target->vendor ? "model of the same vendor"
							   : "vendor's device",
			   listed ? "; its device list names this device, but SeaBIOS does not "
				    "read that list"
				  : ""));
	return true;
}

/* One remark on ids that are not the device's: the best explanation of them. */
static void remark_ids(struct remarking *remarking)
{
	static bool (*const explanations[])(struct remarking *, const struct rom_image *) = {
		remark_decimal,
		remark_function,
		remark_generic,
		remark_model,
	};
	const struct rom_target *target = remarking->target;

	for (size_t i = 0; i < remarking->rom->chain_count; i++) {
		const struct rom_image *image = &remarking->rom->images[i];
		bool same = target && image->vendor == target->vendor &&
			    image->device == target->device;

		if (!image->has_pcir || same)
			continue;
		for (size_t j = 0; j < sizeof(explanations) / sizeof(*explanations); j++)
			if (explanations[j](remarking, image))
				break;
	}
}

/* A BIOS writes into its own copy: a lone video BIOS with a wrong sum was read from there. */
static void remark_shadow(struct remarking *remarking)
{
	const struct rom *rom = remarking->rom;
	const struct rom_image *image = rom->images;

	if (rom->chain_count != 1 || image->code != ROM_CODE_X86 || image->sum == 0 ||
	    image->class_code >> 16 != 0x03 || rom->end == ROM_END_TRUNCATED)
		return;
	remark(remarking, ROM_REMARK_SHADOW,
	       text_format(
		       "It may be the copy in memory at 0xc0000, which the machine's own BIOS "
		       "has run and changed: that has no EFI image, and its checksum is wrong."));
}

static void remark_end(struct remarking *remarking)
{
	const struct rom *rom = remarking->rom;
	const struct rom_image *image = &rom->images[rom->chain_count - 1];

	if (rom->end == ROM_END_TRUNCATED)
		remark(remarking, ROM_REMARK_TRUNCATED,
		       text_format(
			       "It is cut short: the image at 0x%zx is %zu bytes long, and only "
			       "%zu are there.",
			       image->offset, image->size, image->data.size));
	if (image->has_pcir && !image->last)
		remark(remarking, ROM_REMARK_NOT_LAST,
		       text_format(
			       "The image at 0x%zx does not say that it is the last, and no image "
			       "follows. QEMU's guests cope; 'rom fix --last' puts it right.",
			       image->offset));
	if (rom->unreached)
		remark(remarking, ROM_REMARK_UNREACHED,
		       text_format("Another image is at 0x%zx, but nobody gets there: the one at "
				   "0x%zx %s.",
				   rom->unreached, image->offset,
				   rom->end == ROM_END_LAST ? "says that it is the last"
							    : "leads elsewhere"));
}

static void remark_trailer(struct remarking *remarking)
{
	struct bytes trailer = remarking->rom->trailer;

	if (trailer.size == 0)
		return;
	if (bytes_padding(trailer) == trailer.size)
		remark(remarking, ROM_REMARK_TRAILER,
		       text_format("%zu bytes of padding (%02x) follow the last image; they do no "
				   "harm.",
				   trailer.size, bytes_u8(trailer, 0)));
	else
		remark(remarking, ROM_REMARK_TRAILER,
		       text_format(
			       "%zu bytes of other data follow the last image; firmware does not "
			       "look there.",
			       trailer.size));
}

int rom_judge(const struct rom *rom, const struct rom_target *target, struct rom_judgement *ret,
	      struct error *err)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };
	struct remarking remarking = { rom, target, &judgement, false };

	for (size_t i = 0; i < ROM_READER_COUNT; i++) {
		struct rom_verdict *verdict = &judgement.verdicts[i];

		verdict->works = readers[i].judge(rom, target, &verdict->why);
		if (!verdict->why)
			return error_set_memory(err);
	}
	if (rom->count > 0) {
		remark_ids(&remarking);
		remark_shadow(&remarking);
		remark_end(&remarking);
		remark_trailer(&remarking);
	}
	if (remarking.failed)
		return error_set_memory(err);
	*ret = judgement;
	judgement = (struct rom_judgement){ 0 };
	return 0;
}

void rom_judgement_done(struct rom_judgement *judgement)
{
	for (size_t i = 0; i < ROM_READER_COUNT; i++)
		free(judgement->verdicts[i].why);
	for (size_t i = 0; i < judgement->remark_count; i++)
		free(judgement->remarks[i].text);
	free(judgement->remarks);
	*judgement = (struct rom_judgement){ 0 };
}

bool rom_judgement_is_hopeless(const struct rom_judgement *judgement, enum rom_reader firmware)
{
	const struct rom_verdict *verdicts = judgement->verdicts;
	bool runs = firmware == ROM_READER_COUNT
			    ? verdicts[ROM_READER_SEABIOS].works || verdicts[ROM_READER_OVMF].works
			    : verdicts[firmware].works;

	return !verdicts[ROM_READER_QEMU].works || (!runs && !verdicts[ROM_READER_DRIVER].works);
}

const char *rom_remark_name(enum rom_remark_id id)
{
	static const char *const names[] = {
		[ROM_REMARK_DECIMAL] = "decimal-id",	 [ROM_REMARK_FUNCTION] = "other-function",
		[ROM_REMARK_MODEL] = "other-model",	 [ROM_REMARK_GENERIC] = "generic-id",
		[ROM_REMARK_SHADOW] = "shadow-copy",	 [ROM_REMARK_TRUNCATED] = "truncated",
		[ROM_REMARK_NOT_LAST] = "no-last-image", [ROM_REMARK_UNREACHED] = "unreached-image",
		[ROM_REMARK_TRAILER] = "trailing-data",
	};

	return names[id];
}

int rom_target_read(const struct sysroot *root, struct pci_address address, struct rom_target *ret,
		    struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	struct rom_target target = { 0 };
	int r;

	r = pci_device_read(root, address, &device, err);
	if (r < 0)
		return r;
	target.vendor = device.vendor;
	target.device = device.device;
	for (uint8_t function = 0; function < 8; function++) {
		cleanup_pci_device struct pci_device sibling = { 0 };
		struct pci_address at = address;

		at.function = function;
		if (function == address.function || pci_device_read(root, at, &sibling, NULL) < 0)
			continue;
		target.siblings[target.sibling_count++] = (struct rom_sibling){
			.vendor = sibling.vendor,
			.device = sibling.device,
			.class_code = sibling.class_code,
		};
	}
	*ret = target;
	return 0;
}
