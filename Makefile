# SPDX-License-Identifier: GPL-2.0-or-later
# pve-vfio: see README.md. The targets:
#
#   make            build/pve-vfio-hook and build/pve-vfio, static; installs what that takes
#   make demo       starts and stops a VM with a passed-through device, inside a test VM
#   make deb        build/pve-vfio_VERSION_amd64.deb, the same bytes wherever and whenever
#   make release KEY=ID [DEBS="..."]   build/release: the packages, the programs alone, checksums, a
#                   list of what is linked in (SPDX), and a signed apt repository: tools/release
#   make install    into DESTDIR, as the package has it
#   make check      every test
#   make bench      how fast, beside what one would use instead: 20 minutes, prints a table
#   make check-unit, check-fake, check-model, check-cli, check-fuzz, check-html, check-vm, check-boot,
#   check-package   one kind; the last builds the package twice, installs, upgrades and removes it
#   make check-arm64, check-suites   not in check: the package for arm64, and the unit and cli tests under
#                   qemu-user; the package built twice in a fresh Debian 12 and 13
#   make torture    everything fails once: each system call and allocation, each access waits, each point is
#                   killed, and seeded faults are noticed; by hand, for it takes hours
#   make mutants    MUTANTS=N faults, seeded into lib/change and lib/check: which no test notices
#   make coverage   how many lines of lib/ the unit, fake and cli tests run; fails below 90 %
#   make fuzz       fuzzes each parser for FUZZ_SECONDS; what it finds lands in build/fuzz
#   make pictures   the pictures of the README anew, from what the programs print
#   make web        build/web.html: pictures and all manuals on one page for a browser
#   make lint       formatting, static analysis, scripts, and the order of the rooms
#   make format     formats the sources
#   make clean      removes build/, but for what was downloaded; make distclean all of it
#
# and the knobs:
#
#   D=asan          a dynamic build with the address and undefined behaviour sanitizers
#   D=cov           one that counts which lines are run
#   D=fuzz          the same for libFuzzer, with clang
#   BENCH="ROW=N.." the rows of the bench, and how often each (tests/bench/run)
#   FUZZ_SECONDS=N  how long a parser is fuzzed (60)
#   D=plain         the tests without any of these
#   CROSS=PREFIX    the compiler and linker of another machine: CROSS=aarch64-linux-gnu-
#   V=1             shows the commands
#   TARBALLS=DIR    takes the tarballs of libkmod and libpci from DIR: no network
#   WERROR=1        makes warnings errors, as CI does
#   B=DIR           builds there (build)

B ?= build
D ?=
V ?=
WERROR ?= $(if $(CI),1)

VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
DATE := $(shell date -u +%Y-%m-%d -d "$$(sed -n '/^ -- /{s/.*>  //p;q}' debian/changelog)")

all: programs manuals
programs: $(B)/pve-vfio-hook $(B)/pve-vfio

include deps.mk

Q := $(if $(V),,@)
SAY := $(if $(V),@:,@printf '  %-6s %s\n')

# One folder of objects a variant, so that they never mix.
O := $(B)/obj$(if $(D),-$(D))

CROSS ?=
CC = $(CROSS)gcc
AR = $(CROSS)ar
# Runs what was built: the manual page of the checks is made from what the program lists.
RUN = $(if $(CROSS),qemu-$(firstword $(subst -, ,$(CROSS)))-static)
WARNINGS := -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wundef -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wlogical-op \
	-Wduplicated-cond -Wswitch-enum -Wimplicit-fallthrough=5 -Wnull-dereference \
	-Wconversion -Wsign-conversion $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -Ilib -I. $(DEPS_CFLAGS) -DPVE_VFIO_VERSION=\"$(VERSION)\" \
	-DKMOD_VERSION=\"$(firstword $(subst +, ,$(DEPS_KMOD_SOURCE)))\"
OURS := -std=c11 $(WARNINGS) -fstack-protector-strong -ffunction-sections -fdata-sections -fPIE \
	-ffile-prefix-map=$(CURDIR)=.
LINK := -Wl,--gc-sections -Wl,-z,relro,-z,now
# Debian's own library of the other machine, before the copy that comes with the compiler.
LINK += $(if $(CROSS),-B/usr/lib/$(CROSS:%-=%) -L/usr/lib/$(CROSS:%-=%))
ifeq ($(D),asan)
OURS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK += -fsanitize=address,undefined -pie
else ifeq ($(D),fuzz)
CC = clang
OURS += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Wno-unknown-warning-option
LINK += -fsanitize=fuzzer,address,undefined -pie
else ifeq ($(D),cov)
OURS += --coverage
LINK += --coverage -Wl,--wrap=_exit,--wrap=cage_enter
CFLAGS := -O0 -g
else ifeq ($(D),plain)
OURS += -D_FORTIFY_SOURCE=2
else
OURS += -D_FORTIFY_SOURCE=2 -fstack-clash-protection -fno-asynchronous-unwind-tables
# relative relocations packed: a tenth of their size, and less to do at each start
LINK += -static-pie -Wl,-z,pack-relative-relocs
endif
# The tests link cmocka, of which Debian has no static archive.
LINK_TEST := $(LINK) $(if $(filter cov plain,$(D)),-pie)
LINK += $(if $(filter cov,$(D)),-static-pie)

LIB := $(sort $(wildcard lib/*/*.c))
HOOK := $(sort $(wildcard hook/*.c))
SETUP := $(sort $(wildcard setup/*.c setup/*/*.c))
LIB_O := $(LIB:%.c=$(O)/%.o)

BUILD_PACKAGES := gcc libc6-dev $(DEPS_PACKAGES)
TEST_PACKAGES := libcmocka-dev pciutils kmod perl python3-jsonschema strace valgrind
VM_PACKAGES := qemu-system-x86 qemu-utils seabios ipxe-qemu ovmf busybox-static cpio xz-utils kmod \
	pciutils iproute2 strace perl dmsetup fdisk e2fsprogs gcc systemd
BOOT_PACKAGES := mmdebstrap mtools dosfstools e2fsprogs fdisk zstd qemu-system-x86 seabios ovmf strace
BENCH_PACKAGES := driverctl libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients dpdk
COVERAGE_PACKAGES := gcovr
MODEL_PACKAGES := spin gcc libc6-dev
HTML_PACKAGES := chromium fonts-dejavu-core perl
LINT_PACKAGES := clang clang-format clang-tidy codespell cppcheck shellcheck
DEB_PACKAGES := debhelper dpkg-dev
RELEASE_PACKAGES := $(DEB_PACKAGES) apt-utils gpg gpg-agent perl
PACKAGE_PACKAGES := $(RELEASE_PACKAGES) build-essential lintian mmdebstrap debian-archive-keyring \
	ansible-core python3-yaml
# the manuals and completions
TEST_PACKAGES += mandoc bash-completion zsh

# $(call packages,NAME,PACKAGES): a stamp; the packages are looked at again when the list changes.
define packages
$(B)/packages/$(1): Makefile deps.mk tools/packages
	$$(Q)tools/packages $(2)
	$$(Q)mkdir -p $$(@D) && touch $$@
endef
$(eval $(call packages,build,$(BUILD_PACKAGES)))
$(eval $(call packages,test,$(TEST_PACKAGES)))
$(eval $(call packages,deb,$(DEB_PACKAGES)))
$(eval $(call packages,release,$(RELEASE_PACKAGES)))
$(eval $(call packages,package,$(PACKAGE_PACKAGES)))
$(eval $(call packages,vm,$(VM_PACKAGES)))
$(eval $(call packages,bench,$(BENCH_PACKAGES)))
$(eval $(call packages,boot,$(BOOT_PACKAGES)))
$(eval $(call packages,html,$(HTML_PACKAGES)))
$(eval $(call packages,coverage,$(COVERAGE_PACKAGES)))
$(eval $(call packages,lint,$(LINT_PACKAGES)))
$(eval $(call packages,model,$(MODEL_PACKAGES)))

$(DEPS): | $(B)/packages/build

$(O)/%.o: %.c Makefile | $(B)/packages/build $(DEPS)
	$(SAY) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(OURS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/lib/report/version.o: debian/changelog
# The known troubles, an entry a line: a start parses those of its devices' vendors alone.
$(O)/quirks.lines: share/quirks.json
	$(Q)mkdir -p $(@D)
	$(Q)tr -d '\t\n' <$< | sed 's/^{"format": 2,"quirks": \[//; s/\]}$$//; s/},{"id"/}\n{"id"/g' >$@
$(O)/lib/check/quirks_data.o: $(O)/quirks.lines
$(O)/lib/check/quirks_data.o: OURS += -Wa,-I$(O)

$(O)/libpve-vfio.a: $(LIB_O)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(O)/pve-vfio-hook: $(HOOK:%.c=$(O)/%.o) $(O)/libpve-vfio.a $(DEPS)
$(O)/pve-vfio: $(SETUP:%.c=$(O)/%.o) $(O)/libpve-vfio.a $(DEPS)
$(O)/pve-vfio-hook $(O)/pve-vfio:
	$(SAY) LINK $@
	$(Q)$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -Wl,-Map=$@.map -o $@ $(filter %.o,$^) $(O)/libpve-vfio.a $(DEPS_LIBS)

# What is shipped carries no symbols; those are beside it, for a debugger.
$(B)/pve-vfio-hook $(B)/pve-vfio: $(B)/%: $(O)/%
	$(SAY) STRIP $@
	$(Q)$(CROSS)objcopy --only-keep-debug $< $@.debug
	$(Q)$(CROSS)strip --remove-section=.comment -o $@ $<

-include $(shell find $(O) -name '*.d' 2>/dev/null)

# ---- manuals and the package

MANUALS := $(addprefix $(B)/man/,$(notdir $(wildcard share/man/*.[1-9]))) $(B)/man/pve-vfio-checks.7

manuals: $(MANUALS)

# Date and version of a page are the changelog's.
dated = sed '/^\.TH /s/"" "pve-vfio"/"$(DATE)" "pve-vfio $(VERSION)"/'

$(B)/man/%: share/man/% debian/changelog Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(dated) $< >$@

# Its lists are the tables in lib/check/finding.c and lib/doctor/verdict_ids.c, and share/quirks.json.
$(B)/man/pve-vfio-checks.7: share/man/pve-vfio-checks.7.in tools/man-checks $(B)/pve-vfio Makefile
	$(Q)mkdir -p $(@D)
	$(Q)tools/man-checks '$(RUN) $(B)/pve-vfio' $< >$@.new
	$(Q)$(dated) $@.new >$@ && rm $@.new

install: all
	$(Q)install -D -m 755 $(B)/pve-vfio-hook $(DESTDIR)/usr/libexec/pve-vfio/pve-vfio-hook
	$(Q)install -D -m 755 $(B)/pve-vfio $(DESTDIR)/usr/sbin/pve-vfio
	$(Q)for page in $(MANUALS); do \
		install -D -m 644 $$page $(DESTDIR)/usr/share/man/man$${page##*.}/$${page##*/} || exit; \
	done
	$(Q)install -D -m 644 share/completion/pve-vfio.bash \
		$(DESTDIR)/usr/share/bash-completion/completions/pve-vfio
	$(Q)install -D -m 644 share/completion/_pve-vfio \
		$(DESTDIR)/usr/share/zsh/vendor-completions/_pve-vfio
	$(Q)cd share/example && find . -type f | while read -r example; do \
		install -D -m 644 $$example \
			$(DESTDIR)/usr/share/doc/pve-vfio/examples/$$example || exit; \
	done
	$(Q)for unit in share/systemd/*; do \
		install -D -m 644 $$unit $(DESTDIR)/usr/lib/systemd/system/$${unit##*/} || exit; \
	done
	$(Q)install -D -m 644 share/schema.json $(DESTDIR)/usr/share/pve-vfio/schema.json

# debhelper is told everything anew; the programs are made by this Makefile either way.
deb: all $(B)/packages/deb
	$(SAY) DEB 'pve-vfio $(VERSION)'
	$(Q)rm -rf debian/pve-vfio debian/.debhelper debian/files debian/*.substvars \
		debian/*.log debian/debhelper-build-stamp
	$(Q)log=$(B)/deb.log; env -u MAKEFLAGS LC_ALL=C \
		debian/rules B=$(B) DESTINATION=$(B) binary >$$log 2>&1 || { cat $$log >&2; exit 1; }
	$(Q)rm -rf debian/pve-vfio debian/.debhelper debian/files debian/*.substvars \
		debian/*.log debian/debhelper-build-stamp

# KEY signs the repository: what 'gpg --local-user' takes. DEBS are more packages for it, of other
# versions and machines.
KEY ?=
DEBS ?=
release: deb $(B)/packages/release
	$(Q)tools/release '$(KEY)' $(B)/release $(B)/pve-vfio_$(VERSION)_*.deb $(DEBS)

# ---- tests

UNIT := $(sort $(wildcard tests/unit/test_*.c))
FAKE := $(sort $(wildcard tests/fake/test_*.c))
PHASES := $(filter-out hook/main.c,$(HOOK))
SUPPORT := $(sort $(filter-out tests/fake/test_%,$(wildcard tests/fake/*.c))) tests/block/fault.c

# Tests always run with the sanitizers, which is where D=asan objects come from, or to be counted.
# What they are built from is built on both cores, unless it is said on how many.
JOBS := $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j 2)
ifeq ($(filter asan cov plain,$(D)),)
check-unit check-fake: | $(B)/packages/build $(B)/packages/test $(DEPS)
	$(Q)$(MAKE) $(JOBS) --no-print-directory D=asan $@
else
$(UNIT:%.c=$(O)/%.o) $(FAKE:%.c=$(O)/%.o) $(SUPPORT:%.c=$(O)/%.o): | $(B)/packages/test
$(O)/tests/unit/test_%: $(O)/tests/unit/test_%.o $(O)/libpve-vfio.a
	$(Q)$(CC) $(LINK_TEST) $(CFLAGS) -o $@ $(filter %.o,$^) $(O)/libpve-vfio.a $(DEPS_LIBS) -lcmocka
$(O)/tests/fake/test_%: $(O)/tests/fake/test_%.o $(SUPPORT:%.c=$(O)/%.o) $(PHASES:%.c=$(O)/%.o) $(O)/libpve-vfio.a
	$(Q)$(CC) $(LINK_TEST) $(CFLAGS) -o $@ $(filter %.o,$^) $(O)/libpve-vfio.a $(DEPS_LIBS) -lcmocka
# The same, and allocations of lib/ fail: ALLOC_FAIL=N in the environment, or tests/alloc/alloc.h.
ALLOCATES := $(foreach name,malloc calloc realloc strdup strndup asprintf vasprintf,\
	--redefine-sym $(name)=alloc_$(name))
$(O)/alloc/libpve-vfio.a: $(O)/libpve-vfio.a
	$(Q)mkdir -p $(@D)
	$(Q)objcopy $(ALLOCATES) $< $@
$(O)/alloc/hook/%.o: $(O)/hook/%.o
	$(Q)mkdir -p $(@D)
	$(Q)objcopy $(ALLOCATES) $< $@
$(O)/alloc/test_%: $(O)/tests/unit/test_%.o $(O)/tests/alloc/alloc.o $(O)/alloc/libpve-vfio.a
	$(Q)$(CC) $(LINK_TEST) $(CFLAGS) -o $@ $(filter %.o,$^) $(O)/alloc/libpve-vfio.a $(DEPS_LIBS) -lcmocka
alloc-programs: $(UNIT:tests/unit/%.c=$(O)/alloc/%)
$(O)/tests/fake/test_faults: $(O)/tests/fake/test_faults.o $(SUPPORT:%.c=$(O)/%.o) $(PHASES:%.c=$(O)/alloc/%.o) \
		$(O)/tests/alloc/alloc.o $(O)/alloc/libpve-vfio.a
	$(Q)$(CC) $(LINK_TEST) $(CFLAGS) -o $@ $(filter %.o,$^) $(O)/alloc/libpve-vfio.a $(DEPS_LIBS) -lcmocka
# Those that use what an older kernel, or a filter of seccomp, refuses run once so, too.
REFUSED := $(patsubst %,$(O)/tests/unit/test_%,base_guard base_lanes base_process base_stream)
$(O)/tests/refused/refuse: $(O)/tests/refused/refuse.o
	$(Q)$(CC) $(LINK_TEST) $(CFLAGS) -o $@ $<
check-unit: $(UNIT:%.c=$(O)/%) $(O)/tests/refused/refuse
	$(Q)tests/run -j 2 $(UNIT:%.c=$(O)/%) $(REFUSED:%='$(O)/tests/refused/refuse %')
unit-programs: $(UNIT:%.c=$(O)/%)
# Its deadlines are those of a start: one at a time.
check-fake: $(FAKE:%.c=$(O)/%)
	$(Q)tests/run $^
endif

# How much of lib/ the unit, fake and cli tests run. A child ends with _exit(), which must count too;
# one that is killed does not. Left out are who may not write the counts, and what is not in this build.
COVERED := $(filter-out %/test-not-root %/test-manuals,$(sort $(wildcard tests/cli/test-*)))
ifeq ($(D),cov)
$(UNIT:%.c=$(O)/%) $(FAKE:%.c=$(O)/%): $(O)/tests/coverage/exit.o
$(O)/pve-vfio-hook $(O)/pve-vfio: $(O)/tests/coverage/exit.o
coverage: $(B)/packages/coverage $(B)/packages/test $(O)/pve-vfio-hook $(O)/pve-vfio
	$(Q)find $(O) -name '*.gcda' -delete
	$(Q)$(MAKE) --no-print-directory D=cov check-unit check-fake
	$(Q)B=$(CURDIR)/$(O) COUNTS=$(CURDIR)/$(O) tests/run $(COVERED)
	$(Q)gcovr --root . --filter 'lib/' --exclude-unreachable-branches --fail-under-line 90 \
		--print-summary --output $(B)/coverage.txt $(O)
else
coverage:
	$(Q)$(MAKE) --no-print-directory D=cov $@
endif

# The fuzz targets on their first inputs, with any compiler; and the fuzzing itself, with clang.
FUZZ := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60

$(B)/fuzz/corpus: $(wildcard tests/fuzz/corpus-*)
	$(Q)for script in $^; do $$script $@ || exit; done
	$(Q)touch $@

# Text is kept in the tree, bytes are made by a script.
first_inputs = $$(ls -d tests/fuzz/corpus/$(1) $(B)/fuzz/corpus/$(1) 2>/dev/null)

ifeq ($(D),asan)
$(O)/tests/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/replay.o $(O)/libpve-vfio.a
	$(Q)$(CC) $(LINK) $(CFLAGS) -o $@ $(filter %.o,$^) $(O)/libpve-vfio.a $(DEPS_LIBS)
check-fuzz-%: $(O)/tests/fuzz/fuzz_% $(B)/fuzz/corpus
	$(SAY) FUZZ $*
	$(Q)inputs=$$(find $(call first_inputs,$*) no-other -type f 2>/dev/null); \
		[ "$$inputs" ] || { echo 'fuzz_$* has no first input' >&2; exit 1; }; $< $$inputs
check-fuzz: $(FUZZ:tests/fuzz/fuzz_%.c=check-fuzz-%)
else ifeq ($(D),fuzz)
$(O)/tests/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/libpve-vfio.a
	$(Q)$(CC) $(LINK) $(CFLAGS) -o $@ $< $(O)/libpve-vfio.a $(DEPS_LIBS)
fuzz-%: $(O)/tests/fuzz/fuzz_% $(B)/fuzz/corpus
	$(SAY) FUZZ $*
	$(Q)mkdir -p $(B)/fuzz/$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 \
		-artifact_prefix=$(B)/fuzz/ $(B)/fuzz/$* $(call first_inputs,$*) \
		>$(B)/fuzz/$*.log 2>&1 || { tail -n 50 $(B)/fuzz/$*.log; exit 1; }
	$(Q)grep '^Done ' $(B)/fuzz/$*.log
fuzz: $(FUZZ:tests/fuzz/fuzz_%.c=fuzz-%)
else
check-fuzz: | $(B)/packages/build $(DEPS)
	$(Q)$(MAKE) $(JOBS) --no-print-directory D=asan $@
fuzz:
	$(Q)$(MAKE) --no-print-directory D=fuzz $@
endif

# The shipped programs, with a stand-in for the one system call that valgrind does not know.
COUNTED := $(B)/bench/pve-vfio-hook $(B)/bench/pve-vfio
$(B)/bench/pve-vfio-hook: $(HOOK:%.c=$(O)/%.o)
$(B)/bench/pve-vfio: $(SETUP:%.c=$(O)/%.o)
$(COUNTED): $(O)/tests/bench/in-tree.o $(O)/libpve-vfio.a $(DEPS)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LINK) $(CFLAGS) -Wl,--wrap=syscall,--wrap=sysroot_open -o $@ $(filter %.o,$^) $(O)/libpve-vfio.a $(DEPS_LIBS)

# Lets an access to a file wait for ever: see tests/cli/test-block. Kills at a system call: test-turns-killed.
# Lets one fail: test-faults.
TRACERS := $(addprefix $(B)/tests/,hold kill fail)
$(B)/tests/fail: $(O)/tests/block/fault.o
$(TRACERS): $(B)/tests/%: $(O)/tests/block/%.o
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LINK) $(CFLAGS) -o $@ $^

check-cli: all $(COUNTED) $(TRACERS) $(B)/packages/test
	$(Q)tests/run -j 2 -t 900 $(sort $(wildcard tests/cli/test-*))

# Two test VMs side by side, each on one core. Each scenario on both kernels, but for those that ask no
# kernel much: they have a line "# suites: …" (by hand: tests/vm/scenario SUITE NAME); those with "either" run with
# one of the two, the other each day (EITHER="bookworm trixie": with both). And a Debian that pve-vfio
# sets up, started through each boot loader, and setup killed everywhere. What takes longest is first.
SUITES := bookworm trixie
EITHER := $(word $(shell expr $$(date +%s) / 86400 % 2 + 1),$(SUITES))
SCENARIOS := $(patsubst tests/vm/test-%,%,$(sort $(wildcard tests/vm/test-*)))
suites_of = $(patsubst either,$(EITHER),$(or $(shell sed -n 's/^. suites: //p' tests/vm/test-$(1)),$(SUITES)))
VM = $(foreach s,$(SCENARIOS),$(patsubst %,'tests/vm/scenario % $(s)',$(call suites_of,$(s)))) \
	tests/vm/host-use-disks tests/vm/host-use-rest tests/vm/rom-dump tests/vm/rom-firmware
BOOT := tests/vm/boot-loaders tests/vm/boot-kill
check-vm: all $(B)/packages/vm
	$(Q)tests/run -j 2 -t 2700 $(VM)
check-boot: all $(B)/packages/boot
	$(Q)tests/run -j 2 -t 2700 $(BOOT)
check-machines: all $(B)/packages/vm $(B)/packages/boot
	$(Q)tests/run -j 2 -t 2700 $(BOOT) $(VM)

# The page of 'pve-vfio report --html' in a browser; PICTURES=DIR keeps what it looks like.
check-html: all $(B)/packages/html $(B)/packages/test
	$(Q)tests/run tests/html/test-page

# The sample of faults that a check takes: a seed that is known to find nothing, until 'make torture' as a whole
# finds nothing; then one for each commit.
export FAULT_SEED ?= 62613453

# Not in check, of which samples are: everything, once. FAULTS=N: each Nth system call and allocation.
FAULTS ?= 1
MUTANTS ?= 300
MUTANT_SEED ?= $(shell date +%s)
torture: all $(TRACERS) $(B)/packages/test
	$(Q)FAULTS=$(FAULTS) tests/run -t 36000 tests/cli/test-faults
	$(Q)$(MAKE) $(JOBS) --no-print-directory D=asan torture-asan
	$(Q)BLOCK=1 KILL_EVERY=1 tests/run -t 36000 tests/cli/test-block tests/cli/test-turns-killed
	$(Q)$(MAKE) --no-print-directory mutants
ifeq ($(D),asan)
torture-asan: $(O)/tests/fake/test_faults alloc-programs
	$(Q)FAULTS=$(FAULTS) tests/run -t 36000 $<
	$(Q)tests/alloc/each $(if $(filter 1,$(FAULTS)),0,12) $(MUTANT_SEED) $(UNIT:tests/unit/%.c=$(O)/alloc/%)
endif
mutants: $(DEPS) $(B)/obj/quirks.lines | $(B)/packages/test
	$(Q)rm -rf $(B)/mutants
	$(Q)tests/mutants/run $(B)/mutants $(MUTANTS) $(MUTANT_SEED) '$(CPPFLAGS) -Wa,-I$(B)/obj' \
		'$(DEPS) -Wl,--no-whole-archive $(filter -l%,$(DEPS_LIBS))'

check: check-unit check-fake check-model check-cli check-fuzz check-html check-machines check-package

# The model of journals, locks and watches.
check-model: $(B)/packages/model
	$(Q)tests/run -t 600 tests/model/test-model

# Builds the package twice, and installs, upgrades, removes and purges it in trees of both suites.
check-package: deb $(B)/packages/package
	$(Q)tests/run -t 1800 tests/package/test-build tests/package/test-release \
		tests/package/test-automation $(SUITES:%='tests/package/test-install %')

# By hand, for they take long: some ten minutes each.
check-arm64: all $(B)/packages/package $(B)/packages/test
	$(Q)tests/run -t 3600 tests/package/test-arm64
check-suites: deb $(B)/packages/package
	$(Q)tests/run -t 3600 $(SUITES:%='tests/package/test-suite %')

# Beside the floor and the peers, in the test VM and natively. BENCH: see tests/bench/run.
BENCH_PROGRAMS := $(addprefix $(B)/bench/,floor timed true parse)
$(BENCH_PROGRAMS): $(B)/bench/%: $(O)/tests/bench/%.o $(O)/libpve-vfio.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LINK) $(CFLAGS) -o $@ $< $(O)/libpve-vfio.a

bench: all $(COUNTED) $(BENCH_PROGRAMS) $(B)/packages/vm $(B)/packages/test $(B)/packages/bench
	$(Q)tests/bench/run $(BENCH)

demo: all $(B)/packages/vm
	$(Q)tests/vm/demo

# Those of the README anew, from what the programs print now.
pictures: all $(COUNTED)
	$(Q)tests/cli/test-pictures --write

# The manuals and the pictures on one page.
web: all $(B)/packages/test
	$(SAY) WEB $(B)/web.html
	$(Q)tools/web $(B)/pve-vfio $(MANUALS) >$(B)/web.html.new && mv $(B)/web.html.new $(B)/web.html

# ---- lint

SOURCES = $(shell git ls-files -co --exclude-standard '*.c' '*.h' ':!tests/vm/mod')
SCRIPTS = $(shell git grep -lE --untracked '^\#!/bin/(ba)?sh' -- . )

# What tests misspell on purpose, and words of troff and of a program's output.
NOT_MISSPELT := alow,atach,bu,chek,nd,nin,templat,tread

lint: $(B)/packages/lint $(B)/packages/test $(DEPS)
	$(SAY) LINT 'clang-format'
	$(Q)clang-format --dry-run --Werror $(SOURCES)
	$(SAY) LINT 'the order of the rooms'
	$(Q)tools/rooms
	$(SAY) LINT shellcheck
	$(Q)shellcheck -x -P SCRIPTDIR $(SCRIPTS)
	$(SAY) LINT cppcheck
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 -j 2 --suppress=missingInclude --suppress=memleak -Ilib -I. \
		-D_GNU_SOURCE lib hook setup
	$(SAY) LINT codespell
	$(Q)codespell --quiet-level 3 --ignore-words-list $(NOT_MISSPELT) \
		$$(git ls-files -- ':!tests/cli/golden' ':!tests/cli/starts' ':!share/picture' \
			':!tests/fuzz/corpus')
	$(SAY) LINT clang
	$(Q)printf '%s\n' $(LIB) $(HOOK) $(SETUP) | xargs -P 2 -n 40 clang -std=c11 -fsyntax-only \
		$(filter-out -Wlogical-op -Wduplicated-cond -Wimplicit-fallthrough=5,$(WARNINGS)) \
		-Werror $(CPPFLAGS)
	$(SAY) LINT clang-tidy
	$(Q)printf '%s\n' $(LIB) $(HOOK) $(SETUP) | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet \
		--warnings-as-errors="*" "$$@" -- -std=c11 $(CPPFLAGS) 2>/dev/null' sh

format:
	clang-format -i $(SOURCES)

clean:
	find $(B) -mindepth 1 -maxdepth 1 ! -name deps ! -name vm ! -name apt -exec rm -rf {} +

distclean:
	rm -rf $(B)

.PHONY: check-model torture torture-asan mutants alloc-programs all programs manuals install deb release check unit-programs check-arm64 check-suites check-unit check-fake check-cli check-fuzz check-html \
	check-vm check-boot check-machines check-package coverage fuzz bench demo pictures web lint format clean distclean
.SECONDARY:
.DELETE_ON_ERROR:
