# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
#
# The form is described in common/files.mk.

SRCS = *.c mime/*.c content/*.c auth/*.c rules/*.c

LIBS = event icu opendkim spf2 unbound
