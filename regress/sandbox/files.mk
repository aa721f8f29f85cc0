# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

PROGS = acts

acts_test_SRCS = regress/sandbox/caged.c
works_test_SRCS = regress/sandbox/caged.c
works_test_LIBS = lmdb
works_net_test_SRCS = regress/sandbox/caged.c
works_net_test_LIBS = event unbound tls crypto
