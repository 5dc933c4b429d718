/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: packet sockets and XDP programs. Opens neither. */
#include "use/packet.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "host/netlink.h"
#include "use/holder.h"
#include "use/pids.h"

#define PACKET	   "proc/net/packet"
#define PACKET_MAX ((size_t)1024 * 1024)

/* Its columns: sk RefCnt Type Proto Iface R Rmem User Inode */
#define COLUMN_INTERFACE 4
#define COLUMN_INODE	 8

/* The inode of a line of it that is of this interface; false for another one. */
static bool parse_line(char *line, unsigned index, uint64_t *ret_inode)
{
	uint32_t interface = 0;
	char *word;

	for (int column = 0; (word = strsep(&line, " "));) {
		if (!*word)
			continue;
		if (column == COLUMN_INTERFACE &&
		    (parse_u32(word, &interface) < 0 || interface != index))
			return false;
		if (column == COLUMN_INODE)
			return parse_u64(word, ret_inode) == 0;
		column++;
	}
	return false;
}

/* The process has the socket open. */
static bool has_socket(const struct sysroot *root, pid_t pid, const char *socket)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "proc/%d/fd", (int)pid);
	if (sysroot_list(root, path, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *target = NULL;

		snprintf(path, sizeof(path), "proc/%d/fd/%s", (int)pid, names.items[i]);
		if (sysroot_link_name(root, path, &target) == 0 && strcmp(target, socket) == 0)
			return true;
	}
	return false;
}

/* "process 812 (lldpd)"; "a process" where none can be seen to have it. */
static char *find_owner(const struct sysroot *root, uint64_t inode)
{
	cleanup_pids struct pids pids = { 0 };
	char socket[64];

	snprintf(socket, sizeof(socket), "socket:[%ju]", (uintmax_t)inode);
	(void)pids_list(root, &pids);
	for (size_t i = 0; i < pids.count; i++) {
		cleanup_holder struct holder holder = { 0 };
		pid_t pid = pids.items[i].pid;

		if (!pids.items[i].kernels && has_socket(root, pid, socket))
			return holder_read(root, pid, &holder) < 0 ? NULL : holder_words(&holder);
	}
	return strdup("a process");
}

int packet_sockets_find(const struct sysroot *root, const char *interface, unsigned index,
			struct strings *uses)
{
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;
	int r = 0;

	if (sysroot_read(root, PACKET, PACKET_MAX, &data, &size) < 0)
		return 0;
	rest = data;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		cleanup_free char *owner = NULL, *sentence = NULL;
		uint64_t inode;

		if (!parse_line(line, index, &inode))
			continue;
		owner = find_owner(root, inode);
		sentence = owner ? text_format("%s has a packet socket of %s", interface, owner)
				 : NULL;
		if (!sentence)
			return -ENOMEM;
		if (!strings_has(uses, sentence))
			r = strings_add(uses, sentence);
	}
	return r;
}

int xdp_program_find(const struct sysroot *root, unsigned index, uint32_t *ret_id)
{
	const struct ifinfomsg header = { .ifi_index = (int)index };
	cleanup_netlink struct netlink_message request = { 0 };
	cleanup_free uint8_t *data = NULL;
	struct bytes answer, xdp, id;
	int r;

	*ret_id = 0;
	netlink_begin(&request, RTM_GETLINK, 0);
	netlink_add(&request, &header, sizeof(header));
	r = netlink_ask(root, NETLINK_ROUTE, &request, &data, &answer);
	if (r == -EOPNOTSUPP || r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	if (netlink_find(bytes_from(answer, sizeof(header)), IFLA_XDP, &xdp) &&
	    netlink_find(xdp, IFLA_XDP_PROG_ID, &id))
		*ret_id = netlink_u32(id, 0);
	return 0;
}
