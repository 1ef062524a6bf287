# fundd and fund: the empowerment fund's ledger.
#
#   make          build/fundd, build/fund and the fund-* beside it
#   make deps     installs what is needed to build, show and test them
#   make demo     a month of a small shop, played through the real programs
#   make check    all tests; the last line counts them
#   make fuzz     each parser for a minute (make check: a second)
#   make prove    proves the money functions for all inputs
#   make mutants  plants bugs and sees that the tests find them
#   make soak     the long versions of tests, with their figures
#   make coverage which lines of the parsers the fuzz seeds run
#   make bench    speed, beside PostgreSQL, Redis and the disk
#   make install  DESTDIR and prefix as usual; make uninstall takes it back
#
# build=DIR builds somewhere else, say with CFLAGS='-O1 -g -fsanitize=address,undefined'. V=1 shows
# the commands.

VERSION = 0.1.0
CC = gcc
CFLAGS = -O3 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wno-missing-field-initializers
build = build

prefix = /usr/local
bindir = $(prefix)/bin
sbindir = $(prefix)/sbin
mandir = $(prefix)/share/man
docdir = $(prefix)/share/doc/fund
unitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
# bin/fund looks in ../libexec/fund
libexecdir = $(prefix)/libexec/fund
sysconfdir = /etc

CPPFLAGS_ALL = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -I. -I$(build) $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(WARNINGS) $(CFLAGS) -MMD -MP
LIBS_DAEMON = -pthread -lsodium -ljansson -levent_core -lcrypto -lxxhash -llmdb -lsystemd -linih
# Each library that is loaded costs every `fund` some 50 microseconds, so it holds what it needs of them itself; see
# client/lazy.h for libsmartcols.
LIBS_FUND = -l:libsodium.a -l:libcsv.a
LIBS_VERIFY = -lsodium -lcrypto
compile = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL)
link = $(CC) $(CFLAGS) $(LDFLAGS)

objects = $(patsubst %.c,$(build)/%.o,$(wildcard $(1)/*.c))
# SHA-256 is there twice: libcrypto's for who hashes much, libsodium's for what must start quickly.
sha256_quick = $(build)/common/sha256_openssl.o
sha256_light = $(build)/common/sha256_sodium.o
# So are the words for what is no JSON: many for who is spoken to by strangers.
syntax_full = $(build)/common/syntax_jansson.o
syntax_light = $(build)/common/syntax_brief.o
common_o = $(filter-out $(sha256_quick) $(sha256_light) $(syntax_full) $(syntax_light),$(call objects,common))
daemon_o = $(filter-out $(build)/daemon/calls.o,$(call objects,daemon)) $(sha256_quick) $(syntax_full)
# fund is client/main.c, fund-X is client/main_X.c; each takes from the archive what it needs.
client_o = $(call objects,client)
client_a = $(build)/client.a
beside = $(patsubst client/main_%.c,$(build)/fund-%,$(wildcard client/main_*.c))
unit_tests = $(patsubst tests/unit/%.c,$(build)/tests/unit/%,$(wildcard tests/unit/*_test.c))

comma = ,
quiet = $(if $(V),,@echo '  $(1)	$@';)

all: $(build)/fundd $(build)/fund $(beside)

$(build)/fundd: $(common_o) $(daemon_o)
	$(call quiet,LD)$(link) -o $@ $^ $(LIBS_DAEMON)

# The filter of system calls is made while building.
$(build)/daemon/calls: $(build)/daemon/calls.o
	$(call quiet,LD)$(link) -o $@ $^ -lseccomp

$(build)/daemon/calls.inc: $(build)/daemon/calls
	$(call quiet,GEN)$< >$@.new && mv $@.new $@

$(build)/daemon/sandbox.o: $(build)/daemon/calls.inc

$(client_a): $(filter-out $(build)/client/main%,$(client_o)) $(common_o) $(syntax_light)
	@rm -f $@
	$(call quiet,AR)ar rcs $@ $^

$(build)/fund: $(build)/client/main.o $(client_a) $(sha256_light)
	$(call quiet,LD)$(link) -o $@ $^ $(LIBS_FUND)

$(build)/fund-%: $(build)/client/main_%.o $(client_a) $(sha256_quick)
	$(call quiet,LD)$(link) -o $@ $^ $(LIBS_VERIFY)

# A unit test links everything of the daemon but its main.
$(build)/tests/unit/%: $(build)/tests/unit/%.o $(common_o) \
		$(filter-out $(build)/daemon/main.o,$(daemon_o))
	$(call quiet,LD)$(link) -o $@ $^ $(LIBS_DAEMON)

# The simulation: the daemon without its main, its store and its sockets; see tests/sim/sim.h.
sim = $(build)/tests/sim/sim
sim_o = $(call objects,tests/sim)
sim_daemon_o = $(filter-out $(addprefix $(build)/daemon/,main.o ledger.o keyring.o),$(daemon_o))
sim_wraps = malloc calloc realloc free strdup clock_gettime accept4 read send close _exit \
	pthread_create actor_of_socket log_line \
	batch_commit batch_add books_apply books_request conn_run conn_free service_second verify_apart \
	index_check index_open index_remove fold_turn

$(sim): $(sim_o) $(common_o) $(sim_daemon_o)
	$(call quiet,LD)$(link) $(addprefix -Wl$(comma)--wrap=,$(sim_wraps)) -o $@ $^ $(LIBS_DAEMON)

$(build)/%.o: %.c $(build)/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(compile) -c -o $@ $<

# Changes when the command line of the compiler does, so that no object outlives its flags. A machine
# that lacks a library is told so here, before the first compiler error.
$(build)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(compile) $(LDFLAGS))' | cmp -s - $@ || { \
		CC='$(CC)' tests/deps --check build && \
		echo '$(subst ','\'',$(compile) $(LDFLAGS))' >$@; }

# What tests and bench use besides: programs by themselves, and what is preloaded into the daemon.
preloads = $(filter-out tests/tools/rows.c,$(wildcard tests/tools/*.c))
tools = $(build)/tests/tools/rows $(patsubst tests/tools/%.c,$(build)/tests/tools/%.so,$(preloads))
bench_programs = $(patsubst %.c,$(build)/%,$(wildcard tests/bench/*.c))

$(build)/tests/tools/rows: $(build)/tests/tools/rows.o
	$(call quiet,LD)$(link) -o $@ $^ -llmdb

$(build)/tests/tools/%.so: tests/tools/%.c $(build)/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) -D_GNU_SOURCE -std=c11 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

# Fills a ledger through the daemon's own code.
$(build)/tests/bench/fill: $(build)/tests/bench/fill.o $(common_o) \
		$(filter-out $(build)/daemon/main.o,$(daemon_o))
	$(call quiet,LD)$(link) -o $@ $^ $(LIBS_DAEMON)

$(build)/tests/bench/%: $(build)/tests/bench/%.o
	$(call quiet,LD)$(link) -o $@ $^

# Fuzz harnesses: clang's libFuzzer, with everything they link instrumented too, in a build of their own.
fuzz_build = build=build/fuzz CC=clang \
	CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
fuzzers = $(patsubst tests/fuzz/%.c,$(build)/tests/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

$(build)/tests/fuzz/%: $(build)/tests/fuzz/%.o $(common_o) $(filter-out $(build)/daemon/main.o,$(daemon_o))
	$(call quiet,LD)$(link) -fsanitize=fuzzer -o $@ $^ $(LIBS_DAEMON)

# The client's reader of CSV files; what it tells of goes to the harness.
$(build)/tests/fuzz/sheet_fuzz $(build)/tests/fuzz/sheet_replay: $(build)/client/sheet.o
$(build)/tests/fuzz/sheet_fuzz $(build)/tests/fuzz/sheet_replay: private LIBS_DAEMON += -lcsv

# Commits come to nothing, so that each input finds the ledger as it was.
$(build)/tests/fuzz/conn_fuzz: private LDFLAGS += -Wl,--wrap=ledger_commit

# The harness of frames with a bug planted in them, to see that it is found.
fuzz_control = $(build)/tests/fuzz/control

$(fuzz_control): $(build)/tests/fuzz/frame_fuzz.o
$(fuzz_control): private LDFLAGS += -Wl,--wrap=frame_find

# The same harnesses over kept inputs, for gcc's coverage.
replays = $(fuzzers:_fuzz=_replay)
coverage_build = build=build/coverage CC=gcc CFLAGS='-O0 -g --coverage'

$(build)/tests/fuzz/%_replay: $(build)/tests/fuzz/%_fuzz.o $(build)/tests/fuzz/replay.o $(common_o) \
		$(filter-out $(build)/daemon/main.o,$(daemon_o))
	$(call quiet,LD)$(link) -o $@ $^ $(LIBS_DAEMON)

$(build)/tests/fuzz/conn_replay: private LDFLAGS += -Wl,--wrap=ledger_commit

fuzzers: $(fuzzers) $(fuzz_control)
replays: $(replays)

# The interfaces, served as they stand.
$(build)/common/idl.o: $(wildcard common/*.varlink)

unit: $(unit_tests) $(tools) $(sim) bench_programs

bench_programs: $(bench_programs)

# What follows may install packages first, so it builds in a second make.
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
testing = BUILD='$(abspath $(build))' VERSION='$(VERSION)'

deps:
	@CC='$(CC)' tests/deps build demo check fuzz

demo:
	@CC='$(CC)' tests/deps build demo
	@$(MAKE) --no-print-directory $(parallel) all
	@$(testing) tests/demo

check: deps
	@$(MAKE) --no-print-directory $(parallel) all unit
	@$(MAKE) --no-print-directory $(parallel) $(fuzz_build) fuzzers
	@$(testing) tests/run $(unit_tests) $(wildcard tests/*.t)

fuzz:
	@CC=clang tests/deps build fuzz
	@$(MAKE) --no-print-directory $(parallel) $(fuzz_build) fuzzers
	@$(testing) FUZZ_SECONDS=60 TEST_TIMEOUT=3600 tests/run tests/fuzz.t

coverage:
	@$(MAKE) --no-print-directory $(parallel) $(coverage_build) replays
	@tests/coverage

prove:
	@tests/deps prove
	@tests/prove

mutants: deps
	@tests/mutants/run

soak:
	@CC='$(CC)' tests/deps build demo check
	@$(MAKE) --no-print-directory $(parallel) all unit
	@$(testing) tests/soak

bench:
	@CC='$(CC)' tests/deps build bench
	@$(MAKE) --no-print-directory $(parallel) all bench_programs
	@$(testing) tests/bench/run

# ---- Installing ----

manpages = $(notdir $(wildcard man/fund*.1)) fundd.8 fund.conf.5 fund-ledger.5
units = fundd.socket fundd.service fund-reset.timer fund-reset.service
# Everything that install puts down and uninstall takes back; the config is the owner's.
installed = $(bindir)/fund $(sbindir)/fundd \
	$(addprefix $(libexecdir)/,$(notdir $(beside))) \
	$(foreach page,$(manpages),$(mandir)/man$(subst .,,$(suffix $(page)))/$(page)) \
	$(addprefix $(unitdir)/,$(units)) \
	$(sysusersdir)/fund.conf $(tmpfilesdir)/fund.conf \
	$(docdir)/README.md $(docdir)/LICENSE $(docdir)/fund.cron \
	$(docdir)/io.fundd.Ledger.varlink
config = $(sysconfdir)/fund/fund.conf

with_paths = sed -e 's|@bindir@|$(bindir)|g' -e 's|@sbindir@|$(sbindir)|g'

install: all
	install -d $(sort $(dir $(addprefix $(DESTDIR),$(installed) $(config))))
	install -m 755 $(build)/fund $(DESTDIR)$(bindir)
	install -m 755 $(build)/fundd $(DESTDIR)$(sbindir)
	$(if $(beside),install -m 755 $(beside) $(DESTDIR)$(libexecdir))
	for page in $(manpages); do \
		install -m 644 man/$$page $(DESTDIR)$(mandir)/man$${page##*.}/ || exit; done
	for unit in $(units); do \
		$(with_paths) systemd/$$unit >$(DESTDIR)$(unitdir)/$$unit || exit; \
		chmod 644 $(DESTDIR)$(unitdir)/$$unit || exit; done
	install -m 644 systemd/fund.sysusers.conf $(DESTDIR)$(sysusersdir)/fund.conf
	install -m 644 systemd/fund.tmpfiles.conf $(DESTDIR)$(tmpfilesdir)/fund.conf
	install -m 644 README.md LICENSE systemd/fund.cron common/io.fundd.Ledger.varlink \
		$(DESTDIR)$(docdir)
	test -e $(DESTDIR)$(config) || install -m 644 systemd/fund.conf $(DESTDIR)$(config)

uninstall:
	rm -f $(addprefix $(DESTDIR),$(installed))
	test ! -d $(DESTDIR)$(docdir) || rmdir $(DESTDIR)$(docdir)
	test ! -d $(DESTDIR)$(libexecdir) || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(libexecdir)
	@echo "Left alone, because they are yours: $(DESTDIR)$(config) and the ledger (/var/lib/fund)."

clean:
	rm -rf $(build)

.PHONY: all unit bench_programs fuzzers replays deps demo check fuzz coverage prove mutants soak bench install uninstall clean FORCE
.SECONDARY:
-include $(patsubst %.o,%.d,$(common_o) $(sha256_light) $(syntax_light) $(daemon_o) $(build)/daemon/calls.o $(client_o) $(sim_o)) $(addsuffix .d,$(unit_tests) $(bench_programs) $(fuzzers))
