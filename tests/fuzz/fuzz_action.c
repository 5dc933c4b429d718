/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: an action of a journal. What is understood can be looked at. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "change/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_json json_t *json = NULL;
	struct action action = { 0 };
	struct pci_address address;
	struct error err = { 0 };

	if (json_parse_object("it", (const char *)data, size, &json, &err) < 0)
		return 0;
	if (action_from_json(json, &action, &err) == 0 &&
	    (!action.target || !action.wanted || !action.source))
		abort();
	if (action.target)
		(void)action_address(&action, &address);
	action_done(&action);
	return 0;
}
