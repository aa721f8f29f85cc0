# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# For GNU make and BSD make.  The rules of the build itself are made by
# configure, from the files.mk of each folder, into $(OBJ)/rules.mk.
#
#	make			build everything into obj/
#	make OBJ=obj-x		the same into another object directory
#	make run		(root) install what is needed, build, try it out
#	make regress		(root) run every test
#	make lint		what a machine can check of the source
#	make install		DESTDIR=, after ./configure --prefix=

OBJ = obj
# BSD make has .CURDIR and may work in ./obj, GNU make has CURDIR.
TOP = $(.CURDIR)$(CURDIR)
CONFIGURE = cd "$(TOP)" && ./configure --objdir=$(OBJ) --if-needed && \
	MAKEOBJDIR="$(TOP)" GNUMAKEFLAGS=--no-print-directory
RULES = -r -f $(OBJ)/rules.mk

all:
	@$(CONFIGURE) $(MAKE) $(RULES) programs

# The unit tests, fuzz targets and helpers of regress/, not run.
tests:
	@$(CONFIGURE) $(MAKE) $(RULES) programs tests

# All processors, where time counts.
JOBS = -j`getconf _NPROCESSORS_ONLN 2> /dev/null || sysctl -n hw.ncpuonline`

# The gateway consists of many users and chroots.
ROOT = if [ "`id -u`" != 0 ]; then \
	echo "This needs root: users, chroots and packages.  Please run" >&2; \
	echo "    cd $(TOP) && sudo make $@" >&2; exit 1; fi

run:
	@$(ROOT)
	@cd "$(TOP)" && regress/setup run
	@$(CONFIGURE) $(MAKE) $(RULES) $(JOBS) programs
	@cd "$(TOP)" && OBJ=$(OBJ) exec regress/demo/run

regress:
	@$(ROOT)
	@cd "$(TOP)" && regress/setup regress && exec regress/run

# The same with soaks and fuzzing: hours.
regress-long:
	@$(ROOT)
	@cd "$(TOP)" && regress/setup regress && exec regress/run -l

lint:
	@$(CONFIGURE) $(MAKE) $(RULES) programs tests
	@cd "$(TOP)" && exec regress/run -n lint/

install:
	@$(CONFIGURE) $(MAKE) $(RULES) programs
	@cd "$(TOP)" && etc/install $(OBJ) "$(DESTDIR)"

uninstall:
	@cd "$(TOP)" && etc/install -r $(OBJ) "$(DESTDIR)"

clean:
	cd "$(TOP)" && rm -rf $(OBJ) obj-asan obj-clang obj-fuzz

.PHONY: all tests run regress regress-long lint install uninstall clean
