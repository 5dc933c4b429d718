/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: words and JSON that several verbs of pve-vfio rom print. */
#include <stdio.h>
#include <string.h>

#include "pve/pve.h"
#include "setup/rom/rom.h"

json_t *json_hex_id(uint16_t id)
{
	char digits[8];

	snprintf(digits, sizeof(digits), "%04x", id);
	return json_string(digits);
}

json_t *json_name(const char *name)
{
	json_t *string = json_string(name);

	return string ? string : json_null();
}

char *rom_shell_word(const char *path)
{
	cleanup_strings struct strings words = { 0 };

	return pve_words(&words, path) < 0 ? NULL : pve_command_line(&words);
}

char *rom_fix_command(const char *path, const struct rom_repair *repair)
{
	cleanup_free char *options = repair->steps ? rom_repair_options(repair) : NULL;
	cleanup_free char *output = text_format("%s.fixed", strcmp(path, "-") == 0 ? "rom" : path);
	cleanup_free char *line = NULL;
	cleanup_strings struct strings words = { 0 };

	if (!options || !output ||
	    pve_words(&words, "pve-vfio", "rom", "fix", path, "-o", output) < 0)
		return NULL;
	line = pve_command_line(&words);
	return line ? text_format("%s %s", line, options) : NULL;
}

json_t *json_repair(const char *path, const struct rom_repair *repair)
{
	cleanup_free char *command = rom_fix_command(path, repair);

	return command ? json_name(command) : json_null();
}
