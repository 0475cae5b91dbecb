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

DEPS_BUILD = gcc make libc6-dev musl-tools pkg-config libcap-dev libseccomp-dev libmnl-dev libcgroup-dev libjansson-dev libmd-dev libcrypt-dev libbpf-dev clang
DEPS_RUN = nftables libbpf1 mmdebstrap busybox-static openssh-client curl e2fsprogs
DEPS_TEST = libcmocka-dev bats jq python3-jsonschema iproute2 iputils-ping curl shellcheck mandoc strace socat util-linux \
	bsdextrautils procps g++ openssh-client iperf3 btrfs-progs iptables rsync
DEPS_VM = qemu-system-x86 qemu-utils mmdebstrap e2fsprogs
DEPS_BENCH = crun runc bubblewrap systemd-container lxc jq iproute2 iperf3 socat fio stress-ng btrfs-progs

# ---- how it is built -------------------------------------------------------------------------------

CC = gcc
# The monitor's (below). MON_CC=gcc makes one with glibc, which does the same.
MON_CC = musl-gcc
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
# Our own programs: every library and every relocation that the dynamic linker need not care for is a part of each jail's
# life. (Debian has no static libmnl.)
PROGRAM_LIBS = -l:libcap.a -l:libjansson.a -l:libmd.a -lmnl -ldl
PROGRAM_LDFLAGS = -pie -Wl,-z,pack-relative-relocs -Wl,--gc-sections
CMD_SRC := $(wildcard cmd/*.c)
CMD_OBJ := $(CMD_SRC:%.c=$(O)/%.o)
# The ledger is the monitor's too: what it writes there, libve reads. So are both ends of a copy.
MON_SRC := $(wildcard lib/run/monitor/*.c) lib/model/ledger.c lib/sys/counters.c lib/sys/fastpath.c lib/sys/nlask.c lib/base/file.c $(wildcard lib/base/tree*.c)
MON_OBJ := $(MON_SRC:%.c=$(O)/%.mon.o)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(O)/tests/unit/%)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(FUZZ_SRC:tests/fuzz/%.c=$(O)/tests/fuzz/%)

POLICIES := $(patsubst templates/seccomp/%.policy,$(O)/share/seccomp/%.bpf,$(wildcard templates/seccomp/*.policy))

.DEFAULT_GOAL := all
.PHONY: all
all: $(O)/vectl $(O)/libve.so.$(SOVERSION) $(O)/libve.so $(O)/vectl-monitor $(O)/vectl-ended $(POLICIES) $(O)/share/bpf/fastpath.o $(O)/share/.linked

# Changed flags rebuild everything: the stamp changes only when the flags do.
$(O)/flags: FORCE
	@mkdir -p $(O)
	@echo '$(CC) $(MON_CC) $(ALL_CFLAGS) $(LDFLAGS_ALL)' | cmp -s - $@ || echo '$(CC) $(MON_CC) $(ALL_CFLAGS) $(LDFLAGS_ALL)' >$@
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
# (its children are the tenants' processes). And with musl: a fifth of what it is with glibc, and it starts without asking the
# processor what it is, which a virtual machine answers by an exit to its host each time, some thirty of them.
$(O)/%.mon.o: %.c $(O)/flags | $(O)/pkgs $(O)/kernel-headers
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(MON_CC) $(filter-out -fsanitize=% -fno-sanitize-recover=all,$(ALL_CFLAGS)) -idirafter $(O)/kernel-headers \
		-include lib/run/monitor/musl.h -fno-pie -MMD -MP -c $< -o $@

# Linux's headers without glibc's beside them.
$(O)/kernel-headers:
	@mkdir -p $@.new
	@asm=/usr/include/$$($(CC) -print-multiarch)/asm; [ -d "$$asm" ] || asm=/usr/include/asm; ln -sfn "$$asm" $@.new/asm
	@ln -sfn /usr/include/linux /usr/include/asm-generic $@.new
	@mv -T $@.new $@

$(O)/libve.so.$(SOVERSION): $(LIB_OBJ) lib/libve.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared -Wl,-soname,libve.so.$(SOVERSION) -Wl,--version-script=lib/libve.map -o $@ $(LIB_OBJ) $(LDFLAGS_ALL) $(LIBS)
$(O)/libve.so: $(O)/libve.so.$(SOVERSION)
	$(call say,LN,$@)
	$(Q)ln -sf libve.so.$(SOVERSION) $@
# The same objects as an archive: for the unit tests, which look inside, and for our own programs. These see <ve.h> only,
# like every other caller, but a jail's whole life is some milliseconds, of which the dynamic linker would take a tenth.
$(O)/libve.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/vectl: $(CMD_OBJ) $(O)/libve.a
	$(call say,LD,$@)
	$(Q)$(CC) $(PROGRAM_LDFLAGS) -o $@ $(CMD_OBJ) $(O)/libve.a $(LDFLAGS_ALL) $(PROGRAM_LIBS)

$(O)/vectl-ended: cmd/ended/main.c $(O)/libve.a $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fPIE $(PROGRAM_LDFLAGS) -o $@ $< $(O)/libve.a $(LDFLAGS_ALL) $(PROGRAM_LIBS)

$(O)/vectl-monitor: $(MON_OBJ)
	$(call say,LD,$@)
	$(Q)$(MON_CC) -static -no-pie -o $@ $(MON_OBJ) -Wl,-z,relro,-z,now,--gc-sections $(LDFLAGS)

# Seccomp policies are data; the compiler for them runs at build time only (an allow list takes milliseconds).
$(O)/policyc: tools/policyc.c tools/calltree.c tools/calltree.h lib/sec/seccomp.h $(O)/flags | $(O)/pkgs
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c,$^) $(LDFLAGS_ALL) -lseccomp
$(O)/share/seccomp/vps-quota.bpf: templates/seccomp/vps.policy # which it is like
$(O)/share/seccomp/%.bpf: templates/seccomp/%.policy $(O)/policyc
	@mkdir -p $(@D)
	$(call say,POLICY,$@)
	$(Q)$(O)/policyc $< $@

# The fast path's programs, for the kernel's own machine. -g: libbpf makes the tables by their types. gcc is asked where Linux's
# headers are.
CLANG = clang
$(O)/share/bpf/%.o: lib/net/bpf/%.bpf.c lib/sys/fastpath.h $(O)/flags
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) -target bpf -O2 -g -Wall -Wextra -Werror -Ilib -I/usr/include/$$($(CC) -print-multiarch) -c $< -o $@

# The build tree looks like the installed data directory, so that tests run against it (VECTL_DATADIR=$(O)/share).
$(O)/share/.linked: Makefile
	@mkdir -p $(O)/share
	$(call say,LN,$@)
	$(Q)for d in ve recipes nft schema modules; do ln -sfn $(CURDIR)/templates/$$d $(O)/share/$$d; done
	@touch $@

# ---- tests -----------------------------------------------------------------------------------------

$(O)/tests/unit/%: tests/unit/%.c $(O)/libve.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(O)/libve.a $(LDFLAGS_ALL) -lcmocka $(LIBS)
# A fuzz target with the main() that replays its corpus; FUZZER=1, with libFuzzer's (make fuzz).
FUZZ_MAIN = $(if $(FUZZER),,$(O)/tests/fuzz/replay.o)
$(FUZZ_BIN): %: %.o $(FUZZ_MAIN) $(O)/libve.a
	$(call say,LD,$@)
	$(Q)$(CC) $(if $(FUZZER),-fsanitize=fuzzer) -o $@ $^ $(LDFLAGS_ALL) $(LIBS)
# What runs inside VEs, or under a filter, is static or plain: no sanitizer gets in its way.
PLAIN_CFLAGS = $(filter-out -fsanitize=% -fno-sanitize-recover=all,$(ALL_CFLAGS))
PROBE_SRC := $(wildcard tests/probe/*.c)
$(O)/probe: $(PROBE_SRC) $(wildcard tests/probe/*.h) $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $(PROBE_SRC) -lcap
$(O)/frames: tests/e2e/frames.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $<
$(O)/hide: tests/e2e/hide.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -o $@ $<
$(O)/hide-kind.so: tests/e2e/hide_kind.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -fPIC -shared -o $@ $<
$(O)/storm: tests/e2e/storm.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $<
$(O)/tunnel: tests/e2e/tunnel.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $<
$(O)/fusefs: tests/e2e/fusefs.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $<
$(O)/askquota: tests/e2e/askquota.c $(O)/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(PLAIN_CFLAGS) -static -o $@ $<
$(O)/tests/e2e/%: tests/e2e/%.c $(O)/libve.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(O)/libve.a $(LDFLAGS_ALL) -lcmocka $(LIBS)
TEST_PROGRAMS = $(O)/policyc $(O)/probe $(O)/hide $(O)/hide-kind.so $(O)/frames $(O)/storm $(O)/tunnel $(O)/fusefs $(O)/askquota $(O)/tests/e2e/net_driver $(O)/tests/e2e/cgroup_test $(O)/tests/e2e/fastpath_maps

.PHONY: unit
unit: $(UNIT_BIN) $(POLICIES) $(TEST_PROGRAMS)
	@for t in $(UNIT_BIN); do O=$(abspath $(O)) $$t || exit 1; done

# ---- checks ----------------------------------------------------------------------------------------

# `make check` is everything that this machine can test: units twice (plain, and with sanitizers), structure, then the
# end-to-end suites with the test build (faults compiled in, warnings are errors). Each prints TAP; the last line counts.
CHECK_O = $(O)/check
SAN_O = $(O)/check-san
E2E := $(wildcard tests/e2e/*.bats)
CHECK = CHECK_O=$(abspath $(CHECK_O)) SAN_O=$(abspath $(SAN_O)) tests/check

.PHONY: check check-build check-vm e2e bench
check: deps-check
	@$(CHECK)

# One suite, or some: make e2e E2E=tests/e2e/run.bats
e2e:
	@$(MAKE) --no-print-directory O=$(CHECK_O) D=1 all test-programs
	@O=$(abspath $(CHECK_O)) bats $(E2E)

.PHONY: test-programs unit-programs fuzz-programs
test-programs: $(TEST_PROGRAMS)
unit-programs: $(UNIT_BIN) $(FUZZ_BIN)
fuzz-programs: $(FUZZ_BIN)

# libFuzzer looks for inputs that break what reads hostile text, FUZZ_SECONDS for each target (tests/fuzz/README.md). It comes with
# clang. One target: make fuzz FUZZ=users FUZZ_SECONDS=600
FUZZ ?= $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%)
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz:
	@command -v clang >/dev/null || { echo "make fuzz: clang is not here, which libFuzzer comes with: make deps" >&2; exit 69; }
	@$(MAKE) --no-print-directory O=$(O)/fuzz CC=clang WARN=-w FUZZER=1 SAN=fuzzer-no-link,address,undefined fuzz-programs
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(O)/fuzz $(FUZZ)

# The same suites in QEMU guests with systemd as pid 1 and pure cgroup v2: Debian 12 (6.1) and 13 (6.12), both at once.
# Emulated, a suite takes thirty times as long, so the two share them (tests/vm/README.md), and VM_PART=hour leaves out what
# an hour does not hold. Others: make check-vm VM12_TESTS=e2e/set.bats VM13_TESTS=vm/systemd.bats, or VECTL_VM_TESTS= for both.
check-vm: deps-vm
	@$(if $(VM_PART),VM_PART=$(VM_PART)) tests/vm/all

bench: deps-bench all $(O)/tests/e2e/net_driver
	@O=$(abspath $(O)) tests/bench/run

# ---- dependencies ----------------------------------------------------------------------------------

APT = DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0
# $(call need,PACKAGES): installs those that are missing; says nothing and asks no mirror where none is.
need = @missing=$$(for p in $(1); do dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || printf ' %s' $$p; done); \
	[ -z "$$missing" ] || { echo "installing:$$missing"; [ $$(id -u) = 0 ] || { echo 'this needs root' >&2; exit 77; }; \
	$(APT) update >/dev/null && $(APT) install -y --no-install-recommends $$missing >/dev/null; }

.PHONY: deps deps-check deps-vm deps-bench print-deps
deps:
	$(call need,$(DEPS_BUILD) $(DEPS_RUN))
deps-check: deps
	$(call need,$(DEPS_TEST))
deps-vm: deps-check
	$(call need,$(DEPS_VM))
deps-bench: deps
	$(call need,$(DEPS_BENCH))
print-deps:
	@echo $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)

# ---- documents -------------------------------------------------------------------------------------

# The pages are made by the program from its own tables, and so cannot say what it does not.
$(O)/man/.made: $(O)/vectl $(wildcard man/*) $(O)/share/.linked
	$(call say,MAN,$(O)/man)
	$(Q)VECTL_DATADIR=$(abspath $(O))/share man/build $(O)/vectl $(O)/man && touch $@
$(O)/completion/vectl: $(O)/vectl
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)$(O)/vectl completion bash >$@
$(O)/libve.pc: lib/libve.pc.in Makefile $(O)/flags
	@mkdir -p $(@D)
	@sed 's|@prefix@|$(PREFIX)|; s|@version@|$(VERSION)|' $< >$@
$(O)/systemd/%: templates/systemd/% Makefile $(O)/flags
	@mkdir -p $(@D)
	@sed 's|@bindir@|$(bindir)|' $< >$@
UNITS = $(patsubst templates/systemd/%,$(O)/systemd/%,$(wildcard templates/systemd/*.service))
all: $(O)/man/.made $(O)/completion/vectl $(O)/libve.pc $(UNITS)

# ---- installation ----------------------------------------------------------------------------------

unitdir = /etc/systemd/system
modulesdir = /etc/modules-load.d
completiondir = $(PREFIX)/share/bash-completion/completions
INSTALL = install -D -m

.PHONY: install uninstall
install: all
	$(INSTALL) 755 $(O)/vectl $(DESTDIR)$(bindir)/vectl
	$(INSTALL) 755 $(O)/vectl-monitor $(DESTDIR)$(libexecdir)/vectl-monitor.new
	mv -f $(DESTDIR)$(libexecdir)/vectl-monitor.new $(DESTDIR)$(libexecdir)/vectl-monitor
	$(INSTALL) 755 $(O)/vectl-ended $(DESTDIR)$(libexecdir)/vectl-ended
	$(INSTALL) 755 $(O)/libve.so.$(SOVERSION) $(DESTDIR)$(libdir)/libve.so.$(SOVERSION)
	ln -sf libve.so.$(SOVERSION) $(DESTDIR)$(libdir)/libve.so
	$(INSTALL) 644 lib/ve.h $(DESTDIR)$(includedir)/ve.h
	$(INSTALL) 644 $(O)/libve.pc $(DESTDIR)$(libdir)/pkgconfig/libve.pc
	for d in ve recipes nft schema modules; do for f in templates/$$d/*; do $(INSTALL) 644 $$f $(DESTDIR)$(datadir)/$$d/$$(basename $$f) || exit 1; done; done
	$(INSTALL) 644 $(O)/share/bpf/fastpath.o $(DESTDIR)$(datadir)/bpf/fastpath.o
	for f in $(POLICIES); do $(INSTALL) 644 $$f $(DESTDIR)$(datadir)/seccomp/$$(basename $$f) || exit 1; done
	for f in $(O)/man/*.[0-9]; do s=$${f##*.}; $(INSTALL) 644 $$f $(DESTDIR)$(mandir)/man$$s/$$(basename $$f) || exit 1; done
	$(INSTALL) 644 $(O)/completion/vectl $(DESTDIR)$(completiondir)/vectl
	for f in $(UNITS); do $(INSTALL) 644 $$f $(DESTDIR)$(unitdir)/$$(basename $$f) || exit 1; done
	$(INSTALL) 644 templates/modules/vectl.conf $(DESTDIR)$(modulesdir)/vectl.conf
	[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true
	[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

# Takes away what install put there; stores, images and VEs stay.
uninstall:
	rm -f $(DESTDIR)$(bindir)/vectl $(DESTDIR)$(libdir)/libve.so* $(DESTDIR)$(includedir)/ve.h
	rm -f $(DESTDIR)$(libdir)/pkgconfig/libve.pc $(DESTDIR)$(completiondir)/vectl
	rm -f $(DESTDIR)$(mandir)/man8/vectl.8 $(DESTDIR)$(mandir)/man8/vectl-*.8 $(DESTDIR)$(mandir)/man5/vectl-config.5
	rm -f $(DESTDIR)$(mandir)/man7/vectl-*.7 $(DESTDIR)$(mandir)/man3/libve.3
	rm -f $(patsubst $(O)/systemd/%,$(DESTDIR)$(unitdir)/%,$(UNITS))
	rm -f $(DESTDIR)$(modulesdir)/vectl.conf
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(datadir)
	[ -n "$(DESTDIR)" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload

# ---- the two commands ------------------------------------------------------------------------------

.PHONY: quickstart quickstart-clean
quickstart:
	@PREFIX=$(PREFIX) O=$(abspath $(O)) tools/quickstart
quickstart-clean:
	@PREFIX=$(PREFIX) O=$(abspath $(O)) tools/quickstart --clean

.PHONY: clean help
clean:
	rm -rf $(O)
help:
	@echo 'make                  build everything below $(O)'
	@echo 'make quickstart       from nothing to a running Debian VE; says first what it changes'
	@echo 'make quickstart-clean take all of it away'
	@echo 'make check            every test of this machine (root)'
	@echo 'make check-vm         the same in QEMU guests: systemd, pure cgroup v2, kernels 6.1 and 6.12'
	@echo '                      (two hours; VM_PART=hour, VM12_TESTS=, VM13_TESTS=, or for both VECTL_VM_TESTS=)'
	@echo 'make unit | e2e       parts of it; make e2e E2E=tests/e2e/run.bats'
	@echo 'make fuzz             look for inputs that break the readers of hostile text, with libFuzzer (needs clang;'
	@echo '                      FUZZ_SECONDS=60 for each, FUZZ=users for one)'
	@echo 'make bench            side by side with crun, runc, LXC, nspawn, bubblewrap'
	@echo 'make deps             install what building and running need'
	@echo 'make install          below PREFIX=$(PREFIX) (DESTDIR=, O=); make uninstall'
	@echo 'variables             D=1 warnings are errors, faults; SAN=address,undefined; V=1 shows commands'

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(MON_OBJ:.o=.d) $(UNIT_BIN:=.d) $(FUZZ_BIN:=.d)
