# SPDX-License-Identifier: LGPL-2.1-or-later
#
# vectl: one Makefile, read from top to bottom. `make help` lists the targets.
#
#   O=DIR         where everything built goes (default: build)
#   PREFIX=DIR    where it is installed (default: /usr/local); DESTDIR=DIR for packagers
#   D=1           warnings are errors, and the fault switch (VE_FAULT) is compiled in
#   SAN=LIST      sanitizers: SAN=address,undefined

O ?= build
PREFIX ?= /usr/local
DESTDIR ?=
bindir = $(PREFIX)/bin
libdir = $(PREFIX)/lib
includedir = $(PREFIX)/include
libexecdir = $(PREFIX)/libexec/vectl
datadir = $(PREFIX)/share/vectl
mandir = $(PREFIX)/share/man
VERSION = 0.1.0
SOVERSION = 0

# ---- what it needs: Debian package names, installed by `make deps` --------------------------------

DEPS_BUILD = gcc libc6-dev pkg-config libcap-dev libseccomp-dev libmnl-dev libcgroup-dev libjansson-dev libmd-dev libcrypt-dev
DEPS_RUN = nftables mmdebstrap busybox-static openssh-client
DEPS_TEST = libcmocka-dev bats jq python3-jsonschema iproute2 iputils-ping curl shellcheck mandoc strace

# ---- how it is built -------------------------------------------------------------------------------

CC = gcc
# V=1 shows the commands; else one short line a file.
Q = $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)' '$(2)')
PKGS = libcap libseccomp libmnl libcgroup jansson
PKG_CFLAGS := $(shell pkg-config --cflags libmnl jansson 2>/dev/null)
CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef -Wformat=2 \
	-Wno-format-nonliteral -Wno-missing-field-initializers -Wno-unused-parameter
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fstack-clash-protection -fcf-protection
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Ilib $(PKG_CFLAGS) $(WARN) $(HARDEN) $(CFLAGS) $(if $(D),-Werror -DVE_FAULTS) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all -U_FORTIFY_SOURCE) \
	-DVE_VERSION='"$(VERSION)"' -DVE_DATADIR='"$(datadir)"' -DVE_LIBEXECDIR='"$(libexecdir)"' -DVE_BINDIR='"$(bindir)"'
LDFLAGS_ALL = -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))

ROOMS = base sys model ns fs cg net sec run api
LIB_SRC := $(wildcard $(ROOMS:%=lib/%/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.pic.o)
LIBS = -lcap -lmnl -ljansson -ldl -l:libmd.a
CMD_SRC := $(wildcard cmd/*.c)
CMD_OBJ := $(CMD_SRC:%.c=$(O)/%.o)
MON_SRC := $(wildcard lib/run/monitor/*.c)
MON_OBJ := $(MON_SRC:%.c=$(O)/%.mon.o)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(O)/tests/unit/%)

POLICIES := $(patsubst templates/seccomp/%.policy,$(O)/share/seccomp/%.bpf,$(wildcard templates/seccomp/*.policy))

.DEFAULT_GOAL := all
.PHONY: all
all: $(O)/vectl $(O)/libve.so.$(SOVERSION) $(O)/libve.so $(O)/vectl-monitor $(O)/vectl-ended $(POLICIES) $(O)/share/.linked

# Changed flags rebuild everything: the stamp changes only when the flags do.
$(O)/flags: FORCE
	@mkdir -p $(O)
	@echo '$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS) $(LDFLAGS_ALL)' >$@
FORCE:

$(O)/pkgs:
	@mkdir -p $(O)
	@for p in $(PKGS); do pkg-config --exists $$p || { echo "vectl: the library '$$p' is missing: run 'make deps' (Debian: lib$${p#lib}-dev)" >&2; exit 1; }; done
	@touch $@

$(O)/%.pic.o: %.c $(O)/flags | $(O)/pkgs
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c $< -o $@

$(O)/%.o: %.c $(O)/flags | $(O)/pkgs
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIE -MMD -MP -c $< -o $@

# The monitor stays small: static, at fixed addresses (its text is shared by all monitors), no sanitizer
# (its children are the tenants' processes).
$(O)/%.mon.o: %.c $(O)/flags | $(O)/pkgs
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(filter-out -fsanitize=% -fno-sanitize-recover=all,$(ALL_CFLAGS)) -fno-pie -MMD -MP -c $< -o $@

$(O)/libve.so.$(SOVERSION): $(LIB_OBJ) lib/libve.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libve.so.$(SOVERSION) -Wl,--version-script=lib/libve.map -o $@ $(LIB_OBJ) $(LDFLAGS_ALL) $(LIBS)
$(O)/libve.so: $(O)/libve.so.$(SOVERSION)
	$(call say,LN,$@)
	$(Q)ln -sf libve.so.$(SOVERSION) $@
# Everything of the library with nothing hidden, for the unit tests only.
$(O)/libve-test.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/vectl: $(CMD_OBJ) $(O)/libve.so
	$(call say,LD,$@)
	$(Q)$(CC) -pie -o $@ $(CMD_OBJ) $(LDFLAGS_ALL) -L$(O) -lve -Wl,-rpath,'$$ORIGIN' -Wl,-rpath,'$$ORIGIN/../lib'

$(O)/vectl-ended: cmd/ended/main.c $(O)/libve.so $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIE -pie -o $@ $< $(LDFLAGS_ALL) -L$(O) -lve -Wl,-rpath,'$$ORIGIN' -Wl,-rpath,'$$ORIGIN/../../lib'

$(O)/vectl-monitor: $(MON_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) -static -no-pie -o $@ $(MON_OBJ) -Wl,-z,relro,-z,now,--gc-sections $(LDFLAGS)

# Seccomp policies are data; the compiler for them runs at build time only (an allow list takes milliseconds).
$(O)/policyc: tools/policyc.c lib/sec/seccomp.h $(O)/flags | $(O)/pkgs
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $< $(LDFLAGS_ALL) -lseccomp
$(O)/share/seccomp/%.bpf: templates/seccomp/%.policy $(O)/policyc
	@mkdir -p $(@D)
	$(call say,POLICY,$@)
	$(Q)$(O)/policyc $< $@

# The build tree looks like the installed data directory, so that tests run against it (VECTL_DATADIR=$(O)/share).
$(O)/share/.linked: Makefile
	@mkdir -p $(O)/share
	$(call say,LN,$@)
	$(Q)for d in ve recipes nft schema; do ln -sfn $(CURDIR)/templates/$$d $(O)/share/$$d; done
	@touch $@

# ---- tests -----------------------------------------------------------------------------------------

$(O)/tests/unit/%: tests/unit/%.c $(O)/libve-test.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(O)/libve-test.a $(LDFLAGS_ALL) -lcmocka $(LIBS)
# What runs inside VEs, or under a filter, is static or plain: no sanitizer gets in its way.
PLAIN_CFLAGS = $(filter-out -fsanitize=% -fno-sanitize-recover=all,$(ALL_CFLAGS))
PROBE_SRC := $(wildcard tests/probe/*.c)
$(O)/probe: $(PROBE_SRC) $(wildcard tests/probe/*.h) $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $(PROBE_SRC) -lcap
$(O)/hide: tests/e2e/hide.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -o $@ $<
$(O)/tests/e2e/%: tests/e2e/%.c $(O)/libve-test.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(O)/libve-test.a $(LDFLAGS_ALL) $(LIBS)
TEST_PROGRAMS = $(O)/policyc $(O)/probe $(O)/hide $(O)/tests/e2e/net_driver

.PHONY: unit
unit: $(UNIT_BIN) $(POLICIES) $(TEST_PROGRAMS)
	@for t in $(UNIT_BIN); do O=$(abspath $(O)) $$t || exit 1; done

.PHONY: print-deps deps clean help
print-deps:
	@echo $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)
clean:
	rm -rf $(O)
help:
	@echo 'all (default), unit, check, check-vm, bench, quickstart, quickstart-clean, deps, install, clean'

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(MON_OBJ:.o=.d) $(UNIT_BIN:=.d)
