# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the two libraries Debian has no static archive of, libkmod and libpci, from the upstream
# tarballs of Debian's source packages into $(B)/deps. It builds nothing of this project.
#
#   make deps                   builds just these
#   make TARBALLS=DIR ...       takes the two .orig tarballs from DIR; nothing is downloaded
#   make DEPS_SUITE=NAME ...    the Debian suite the tarballs are fetched from (bookworm)
#
# One version is pinned for every Debian release, so that behaviour does not depend on where the
# program was built. DEPS_KMOD_SOURCE and DEPS_PCIUTILS_SOURCE are what Built-Using names.

B ?= build
TARBALLS ?=
DEPS_SUITE ?= bookworm
DEPS_APT ?= $(B)/deps/apt
DEPS_CC ?= $(CROSS)gcc
DEPS_JOBS ?= $(shell nproc)

DEPS_KMOD_SOURCE := 30+20221128-1
DEPS_KMOD_TARBALL := kmod_30+20221128.orig.tar.xz
DEPS_KMOD_SHA256 := 00bc9ae4f1f9e1bbc1266d838452865bc7c24271d0853939edbe3029ad22af4e
DEPS_PCIUTILS_SOURCE := 1:3.9.0-4
DEPS_PCIUTILS_TARBALL := pciutils_3.9.0.orig.tar.gz
DEPS_PCIUTILS_SHA256 := 8953a785b2e3af414434b8fdcbfb75c90758819631001e60dd3afb89b22b2331

# what building these and linking with them takes, beside make, a C compiler and its libc headers
DEPS_PACKAGES := autoconf automake libtool pkgconf xz-utils \
	libjansson-dev liblzma-dev libzstd-dev zlib1g-dev

DEPS := $(B)/deps/lib/libpci.a $(B)/deps/lib/libkmod.a
DEPS_CFLAGS := -isystem $(B)/deps/include
# libkmod is linked with all three compressions: a static program can load no library later
DEPS_LIBS := $(DEPS) -ljansson -llzma -lzstd -lz

# Flags of the libraries alone: a sanitizer's or a fuzzer's flags and compiler do not reach them.
deps_cflags = -O2 -ffunction-sections -fdata-sections -fPIE -fstack-protector-strong \
	-D_FORTIFY_SOURCE=2 -ffile-prefix-map=$(abspath $(B)/deps/src)=/usr/src
# The environment is emptied for the same reason, and to build the same bytes for everyone.
deps_env = env -i PATH="$$PATH" HOME="$$HOME" LC_ALL=C TZ=UTC $(deps_cross_env)
# CROSS=aarch64-linux-gnu-: for another machine, whose libraries Debian has beside this one's
deps_machine := $(patsubst %-,%,$(CROSS))
deps_cross_env := $(if $(CROSS),PKG_CONFIG_LIBDIR=/usr/lib/$(deps_machine)/pkgconfig)
deps_dir := $(dir $(lastword $(MAKEFILE_LIST)))

# $(call deps_build,PACKAGE,TARBALL,SHA256,FOLDER IN THE TARBALL,COMMANDS)
# A tarball is checked where it comes from, and a bad one is never kept: the next make asks again.
define deps_build
@set -eu; \
deps=$(abspath $(B)/deps); log=$(B)/deps/$(1).log; src=$$deps/src/$(strip $(4)); \
check() { \
	found=$$(sha256sum <"$$1" | cut -d ' ' -f 1); \
	[ "$$found" = $(3) ] && return; \
	echo "deps: '$$1' is not the tarball that was pinned:" >&2; \
	echo "deps: SHA-256 expected $(3)" >&2; \
	echo "deps: SHA-256 found    $$found" >&2; \
	return 1; \
}; \
mkdir -p $$deps/tarballs $$deps/src $$deps/include $$deps/lib; \
if [ -n '$(TARBALLS)' ]; then \
	tarball='$(TARBALLS)/$(2)'; \
	[ -r "$$tarball" ] || { echo "deps: there is no file '$$tarball'" >&2; exit 1; }; \
	check "$$tarball"; \
else \
	tarball=$$deps/tarballs/$(2); \
	if ! [ -e $$tarball ] || ! check $$tarball; then \
		echo 'deps: fetching $(2)'; \
		rm -rf $$tarball $$tarball.new; \
		mkdir $$tarball.new; \
		apt=$(abspath $(deps_dir)tools/apt); \
		(cd $$tarball.new && $$apt $(abspath $(DEPS_APT)) $(DEPS_SUITE) orig $(1)); \
		if ! [ -e $$tarball.new/$(2) ]; then \
			echo "deps: suite '$(DEPS_SUITE)' has no '$(2)', but:" $$(ls $$tarball.new) >&2; \
			exit 1; \
		fi; \
		check $$tarball.new/$(2); \
		mv $$tarball.new/$(2) $$tarball; \
		rm -rf $$tarball.new; \
	fi; \
fi; \
echo 'deps: $(strip $(4))'; \
rm -rf $$src; \
if ! (tar -C $$deps/src -xf "$$tarball" && cd $$src && $(5)) >$$log 2>&1; then \
	tail -n 30 $$log >&2; \
	echo "deps: cannot build $(strip $(4)), the whole log is '$$log'" >&2; \
	echo "deps: Debian packages needed: $(DEPS_PACKAGES)" >&2; \
	exit 1; \
fi; \
rm -rf $$src
endef

# gtk-doc is not needed, only the file its gtkdocize would make (upstream's autogen.sh does the same)
deps_kmod_folder := kmod-30+20221128
deps_kmod = \
	touch libkmod/docs/gtk-doc.make && \
	$(deps_env) autoreconf --force --install && \
	$(deps_env) ./configure $(if $(CROSS),--host=$(deps_machine)) CC='$(DEPS_CC)' CFLAGS='$(deps_cflags)' \
		--prefix=/usr --sysconfdir=/etc --with-xz --with-zstd --with-zlib --without-openssl \
		--disable-tools --disable-manpages --disable-test-modules --disable-dependency-tracking && \
	$(deps_env) make -j$(DEPS_JOBS) V=1 shared/libshared.la libkmod/libkmod-internal.la && \
	install -m 644 libkmod/libkmod.h $$deps/include/ && \
	rm -f $$deps/lib/libkmod.a && \
	$(CROSS)ar rcsD $$deps/lib/libkmod.a.new libkmod/.libs/*.o shared/.libs/*.o && \
	mv $$deps/lib/libkmod.a.new $$deps/lib/libkmod.a

# IDSDIR is where Debian has pci.ids
deps_pciutils_folder := pciutils-3.9.0
deps_pciutils = \
	$(deps_env) make -j$(DEPS_JOBS) CC='$(DEPS_CC)' OPT='$(deps_cflags)' \
		PREFIX=/usr IDSDIR=/usr/share/misc $(if $(CROSS),HOST=$(deps_machine:%-gnu=%) \
		CROSS_COMPILE=$(CROSS)) \
		SHARED=no ZLIB=no DNS=no HWDB=no LIBKMOD=no lib/libpci.a && \
	mkdir -p $$deps/include/pci && \
	install -m 644 lib/config.h lib/header.h lib/pci.h lib/types.h $$deps/include/pci/ && \
	rm -f $$deps/lib/libpci.a && \
	$(CROSS)ar rcsD $$deps/lib/libpci.a.new lib/*.o && \
	mv $$deps/lib/libpci.a.new $$deps/lib/libpci.a

.PHONY: deps
deps: $(DEPS)

# Only this file is what they are made of: a pin that changes builds again, a tarball that was
# cleaned away does not.
$(B)/deps/lib/libkmod.a: $(deps_dir)deps.mk
	$(call deps_build,kmod,$(DEPS_KMOD_TARBALL),$(DEPS_KMOD_SHA256),\
		$(deps_kmod_folder),$(deps_kmod))

$(B)/deps/lib/libpci.a: $(deps_dir)deps.mk
	$(call deps_build,pciutils,$(DEPS_PCIUTILS_TARBALL),$(DEPS_PCIUTILS_SHA256),\
		$(deps_pciutils_folder),$(deps_pciutils))
