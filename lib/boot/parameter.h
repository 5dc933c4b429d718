/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what words of a kernel command line mean together, where there are several; and what they
 * make of the IOMMU of x86, for which the kernel parts a value at commas and takes the beginning of
 * each part:
 *
 * - intel_iommu=on, off: the last of them counts, over all words (intel_iommu_setup() in
 *   drivers/iommu/intel/iommu.c); sm_on and its like do not start it;
 * - amd_iommu=off: nothing takes it back (parse_amd_iommu_options() in drivers/iommu/amd/init.c);
 * - iommu=off: for both, and nothing takes it back (iommu_setup() in arch/x86/kernel/pci-dma.c);
 * - intremap=on, off: the last counts, and nointremap is off (setup_irqremap() and
 *   setup_nointremap() in drivers/iommu/irq_remapping.c);
 * - iommu=pt, nopt and iommu.passthrough=0, 1: the last counts (drivers/iommu/iommu.c, kstrtobool()).
 */
#pragma once

#include "boot/machine.h"
#include "boot/word.h"

/* All are words of the line that was read, or NULL. */
struct boot_iommu {
	const struct boot_word *off;	     /* switches it off */
	const struct boot_word *on;	     /* starts Intel's, and no later word switches it off */
	const struct boot_word *passthrough; /* decides about the host's own memory access */
	bool translated;		     /* and decides against passing it through */
};

/* Of a processor that is not known any maker's words count. */
struct boot_iommu boot_iommu_read(const struct boot_words *words, enum boot_cpu cpu);

/* The word, one of several perhaps, has a part that switches the IOMMU off. */
bool boot_iommu_is_off_word(const struct boot_word *word, enum boot_cpu cpu);

/* The word that switches interrupt remapping off, or NULL. */
const struct boot_word *boot_remapping_off(const struct boot_words *words);

/* A part of the word's value, between commas, is `part`. */
bool boot_word_has_part(const char *word, const char *part);

/*
 * The word that does already what `wanted` does, or NULL, and in *ret_other one that says something
 * else. Of several of one name the last counts; "intel_iommu=on,sm_on" does what "intel_iommu=on"
 * does; some may be given several times, each time for another thing ("video").
 */
const struct boot_word *boot_parameter_find(const struct boot_words *words, const char *wanted,
					    const struct boot_word **ret_other);

/* One of those that may be given several times. */
bool boot_parameter_is_repeatable(const char *word);
