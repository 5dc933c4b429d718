/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: which VM it is. Reads a configuration that is parsed already. */
#include "pve/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/text.h"

/* The value of `key` in "a=b,key=value"; its length in `ret_size`. NULL for none. */
static const char *find_property(const char *properties, const char *key, size_t *ret_size)
{
	size_t size = strlen(key);

	for (const char *at = properties; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (strncmp(at, key, size) != 0 || at[size] != '=')
			continue;
		*ret_size = strcspn(at + size + 1, ",");
		return at + size + 1;
	}
	return NULL;
}

void vm_identity_of(const struct vm_config *config, struct vm_identity *ret)
{
	size_t size = 0;
	const char *uuid = find_property(vm_config_get(config, "smbios1"), "uuid", &size);
	const char *ctime;

	*ret = (struct vm_identity){ 0 };
	if (uuid && size < sizeof(ret->uuid))
		snprintf(ret->uuid, sizeof(ret->uuid), "%.*s", (int)size, uuid);
	ctime = find_property(vm_config_get(config, "meta"), "ctime", &size);
	if (ctime)
		(void)parse_number(ctime, size, 10, UINT64_MAX, &ret->ctime);
}

bool vm_identity_is_known(const struct vm_identity *identity)
{
	return *identity->uuid || identity->ctime > 0;
}

bool vm_identity_equal(const struct vm_identity *a, const struct vm_identity *b)
{
	return (*a->uuid && strcasecmp(a->uuid, b->uuid) == 0) ||
	       (a->ctime > 0 && a->ctime == b->ctime);
}
