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

clean:
	cd "$(TOP)" && rm -rf $(OBJ)

.PHONY: all tests clean
