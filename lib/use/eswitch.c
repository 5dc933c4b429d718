/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the mode of a card's switch. Knows nothing else of devlink. */
#include "use/eswitch.h"

#include <errno.h>
#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "host/netlink.h"
#include "use/child.h"

static const char *const modes[] = {
	[DEVLINK_ESWITCH_MODE_LEGACY] = "legacy",
	[DEVLINK_ESWITCH_MODE_SWITCHDEV] = "switchdev",
};

#define MODE_COUNT (ARRAY_SIZE(modes))

static void begin(struct netlink_message *request, uint16_t family, uint16_t flags, uint8_t command,
		  uint8_t version)
{
	const struct genlmsghdr header = { .cmd = command, .version = version };

	netlink_begin(request, family, flags);
	netlink_add(request, &header, sizeof(header));
}

/* The number of devlink's messages; without devlink -ENOENT. */
static int find_family(const struct sysroot *root, uint16_t *ret)
{
	cleanup_netlink struct netlink_message request = { 0 };
	cleanup_free uint8_t *data = NULL;
	struct bytes answer, id;
	int r;

	begin(&request, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	netlink_add_text(&request, CTRL_ATTR_FAMILY_NAME, DEVLINK_GENL_NAME);
	r = netlink_ask(root, NETLINK_GENERIC, &request, &data, &answer);
	if (r < 0)
		return r;
	if (!netlink_find(bytes_from(answer, GENL_HDRLEN), CTRL_ATTR_FAMILY_ID, &id))
		return -EBADMSG;
	*ret = netlink_u16(id, 0);
	return 0;
}

static void add_handle(struct netlink_message *request, const char *address)
{
	netlink_add_text(request, DEVLINK_ATTR_BUS_NAME, "pci");
	netlink_add_text(request, DEVLINK_ATTR_DEV_NAME, address);
}

static int read_mode(const struct sysroot *root, const char *address, char **ret_mode)
{
	cleanup_netlink struct netlink_message request = { 0 };
	cleanup_free uint8_t *data = NULL;
	struct bytes answer, mode;
	uint16_t family;
	int r = find_family(root, &family);

	if (r < 0)
		return r;
	begin(&request, family, 0, DEVLINK_CMD_ESWITCH_GET, DEVLINK_GENL_VERSION);
	add_handle(&request, address);
	r = netlink_ask(root, NETLINK_GENERIC, &request, &data, &answer);
	if (r < 0)
		return r;
	if (!netlink_find(bytes_from(answer, GENL_HDRLEN), DEVLINK_ATTR_ESWITCH_MODE, &mode))
		return -ENOENT;
	*ret_mode = netlink_u16(mode, 0) < MODE_COUNT ? strdup(modes[netlink_u16(mode, 0)])
						      : text_format("%u", netlink_u16(mode, 0));
	return *ret_mode ? 0 : -ENOMEM;
}

int eswitch_read(const struct sysroot *root, const char *address, char **ret_mode)
{
	int r = read_mode(root, address, ret_mode);

	/* No devlink, no switch, not root, a tree. */
	return r == -ENODEV || r == -EOPNOTSUPP || r == -EPERM || r == -EPROTONOSUPPORT ? -ENOENT
											: r;
}

static int parse_mode(const char *mode, uint16_t *ret)
{
	int at = TABLE_FIND(modes, mode);
	uint64_t number = (uint64_t)at;

	if (at < 0 && parse_number(mode, strlen(mode), 10, UINT16_MAX, &number) < 0)
		return -EINVAL;
	*ret = (uint16_t)number;
	return 0;
}

int eswitch_set(const struct sysroot *root, const char *address, const char *mode,
		struct error *err)
{
	cleanup_netlink struct netlink_message request = { 0 };
	cleanup_free char *now = NULL;
	cleanup_free uint8_t *data = NULL;
	struct bytes answer;
	uint16_t family, number = 0;
	int r = parse_mode(mode, &number);

	if (r == 0)
		r = find_family(root, &family);
	if (r == 0) {
		begin(&request, family, NLM_F_ACK, DEVLINK_CMD_ESWITCH_SET, DEVLINK_GENL_VERSION);
		add_handle(&request, address);
		netlink_add_attribute(&request, DEVLINK_ATTR_ESWITCH_MODE, &number, sizeof(number));
		r = netlink_ask(root, NETLINK_GENERIC, &request, &data, &answer);
	}
	if (r < 0)
		return error_set(err, r, "cannot set the mode of its switch to '%s': %s", mode,
				 strerror(-r));
	r = read_mode(root, address, &now);
	if (r < 0)
		return error_set(err, r, "cannot read the mode of its switch back: %s",
				 strerror(-r));
	if (strcmp(now, mode) != 0)
		return error_set(err, -EIO, "the mode of its switch was set to '%s' and reads '%s'",
				 mode, now);
	return 0;
}

/* "pf0vf3", and with the number of its controller before it, "c1pf0vf3". */
static bool is_function_port(const char *port)
{
	static const char digits[] = "0123456789";

	if (*port == 'c')
		port += 1 + strspn(port + 1, digits);
	if (!text_starts_with(port, "pf"))
		return false;
	port += 2 + strspn(port + 2, digits);
	return text_starts_with(port, "vf") && port[2] != '\0' &&
	       port[2 + strspn(port + 2, digits)] == '\0';
}

static int add_interfaces(const struct sysroot *root, const char *address, bool representors,
			  struct strings *names)
{
	cleanup_strings struct strings all = { 0 };
	int r = child_list(root, "sys/class/net", address, &all);

	for (size_t i = 0; r == 0 && i < all.count; i++) {
		cleanup_free char *port = NULL;
		char path[SYSROOT_PATH_MAX];
		bool represents;

		snprintf(path, sizeof(path), "sys/class/net/%s/phys_port_name", all.items[i]);
		represents =
			sysroot_read_attribute(root, path, &port) == 0 && is_function_port(port);
		if (represents == representors)
			r = strings_add(names, all.items[i]);
	}
	return r;
}

int eswitch_representors(const struct sysroot *root, const char *address, struct strings *names)
{
	return add_interfaces(root, address, true, names);
}

int eswitch_interfaces(const struct sysroot *root, const char *address, struct strings *names)
{
	return add_interfaces(root, address, false, names);
}
