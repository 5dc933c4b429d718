/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: what words mean. Looks at no machine. */
#include "boot/parameter.h"

#include <ctype.h>
#include <string.h>

#include "base/array.h"
#include "host/kernel.h"

/* The part of a value behind the one at `at`; NULL behind the last. */
static const char *next_part(const char *at)
{
	at += strcspn(at, ",");
	at += strspn(at, ",");
	return *at ? at : NULL;
}

/* The first part; NULL for a word without a value. */
static const char *first_part(const char *word)
{
	const char *at = word + kernel_word_name_size(word);

	if (*at != '=')
		return NULL;
	at += 1 + strspn(at + 1, ",");
	return *at ? at : NULL;
}

bool boot_word_has_part(const char *word, const char *part)
{
	size_t length = strlen(part);

	for (const char *at = first_part(word); at; at = next_part(at))
		if (strncmp(at, part, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

/* A part begins with `start`, as the kernel compares. */
static bool has_start(const char *word, const char *start)
{
	for (const char *at = first_part(word); at; at = next_part(at))
		if (text_starts_with(at, start))
			return true;
	return false;
}

static bool is_intel(const struct boot_word *word, enum boot_cpu cpu)
{
	return (cpu == BOOT_CPU_INTEL || cpu == BOOT_CPU_UNKNOWN) &&
	       boot_word_same_name(word->text, "intel_iommu");
}

bool boot_iommu_is_off_word(const struct boot_word *word, enum boot_cpu cpu)
{
	if (cpu == BOOT_CPU_OTHER)
		return false;
	if (boot_word_same_name(word->text, "amd_iommu") && cpu == BOOT_CPU_INTEL)
		return false;
	return (is_intel(word, cpu) || boot_word_same_name(word->text, "amd_iommu") ||
		boot_word_same_name(word->text, "iommu")) &&
	       has_start(word->text, "off");
}

static void read_intel(const struct boot_word *word, struct boot_iommu *iommu,
		       const struct boot_word **off)
{
	for (const char *at = first_part(word->text); at; at = next_part(at)) {
		if (text_starts_with(at, "on")) {
			iommu->on = word;
			*off = NULL;
		} else if (text_starts_with(at, "off")) {
			iommu->on = NULL;
			*off = word;
		}
	}
}

/* kstrtobool(): 1 for yes, 0 for no, -1 for neither. */
static int parse_bool(const char *value)
{
	switch (tolower((unsigned char)value[0])) {
	case 'y':
	case 't':
	case '1':
		return 1;
	case 'n':
	case 'f':
	case '0':
		return 0;
	case 'o':
		switch (tolower((unsigned char)value[1])) {
		case 'n':
			return 1;
		case 'f':
			return 0;
		default:
			break;
		}
		break;
	default:
		break;
	}
	return -1;
}

static void read_passthrough(const struct boot_word *word, enum boot_cpu cpu,
			     struct boot_iommu *iommu)
{
	const char *value = word->text + kernel_word_name_size(word->text);
	int decided = -1;

	if (boot_word_same_name(word->text, "iommu.passthrough") && *value == '=') {
		decided = parse_bool(value + 1);
	} else if (boot_word_same_name(word->text, "iommu") && cpu != BOOT_CPU_OTHER) {
		for (const char *at = first_part(word->text); at; at = next_part(at))
			if (text_starts_with(at, "pt"))
				decided = 1;
			else if (text_starts_with(at, "nopt"))
				decided = 0;
	}
	if (decided < 0)
		return;
	iommu->passthrough = word;
	iommu->translated = decided == 0;
}

struct boot_iommu boot_iommu_read(const struct boot_words *words, enum boot_cpu cpu)
{
	const struct boot_word *intel_off = NULL;
	struct boot_iommu iommu = { 0 };

	for (size_t i = 0; i < words->count; i++) {
		const struct boot_word *word = &words->items[i];

		if (is_intel(word, cpu))
			read_intel(word, &iommu, &intel_off);
		else if (boot_iommu_is_off_word(word, cpu))
			iommu.off = word;
		read_passthrough(word, cpu, &iommu);
	}
	if (!iommu.off)
		iommu.off = intel_off;
	return iommu;
}

const struct boot_word *boot_remapping_off(const struct boot_words *words)
{
	const struct boot_word *off = NULL;

	for (size_t i = 0; i < words->count; i++) {
		const struct boot_word *word = &words->items[i];

		if (boot_word_same_name(word->text, "nointremap"))
			off = word;
		else if (boot_word_same_name(word->text, "intremap"))
			for (const char *at = first_part(word->text); at; at = next_part(at))
				off = text_starts_with(at, "off")  ? word
				      : text_starts_with(at, "on") ? NULL
								   : off;
	}
	return off;
}

bool boot_parameter_is_repeatable(const char *word)
{
	static const char *const names[] = {
		"video",     "initcall_blacklist", "modprobe.blacklist", "module_blacklist",
		"hugepages", "hugepagesz",	   "vfio-pci.ids",	 "console"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (boot_word_same_name(word, names[i]))
			return true;
	return false;
}

const struct boot_word *boot_parameter_find(const struct boot_words *words, const char *wanted,
					    const struct boot_word **ret_other)
{
	const char *value = wanted + kernel_word_name_size(wanted);
	const struct boot_word *last;

	*ret_other = NULL;
	if (boot_parameter_is_repeatable(wanted))
		return boot_words_find(words, wanted);
	last = boot_words_find_name(words, wanted);
	if (!last || boot_word_equal(last->text, wanted) ||
	    (*value && boot_word_has_part(last->text, value + 1)))
		return last;
	*ret_other = last;
	return NULL;
}
