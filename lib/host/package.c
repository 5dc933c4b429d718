/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: installed packages. */
#include "host/package.h"

#include <errno.h>
#include <string.h>

#define STATUS_FILE "var/lib/dpkg/status"
#define STATUS_MAX  ((size_t)64 << 20)

/* The value of a field in one paragraph, up to its line's end; NULL when it has none. */
static const char *find_field(const char *paragraph, const char *end, const char *field)
{
	const char *at = strstr(paragraph, field);

	return at && at < end ? at + strlen(field) : NULL;
}

static int look_up(const char *data, const char *name, char **ret)
{
	cleanup_free char *head = text_format("Package: %s\n", name);
	const char *at = data, *end, *version, *status;

	if (!head)
		return -ENOMEM;
	while ((at = strstr(at, head)) && at > data && at[-1] != '\n')
		at++;
	if (!at)
		return 0;
	end = strstr(at, "\n\n");
	if (!end)
		end = at + strlen(at);
	status = find_field(at, end, "\nStatus: ");
	version = find_field(at, end, "\nVersion: ");
	/* "deinstall ok config-files" is a package whose files are gone. */
	if (!version || !status || !text_starts_with(status, "install ok installed"))
		return 0;
	*ret = strndup(version, strcspn(version, "\n"));
	return *ret ? 0 : -ENOMEM;
}

int package_versions(const struct sysroot *root, const char *const *names, size_t count,
		     char **ret_versions)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r = sysroot_read(root, STATUS_FILE, STATUS_MAX, &data, &size);

	for (size_t i = 0; i < count && r == 0; i++)
		r = look_up(data, names[i], &ret_versions[i]);
	return r;
}
