# clusnap: back up and restore the configuration of Windows failover cluster nodes, offline.
#
#   make             build/clusnap and build/libclusnap.a
#   make demo        install what is missing, build, and run the main job on the sample cluster
#   make check       install what is missing, build, and run every test
#   make lint        format, layers, exported names, static analysis, manual page
#   make fuzz        each libFuzzer harness for FUZZ_SECONDS (60) seconds
#   make bench       speed, as ratios to peers and to cp in the same run
#   make install     program, manual page, headers, library, pkg-config file
#   make deps        install the missing Debian packages (as root, or with sudo)
#   make clean       remove build/
#
# DISKS=no builds without libfsntfs, libvshadow and libbfio: disks must then be mounted to be read.
#
# Variables: CC, CFLAGS, SAN=address,undefined (builds in its own folder), WERROR=1, V=1,
# WRAPPER="valgrind ..." (put before every test program), PREFIX, DESTDIR.

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
PKG_CONFIG ?= pkg-config
SAN ?=
DISKS ?= yes
disks := $(filter-out no,$(DISKS))
VERSION := 0.2

BUILD := build$(if $(SAN),/san)
Q := $(if $(V),,@)

ifneq ($(MAKECMDGOALS),deps)
ifneq ($(MAKECMDGOALS),clean)
packages := hivex talloc zlib nettle jansson smartcols $(if $(disks),libfsntfs libbfio libvshadow)
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(packages) 2>/dev/null)
pkg_libs := $(shell $(PKG_CONFIG) --libs $(packages) 2>/dev/null)
endif
endif

warnings := -Wall -Wextra -Wshadow -Wvla -Wundef -Wpointer-arith -Wmissing-prototypes \
	-Wstrict-prototypes -Wwrite-strings -Wimplicit-fallthrough -Wconversion \
	-Wno-sign-conversion $(if $(WERROR),-Werror)
sanitize := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
compile := $(CC) -std=gnu11 -D_GNU_SOURCE -I. $(if $(disks),,-DWITHOUT_DISKS) $(warnings) $(pkg_cflags) $(sanitize) $(CFLAGS) \
	$(CPPFLAGS) -pthread
link := $(CC) $(sanitize) $(CFLAGS) $(LDFLAGS) -pthread

library_sources := $(filter-out snapshot/cmd/%,$(wildcard $(addsuffix /*.c,hive checkpoint snapshot) \
	$(addsuffix /*/*.c,checkpoint snapshot)))
# What calls these libraries; without them ntfs_none.c and shadow_none.c, which are empty otherwise.
ifeq ($(disks),)
library_sources := $(filter-out $(addprefix checkpoint/disk/,ntfs.c ntfs_file.c medium_io.c shadow.c),\
	$(library_sources))
endif
library := $(patsubst %.c,$(BUILD)/%.o,$(library_sources))
commands := $(patsubst %.c,$(BUILD)/%.o,$(wildcard snapshot/cmd/*.c))
# tests/test_NAME.c is a cmocka program; other .c files directly in tests/ are shared by them.
tests := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
test_common := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/test_%,$(wildcard tests/*.c)))
test_scripts := $(wildcard tests/test_*.sh)
# tests/tools/NAME.c is a program that tests, demo or bench run.
test_tools := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/tools/*.c))

# tests/fuzz/fuzz_NAME.c, linked with a driver that feeds it files instead of libFuzzer
fuzz_replays := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))

.DELETE_ON_ERROR:
.PHONY: all demo check lint fuzz bench install clean deps programs FORCE

all: $(BUILD)/clusnap $(BUILD)/libclusnap.a

# A change of compiler or flags rebuilds everything.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(compile) $(link)' | cmp -s - $@ || echo '$(compile) $(link)' > $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(if $(Q),@echo '  CC      $<')
	$(Q)$(compile) -MMD -MP -c -o $@ $<

$(BUILD)/libclusnap.a: $(library)
	$(if $(Q),@echo '  AR      $@')
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/clusnap: $(commands) $(BUILD)/libclusnap.a
	$(if $(Q),@echo '  LD      $@')
	$(Q)$(link) -o $@ $^ $(pkg_libs)

# An archive, so that a program is linked with no more than what it uses.
$(BUILD)/tests/common.a: $(test_common)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(BUILD)/tests/common.a $(BUILD)/libclusnap.a
	$(if $(Q),@echo '  LD      $@')
	$(Q)$(link) -o $@ $^ -lcmocka $(pkg_libs)

$(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(BUILD)/tests/common.a $(BUILD)/libclusnap.a
	@mkdir -p $(@D)
	$(if $(Q),@echo '  LD      $@')
	$(Q)$(link) -o $@ $^ -lcmocka $(pkg_libs)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o \
		$(BUILD)/libclusnap.a
	$(if $(Q),@echo '  LD      $@')
	$(Q)$(link) -o $@ $^ $(pkg_libs)

.PRECIOUS: $(BUILD)/%.o

programs: all $(tests) $(test_tools) $(fuzz_replays)

deps:
	@tests/deps

demo: deps
	@$(MAKE) --no-print-directory all $(test_tools)
	@tests/demo

check: deps
	@$(MAKE) --no-print-directory programs
	@BUILD=$(BUILD) WRAPPER='$(WRAPPER)' tests/run $(test_scripts) $(tests)

lint: deps
	@tests/lint

fuzz: deps
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run

bench: deps
	@$(MAKE) --no-print-directory all $(test_tools)
	@tests/bench

# hive/x.h becomes $(PREFIX)/include/clusnap/hive/x.h, so that #include "hive/x.h" works there too.
headers := $(filter-out %_internal.h snapshot/cmd/%,$(wildcard hive/*.h checkpoint/*.h checkpoint/*/*.h snapshot/*.h \
	snapshot/*/*.h))

install: all
	install -d $(foreach dir,bin lib/pkgconfig share/man/man1 include/clusnap,\
		'$(DESTDIR)$(PREFIX)/$(dir)')
	install -m 755 $(BUILD)/clusnap '$(DESTDIR)$(PREFIX)/bin/clusnap'
	install -m 644 $(BUILD)/libclusnap.a '$(DESTDIR)$(PREFIX)/lib/libclusnap.a'
	install -m 644 docs/clusnap.1 '$(DESTDIR)$(PREFIX)/share/man/man1/clusnap.1'
	for header in $(headers); do \
		install -D -m 644 $$header '$(DESTDIR)$(PREFIX)/include/clusnap/'$$header; done
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' \
		-e 's|@DISKS@|$(if $(disks), libfsntfs libbfio libvshadow)|' clusnap.pc.in \
		> '$(DESTDIR)$(PREFIX)/lib/pkgconfig/clusnap.pc'

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
