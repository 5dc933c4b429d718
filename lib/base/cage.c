/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: the cage. Kills nobody: what is taken away fails with an errno. */
#include "base/cage.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"

/* ---- files */

/* Rights that came with a later version, which older headers do not have: landlock(7). */
#define REFER	 (UINT64_C(1) << 13) /* 2 */
#define TRUNCATE (UINT64_C(1) << 14) /* 3 */

#define READS	 ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES	 (LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE)
#define MAKES                                                                                      \
	((uint64_t)LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |                              \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                              \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                            \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | REFER)

/* What a rule on a file, not a directory, may have. */
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | WRITES)

void cage_begin(struct cage *cage, bool reads)
{
	/* newest first, so that most kernels are asked once */
	static const uint64_t later[] = { REFER | TRUNCATE, REFER, 0 };

	cage->fd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(later) && cage->fd < 0; i++) {
		struct landlock_ruleset_attr attributes = { 0 };

		cage->handled = LANDLOCK_ACCESS_FS_EXECUTE | WRITES | MAKES;
		cage->handled &= ~(REFER | TRUNCATE);
		cage->handled |= later[i];
		if (reads && later[i] != 0)
			cage->handled |= READS;
		attributes.handled_access_fs = cage->handled;
		/* of its members the first, which all versions know */
		cage->fd = (int)syscall(SYS_landlock_create_ruleset, &attributes,
					sizeof(attributes.handled_access_fs), 0);
		if (cage->fd < 0 && errno != EINVAL)
			break;
	}
}

static bool add(const struct cage *cage, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights & cage->handled,
		.parent_fd = fd,
	};

	if (rule.allowed_access == 0 ||
	    syscall(SYS_landlock_add_rule, cage->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0)
		return true;
	if (errno != EINVAL)
		return false;
	/* it is a file */
	rule.allowed_access &= OF_FILES;
	return syscall(SYS_landlock_add_rule, cage->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

void cage_allow(struct cage *cage, int fd, unsigned files)
{
	uint64_t rights = 0;

	if (cage->fd < 0 || fd == -ENOENT || fd == -ENODEV)
		return;
	if (files & CAGE_READ)
		rights |= READS;
	if (files & CAGE_WRITE)
		rights |= WRITES;
	if (files & CAGE_MAKE)
		rights |= MAKES;
	/* none at all rather than one that is too small */
	if (fd < 0 || !add(cage, fd, rights))
		cage->fd = -1;
}

/* ---- system calls */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
/* From here on those of x32, by other numbers: asm/unistd.h. */
#define FIRST_FOREIGN UINT32_C(0x40000000)
#elif defined(__aarch64__)
#define ARCHITECTURE  AUDIT_ARCH_AARCH64
#define FIRST_FOREIGN UINT32_MAX
#endif

#ifdef ARCHITECTURE

/* Not all machines have each. `unless`: what leaves it. */
static const struct taken {
	uint32_t number;
	unsigned unless;
} taken[] = {
	/* programs and other processes */
	{ SYS_execve, 0 },
	{ SYS_execveat, 0 },
	{ SYS_ptrace, 0 },
	{ SYS_process_vm_readv, 0 },
	{ SYS_process_vm_writev, 0 },
	{ SYS_kill, CAGE_PLAY },
	{ SYS_tkill, CAGE_PLAY },
	{ SYS_tgkill, CAGE_PLAY },
	{ SYS_rt_sigqueueinfo, CAGE_PLAY },
	{ SYS_rt_tgsigqueueinfo, CAGE_PLAY },
	{ SYS_pidfd_send_signal, CAGE_PLAY },
	{ SYS_pidfd_getfd, 0 },
	{ SYS_kcmp, 0 },
	{ SYS_setns, 0 },
	{ SYS_unshare, 0 },
	{ SYS_userfaultfd, 0 },
	/* which would do all of the others unseen */
	{ SYS_io_uring_setup, 0 },
	/* sockets; one that is open stays */
	{ SYS_socket, CAGE_NETLINK },
	{ SYS_connect, 0 },
	{ SYS_bind, 0 },
	{ SYS_listen, 0 },
	{ SYS_socketpair, 0 },
	/* the tree */
	{ SYS_mount, 0 },
	{ SYS_umount2, 0 },
	{ SYS_open_tree, 0 },
	{ SYS_move_mount, 0 },
	{ SYS_fsopen, 0 },
	{ SYS_fsconfig, 0 },
	{ SYS_fsmount, 0 },
	{ SYS_fspick, 0 },
	{ SYS_mount_setattr, 0 },
	{ SYS_pivot_root, 0 },
	{ SYS_chroot, 0 },
	{ SYS_swapon, 0 },
	{ SYS_swapoff, 0 },
	{ SYS_quotactl, 0 },
	{ SYS_open_by_handle_at, 0 },
	{ SYS_fanotify_init, 0 },
	/* what Landlock has no right for */
	{ SYS_fchmod, CAGE_MODES },
	{ SYS_fchmodat, CAGE_MODES },
	{ SYS_fchown, CAGE_MODES },
	{ SYS_fchownat, CAGE_MODES },
	{ SYS_setxattr, 0 },
	{ SYS_lsetxattr, 0 },
	{ SYS_fsetxattr, 0 },
	{ SYS_removexattr, 0 },
	{ SYS_lremovexattr, 0 },
	{ SYS_fremovexattr, 0 },
	{ SYS_utimensat, 0 },
	{ SYS_truncate, CAGE_PLAY },
#ifdef SYS_chmod
	{ SYS_chmod, CAGE_MODES },
	{ SYS_chown, CAGE_MODES },
	{ SYS_lchown, CAGE_MODES },
	{ SYS_utime, 0 },
	{ SYS_utimes, 0 },
	{ SYS_futimesat, 0 },
#endif
	/* the kernel */
	{ SYS_init_module, CAGE_MODULES },
	{ SYS_finit_module, CAGE_MODULES },
	{ SYS_delete_module, CAGE_MODULES },
	{ SYS_kexec_load, 0 },
#ifdef SYS_kexec_file_load
	{ SYS_kexec_file_load, 0 },
#endif
	{ SYS_bpf, 0 },
	{ SYS_perf_event_open, 0 },
	{ SYS_reboot, 0 },
	{ SYS_syslog, 0 },
	{ SYS_acct, 0 },
	{ SYS_add_key, 0 },
	{ SYS_request_key, 0 },
	{ SYS_keyctl, 0 },
	/* the machine */
	{ SYS_settimeofday, 0 },
	{ SYS_clock_settime, 0 },
	{ SYS_clock_adjtime, 0 },
	{ SYS_adjtimex, 0 },
	{ SYS_sethostname, 0 },
	{ SYS_setdomainname, 0 },
	{ SYS_vhangup, 0 },
	{ SYS_personality, 0 },
#ifdef SYS_iopl
	{ SYS_iopl, 0 },
	{ SYS_ioperm, 0 },
	{ SYS_modify_ldt, 0 },
#endif
};

/* The kernel runs a new filter for each call that there is (seccomp_cache_prepare()): short ways pay. */
#define BLOCK	     8
#define AROUND_TAKEN 10
#define FILTER_MOST  (ARRAY_SIZE(taken) + ARRAY_SIZE(taken) / BLOCK + 1 + AROUND_TAKEN)
/* Jumps to the last two instructions, one of which allows and one refuses, until their distance is known. */
#define TO_ALLOW   254
#define TO_REFUSAL 255
_Static_assert(FILTER_MOST < TO_ALLOW, "jumps reach the end");

struct filter {
	struct sock_filter code[FILTER_MOST];
	unsigned short count;
};

static void emit(struct filter *filter, unsigned short code, uint32_t value, uint8_t if_true,
		 uint8_t if_false)
{
	filter->code[filter->count++] = (struct sock_filter){ code, if_true, if_false, value };
}

#define LOAD	 (BPF_LD | BPF_W | BPF_ABS)
#define EQUAL	 (BPF_JMP | BPF_JEQ | BPF_K)
#define AT_LEAST (BPF_JMP | BPF_JGE | BPF_K)
#define RETURN	 (BPF_RET | BPF_K)

/* In order. */
static size_t find_taken(unsigned calls, uint32_t numbers[ARRAY_SIZE(taken)])
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		size_t at = count;

		if (taken[i].unless & calls)
			continue;
		for (; at > 0 && numbers[at - 1] > taken[i].number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = taken[i].number;
		count++;
	}
	return count;
}

/* Looks in the one block in which a number can be. */
static void emit_taken(struct filter *filter, const uint32_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i += BLOCK) {
		size_t size = count - i < BLOCK ? count - i : BLOCK;

		if (i + size < count)
			emit(filter, AT_LEAST, numbers[i + size], (uint8_t)size, 0);
		for (size_t k = 0; k < size; k++)
			emit(filter, EQUAL, numbers[i + k], TO_REFUSAL,
			     k + 1 < size ? 0 : TO_ALLOW);
	}
}

static void set_jumps(struct filter *filter)
{
	for (unsigned short i = 0; i < filter->count; i++) {
		struct sock_filter *code = &filter->code[i];
		uint8_t last = (uint8_t)(filter->count - 2 - i);
		uint8_t *const ways[] = { &code->jt, &code->jf };

		if (BPF_CLASS(code->code) != BPF_JMP)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(ways); k++)
			if (*ways[k] >= TO_ALLOW)
				*ways[k] = *ways[k] == TO_REFUSAL ? last : (uint8_t)(last - 1);
	}
}

static void build(struct filter *filter, unsigned calls)
{
	uint32_t numbers[ARRAY_SIZE(taken)];
	size_t count = find_taken(calls, numbers);

	filter->count = 0;
	emit(filter, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	emit(filter, EQUAL, ARCHITECTURE, 0, TO_REFUSAL);
	emit(filter, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	emit(filter, AT_LEAST, FIRST_FOREIGN, TO_REFUSAL, 0);
	if (calls & CAGE_NETLINK) {
		/* its first argument, of which the lower half counts: little-endian */
		emit(filter, EQUAL, SYS_socket, 0, 2);
		emit(filter, LOAD, offsetof(struct seccomp_data, args[0]), 0, 0);
		emit(filter, EQUAL, AF_NETLINK, TO_ALLOW, TO_REFUSAL);
	}
	emit_taken(filter, numbers, count);
	emit(filter, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	emit(filter, RETURN, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	set_jumps(filter);
}

static void filter_calls(unsigned calls)
{
	struct filter filter;
	struct sock_fprog program;

	build(&filter, calls);
	program = (struct sock_fprog){ filter.count, filter.code };
	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else

static void filter_calls(unsigned calls)
{
	(void)calls;
}

#endif

void cage_enter(const struct cage *cage, unsigned calls)
{
	/* Without it neither is taken from who is not root; and nothing that is executed gains rights. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
		if (cage->fd >= 0)
			(void)syscall(SYS_landlock_restrict_self, cage->fd, 0);
		filter_calls(calls);
	}
}

const char *cage_lacks(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;
	bool files =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
	bool calls = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;

	if (files && calls)
		return NULL;
	return files   ? "system calls are not filtered: the kernel has no seccomp"
	       : calls ? "files are not confined: the kernel has no Landlock, or it is off"
		       : "nothing is confined: the kernel has neither Landlock nor seccomp";
}
