# libcarp and carpd.  `make help` lists what can be made.

VERSION	= 0.1.0
SOVER	= 0

B	?= build
PREFIX	?= /usr/local
LIBDIR	?= $(PREFIX)/lib
SBINDIR	?= $(PREFIX)/sbin
INCDIR	?= $(PREFIX)/include
MANDIR	?= $(PREFIX)/share/man
UNITDIR	?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
SYSCONFDIR ?= /etc
LIBEXEC	?= $(PREFIX)/lib/carpd
CC	?= cc
CFLAGS	?= -O2 -g
PKG_CONFIG ?= pkg-config

pc	= $(shell $(PKG_CONFIG) $(1))
LIB_PKGS   = libcrypto libmnl libnl-3.0
CARPD_PKGS = libevent_core libconfuse jansson libcap-ng
CTL_PKGS   = jansson libpcap
FENCE_PKGS = libiscsi

WARN	= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	  -Wwrite-strings -Wpointer-arith -Wvla -Wformat=2 -Wundef
STD	= -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
CPP	= -Iinclude $(STD) -DCARP_VERSION='"$(VERSION)"' \
	  -DOPENSSL_API_COMPAT=10100 -DCARP_HOOK_DIR='"$(LIBEXEC)/hooks"'
COMPILE	= $(CC) $(CPP) $(CPPFLAGS) $(WARN) $(WERROR) $(CFLAGS) -MMD -MP

LIB_SRC	= $(wildcard lib/carp/*.c lib/vip/*.c)
CTL_SRC	= $(wildcard daemon/carpctl.c daemon/ctl_*.c) daemon/key.c
FENCE_SRC = $(wildcard daemon/fence_*.c)
CARPD_SRC = $(filter-out daemon/carpctl.c daemon/ctl_% daemon/fence_% \
	    daemon/held.c daemon/spare.c,$(wildcard daemon/*.c))
LIB_OBJ	= $(LIB_SRC:%.c=$(B)/%.o)
CTL_OBJ	= $(CTL_SRC:%.c=$(B)/%.o)
CARPD_OBJ = $(CARPD_SRC:%.c=$(B)/%.o)
FENCE_OBJ = $(FENCE_SRC:%.c=$(B)/%.o)
SO	= libcarp.so.$(VERSION)
SONAME	= libcarp.so.$(SOVER)

## all		library, daemon and command, in build/
all: $(B)/libcarp.so $(B)/libcarp.a $(B)/libcarp.pc $(B)/carpd $(B)/carpctl \
    $(B)/carp-fence $(B)/carp-held $(B)/carp-spare

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

$(B)/lib/%.o: lib/%.c
	@mkdir -p $(@D)
	$(COMPILE) -fPIC -fvisibility=default $(call pc,--cflags $(LIB_PKGS)) \
	    -c -o $@ $<

$(B)/daemon/%.o: daemon/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(call pc,--cflags $(CARPD_PKGS)) -c -o $@ $<

$(B)/libcarp.a: $(LIB_OBJ)
	rm -f $@
	$(AR) rcs $@ $(LIB_OBJ)

$(B)/$(SO): $(LIB_OBJ) lib/libcarp.map
	$(CC) -shared $(CFLAGS) $(LDFLAGS) -Wl,-z,defs -Wl,-soname,$(SONAME) \
	    -Wl,--version-script=lib/libcarp.map -o $@ $(LIB_OBJ) \
	    $(call pc,--libs $(LIB_PKGS))

$(B)/libcarp.so: $(B)/$(SO)
	ln -sf $(SO) $(B)/$(SONAME)
	ln -sf $(SONAME) $@

# Written anew each time, since PREFIX may differ.
$(B)/libcarp.pc: FORCE
	@mkdir -p $(@D)
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' \
	    'includedir=$(INCDIR)' '' 'Name: libcarp' \
	    'Description: CARP: virtual addresses that move between machines' \
	    'Version: $(VERSION)' 'Requires.private: $(LIB_PKGS)' \
	    'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lcarp' > $@

# In the build tree the programs find the library beside themselves; what is
# installed is linked again without that.
ORIGIN	= -Wl,-rpath,'$$ORIGIN'
LINK_CARPD = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CARPD_OBJ) -L$(B) -lcarp \
	    $(call pc,--libs $(CARPD_PKGS))
LINK_CTL = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CTL_OBJ) -L$(B) -lcarp \
	    $(call pc,--libs $(CTL_PKGS))

$(B)/carpd: $(CARPD_OBJ) $(B)/libcarp.so
	$(LINK_CARPD) $(ORIGIN)
$(B)/carpctl: $(CTL_OBJ) $(B)/libcarp.so
	$(LINK_CTL) $(ORIGIN)
# What the storage hooks ask the kernel with.
$(B)/carp-held: $(B)/daemon/held.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<
# What waits to become a notification hook.
$(B)/carp-spare: $(B)/daemon/spare.o $(B)/daemon/hook_become.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
# What knows LIBEXEC is compiled anew, since PREFIX may differ.
HOOKS_OBJ = $(B)/daemon/conf_hooks.o
$(B)/install/conf_hooks.o: daemon/conf_hooks.c FORCE
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<
$(B)/install/carpd: $(CARPD_OBJ) $(B)/install/conf_hooks.o $(B)/libcarp.so
	$(LINK_CARPD:$(HOOKS_OBJ)=$(B)/install/conf_hooks.o)
$(B)/install/carpctl: $(CTL_OBJ) $(B)/libcarp.so
	@mkdir -p $(@D)
	$(LINK_CTL)

# Threads, one for each disk, and nothing of the library.
$(B)/carp-fence: $(FENCE_OBJ)
	$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(FENCE_OBJ) \
	    $(call pc,--libs $(FENCE_PKGS))
# The same program is the hook scsi-pr.
install-hooks: $(B)/carp-fence $(B)/carp-held $(B)/carp-spare
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXEC)/hooks
	install -m 755 $(B)/carp-fence $(DESTDIR)$(SBINDIR)
	ln -sf $(SBINDIR)/carp-fence $(DESTDIR)$(LIBEXEC)/hooks/scsi-pr
	install -m 755 $(B)/carp-held $(B)/carp-spare $(DESTDIR)$(LIBEXEC)
	install -m 755 $(filter-out %.sh,$(wildcard pkg/hooks/*)) \
	    $(DESTDIR)$(LIBEXEC)/hooks
	install -m 644 $(wildcard pkg/hooks/*.sh) $(DESTDIR)$(LIBEXEC)/hooks

## install	with DESTDIR= PREFIX= LIBDIR= ...: all that a package needs
install: all $(B)/install/carpd $(B)/install/carpctl install-hooks
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(SBINDIR) \
	    $(DESTDIR)$(INCDIR)/carp $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(SYSCONFDIR)/carpd/notify.d \
	    $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man5 \
	    $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(MANDIR)/man8
	install -m 755 $(B)/$(SO) $(DESTDIR)$(LIBDIR)
	ln -sf $(SO) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libcarp.so
	install -m 644 $(B)/libcarp.a $(DESTDIR)$(LIBDIR)
	install -m 644 $(B)/libcarp.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 include/carp/*.h $(DESTDIR)$(INCDIR)/carp
	install -m 755 $(B)/install/carpd $(B)/install/carpctl \
	    $(DESTDIR)$(SBINDIR)
	for s in 3 5 7 8; do install -m 644 man/*.$$s \
	    $(DESTDIR)$(MANDIR)/man$$s || exit 1; done
	sed 's|@SBINDIR@|$(SBINDIR)|g' pkg/systemd/carpd.service \
	    > $(DESTDIR)$(UNITDIR)/carpd.service
	sed 's|@SBINDIR@|$(SBINDIR)|g' pkg/systemd/carpd-failover.service \
	    > $(DESTDIR)$(UNITDIR)/carpd-failover.service
	install -m 644 pkg/systemd/carpd.sysusers \
	    $(DESTDIR)$(SYSUSERSDIR)/carpd.conf
	install -D -m 644 pkg/completion/carpctl \
	    $(DESTDIR)$(COMPDIR)/carpctl

# Tests.  Each tests/unit/NAME.c is a program of its own.  One that looks into
# the daemon says what else it is linked with: UNIT_OBJ_NAME, UNIT_PKGS_NAME.
# A fuzz target tests/fuzz/fuzz_NAME.c: FUZZ_OBJ_NAME, FUZZ_PKGS_NAME.
TEST_PKGS = check jansson libpcap
TEST_CPP  = -Idaemon -DTEST_DATA='"$(CURDIR)/tests/data"'
UNIT	  = $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/*.c))
FUZZ	  = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_TIME ?= 60
SANITIZE  = -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all \
	    -fsanitize=address,undefined

daemon_obj = $(patsubst %,$(B)/daemon/%.o,$(1))
# Failover mode.  What names interfaces is apart: simulated pairs have none.
FAILOVER_OBJ = $(patsubst %.c,$(B)/%.o,$(filter-out \
	     daemon/failover_alias.c,$(wildcard daemon/failover*.c)))
ROLE_OBJ   = $(call daemon_obj,role role_act role_down role_move role_up)
RPC_OBJ	   = $(FAILOVER_OBJ) $(call daemon_obj,apply conf_block \
	     failover_alias group instance instance_apply \
	     instance_maintenance instance_tell interlink plan reasons \
	     report rpc rpc_carp rpc_failover status_json why) \
	     $(PLAN_OBJ) $(ROLE_OBJ)
# The configuration.  What looks at the machine is apart, for it needs lib/vip.
CONF_OBJ   = $(patsubst %.c,$(B)/%.o,$(filter-out daemon/conf_machine.c,\
	     $(wildcard daemon/conf*.c)) daemon/hook_file.c daemon/key.c)

# Resources: what decides, and all of it.
PLAN_OBJ   = $(call daemon_obj,resource_plan resource_result resource_rule)
RESOURCE_OBJ = $(patsubst %.c,$(B)/%.o,$(wildcard daemon/resource*.c)) \
	     $(call daemon_obj,conf_block hook_become hook_file hook_group \
		hook_run hook_spare log)

UNIT_OBJ_conf	  = $(CONF_OBJ)
UNIT_PKGS_conf	  = libconfuse
UNIT_OBJ_group	  = $(call daemon_obj,group)
UNIT_OBJ_failover_store = $(RPC_OBJ) $(call daemon_obj,log)
UNIT_OBJ_fence	  = $(call daemon_obj,fence_conf fence_disk fence_parse \
	     fence_request fence_view)
UNIT_OBJ_fence_block = $(call daemon_obj,fence_block fence_disk fence_parse \
	     fence_request fence_view)
UNIT_OBJ_fence_parse = $(call daemon_obj,fence_parse)
UNIT_OBJ_conf_block = $(CONF_OBJ)
UNIT_PKGS_conf_block = libconfuse
UNIT_OBJ_ipc	  = $(call daemon_obj,ipc conf_block)
UNIT_OBJ_key	  = $(call daemon_obj,key)
UNIT_OBJ_log	  = $(call daemon_obj,log)
UNIT_OBJ_hook_file = $(call daemon_obj,hook_file)
UNIT_OBJ_hook_spare = $(call daemon_obj,hook_become hook_spare)
UNIT_PKGS_hook_spare = libevent_core
UNIT_OBJ_notify_dir = $(call daemon_obj,hook_file notify_dir)
UNIT_OBJ_notify_queue = $(call daemon_obj,notify_queue)
UNIT_OBJ_plan	  = $(call daemon_obj,plan conf_block)
UNIT_OBJ_role	  = $(ROLE_OBJ)
UNIT_OBJ_role_pair = $(FAILOVER_OBJ) $(call daemon_obj,conf_block group \
	     interlink reasons report status_json why) $(PLAN_OBJ) \
	     $(ROLE_OBJ) $(B)/tests/kit/pair_engine.o \
	     $(B)/tests/kit/pair_node.o $(B)/tests/kit/no_engine.o
UNIT_OBJ_reasons  = $(call daemon_obj,conf_block reasons status_json why) \
	     $(ROLE_OBJ) $(B)/tests/kit/no_engine.o
UNIT_OBJ_resource = $(RESOURCE_OBJ) $(B)/tests/kit/resource_kit.o
UNIT_PKGS_resource = libevent_core
UNIT_OBJ_resource_loss = $(UNIT_OBJ_resource)
UNIT_PKGS_resource_loss = libevent_core
UNIT_OBJ_resource_left = $(UNIT_OBJ_resource)
UNIT_PKGS_resource_left = libevent_core
UNIT_OBJ_resource_plan = $(PLAN_OBJ)
UNIT_OBJ_rpc	  = $(RPC_OBJ) $(call daemon_obj,log)
UNIT_OBJ_sdnotify = $(call daemon_obj,sdnotify)
UNIT_OBJ_saver	  = $(call daemon_obj,failover_format kept log saver state)
UNIT_OBJ_failover_history = $(RPC_OBJ) $(call daemon_obj,log)
UNIT_OBJ_state	  = $(call daemon_obj,kept state)
UNIT_OBJ_why	  = $(call daemon_obj,why)
FUZZ_OBJ_conf	  = $(CONF_OBJ)
FUZZ_PKGS_conf	  = libconfuse
FUZZ_OBJ_fence	  = $(call daemon_obj,fence_parse fence_view)
FUZZ_OBJ_ipc	  = $(call daemon_obj,ipc conf_block) $(PLAN_OBJ)
FUZZ_OBJ_store	  = $(RPC_OBJ)
FUZZ_PKGS_store	  = jansson
FUZZ_OBJ_rpc	  = $(RPC_OBJ)
FUZZ_PKGS_rpc	  = jansson

UNIT_TESTS  = $(UNIT:%=$(B)/tests/unit/%)
# Those that take more than a minute first, so that none is left at the end.
NETNS_LONG  = $(patsubst %,tests/netns/%.sh,storage_hooks reload vip guard \
	      group process)
NETNS_TESTS = $(NETNS_LONG) $(filter-out tests/netns/lib.sh $(NETNS_LONG),\
	      $(wildcard tests/netns/*.sh))
CONF_TESTS  = tests/conf/run.sh tests/conf/machine.sh
SIM	    = $(B)/tests/sim/sim
SIM_OBJ	    = $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c))
CONF_TOOLS  = $(B)/tests/conf/conf_dump $(B)/tests/conf/conf_check
NETNS_TOOLS = $(addprefix $(B)/tests/netns/, probe stall watch)
NETNS_ISCSI = $(B)/tests/netns/iscsi_rw $(B)/tests/netns/disk_io
STORAGE_TOOLS = $(B)/tests/storage/blocks $(B)/tests/storage/observe
NETNS_DRIVERS = $(B)/tests/netns/engine_driver $(B)/tests/netns/vip_driver
HOTPATH	    = $(B)/tests/netns/hotpath.so
TEST_TOOLS  = $(UNIT_TESTS) $(SIM) $(CONF_TOOLS) $(NETNS_TOOLS) \
	      $(NETNS_DRIVERS) $(NETNS_ISCSI) $(STORAGE_TOOLS) $(HOTPATH)
RUN	    = BUILD=$(B) tests/run.sh -t 300

$(B)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(TEST_CPP) $(call pc,--cflags $(TEST_PKGS) $(CARPD_PKGS)) \
	    -c -o $@ $<

.SECONDEXPANSION:
$(UNIT_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $$(UNIT_OBJ_$$*) \
    $(B)/libcarp.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(UNIT_OBJ_$*) $(B)/libcarp.a \
	    $(call pc,--libs $(TEST_PKGS) $(LIB_PKGS) $(UNIT_PKGS_$*))

$(FUZZ:%=$(B)/tests/fuzz/fuzz_%): $(B)/tests/fuzz/fuzz_%: \
    $(B)/tests/fuzz/fuzz_%.o $$(FUZZ_OBJ_$$*) $(B)/libcarp.a
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_OBJ_$*) \
	    $(B)/libcarp.a $(call pc,--libs $(LIB_PKGS) $(FUZZ_PKGS_$*))

$(SIM): $(SIM_OBJ) $(B)/libcarp.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(SIM_OBJ) $(B)/libcarp.a \
	    $(call pc,--libs $(LIB_PKGS))

$(CONF_TOOLS): $(B)/tests/conf/%: $(B)/tests/conf/%.o $(CONF_OBJ) \
    $(B)/daemon/conf_machine.o $(B)/libcarp.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(CONF_OBJ) \
	    $(if $(findstring check,$@),$(B)/daemon/conf_machine.o) \
	    $(B)/libcarp.a $(call pc,--libs $(LIB_PKGS) libconfuse)

$(NETNS_TOOLS): $(B)/tests/netns/%: tests/netns/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $<

$(NETNS_ISCSI) $(STORAGE_TOOLS): $(B)/%: %.c
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) $(call pc,--cflags libiscsi) -o $@ $< \
	    $(call pc,--libs $(FENCE_PKGS))

$(NETNS_DRIVERS): $(B)/tests/netns/%: tests/netns/%.c $(B)/libcarp.so
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $< -L$(B) -lcarp \
	    -Wl,-rpath,'$$ORIGIN/../..'

$(HOTPATH): tests/netns/hotpath.c
	@mkdir -p $(@D)
	$(COMPILE) -fPIC -shared $(LDFLAGS) -o $@ $<

## check		installs what is missing, builds, runs all tests below
check:
	pkg/deps.sh
	$(MAKE) check-all

## check-tools	builds what tests are made of, runs none
check-tools: all $(TEST_TOOLS)

check-all: check-tools
	$(RUN) $(UNIT_TESTS) tests/sim/run.sh $(CONF_TESTS) tests/cli/run.sh \
	    tests/install.sh tests/fence-agent.sh $(NETNS_TESTS)

## check-unit	unit tests
check-unit: $(UNIT_TESTS)
	$(RUN) $^

## check-sim	clusters in virtual time: SIM_RUNS=10000 SIM_SEED=1
check-sim: $(SIM)
	BUILD=$(B) tests/sim/run.sh

## check-conf	configuration files and what is said about them
check-conf: $(CONF_TOOLS)
	$(RUN) $(CONF_TESTS)

## check-cli	carpctl: its command line, and its decoder on captures
check-cli: all
	$(RUN) tests/cli/run.sh

## check-install	the example program, built against the installed library
check-install: all
	$(RUN) tests/install.sh

## check-netns	real daemons in private network namespaces
check-netns: all $(NETNS_TOOLS) $(NETNS_DRIVERS) $(NETNS_ISCSI) \
    $(STORAGE_TOOLS) $(HOTPATH)
	$(RUN) $(NETNS_TESTS) tests/fence-agent.sh

## check-asan	all of them with sanitizers: addresses, undefined behaviour
check-asan:
	$(MAKE) B=build-asan CFLAGS="$(SANITIZE)" SIM_RUNS=1000 check-all

## check-vm	on Debian's kernel, in a virtual machine: TESTS="tests/vm/x.sh"
$(B)/tests/vm/init: tests/vm/init.c
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -static -o $@ $<

check-vm:
	pkg/deps.sh build demo demo-storage check vm
	$(MAKE) check-tools $(B)/tests/vm/init
	BUILD=$(B) tests/vm/run.sh $(TESTS)

## bench		carpd, keepalived and ucarp measured: M=crash, QUICK=1
BENCH_TOOLS = $(B)/tests/bench/floor $(B)/tests/bench/hook
$(BENCH_TOOLS): $(B)/tests/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(LDFLAGS) -o $@ $<

bench:
	pkg/deps.sh build demo bench
	$(MAKE) all $(NETNS_TOOLS) $(BENCH_TOOLS)
	BUILD=$(B) tests/bench/bench.sh

## bench-results	the last bench as a table for a text
bench-results:
	@[ -s $(B)/bench.json ] || \
	    { echo "$(B)/bench.json is missing: run make bench" >&2; exit 1; }
	@jq -r -f tests/bench/results.jq $(B)/bench.json

## demo		two nodes and a client: kill, freeze, cut, hand over
demo:
	pkg/deps.sh build demo
	$(MAKE) all $(NETNS_TOOLS)
	BUILD=$(B) pkg/demo/demo.sh

## demo-storage	two nodes share a disk: hand over, crash, hang, theft
demo-storage:
	pkg/deps.sh build demo demo-storage
	$(MAKE) all $(NETNS_TOOLS) $(STORAGE_TOOLS)
	BUILD=$(B) pkg/demo/demo-storage.sh

## figures-storage	how long storage failover takes: N=10 of each kind
figures-storage:
	pkg/deps.sh build demo demo-storage
	$(MAKE) all $(NETNS_TOOLS) $(STORAGE_TOOLS)
	BUILD=$(B) tests/storage/figures.sh

## fuzz		each target for FUZZ_TIME=60 seconds, from its corpus
fuzz:
	$(MAKE) B=build-fuzz CC=clang CFLAGS="$(SANITIZE) \
	    -fsanitize=fuzzer-no-link" fuzz-run

## fuzz-smoke	each target for 10 seconds
fuzz-smoke:
	$(MAKE) FUZZ_TIME=10 fuzz

# What is found new goes to the build directory, never to the source tree.
fuzz-run: $(FUZZ:%=$(B)/tests/fuzz/fuzz_%)
	@for f in $(FUZZ); do \
	    mkdir -p $(B)/corpus/$$f && \
	    echo "fuzz_$$f: $(FUZZ_TIME) s" && \
	    $(B)/tests/fuzz/fuzz_$$f -max_total_time=$(FUZZ_TIME) \
		-timeout=5 -rss_limit_mb=1024 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix=$(B)/ \
		$$(ls tests/fuzz/$$f.dict 2>/dev/null | sed 's/^/-dict=/') \
		$(B)/corpus/$$f tests/fuzz/corpus/$$f || exit 1; \
	done

## lint		shape of the code, manual pages, exported symbols
lint: all
	BUILD=$(B) tests/lint.sh

## format	clang-format, in place, of all but the public headers
format:
	git ls-files 'lib/*.[ch]' 'daemon/*.[ch]' 'tests/*.[ch]' | \
	    xargs clang-format -i

## deps		install what is missing to build and test (Debian, as root)
deps:
	pkg/deps.sh

## clean		remove build/
clean:
	rm -rf $(B) build-asan build-fuzz

.PHONY: all help clean install install-hooks deps demo demo-storage \
    figures-storage format lint check check-all check-tools \
    check-unit check-sim check-conf check-cli check-install check-netns \
    check-asan check-vm fuzz fuzz-smoke fuzz-run bench bench-results
export M N D QUICK SIM_RUNS SIM_SEED FUZZ_TIME
FORCE:
.DELETE_ON_ERROR:
-include $(LIB_OBJ:.o=.d) $(CARPD_OBJ:.o=.d) $(CTL_OBJ:.o=.d)
-include $(FENCE_OBJ:.o=.d)
-include $(wildcard $(B)/tests/*/*.d)
-include $(NETNS_TOOLS:=.d) $(NETNS_DRIVERS:=.d) $(NETNS_ISCSI:=.d)
