/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: the topics of one VM's configuration, beyond what the checks of a start say. Each adds a
 * verdict for what it looked at; 0 or -ENOMEM.
 */
#pragma once

#include "doctor/doctor.h"

struct lint {
	const struct doctor *doctor;
	const struct node_vm *vm;
	const struct vm_config *config;
	bool ovmf;
	bool has_gpu;	  /* one is passed, or a part of one */
	bool has_display; /* one of them has outputs */
};

/* Sets `has_gpu` and `has_display`. */
void lint_find_displays(struct lint *lint);
int lint_vga(const struct lint *lint, struct verdicts *verdicts);
int lint_lines(const struct lint *lint, struct verdicts *verdicts);

/* When the VM starts, is saved, backed up or moved. */
int lint_state(const struct lint *lint, struct verdicts *verdicts);
int lint_onboot(const struct lint *lint, struct verdicts *verdicts);
int lint_backup(const struct lint *lint, struct verdicts *verdicts);
int lint_ha(const struct lint *lint, struct verdicts *verdicts);
int lint_migration(const struct lint *lint, struct verdicts *verdicts);
