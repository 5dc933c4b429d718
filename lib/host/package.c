/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: installed packages. */
#include "host/package.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/number.h"

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

bool package_is_older(const char *version, const unsigned than[3])
{
	if (!isdigit((unsigned char)*version))
		return false;
	for (size_t i = 0; i < 3; i++) {
		size_t digits = strspn(version, "0123456789");
		uint64_t number = 0;

		if (digits > 0 && parse_number(version, digits, 10, UINT32_MAX, &number) < 0)
			return false;
		if (number != than[i])
			return number < than[i];
		version += digits;
		version += *version == '.' || *version == '-';
	}
	return false;
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

int package_conffiles(const struct sysroot *root, const char *folder, struct strings *ret)
{
	cleanup_free char *data = NULL, *start = text_format("\n %s/", folder);
	size_t size;

	if (!start)
		return -ENOMEM;
	if (sysroot_read(root, STATUS_FILE, STATUS_MAX, &data, &size) < 0)
		return 0;
	for (const char *at = data; (at = strstr(at, start)); at += 2) {
		cleanup_free char *path = strndup(at + 2, strcspn(at + 2, " \n"));

		if (!path || strings_add(ret, path) < 0)
			return -ENOMEM;
	}
	return 0;
}
